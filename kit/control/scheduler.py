"""Turns: asks the policy who runs next, lets it run, and keeps the account of each.

A virtual machine that waits is not resumed before the machine's own clock has reached the time of
its next event. When nobody else can run, the machine itself waits until the earliest of these times
comes. Both are counted in ticks of mtime. A guest whose clock is ahead of the machine's (it set its
mtime, or was restored) waits as long as it would have from where the machine's clock is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kit.control.policies import Policy, RoundRobin, Turn
from kit.control.virtual_machine import VirtualMachine
from kit.errors import KitError
from kit.machine.computer import DEFAULT_BUDGET, Computer
from kit.machine.control_c import Held
from kit.machine.protocol import Stop

__all__ = ["Account", "Progress", "Scheduler"]

GOES_ON = ("budget", "waiting", "idle")
"""Ends of a turn that do not end the run: one that is idle may still get something to do."""


@dataclass
class Account:
    """What the scheduler knows about one virtual machine.

    `left` are the steps that it still may make, `made` those of this run, `ahead` how far its
    clock was before the machine's when it last stopped running, `held` whether the operator has
    stopped it, `ended` how its run ended, if it has, and `rank` its place among those that have.
    """

    left: int
    ahead: int = 0
    made: int = 0
    held: bool = False
    ended: Stop | None = None
    rank: int = 0


@dataclass(frozen=True)
class Progress:
    """How far a run is: the machine's time, and the steps of each virtual machine so far."""

    clock: int
    steps: Mapping[str, int]


