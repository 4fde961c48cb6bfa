"""Drives a machine, or the virtual machines of a VMM, as its views ask: steps, there and back.

A request is what a view sends: ``{"action": "step", "count": -1, "machine": 0}``. The answer goes
to all views of the run: what was recorded since, the registers as they are now, and where that is.
Long runs are made in slices, between which a notebook can do other things, and be told to pause.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from kit.control.policies import RoundRobin
from kit.control.scheduler import Scheduler
from kit.control.virtual_machine import VirtualMachine
from kit.control.vmm import VMM
from kit.devices.deck import Deck
from kit.errors import KitError
from kit.machine.computer import Computer
from kit.machine.explain import explain_last_trap
from kit.trace.debugger import Debugger
from kit.trace.history import History
from kit.widgets.film import registers
from kit.widgets.listing import listing_at
from kit.widgets.maps import frames_of, guest_map, shadow_of
from kit.widgets.packing import beside
from kit.widgets.run import Run
from kit.widgets.walk import walk

__all__ = ["Driver", "driver_of"]

SLICE = 0.1
"""Seconds of a slice of a long run."""
PAUSE = 0.02
"""Seconds between two slices, for requests."""
FIRST, MOST = 20_000, 1 << 24
BUDGET = 1_000_000_000
"""Steps after which a run ends by itself."""
_LONGEST = 1 << 16


class Driver:
    """Does what views of a run ask for; `send` is called with each answer and its buffers.

    `later`, if given, calls a function a little later: a long run is then made in slices, between
    which requests are heard. Without it, a run is made at once.
    """

    def __init__(
        self,
        system: Computer | VMM,
        run: Run,
        send: Callable[[dict[str, Any], list[bytes]], None],
        later: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self.system = system
        self._later = later
        self.run = run
        self.send = send
        self.busy = False
        self._scheduler: Scheduler | None = None
        self._debugger: Debugger | None = None
        self._left = self._pace = 0
        self._known: dict[int, Any] = {}
        run.part()

    # -- requests ----------------------------------------------------------------------------

    def handle(self, request: dict[str, Any]) -> None:
        """Does what was asked for. What its user did wrong goes back as a ``problem``."""
        action = str(request.get("action", "")).replace(" ", "_")
        act = getattr(self, f"_do_{action}", None)
        answer: dict[str, Any] = {"problem": ""}
        try:
            if act is None:
                raise KitError(f"there is no action {action!r}")
            answer |= act(request) or {}
        except KitError as error:
            answer["problem"] = str(error)
        self._answer(answer)

    def _machine(self, request: dict[str, Any]) -> Computer:
        number = request.get("machine", 0)
        machines = self.run.recorder.machines
        if not isinstance(number, int) or not 0 <= number < len(machines):
            raise KitError(f"there is no machine {number!r}")
        return machines[number]

    def _history(self) -> History | None:
        """What is kept so that steps can be taken back, from the first one that is made here."""
        machine = next(iter(self.run.machines.values()))
        if machine.history is None:
            try:
                History(self.system)
            except KitError:
                return None
        return machine.history if isinstance(machine.history, History) else None

    def _do_step(self, request: dict[str, Any]) -> None:
        machine, steps = self._machine(request), int(request.get("count", 1))
        history = self._history()
        if steps < 0 and history is None:
            raise KitError("no history is kept of this machine, so nothing can be taken back")
        if history is not None and history.is_past and steps > 0:
            # Along the known run: what was recorded of its future stays.
            history.go(min(history.end, history.place + steps))
            self.run.recorder.put_back()
            return
        machine.step(steps)
        if steps < 0:
            self.run.recorder.put_back()

    def _do_run_to(self, request: dict[str, Any]) -> None:
        self._history()
        machine = self._machine(request)
        name = next(name for name, one in self.run.machines.items() if one is machine)
        debugger = self._debug()
        place = str(request.get("place", ""))[:200]
        point = debugger.break_at(place, vm=name if isinstance(self.system, VMM) else None)
        try:
            hit = debugger.run(BUDGET)
        finally:
            debugger.remove(point)
        if hit.point is not point:
            raise KitError(f"{place} was not reached: the run ended ({hit.reason})")

    def _debug(self) -> Debugger:
        if self._debugger is None:
            self._debugger = Debugger(self.system)
        return self._debugger

    def _do_back_to(self, request: dict[str, Any]) -> None:
        """Back to where something stops the machine: an address, symbol or line before."""
        if self._history() is None:
            raise KitError("no history is kept of this machine, so nothing can be taken back")
        debugger = self._debug()
        point = debugger.break_at(str(request.get("place", ""))[:200])
        try:
            debugger.back()
        finally:
            debugger.remove(point)
        self.run.recorder.put_back()

    def _do_explain(self, request: dict[str, Any]) -> dict[str, Any]:
        machine = self._machine(request)
        try:  # just after a trap the registers still tell
            return {"answer": explain_last_trap(machine)}
        except KitError:
            return {"answer": machine.explain()}

    def _do_walk(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"walk": walk(self._machine(request), int(request.get("address", 0)))}

    def _do_look(self, request: dict[str, Any]) -> None:
        """Nothing but the answer: where the machine is."""

    # -- the operator's hands ------------------------------------------------------------------

    def _do_hold(self, request: dict[str, Any]) -> None:
        """Stops or starts one virtual machine."""
        name = self._machine(request)
        scheduler = self._turns()
        if not isinstance(name, VirtualMachine) or scheduler is None:
            raise KitError("only virtual machines are stopped one by one")
        scheduler.account(name.name).held = bool(request.get("held", True))

    def _do_feed(self, request: dict[str, Any]) -> None:
        """Puts cards into a reader."""
        text = str(request.get("cards", ""))[:_LONGEST]
        machine = self._machine(request)
        machine.reader.load(Deck.from_text(text if text.endswith("\n") else text + "\n"))
        machine.board.refresh()

    def _do_type(self, request: dict[str, Any]) -> None:
        """Types at a console."""
        machine = self._machine(request)
        machine.uart.feed(str(request.get("text", ""))[:_LONGEST].encode())
        machine.board.refresh()
        if not self.busy:
            self._do_run(request)

    # -- long runs -----------------------------------------------------------------------------

    def _turns(self) -> Scheduler | None:
        if isinstance(self.system, VMM) and self._scheduler is None:
            self._scheduler = self.system.scheduler(RoundRobin())
        return self._scheduler

    def _do_run(self, request: dict[str, Any]) -> None:
        self._history()
        self.busy, self._left, self._pace = True, BUDGET, FIRST
        scheduler = self._turns()
        if scheduler is not None:
            for name, account in scheduler.accounts.items():
                if account.ended is not None and account.ended.reason != "halt":
                    scheduler.renew(name)
        if self._later is not None:
            self._later(self._go_on)
            return
        while self.busy:
            self._slice()

    def _do_pause(self, request: dict[str, Any]) -> None:
        self.busy = False

    def _go_on(self) -> None:
        if not self.busy:
            return
        answer: dict[str, Any] = {}
        try:
            self._slice()
        except KitError as error:
            self.busy, answer["problem"] = False, str(error)
        self._answer(answer)
        if self.busy and self._later is not None:
            self._later(self._go_on)

    def _slice(self) -> None:
        """Runs for about `SLICE` seconds; ends the run where nobody goes on by himself."""
        scheduler, until = self._turns(), time.monotonic() + SLICE
        while self.busy and time.monotonic() < until:
            if scheduler is not None:
                self.busy = scheduler.turn() is not None
                continue
            machine = next(iter(self.run.machines.values()))
            started = time.monotonic()
            stop = machine.run(min(self._pace, self._left))
            self._left -= stop.steps
            quick = time.monotonic() - started < SLICE / 4
            self._pace = min(MOST, 2 * self._pace) if quick else FIRST
            self.busy = stop.reason == "budget" and self._left > 0

    # -- answers -------------------------------------------------------------------------------

    def _answer(self, answer: dict[str, Any]) -> None:
        """Tells all views what is new, and where the machines are."""
        buffers: list[bytes] = []
        part = beside(self.run.part(), buffers)
        moment = self._moment()
        live: dict[str, Any] = {
            "moment": moment,
            "frames": {},
            "listings": {},
            "maps": {},
            "modes": {},
        }
        for number, machine in enumerate(self.run.recorder.machines):
            words = list(registers(machine.hart))
            live["frames"][number] = {"words": words, "before": self._known.get(number)}
            self._known[number] = words
            live["modes"][number] = machine.hart.mode
            if not self.busy:
                live["listings"][number] = listing_at(machine, machine.hart.pc)
                parts: list[Any] = [guest_map(machine)]
                if isinstance(machine, VirtualMachine):
                    parts += [frames_of(machine), shadow_of(machine)]
                live["maps"][number] = parts
        message = {"part": part, "moment": moment, "live": live, "busy": self.busy} | answer
        message["room"] = self._room()
        self.send(message, buffers)

    def _moment(self) -> int:
        return max(self.run.moment_of(machine) for machine in self.run.recorder.machines)

    def _room(self) -> dict[str, Any]:
        """What only the operator knows: who is held, what lies in the readers."""
        scheduler = self._scheduler
        return {
            name: {
                "held": scheduler is not None and scheduler.account(name).held
                if isinstance(machine, VirtualMachine)
                else False,
                "hopper": len(machine.reader.hopper) if "reader" in machine.devices else 0,
            }
            for name, machine in self.run.machines.items()
        }


def _later(act: Callable[[], None]) -> None:
    """Calls a function a little later, in the loop that hears the requests."""
    asyncio.get_running_loop().call_later(PAUSE, act)


_drivers: WeakKeyDictionary[Run, Driver] = WeakKeyDictionary()


def driver_of(system: Computer | VMM, run: Run, model: Any) -> Driver:
    """The driver of a run, which listens to the run's model."""
    if run not in _drivers:
        driver = Driver(system, run, lambda message, buffers: model.send(message, buffers), _later)
        model.on_msg(lambda widget, content, buffers: driver.handle(content))
        _drivers[run] = driver
    return _drivers[run]
