"""What is kept of a run, so that it can be gone back, and recorded: inputs, and some states.

A machine is deterministic: its state follows from an earlier one and from what came in from outside
since. A `History` therefore notes every input at the board's door, with the step at which it came,
and takes snapshots. To go back is to put back the last snapshot before, and to make the steps from
there again. Snapshots lie closer the dearer the steps between them are, by the processor time that
they took, so that going back takes about the same time anywhere.

What a machine has put out, going back, is undone: its record (paper, cards, console) is what it
was. Listeners have heard it already, and do not hear it again when the same steps are made again.
Where something else is done in the past than at first, the old future is gone, and what is put out
from there on is new.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from time import process_time
from typing import Any

from kit.control.virtual_machine import VirtualMachine
from kit.control.vmm import VMM
from kit.devices.channel import Channel
from kit.devices.deck import COLUMNS, Deck
from kit.errors import KitError
from kit.machine.computer import Computer
from kit.machine.explain import describe_step, explain_next_step, walk_writes
from kit.machine.machine import Machine
from kit.machine.protocol import Stop
from kit.trace.snapshot import RECORDS, Journal, Picture, take_picture
from kit.vmm.kernel import NO_GUEST_STEP, VirtualCpu

__all__ = ["History", "Input", "Run", "history_of"]

SPACING = 0.03
"""Seconds of processor time between two snapshots at least."""
OVERHEAD = 6
"""Snapshots lie so many times their own cost apart, too."""
NEAR = 0.005
"""Seconds before the step gone back to, where another snapshot makes the next one back cheap."""
SLICE_TIME = 0.01
"""Seconds that a piece of a run takes, about."""
LEAST_SLICE, MOST_SLICE = 500, 1 << 24

_SINKS = (("uart", "sink"), ("printer", "sink"), ("punch", "sink"), ("reader", "watch"))


@dataclass
class Run:
    """Machine `who` ran until it had made `steps` steps in all, and its clock showed `time`."""

    who: str
    steps: int
    time: int


@dataclass(frozen=True)
class Input:
    """Into machine `who` came `data`, in the way that `what` says (see `Computer.take`)."""

    who: str
    what: str
    data: bytes


@dataclass
class Snapshot:
    """The state of every machine at a place of the run: so many steps of all of them together.

    `entry` is the place in the log, `asked` how many decks each reader had asked for, `cost` the
    processor time up to here, `size` about how many bytes would be free without it. It is `fresh`
    if nothing had come in, and no time passed, since the last step.
    """

    place: int
    entry: int
    pictures: dict[str, Picture]
    asked: dict[str, int]
    cost: float
    fresh: bool
    size: int = 0


@dataclass
class _Machine:
    """What is known of one machine: where it was last seen, and what was put aside meanwhile."""

    computer: Computer
    first: int = 0
    seen: tuple[int, int] = (0, 0)
    answers: list[bytes] = field(default_factory=list)
    asked: int = 0
    originals: list[tuple[Any, str, Any]] = field(default_factory=list)


def history_of(machine: Computer) -> History:
    """The history that is kept of a machine. Raises `KitError` if there is none."""
    if not isinstance(machine.history, History):
        raise KitError("no history is kept of this machine; start one with History(machine)")
    return machine.history


class History:
    """Keeps the history of a machine, or of all virtual machines of a VMM, from now on.

    `memory` bounds the snapshots, in bytes; where it is used up, older ones become rarer. A *place*
    is a number of steps, of all machines together, since the history began. `on_undone`, if set, is
    called with (machine's name, device, what it had put out) where a past is changed.

    While `silent`, the machines only make known steps again, which nobody needs to hear of; while
    `taking`, something comes in again that came from outside, between two steps.

    Raises `KitError` for a machine that depends on what is not recorded: a monitor in Python, or a
    channel to a machine elsewhere.

    `clock` says how many seconds of work were done so far; going back takes about as long.
    """

    def __init__(
        self,
        system: Computer | VMM,
        memory: int = 256 << 20,
        clock: Callable[[], float] = process_time,
    ) -> None:
        self.system = system
        self.memory = memory
        self.clock = clock
        self.computers: dict[str, Computer] = (
            dict(system.machines) if isinstance(system, VMM) else {"": system}
        )
        for computer in self.computers.values():
            _check(computer, list(self.computers.values()))
        self.on_undone: Callable[[str, str, list[Any]], None] | None = None
        self.log: list[Run | Input] = []
        self.snapshots: list[Snapshot] = []
        self._machines = {name: _Machine(c) for name, c in self.computers.items()}
        self._driving = self.taking = self.silent = False
        for name in self.computers:
            self._attach(name)
        self.restart()

    # -- coming and going --------------------------------------------------------------------

    def _attach(self, name: str) -> None:
        machine = self._machines[name]
        computer = machine.computer
        computer.history = self
        computer.board.door = partial(self._came_in, name)
        if computer.disk is not None and not computer.disk.image.read_only:
            computer.disk.image = Journal(computer.disk.image)
        for device_name, attribute in _SINKS:
            device = computer.devices.get(device_name)
            listener = getattr(device, attribute, None)
            if listener is not None:
                machine.originals.append((device, attribute, listener))
                setattr(device, attribute, partial(self._hear, listener))
        if "reader" in computer.devices:
            source = computer.reader.source
            machine.originals.append((computer.reader, "source", source))
            computer.reader.source = partial(self._ask, machine, source)

    def close(self) -> None:
        """Keeps no history any more. The machine stays where it is."""
        for machine in self._machines.values():
            computer = machine.computer
            computer.history = computer.board.door = None
            if computer.disk is not None and isinstance(computer.disk.image, Journal):
                computer.disk.image = computer.disk.image.inner
            for device, attribute, listener in machine.originals:
                setattr(device, attribute, listener)

    def restart(self) -> None:
        """Forgets everything: history begins here."""
        self.log.clear()
        self.snapshots.clear()
        self.cursor = self._heard = 0
        self._fresh = True
        self._cost = self._kept_at = self._price = self._rate = 0.0
        self._slice = LEAST_SLICE
        self._base: dict[str, Picture] = {}
        self._farthest: dict[str, Picture] = {}
        for machine in self._machines.values():
            machine.answers.clear()
            machine.asked = 0
            machine.first = machine.computer.steps
            machine.seen = _counters(machine.computer)
        self.keep()

    @property
    def answers(self) -> dict[str, list[bytes]]:
        """The decks that each machine's reader asked for and got, or did not get."""
        return {name: list(machine.answers) for name, machine in self._machines.items()}

    def put_log(self, log: list[Run | Input], answers: dict[str, list[bytes]]) -> None:
        """Gives a history that has only begun the run that is to follow: that of a recording."""
        self.log[:] = [replace(entry) for entry in log]
        for name, machine in self._machines.items():
            machine.answers[:] = answers[name]

    # -- where we are ------------------------------------------------------------------------

    @property
    def place(self) -> int:
        """Where the run is."""
        return sum(m.computer.steps - m.first for m in self._machines.values())

    @property
    def end(self) -> int:
        """The place up to which the run has come at most."""
        ends = {name: machine.first for name, machine in self._machines.items()}
        ends |= {entry.who: entry.steps for entry in self.log if isinstance(entry, Run)}
        known = sum(ends[name] - machine.first for name, machine in self._machines.items())
        return max(self.place, known)

    @property
    def is_past(self) -> bool:
        """Is the machine at a place from which the run went on already?"""
        return self.cursor < len(self.log)

    def undone(self, name: str = "") -> dict[str, list[Any]]:
        """What each device of a machine had put out, and has not any more: it was gone back."""
        picture = self._farthest.get(name)
        if picture is None or not self.is_past:
            return {}
        found = {}
        for device, attribute in RECORDS.items():
            if device in self.computers[name].devices:
                now = len(getattr(self.computers[name].devices[device], attribute))
                found[device] = picture.output(device)[now:]
        return {device: items for device, items in found.items() if items}

    # -- what comes in and goes out ----------------------------------------------------------

    def _came_in(self, who: str, what: str, data: bytes) -> None:
        """The board's door: something has come in from outside."""
        if self.taking:
            return
        if self._machines[who].computer.executing:
            raise KitError(f"history: {what}: came in the middle of a step; do that between runs")
        self._see()
        while self.is_past and self._is_done(self.log[self.cursor]):
            self.cursor += 1
        self._forget_future()
        self.log.append(Input(who, what, data))
        self.cursor = len(self.log)
        self._fresh = False

    def _hear(self, listener: Callable[[Any], object], what: Any) -> None:
        """Passes on what a device puts out, unless it did so the first time."""
        if not self.silent and (not self.is_past or self.place > self._heard):
            listener(what)

    def _ask(self, machine: _Machine, source: Callable[[], Deck | None] | None) -> Deck | None:
        """A deck for an empty reader: what was given at this place, or what its source gives."""
        if machine.asked == len(machine.answers):
            deck = None if source is None else source()
            if deck is None and source is None:
                return None
            machine.answers.append(b"" if deck is None else b"".join(deck))
        data = machine.answers[machine.asked]
        machine.asked += 1
        cards = [data[at : at + COLUMNS] for at in range(0, len(data), COLUMNS)]
        return Deck(cards, "deck") if cards else None

    # -- the log -----------------------------------------------------------------------------

    def _see(self) -> None:
        """Notes which machine has run since it was last seen."""
        for name, machine in self._machines.items():
            now = _counters(machine.computer)
            if now == machine.seen:
                continue
            self._fresh = self._fresh and now[0] != machine.seen[0]
            machine.seen = now
            if not self.is_past:
                self._note_run(name, now)
                self.cursor = len(self.log)

    def _note_run(self, name: str, now: tuple[int, int]) -> None:
        last = self.log[-1] if self.log else None
        if isinstance(last, Run) and last.who == name:
            last.steps, last.time = now
        else:
            self.log.append(Run(name, *now))

    def _is_done(self, entry: Run | Input) -> bool:
        """Has a machine come to the end of a recorded run?"""
        if isinstance(entry, Input):
            return False
        steps, time = _counters(self.computers[entry.who])
        return steps >= entry.steps and time >= entry.time

    def _pass(self) -> None:
        """Lets everything happen again that happened at this place, up to the next step."""
        while self.is_past:
            entry = self.log[self.cursor]
            computer = self.computers[entry.who]
            if isinstance(entry, Input):
                self.taking = True
                self._fresh = False
                try:
                    computer.take(entry.what, entry.data)
                finally:
                    self.taking = False
            elif computer.steps < entry.steps:
                return
            elif computer.hart.waiting and computer.hart.mtime < entry.time:
                self._fresh = False
                computer.pass_time(entry.time)
            self.cursor += 1
        self._see()

    def _forget_future(self) -> None:
        """Something else happens here than did at first: what came after is gone."""
        if not self.is_past:
            return
        lost = {name: self.undone(name) for name in self.computers}
        del self.log[self.cursor :]
        place = self.place
        self.snapshots = [s for s in self.snapshots if s.place <= place and s.entry <= self.cursor]
        for name, machine in self._machines.items():
            del machine.answers[machine.asked :]
            now = machine.seen = _counters(machine.computer)
            runs = (e for e in reversed(self.log) if isinstance(e, Run) and e.who == name)
            last = next(runs, Run(name, machine.first, now[1]))
            if (last.steps, last.time) != now:
                self._note_run(name, now)
        self.cursor = len(self.log)
        self._heard = min(self._heard, place)
        for name, devices in lost.items():
            for device, items in devices.items():
                if self.on_undone is not None:
                    self.on_undone(name, device, items)

    # -- while a machine runs: what `kit.machine.computer.History` promises ------------------

    def follow(self, machine: Computer) -> None:
        """Before each stretch of a run: what came from outside at this place comes in again."""
        if self._driving:
            return
        self._see()
        if not self.is_past:
            return
        self._pass()
        if self.is_past and self.computers[self.log[self.cursor].who] is not machine:
            self._forget_future()

    def advance(self, machine: Computer, steps: int) -> None:
        """Makes up to `steps` steps, in pieces, so that states can be kept between them."""
        room = min(steps, self._slice)
        if self.is_past and not self._driving:
            entry = self.log[self.cursor]
            if isinstance(entry, Run) and self.computers[entry.who] is machine:
                room = min(room, max(1, entry.steps - machine.steps))
        before, start = machine.steps, self.clock()
        try:
            machine.advance(room)
        finally:
            self._account(machine.steps - before, room, self.clock() - start)
        self._fresh = self._fresh or machine.steps > before
        if self._cost - self._last_cost() >= max(SPACING, OVERHEAD * self._price):
            self.keep()

    def _last_cost(self) -> float:
        """Up to where the work was done at the last snapshot; steps made again have theirs."""
        if not self.is_past:
            return self._kept_at
        return max(self._kept_at, self._last_snapshot(self.place).cost)

    def _account(self, made: int, room: int, cost: float) -> None:
        self._cost += cost
        if made:
            self._rate += (cost / made - self._rate) / 8
        if cost > 2 * SLICE_TIME:
            self._slice = max(LEAST_SLICE, self._slice // 2)
        elif made == room == self._slice and cost < SLICE_TIME / 2:
            self._slice = min(MOST_SLICE, 2 * self._slice)

    # -- snapshots ---------------------------------------------------------------------------

    def keep(self) -> None:
        """Takes a snapshot here, and lets go of others where there is no room for them."""
        start = self.clock()
        self._see()
        self._kept_at = self._cost
        entry = self.cursor
        if not self.is_past and self.log and isinstance(self.log[-1], Run):
            entry -= 1
        place = self.place
        at = bisect_right(self.snapshots, place, key=lambda snapshot: snapshot.place)
        if at:
            last = self.snapshots[at - 1]
            if (last.place, last.entry, last.fresh) == (place, entry, self._fresh):
                return
        pictures = {n: take_picture(c, self._base.get(n)) for n, c in self.computers.items()}
        self._base = pictures
        asked = {name: machine.asked for name, machine in self._machines.items()}
        snapshot = Snapshot(place, entry, pictures, asked, self._cost, self._fresh)
        self.snapshots.insert(at, snapshot)
        self._weigh(at)
        self._weigh(at + 1)
        while sum(s.size for s in self.snapshots) > self.memory and len(self.snapshots) > 2:
            self._drop_one()
        self._price = self.clock() - start

    def _weigh(self, index: int) -> None:
        """Finds out how much a snapshot has for itself alone."""
        if index >= len(self.snapshots):
            return
        snapshot = self.snapshots[index]
        before = self.snapshots[index - 1].pictures if index else {}
        snapshot.size = sum(
            picture.beyond(before.get(name)) for name, picture in snapshot.pictures.items()
        )

    def _drop_one(self) -> None:
        """The one whose neighbours are nearest, measured by how long ago that is."""
        now = max(snapshot.cost for snapshot in self.snapshots) + SPACING

        def worth(index: int) -> float:
            before, one, after = self.snapshots[index - 1 : index + 2]
            return (after.cost - before.cost) / (now - one.cost)

        index = min(range(1, len(self.snapshots) - 1), key=worth)
        del self.snapshots[index]
        self._weigh(index)

    def _restore(self, snapshot: Snapshot) -> None:
        for name, picture in snapshot.pictures.items():
            machine = self._machines[name]
            picture.put_back(machine.computer)
            machine.asked = snapshot.asked[name]
            machine.seen = _counters(machine.computer)
        self._base = dict(snapshot.pictures)
        self.cursor, self._fresh = snapshot.entry, snapshot.fresh
        self._cost = self._kept_at = snapshot.cost

    # -- going to another place --------------------------------------------------------------

    def go(self, place: int) -> None:
        """Makes the machine what it was at a place of its run, which lies before or behind this.

        That is before anything came in there; but at the end, after it. Raises `KitError` where
        there is no such place.
        """
        self._check_place(place)
        with self._quietly():
            self._leave_the_end()
            self._go(place)

    def play(self, place: int) -> None:
        """Makes the recorded run from here up to a place behind this; listeners hear what is new.

        Raises `KitError` where there is no such place.
        """
        self._check_place(place)
        self._driving = True
        try:
            self._drive(place)
            if place == self.end:
                self._pass()
        finally:
            self._driving = False

    def _check_place(self, place: int) -> None:
        self._see()
        if not 0 <= place <= self.end:
            raise KitError(f"history: there is no place {place}; it goes from 0 to {self.end}")

    def _leave_the_end(self) -> None:
        """Going back from where the run has come to, that place is kept."""
        self._heard = max(self._heard, self.place)
        if not self.is_past:
            self.keep()
            self._farthest = dict(self._base)

    def _go(self, place: int) -> None:
        best = self._last_snapshot(place)
        is_between = best.place <= self.place < place or (self.place == place and self._fresh)
        if not is_between or not self.is_past:
            self._restore(best)
        near = int(NEAR / self._rate) if self._rate else LEAST_SLICE
        if place - self.place > 4 * near:
            self._drive(place - near)
            self.keep()
        self._drive(place)
        if place == self.end:
            self._pass()

    def _last_snapshot(self, place: int) -> Snapshot:
        """The last one from which the way to a place leads forward."""
        at = bisect_right(self.snapshots, place, key=lambda snapshot: snapshot.place) - 1
        is_end = place == self.end
        while not (self.snapshots[at].place < place or self.snapshots[at].fresh or is_end):
            at -= 1
        return self.snapshots[at]

    @contextmanager
    def excursion(self) -> Iterator[None]:
        """While this lasts, the machines may be taken to other places; then they come back."""
        self._see()
        here, fresh = self.place, self._fresh
        with self._quietly():
            self._leave_the_end()
            try:
                yield
            finally:
                self._go(here)
                if not fresh:
                    self._pass()

    def rewind(self) -> None:
        """Goes to where history began, before anything came in."""
        with self._quietly():
            self._leave_the_end()
            self._restore(self.snapshots[0])

    def _drive(self, place: int, hit: Callable[[Computer], bool] | None = None) -> None:
        """Makes the recorded steps again, up to a place; asks `hit` whether to stop earlier."""
        idle = 0
        while (now := self.place) < place:
            self._pass()
            if not self.is_past:
                raise KitError("history: the run cannot be made again; something came in unseen")
            entry = self.log[self.cursor]
            computer = self.computers[entry.who]
            assert isinstance(entry, Run)
            stop = computer.run(min(entry.steps - computer.steps, place - now))
            idle = idle + 1 if self.place == now else 0
            if idle > 3:
                raise KitError(f"history: the run cannot be made again: it ends ({stop.reason})")
            stopped = stop.reason in ("breakpoint", "stopped")
            stopped = stopped or computer.hart.pc in computer.breakpoints
            if hit is not None and stopped and hit(computer):
                break
        self._see()

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """While this lasts, nobody notices that the machines run."""
        kept: list[tuple[Any, str, Any]] = []

        def put_aside(owner: Any, name: str, value: Any) -> None:
            kept.append((owner, name, getattr(owner, name)))
            setattr(owner, name, value)

        put_aside(self, "_driving", True)
        put_aside(self, "silent", True)
        for computer in self.computers.values():
            put_aside(computer, "breakpoints", set())
            host = computer
            while isinstance(host, VirtualMachine):
                put_aside(host.kernel, "recorder", None)
                host = host.kernel.machine
            put_aside(host.bus, "watch", None)
            if hasattr(host, "on_trap"):
                put_aside(host, "on_trap", None)
        try:
            yield
        finally:
            for owner, name, value in reversed(kept):
                setattr(owner, name, value)

    # -- going back --------------------------------------------------------------------------

    def place_of(self, machine: Computer, steps: int) -> int:
        """The last place at which a machine had made so many steps.

        Raises `KitError` where history begins later, or the machine never came so far.
        """
        self._see()
        name = next(n for n, c in self.computers.items() if c is machine)
        first = self._machines[name].first
        if steps < first:
            raise KitError(f"history: it begins at step {first:,}; step {steps:,} is before that")
        place, counts = 0, {n: m.first for n, m in self._machines.items()}
        for entry in self.log:
            if isinstance(entry, Run):
                if entry.who == name and entry.steps > steps:
                    return place + steps - counts[name]
                place += entry.steps - counts[entry.who]
                counts[entry.who] = entry.steps
        if counts[name] < steps:
            raise KitError(f"history: it ends at step {counts[name]:,}; {steps:,} is after that")
        return place

    def step_back(self, machine: Computer, steps: int) -> Stop:
        """Takes back the last steps of a machine, and all that others did meanwhile."""
        self.go(self.place_of(machine, machine.steps - steps))
        return Stop("budget", 0, -steps, machine.hart.pc)

    def back(
        self,
        arm: Callable[[], None],
        fits: Callable[[Computer], int | None] = lambda machine: 0,
        least: int = 0,
    ) -> bool:
        """Goes back to the last place before this one at which something stops the machines.

        `arm` sets what is to stop them: breakpoints, or a listener that calls `Computer.stop`;
        `fits` is asked at each such place how many steps before it to go, or None for not at all.
        If there is none from place `least` on, it returns False and stays.
        """
        self._see()
        here, fresh = self.place, self._fresh
        with self._quietly():
            self._leave_the_end()
            for low, high in self._stretches(least, here):
                hits: list[int] = []

                def hit(machine: Computer, hits: list[int] = hits) -> bool:
                    before = fits(machine)
                    if before is not None and least <= self.place - before < here:
                        hits.append(self.place - before)
                    return False

                self._go(low)
                with self._quietly():
                    arm()
                    if low == least:
                        self._hit_at_once(hit)
                    self._drive(high, hit)
                if hits:
                    self._go(hits[-1])
                    return True
            self._go(here)
            if not fresh:
                self._pass()
        return False

    def forward(self, arm: Callable[[], None], fits: Callable[[Computer], int | None]) -> bool:
        """Goes on along the recorded run, to where something stops the machines (see `back`).

        False, and at the end of what is recorded, if there is no such place.
        """
        self._see()
        found: list[Computer] = []

        def hit(machine: Computer) -> bool:
            if fits(machine) is not None:
                found.append(machine)
            return bool(found)

        with self._quietly():
            arm()
            self._drive(self.end, hit)
            if not found:
                self._pass()
        return bool(found)

    def _hit_at_once(self, hit: Callable[[Computer], bool]) -> None:
        for computer in self.computers.values():
            if computer.hart.pc in computer.breakpoints:
                hit(computer)

    def _stretches(self, least: int, here: int) -> Iterator[tuple[int, int]]:
        """The run before a place, in pieces, the last first; they become longer.

        Between two snapshots, more are taken on the way to the first piece that is asked for.
        """
        high = here
        while high > least:
            at = bisect_right(self.snapshots, high - 1, key=lambda snapshot: snapshot.place)
            start = max(least, self.snapshots[at - 1].place)
            cuts, length = [high], LEAST_SLICE
            while high - length > start:
                cuts.append(high - length)
                length *= 4
            cuts.append(start)
            for cut in reversed(cuts[1:-1]):
                self._go(cut)
                self.keep()
            yield from zip(cuts[1:], cuts[:-1], strict=True)
            high = start

    def explain(self, machine: Computer) -> str:
        """Why the machine's last trap happened: it looks at the machine before that, and returns.

        Raises `KitError` if there was none since the history began.
        """
        with self.excursion():
            if not self.back(
                partial(stop_at_traps, machine), lambda who: 0 if who is machine else None
            ):
                raise KitError("explain: there was no trap since the history began")
            self._go(max(0, self.place_of(machine, machine.steps - 1)))
            explanation = explain_next_step(machine)
            entry = explanation.entry
            return explanation.text("" if entry is None else self._entered(machine, entry))

    def _entered(self, machine: Computer, entry: int) -> str:
        """Where the word of storage at `entry` was last written, A and D bits of walks aside."""
        from kit.trace.debugger import Debugger, Point  # which is built on this

        name = next(n for n, c in self.computers.items() if c is machine)
        debug = Debugger(self.system)
        debug.points.append(Point(entry, 4, vm=name))
        while debug.back().reason == "watchpoint":
            if not walk_writes(machine, entry):
                return f"It was entered at step {machine.steps + 1:,}, by {describe_step(machine)}."
        return f"It has not been written since history began, at step {machine.steps:,}."


def stop_at_traps(machine: Computer) -> None:
    """Makes a run end after each trap of a machine, until other listeners are set."""
    if isinstance(machine, VirtualMachine):

        def exited(vcpu: VirtualCpu, kind: str, before: int, cause: int) -> None:
            trapped = kind == "interrupt" or not (vcpu.hart.completed or kind in NO_GUEST_STEP)
            if vcpu is machine.vcpu and trapped:
                machine.stop()

        machine.kernel.recorder = exited
    elif isinstance(machine, Machine):
        machine.on_trap = lambda cause: machine.stop()


def _counters(computer: Computer) -> tuple[int, int]:
    return computer.steps, computer.hart.mtime


def _check(computer: Computer, others: list[Computer]) -> None:
    """Raises `KitError` for a machine whose run depends on what no history knows."""
    if computer.owner or computer.monitor is not None:
        raise KitError("history: a program in Python runs this machine; keep its guests' history")
    if computer.history is not None:
        raise KitError("history: one is kept of this machine already")
    channel = computer.devices.get("channel")
    if isinstance(channel, Channel) and channel.other is not None:
        ends = [other.devices.get("channel") for other in others]
        if channel.other not in ends:
            raise KitError("history: its channel leads to another machine; keep both, by their VMM")