class Scheduler:
    """Runs the virtual machines of a VMM in turns, as a policy says.

    `machines` may grow and shrink between turns. `budget` is for each of them, in steps. What a
    policy does wrong is in `complaint`, and never ends the run: a turn of less than one step
    halts the virtual machine that it was for (its `failure` says so), any other mistake puts round
    robin in the policy's place.
    """

    def __init__(
        self,
        machine: Computer,
        machines: Mapping[str, VirtualMachine],
        policy: Policy | None = None,
        budget: int | None = None,
    ) -> None:
        self.machine = machine
        self.machines = machines
        self.policy: Policy = RoundRobin() if policy is None else policy
        self.budget = DEFAULT_BUDGET if budget is None else budget
        self.accounts: dict[str, Account] = {}
        self.complaint = ""
        self._finished = 0
        self._last = ""
        """Whose turn the last one was."""

    # -- what others ask ---------------------------------------------------------------------

    @property
    def clock(self) -> int:
        """The machine's own time, in ticks."""
        return self.machine.hart.mtime

    def account(self, name: str) -> Account:
        """The account of a virtual machine; a new one has its whole budget left."""
        if name not in self.accounts:
            self.accounts[name] = Account(self.budget, self._ahead(name))
        return self.accounts[name]

    def _ahead(self, name: str) -> int:
        return max(0, self.machines[name].hart.mtime - self.clock)

    def renew(self, name: str) -> None:
        """It has been reset or restored: what it did before is forgotten, a hold stays."""
        self.accounts[name] = Account(self.budget, self._ahead(name), held=self.account(name).held)

    def progress(self) -> Progress:
        """How far the run is."""
        return Progress(self.clock, {name: self.account(name).made for name in self.machines})

    def results(self) -> dict[str, Stop]:
        """How each run ended, in the order in which they did; those that wait for ever come last.

        One that the operator holds, or that could still run, has the reason "stopped".
        """
        names = sorted(self.machines, key=lambda n: self.account(n).rank or self._finished + 1)
        return {name: self.account(name).ended or self._unfinished(name) for name in names}

    def _unfinished(self, name: str) -> Stop:
        machine, account = self.machines[name], self.account(name)
        reason = "stopped" if account.held or machine.wakes_at() is not None else "idle"
        return Stop(reason, 0, account.made, machine.hart.pc)

    # -- one turn ----------------------------------------------------------------------------

    def turn(self) -> str | None:
        """Lets one virtual machine run; returns its name, or None if none ever can by itself.

        After control-C, or what a listener has raised, the accounts are right, and it can go on.
        """
        with Held():
            return self._turn()

    def _turn(self) -> str | None:
        ready = self._ready()
        if not ready:
            return None
        turn = self._ask(ready)
        if turn.quantum < 1:
            self.complaint = f"the policy gave it a turn of {turn.quantum} steps"
            self.fail(turn.name, self.complaint)
        else:
            self._run(turn)
        return turn.name

    def _ready(self) -> list[str]:
        """Who can run now; where nobody can, the machine waits until somebody is due."""
        while due := self._due():
            ready = [name for name, time in due.items() if time <= self.clock and self._awake(name)]
            if ready:
                return ready
            self.machine.pass_time(min(due.values()))
        return []

    def _awake(self, name: str) -> bool:
        """Is it running, or is what it has waited for there? Other events pass without a turn."""
        machine = self.machines[name]
        if not machine.hart.waiting:
            return True
        return machine.wake(max(self.clock + self.account(name).ahead, machine.wakes_at() or 0))

    def _due(self) -> dict[str, int]:
        """From which machine time on each virtual machine can run, if ever it can by itself."""
        due = {}
        for name, machine in self.machines.items():
            account = self.account(name)
            if account.held or account.ended:
                continue
            if account.left < 1:
                self.finish(name, Stop("budget", 0, account.made, machine.hart.pc))
                continue
            event = machine.wakes_at()
            if event is not None:
                due[name] = event - account.ahead
        return due

    def _ask(self, ready: list[str]) -> Turn:
        """The policy's decision, or that of round robin if it makes none."""
        try:
            turn = self.policy.choose(tuple(ready))
            if turn.name in ready and isinstance(turn.quantum, int):
                return turn
            wrong = f"it chose {turn.name!r} for {turn.quantum!r} steps"
        except Exception as error:  # a policy is anybody's code
            wrong = f"{type(error).__name__}: {error}"
        return self._replace_policy(wrong).choose(ready)

    def _replace_policy(self, wrong: str) -> Policy:
        self.complaint = f"the policy was replaced by round robin: {wrong}"
        self.policy = RoundRobin()
        return self.policy

    def _run(self, turn: Turn) -> None:
        name, account = turn.name, self.account(turn.name)
        machine = self.machines[name]
        machine.counts["switch"] += name != self._last
        self._last, before = name, machine.steps
        try:
            stop = machine.run(min(turn.quantum, account.left), max(self.clock, machine.hart.mtime))
        except BrokenPipeError:  # nobody reads the output of all this any more
            raise
        except (KitError, OSError) as error:  # a disk or a file of its output, not its guest
            machine.vcpu.failure = str(error)
            stop = Stop("stopped", 0, machine.steps - before, machine.hart.pc)
        finally:
            account.left -= machine.steps - before
            account.made += machine.steps - before
            account.ahead = self._ahead(name)
        if stop.reason not in GOES_ON:
            self.finish(name, Stop(stop.reason, stop.code, account.made, stop.pc))
        elif account.left < 1:
            self.finish(name, Stop("budget", 0, account.made, stop.pc))
        self._tell(name, stop.steps)

    def _tell(self, name: str, steps: int) -> None:
        try:
            self.policy.ran(name, steps)
        except Exception as error:  # a policy is anybody's code
            self._replace_policy(f"{type(error).__name__}: {error}")

    def fail(self, name: str, reason: str) -> Stop:
        """Halts a virtual machine for a reason that is not its guest's; returns how it ended."""
        machine = self.machines[name]
        machine.vcpu.failure = reason
        stop = Stop("stopped", 0, self.account(name).made, machine.hart.pc)
        self.finish(name, stop)
        return stop

    def finish(self, name: str, stop: Stop) -> None:
        """Its run is over, with this end."""
        self._finished += 1
        account = self.account(name)
        account.ended, account.rank = stop, self._finished
