"""Records a run for the views: events, registers, maps of storage, and what devices put out.

Of a VMM's guests every exit is an event; the guests run as fast as without. A bare machine tells of
returns and mode changes only instruction by instruction, so it is recorded on the reference engine.

Time is the *clock of the run*, in cycles: what the machine executes directly, what the VMM's work
costs by the stated table (`kit.control.costs`), and the time in which every machine waits.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kit.control.costs import cost_of
from kit.control.virtual_machine import VirtualMachine
from kit.control.vmm import VMM
from kit.devices.disk_image import SECTOR
from kit.isa.cpu import M, U
from kit.isa.disassembler import disassemble
from kit.isa.hart import Hart
from kit.machine.bus import PAGE
from kit.machine.computer import Computer
from kit.trace.tracer import Trace, TraceEvent
from kit.vmm.kernel import VirtualCpu
from kit.widgets.events import GUEST, HARDWARE, EventKind, kind_of_exit, register_name
from kit.widgets.film import NO_CAUSE, Film, registers
from kit.widgets.listing import AFTER, BEFORE
from kit.widgets.maps import frames_of, guest_map, page_of, shadow_of
from kit.widgets.packing import zigzag

__all__ = ["Recorder"]

_STORE, _ECALL = 15, 8
_BARE = {"call", "trap", "interrupt", "device"}
_SLOW = {"return", "privileged", "table"}
"""What a bare machine tells only if each of its instructions is looked at."""
_BARE_KINDS = {
    "call": EventKind("ecall", "call", GUEST),
    "trap": EventKind("trap", "trap", GUEST),
    "interrupt": EventKind("interrupt", "interrupt", GUEST),
    "return": EventKind("return", "return", HARDWARE),
    "privileged": EventKind("privileged", "privileged", HARDWARE),
    "device": EventKind("device", "device access", HARDWARE),
    "table": EventKind("table", "table write", HARDWARE),
}
_LETTERS = {"U": 0, "S": 1, "M": 3}
_WAITING = 16
_FILLED = 200
"""Events between two maps where only shadow entries were filled in."""
_OUTPUT_LIMIT = 200_000
_OF_MAPS = ("table write", "emulate sfence.vma")
_PMP, _SATP = range(0x3A0, 0x3F0), 0x180


@dataclass
class _Maps:
    """Of one machine: whether its tables or PMP have `changed` since the last map, and shadow
    entries were `filled` in; how many events ago that was, and how many must be between two."""

    changed: bool = False
    filled: bool = False
    age: int = 0
    stride: int = 1
    kept: int = 0


class Recorder:
    """Records a machine, or the virtual machines of a VMM, from now until `close`.

    `events` is how many are kept at most; the run goes on behind them, and `Film.lost` counts.
    `frames` and `maps` bound how many states of registers and of storage are kept, evenly. Of a
    bare machine, returns and privileged instructions are events only if it is `exact`: it then runs
    on the reference engine, which looks at each instruction.
    """

    def __init__(
        self,
        system: Computer | VMM,
        events: int = 2_000_000,
        frames: int = 60_000,
        maps: int = 300,
        exact: bool = True,
    ) -> None:
        self.system = system
        self._exact = exact
        self.film = Film()
        self.limits = {"events": events, "frames": frames, "maps": maps}
        self._undo: list[Callable[[], None]] = []
        self._bare = not isinstance(system, VMM | VirtualMachine)
        self._place: int | None = None
        self._last: dict[int, tuple[int, int]] = {}
        """Of each machine, the steps it had made after its last event, and when that was over."""
        self._names: dict[str, int] = {}
        self._stride = 1
        self._watched: list[_Maps] = []
        self._known_parts: dict[str, int] = {}
        self._clocks: dict[int, list[int]] = {}
        self.machines: list[Computer] = []
        self.bases: list[tuple[int, int]] = []
        self.initial: list[list[int]] = []
        if isinstance(system, VMM):
            self._attach_kernel(system.kernel)
            for machine in system.machines.values():
                self._number(machine.name, machine)
        elif isinstance(system, VirtualMachine):
            self._attach_kernel(system.kernel)
            self._number(system.name, system)
        else:
            self._attach_bare(system)
        self._keep_maps(range(len(self.machines)))

    def close(self) -> None:
        """Records no more; what has been recorded stays."""
        while self._undo:
            self._undo.pop()()

    # -- machines ----------------------------------------------------------------------------

    def _number(self, name: str, machine: Computer) -> int:
        """The number of a machine in the film."""
        if name not in self._names or self.machines[self._names[name]] is not machine:
            self._names[name] = len(self.machines)
            self.machines.append(machine)
            self.bases.append((machine.steps, machine.hart.mtime))
            self.initial.append(list(registers(machine.hart)))
            self._watched.append(_Maps())
            self._last[self._names[name]] = machine.steps, self.film.end
            self._watch_devices(self._names[name], machine)
            self._look_at_clocks(machine)
        return self._names[name]

    def _look_at_clocks(self, machine: Computer) -> None:
        number = next(n for n, one in enumerate(self.machines) if one is machine)
        counts = getattr(machine, "counts", {})
        self._clocks[number] = [
            counts.get("direct", machine.steps),
            counts.get("switch", 0),
            machine.hart.mtime,
        ]
        if isinstance(machine, VirtualMachine):
            self._real = machine.kernel.real.mtime

    def _put(self, owner: Any, name: str, value: Any) -> None:
        """Sets an attribute until `close`."""
        before = getattr(owner, name)
        was_own = name in getattr(owner, "__dict__", {})
        setattr(owner, name, value)

        def undo() -> None:
            if was_own:
                setattr(owner, name, before)
            else:
                with suppress(AttributeError):
                    delattr(owner, name)

        self._undo.append(undo)

    # -- events of virtual machines ----------------------------------------------------------

    def _attach_kernel(self, kernel: Any) -> None:
        also = kernel.recorder
        self._real = kernel.real.mtime

        def exited(vcpu: VirtualCpu, kind: str, before: int, cause: int) -> None:
            if also is not None:
                also(vcpu, kind, before, cause)
            self._exited(kernel.real, vcpu, kind, before, cause)

        self._put(kernel, "recorder", exited)

    def _vcpu(self, vcpu: VirtualCpu) -> int | None:
        number = self._names.get(vcpu.name)
        if number is not None:
            machine = self.machines[number]
            if isinstance(machine, VirtualMachine) and machine.vcpu is vcpu:
                return number
        if isinstance(self.system, VMM) and vcpu.name in self.system.machines:
            return self._number(vcpu.name, self.system.machines[vcpu.name])
        return None

    def _exited(self, real: Hart, vcpu: VirtualCpu, kind: str, before: int, cause: int) -> None:
        number = self._vcpu(vcpu)
        if number is None:
            return
        machine = self.machines[number]
        if getattr(machine.history, "silent", False):
            return
        hart, clocks = vcpu.hart, self._clocks[number]
        if self._place is not None or hart.mtime < clocks[2]:
            self._leave_the_past(machine)
            clocks = self._clocks[number]
        direct = vcpu.counts["direct"] - clocks[0]
        waited = max(0, real.mtime - self._real - direct - (kind != "interrupt"))
        self._real = real.mtime
        clocks[0] += direct
        begin = self.film.end + waited
        switches = vcpu.counts["switch"] - clocks[1]
        clocks[1] += switches
        for _ in range(switches):
            begin = self._switched(number, vcpu, begin, before)
        row_kind, text, value, data = self._words(real, vcpu, kind, before, cause)
        pc = real.mepc
        if kind == "interrupt":
            pc = hart.mepc if hart.mode == M else hart.sepc
        jump = hart.mtime - clocks[2] - direct - row_kind.step
        clocks[2] = hart.mtime
        mode = before | hart.mode << 2 | (_WAITING if hart.waiting else 0)
        t = begin + direct
        called = NO_CAUSE if kind == "interrupt" else cause & 0x1F | (cause >> 31) << 7
        code = self._code(machine, pc, before) or self._code(machine, hart.pc, hart.mode)
        self._add(number, row_kind, t, direct, mode, pc, text, value, data, jump, called, code)
        self.film.end = t + max(1, row_kind.cost)
        csr = hart.instruction >> 20 if row_kind.id == "emulate" else 0
        maps = self._watched[number]
        maps.changed |= kind in _OF_MAPS or csr == _SATP or csr in _PMP
        maps.filled |= kind == "refill"
        self._keep_state(number, machine, boundary=row_kind.id in ("return", "turn", "page"))

    def _switched(self, number: int, vcpu: VirtualCpu, begin: int, mode: int) -> int:
        kind = kind_of_exit("switch")
        text = self.film.string("event.switch")
        self._add(number, kind, begin, 0, mode | mode << 2, vcpu.hart.pc, text, 0, 0, 0)
        return begin + cost_of("switch")

    def _words(
        self, real: Hart, vcpu: VirtualCpu, kind: str, before: int, cause: int
    ) -> tuple[EventKind, int, int, int]:
        """Kind and message of an exit, with the message's numbers."""
        hart, film = vcpu.hart, self.film
        if kind == "interrupt":
            return kind_of_exit(kind), film.string("event.interrupt", f"{cause | 1 << 31}"), 0, 0
        virtual = hart.mcause if hart.mode == M else hart.scause
        if kind == "reflect" or (hart.mode > before and kind_of_exit(kind).step):
            if cause == _ECALL and before == 0:
                text = film.string("event.ecall")
                return kind_of_exit(kind, "ecall"), text, 0, hart.x[17]
            text = film.string("event.trap", f"{virtual}")
            return kind_of_exit(kind, "trap"), text, real.mtval, 0
        found = kind_of_exit(kind)
        if found.id == "device":
            data = hart.x[_data_register(vcpu, cause)]
            way = "write" if cause == _STORE else "read"
            return found, film.string(f"event.device.{way}", register_name(real.mtval)), 0, data
        if found.id in ("page", "table", "cut"):
            return found, film.string(f"event.{found.id}"), real.mtval, 0
        if found.id == "return":
            way = kind.removeprefix("emulate ")
            return found, film.string("event.return", way), hart.pc, 0
        if found.id == "stop":
            return found, film.string("event.stop", vcpu.failure), 0, 0
        if found.id in ("emulate", "wait"):
            words = disassemble(hart.instruction, real.mepc, xlen=hart.config.xlen)
            return found, film.string(f"event.{found.id}", words), 0, 0
        return found, film.string(f"event.{found.id}"), 0, 0

    def _add(
        self, number: int, kind: EventKind, t: int, run: int, mode: int, pc: int, text: int,
        value: int, data: int, jump: int, cause: int = NO_CAUSE, code: int = 0,
    ) -> None:  # fmt: skip
        film = self.film
        known = self._last.get(number)
        if known is not None:
            self._last[number] = known[0] + run + self._own_step(kind), t + kind.cost
        if len(film) >= self.limits["events"]:
            film.lost += 1
            return
        which = film.kinds.setdefault(kind, len(film.kinds))
        film.add((t, run, number, which, mode, pc, text, value, data, zigzag(jump), cause, code))

    def _code(self, machine: Computer, pc: int, mode: int) -> int:
        """The program around pc, of a machine's own programs: others may take their place later."""
        if mode != U:
            return 0
        page = page_of(machine, pc)
        if page is None:
            return 0
        at = pc & PAGE - 1
        start = max(0, at - BEFORE)
        key = (pc, at - start, page[start : at + AFTER])
        return self.film.codes.setdefault(key, len(self.film.codes))

    # -- events of the bare machine ----------------------------------------------------------

    def _attach_bare(self, machine: Computer) -> None:
        self._number("machine", machine)
        kinds = _BARE | _SLOW if self._exact else _BARE
        trace = _Listener(machine, kinds, self._happened)
        self._undo.append(trace.close)

    def _happened(self, machine: Computer, event: TraceEvent) -> None:
        """A step of the bare machine is over that did something."""
        film, hart, clocks = self.film, machine.hart, self._clocks[0]
        if self._place is not None or machine.steps <= clocks[0]:
            self._leave_the_past(machine)
            clocks = self._clocks[0]
        run = machine.steps - clocks[0]
        jump = hart.mtime - clocks[2] - run
        t = film.end + run + max(0, jump)
        clocks[0], clocks[2] = machine.steps, hart.mtime
        kind = _BARE_KINDS[event.kind]
        before = _LETTERS[event.mode]
        mode = before | hart.mode << 2 | (_WAITING if hart.waiting else 0)
        text, value, data = self._bare_words(event, hart)
        code = self._code(machine, event.pc, before) or self._code(machine, hart.pc, hart.mode)
        self._add(0, kind, t, run, mode, event.pc, text, value, data, jump, NO_CAUSE, code)
        film.end = t
        # Without returns, any trap may be the first that finds other tables.
        boundary = event.kind in _SLOW if self._exact else event.kind != "device"
        self._watched[0].changed |= boundary and event.kind != "privileged"
        self._keep_state(0, machine, boundary)

    def _bare_words(self, event: TraceEvent, hart: Hart) -> tuple[int, int, int]:
        film = self.film
        cause, value = (hart.mcause, hart.mtval) if hart.mode == M else (hart.scause, hart.stval)
        if event.kind == "call":
            return film.string("event.ecall"), 0, hart.x[17]
        if event.kind == "trap":
            return film.string("event.trap", f"{cause}"), value, 0
        if event.kind == "interrupt":
            return film.string("event.interrupt", f"{cause}"), 0, 0
        if event.kind == "return":
            return film.string("event.return", event.text), hart.pc, 0
        return film.string("event.plain", event.text), 0, 0

    # -- going back --------------------------------------------------------------------------

    def moment_of(self, machine: Computer) -> int:
        """The clock of the run where a machine is now, as far as its own steps tell."""
        film = self.film
        number = next(n for n, one in enumerate(self.machines) if one is machine)
        steps, end = self._last.get(number, (machine.steps + 1, 0))
        if machine.steps >= steps:
            return end + machine.steps - steps
        steps, end = self.bases[number][0], 0
        kinds = list(film.kinds)
        columns = (film.columns[name] for name in ("t", "run", "vm", "kind"))
        for t, run, vm, kind in zip(*columns, strict=True):
            if vm != number:
                continue
            made = run + self._own_step(kinds[kind])
            if steps + made > machine.steps:
                return int(t - run + max(0, machine.steps - steps))
            steps += made
            end = t + kinds[kind].cost
        self._last[number] = steps, end
        return end + machine.steps - steps

    def last_event(self, number: int) -> int:
        """The clock of the run at which a machine's last event began."""
        columns = self.film.columns
        machines = columns["vm"]
        at = next((n for n in range(len(machines) - 1, -1, -1) if machines[n] == number), None)
        return self.film.end if at is None else int(columns["t"][at])

    def _own_step(self, kind: EventKind) -> int:
        """Is an event a step of its machine, besides those that hardware made before it?"""
        return int(kind.step and not self._bare)

    def put_back(self) -> None:
        """The machines were put back. What was recorded stays, until something happens there."""
        self._place = max(self.moment_of(machine) for machine in self.machines)
        for machine in self.machines:
            self._look_at_clocks(machine)

    def _leave_the_past(self, machine: Computer) -> None:
        """Something has happened at a place of the past: what was recorded behind it is gone.

        Where nobody has called `put_back`, the machine's own steps tell the place.
        """
        film, times = self.film, self.film.columns["t"]
        if self._place is not None:
            film.cut(bisect_right(times, self._place))
            film.end = max(film.end, self._place)
        else:
            moment = self.moment_of(machine)
            film.cut(bisect_left(times, moment))
            self._look_at_clocks(machine)
            self._clocks[self.machines.index(machine)][0] -= moment - film.end
        self._place = None
        self._last.clear()

    # -- registers and maps ------------------------------------------------------------------

    def _keep_state(self, number: int, machine: Computer, boundary: bool) -> None:
        film, event = self.film, len(self.film) - 1
        if event % self._stride == 0 and not film.lost:
            film.frames[event] = registers(machine.hart)
            if len(film.frames) > self.limits["frames"]:
                self._stride *= 2
                film.frames = {n: f for n, f in film.frames.items() if n % self._stride == 0}
        maps = self._watched[number]
        maps.age += 1
        wanted = maps.changed or (maps.filled and maps.age >= _FILLED)
        if boundary and wanted and maps.age >= maps.stride:
            self._keep_maps([number])

    def _keep_maps(self, numbers: Iterable[int]) -> None:
        """Notes how storage is divided now."""
        for number in numbers:
            machine, maps = self.machines[number], self._watched[number]
            maps.changed = maps.filled = False
            maps.age = 0
            row = [self.film.end, number, self._part(guest_map(machine))]
            if isinstance(machine, VirtualMachine):
                row += [self._part(frames_of(machine)), self._part(shadow_of(machine))]
            self.film.maps.append(row)
            maps.kept += 1
            if maps.kept > self.limits["maps"]:
                self._thin_out(number)

    def _thin_out(self, number: int) -> None:
        """Forgets every other map of a machine; from now on they are rarer."""
        maps = self._watched[number]
        maps.stride *= 4
        own = [row for row in self.film.maps if row[1] == number]
        gone = {id(row) for row in own[1::2]}
        maps.kept = len(own) - len(gone)
        self.film.maps = [row for row in self.film.maps if id(row) not in gone]

    def _part(self, part: Any) -> int:
        """The number of a piece of a map; equal ones are kept once."""
        words = repr(part)
        if words not in self._known_parts:
            self._known_parts[words] = len(self.film.parts)
            self.film.parts.append(part)
        return self._known_parts[words]

    # -- devices -----------------------------------------------------------------------------

    def _watch_devices(self, number: int, machine: Computer) -> None:
        devices = machine.devices
        for name, attribute, what in (
            ("uart", "sink", "console"),
            ("printer", "sink", "paper"),
            ("punch", "sink", "punched"),
            ("reader", "watch", "card"),
        ):
            device = devices.get(name)
            if device is not None and hasattr(device, attribute):
                self._listen(number, machine, device, attribute, what)
        disk = machine.disk
        if disk is not None:
            # Not the image's own methods: a history reads those, too.
            for way in ("read", "write"):
                act = getattr(disk, f"_{way}")
                self._put(disk, f"_{way}", self._disk(number, machine, way, act))

    def _listen(
        self, number: int, machine: Computer, device: Any, attribute: str, what: str
    ) -> None:
        also = getattr(device, attribute)

        def heard(data: Any) -> None:
            text = data if isinstance(data, str) else bytes(data).decode("latin-1")
            self._output(number, machine, what, text)
            if also is not None:
                also(data)

        self._put(device, attribute, heard)

    def _disk(
        self, number: int, machine: Computer, way: str, act: Callable[..., Any]
    ) -> Callable[..., Any]:
        def accessed(sector: int, chain: Any) -> Any:
            buffers = chain.writable if way == "read" else chain.readable
            sectors = sum(length for _, length in buffers) // SECTOR
            self._output(number, machine, f"disk {way}", f"{sector} {sectors}")
            return act(sector, chain)

        return accessed

    def _output(self, number: int, machine: Computer, what: str, text: str) -> None:
        if getattr(machine.history, "silent", False):
            return
        outputs = self.film.outputs
        last = outputs[-1] if outputs else None
        if last is not None and what == "console" and last[:3] == [self.film.end, number, what]:
            last[3] += text
        elif len(outputs) < _OUTPUT_LIMIT:
            outputs.append([self.film.end, number, what, text])


class _Listener(Trace):
    """A trace that passes its events on when their step is over."""

    def __init__(
        self,
        machine: Computer,
        kinds: set[str],
        heard: Callable[[Computer, TraceEvent], None],
    ) -> None:
        self._heard = heard
        super().__init__(machine, kinds=kinds, capacity=1)

    def _keep(self, machine: Computer, event: TraceEvent) -> None:
        self._heard(machine, event)


def _data_register(vcpu: VirtualCpu, cause: int) -> int:
    """The register whose value the last access stored, or into which it loaded."""
    found = vcpu.decoder.decode(vcpu.hart.instruction)
    operands = found[1] if found is not None else {}
    return int(operands.get("rs2" if cause == _STORE else "rd", 0))
