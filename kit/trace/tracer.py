"""The tracer: what happens in a machine, or in the virtual machines of a VMM, event by event.

It listens where something happens anyway (traps, exits to the VMM, device accesses), so a machine
that is not traced pays nothing. What happens without a trap on the bare machine (returns,
privileged instructions, changes of page tables) is seen by executing its instructions by the
reference engine for as long as such events are wanted.
"""

from __future__ import annotations

import json
import zlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from kit.control.virtual_machine import VirtualMachine
from kit.control.vmm import VMM
from kit.engine.reference import Decoded, ReferenceEngine
from kit.errors import KitError
from kit.files import read_bounded, replace_file
from kit.isa.causes import cause_name
from kit.isa.cpu import M
from kit.isa.disassembler import disassemble
from kit.isa.hart import Hart
from kit.machine.board import ADDRESSES
from kit.machine.bus import PAGE
from kit.machine.computer import Computer
from kit.machine.machine import Machine
from kit.machine.names import names_of
from kit.vmm.kernel import VirtualCpu

__all__ = ["KINDS", "Trace", "TraceEvent", "quick_kinds"]

KINDS = {
    "call": "a system call: ecall",
    "trap": "another exception",
    "interrupt": "an interrupt taken",
    "return": "mret or sret",
    "privileged": "another privileged instruction of the bare machine",
    "emulation": "a privileged instruction that the VMM carried out",
    "refill": "a page that the VMM mapped",
    "device": "an access to a device register",
    "table": "a change of satp, or of a page table",
    "mode": "a change of mode",
    "switch": "another virtual machine has its turn",
}
"""The kinds of events."""

SLOW = {"return", "privileged", "table", "mode"}
"""Events of the bare machine that nothing but looking at each instruction shows."""

_HEADER = b"vmm-kit trace 1\n"
_LIMIT = 1 << 30
_MODES = "US?M"
_INTERRUPT = 1 << 31
_CALLS = (8, 9, 11)
_RETURNS = ("mret", "sret")
_SYSTEM = 0x73
_SV32 = 1 << 31
_STORE = 15
_SATP = 0x180
_OWN = {"failure", "refill", "timer"}
"""Exits that are no step of the guest."""


@dataclass(slots=True)
class TraceEvent:
    """One event. `step` counts the steps its machine had made when it was over.

    `mode` is the mode before it, `pc` the address of the instruction, with its `symbol` and `line`
    as far as they are known; `text` says what was done.
    """

    step: int
    vm: str
    kind: str
    mode: str
    pc: int
    symbol: str
    line: str
    text: str


def quick_kinds(system: Computer | VMM) -> list[str]:
    """The kinds of events that can be traced at full speed: of a bare machine, not all."""
    return [kind for kind in KINDS if not isinstance(system, Machine) or kind not in SLOW]


class Trace:
    """Traces a machine, or the virtual machines of a VMM, from now until `close`.

    `kinds` are those of `KINDS` that are wanted (all), `vms` the names of the virtual machines
    (all). Runs end, as "stopped", after an event of the kinds in `stop`. The newest `capacity`
    events are kept in `events`; `dropped` counts the others. Usable as a context.

    Raises `KitError` for kinds and names that do not exist.
    """

    def __init__(
        self,
        system: Computer | VMM,
        kinds: Iterable[str] = tuple(KINDS),
        vms: Iterable[str] | None = None,
        stop: Iterable[str] = (),
        capacity: int = 100_000,
    ) -> None:
        machines = dict(system.machines) if isinstance(system, VMM) else {"": system}
        if isinstance(system, VirtualMachine):
            machines = {system.name: system}
        self.kinds, self.stop = frozenset(kinds), frozenset(stop)
        for kind in self.kinds | self.stop:
            if kind not in KINDS:
                raise KitError(f"trace: there is no kind {kind!r}; there are {', '.join(KINDS)}")
        self.kinds |= self.stop
        wanted = set(machines) if vms is None else set(vms)
        if not wanted <= machines.keys():
            raise KitError(f"trace: there is no virtual machine {min(wanted - machines.keys())!r}")
        self.machines: dict[str, Computer] = {n: c for n, c in machines.items() if n in wanted}
        self.dropped = 0
        self.events: deque[TraceEvent] = deque(maxlen=capacity)
        self._last = ""
        self._undo: list[Callable[[], None]] = []
        for name, machine in self.machines.items():
            if isinstance(machine, Machine):
                self._attach_bare(name, machine)
        virtual = [m for m in self.machines.values() if isinstance(m, VirtualMachine)]
        if virtual:
            self._attach_kernel(virtual)

    # -- what was seen -----------------------------------------------------------------------

    def table(self) -> Any:
        """The events as a `pandas.DataFrame`. Raises `KitError` where pandas is not installed."""
        try:
            import pandas  # type: ignore[import-untyped, unused-ignore]
        except ImportError:
            what = "trace: a table needs pandas; install it with: pip install pandas"
            raise KitError(what) from None
        names = [field.name for field in fields(TraceEvent)]
        return pandas.DataFrame([asdict(event) for event in self.events], columns=names)

    def text(self, first: int = 0, count: int = 40) -> str:
        """Some of the events, a line each."""
        return "\n".join(map(_line, list(self.events)[first : first + count]))

    def listing(self) -> str:
        """All events, a line each, below a line that names the columns."""
        missing = f"({self.dropped:,} earlier events were not kept)\n" if self.dropped else ""
        head = f"{'step':>12} {'VM':<8} M {'pc':<10} {'kind':<10} what happened\n"
        return head + missing + "".join(f"{_line(event)}\n" for event in self.events)

    def save(self, path: str | Path) -> None:
        """Writes the events to a file, for `load`. Raises `KitError`."""
        rows = [list(asdict(event).values()) for event in self.events]
        words = json.dumps({"events": rows, "dropped": self.dropped}).encode()
        replace_file(path, _HEADER + zlib.compress(words))

    @staticmethod
    def load(path: str | Path) -> list[TraceEvent]:
        """The events in a file. Raises `KitError` where it is damaged, or something else."""
        try:
            with open(path, "rb") as file:
                data = read_bounded(file, str(path), _LIMIT)
            if not data.startswith(_HEADER):
                raise KitError(f"{path}: this is no trace of this version of the kit")
            words = json.loads(zlib.decompressobj().decompress(data[len(_HEADER) :], _LIMIT))
            return [TraceEvent(*row) for row in words["events"]]
        except OSError as error:
            raise KitError(f"{path}: cannot read the trace: {error.strerror}") from None
        except (ValueError, TypeError, KeyError, zlib.error):
            raise KitError(f"{path}: the trace is damaged") from None

    def close(self) -> None:
        """Traces no more; the events stay."""
        while self._undo:
            self._undo.pop()()

    def __enter__(self) -> Trace:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    # -- seeing ------------------------------------------------------------------------------

    def _note(self, name: str, kind: str, mode: int, pc: int, text: str) -> None:
        """An event, in the middle of a step."""
        machine = self.machines[name]
        if kind not in self.kinds or getattr(machine.history, "silent", False):
            return
        while self.events and self.events[-1].vm == name and self.events[-1].step > machine.steps:
            self.events.pop()  # the machine was put back since
        names = names_of(machine)
        event = TraceEvent(0, name, kind, _MODES[mode], pc, names.symbol(pc), names.line(pc), text)
        # The machine counts its steps when its engine comes back: let it, after this one.
        machine.board.tell(partial(self._keep, machine), event)
        machine.bus.attention = True
        if kind in self.stop:
            machine.stop()

    def _keep(self, machine: Computer, event: TraceEvent) -> None:
        """The step of an event is over."""
        event.step = machine.steps
        self.dropped += len(self.events) == self.events.maxlen
        self.events.append(event)

    def _put(self, owner: Any, name: str, value: Any) -> None:
        """Sets an attribute until `close`."""
        missing = object()
        before = vars(owner).get(name, missing)
        setattr(owner, name, value)

        def undo() -> None:
            if before is missing:
                delattr(owner, name)
            else:
                setattr(owner, name, before)

        self._undo.append(undo)

    # -- the bare machine --------------------------------------------------------------------

    def _attach_bare(self, name: str, machine: Machine) -> None:
        hart, also = machine.hart, machine.on_trap

        def trapped(cause: int) -> None:
            machine_mode = hart.mode == M
            pc, value = (hart.mepc, hart.mtval) if machine_mode else (hart.sepc, hart.stval)
            status = hart.mstatus
            before = status >> 11 & 3 if machine_mode else status >> 8 & 1
            kind = "interrupt" if cause & _INTERRUPT else "call" if cause in _CALLS else "trap"
            text = f"a7 = {hart.x[17]:#x}" if kind == "call" else f"value {value:#x}"
            self._note(name, kind, before, pc, f"{cause_name(cause)}, {text}")
            self._note_mode(name, before, hart.mode, pc)
            if also is not None:
                also(cause)

        self._put(machine, "on_trap", trapped)
        if "device" in self.kinds:
            self._attach_devices(name, machine)
        if self.kinds & SLOW:
            self._put(machine, "engine", _LookingEngine(machine, partial(self._looked, name)))
            machine.engine.on_trap = machine.trapped
        if "table" in self.kinds:
            self._put(machine.bus, "watch", partial(self._written, name, machine, {}))

    def _note_mode(self, name: str, before: int, after: int, pc: int) -> None:
        if before != after:
            self._note(name, "mode", before, pc, f"{_MODES[before]} to {_MODES[after]}")

    def _attach_devices(self, name: str, machine: Computer) -> None:
        hart, bus = machine.hart, machine.bus
        read, write = bus.read_device, bus.write_device

        def read_device(address: int, size: int) -> int:
            value = read(address, size)
            text = f"{_register(address)} is {value:#x}"
            self._note(name, "device", hart.mode, hart.pc, text)
            return value

        def write_device(address: int, size: int, value: int) -> None:
            self._note(name, "device", hart.mode, hart.pc, f"{_register(address)} = {value:#x}")
            write(address, size, value)

        self._put(bus, "read_device", read_device)
        self._put(bus, "write_device", write_device)

    def _looked(self, name: str, kind: str, before: tuple[int, int, int], word: int) -> None:
        """The bare machine has executed a privileged instruction."""
        hart = self.machines[name].hart
        pc, mode, satp = before
        text = disassemble(word, pc, xlen=hart.config.xlen)
        self._note(name, kind, mode, pc, text)
        self._note_mode(name, mode, hart.mode, pc)
        if hart.satp != satp:
            self._note(name, "table", mode, pc, f"satp is {hart.satp:#010x}")

    def _written(
        self, name: str, machine: Machine, known: dict[int, set[int]], address: int, size: int
    ) -> None:
        """Storage was written: is a page table there?"""
        hart = machine.hart
        if not hart.satp & _SV32:
            return
        if hart.satp not in known:
            known.clear()
            known[hart.satp] = _table_pages(machine)
        if not known[hart.satp].isdisjoint(range(address & -PAGE, address + size, PAGE)):
            self._note(name, "table", hart.mode, hart.pc, f"{size} bytes at {address:#x}")
            known.clear()

    # -- virtual machines --------------------------------------------------------------------

    def _attach_kernel(self, machines: list[VirtualMachine]) -> None:
        kernel = machines[0].kernel
        names = {machine.vcpu: name for name, machine in self.machines.items()
                 if isinstance(machine, VirtualMachine)}  # fmt: skip
        also = kernel.recorder

        def exited(vcpu: VirtualCpu, exit_: str, before: int, cause: int) -> None:
            if also is not None:
                also(vcpu, exit_, before, cause)
            if vcpu in names:
                self._exited(names[vcpu], kernel.real, vcpu, exit_, before, cause)

        self._put(kernel, "recorder", exited)

    def _exited(
        self, name: str, real: Hart, vcpu: VirtualCpu, exit_: str, before: int, cause: int
    ) -> None:
        hart, pc = vcpu.hart, real.mepc
        if name != self._last:
            self._last = name
            self._note(name, "switch", before, pc, f"{name} has its turn")
        trapped = exit_ == "interrupt" or not (hart.completed or exit_ in _OWN)
        if trapped:
            of_machine = hart.mode == M
            number = hart.mcause if of_machine else hart.scause
            value = hart.mtval if of_machine else hart.stval
            pc = hart.mepc if of_machine else hart.sepc
            kind = "interrupt" if number & _INTERRUPT else "call" if number in _CALLS else "trap"
            text = f"a7 = {hart.x[17]:#x}" if kind == "call" else f"value {value:#x}"
            self._note(name, kind, before, pc, f"{cause_name(number)}, {text}")
        elif exit_ == "refill":
            self._note(name, "refill", before, pc, f"page of {real.mtval:#010x}")
        elif exit_ == "table write":
            self._note(name, "table", before, pc, f"a word at {real.mtval:#010x}")
        elif exit_ == "device":
            self._note(name, "device", before, pc, _access(vcpu, real.mtval, cause))
        elif exit_.startswith("emulate"):
            text = disassemble(hart.instruction, pc, xlen=hart.config.xlen)
            kind = "return" if exit_.removeprefix("emulate ") in _RETURNS else "emulation"
            self._note(name, kind, before, pc, text)
            if hart.instruction >> 20 == _SATP and exit_.startswith("emulate csr"):
                self._note(name, "table", before, pc, f"satp is {hart.satp:#010x}")
        self._note_mode(name, before, hart.mode, pc)


class _LookingEngine(ReferenceEngine):
    """The reference engine, which tells of each privileged instruction that completes."""

    def __init__(
        self, machine: Machine, looked: Callable[[str, tuple[int, int, int], int], None]
    ) -> None:
        super().__init__(machine.hart)
        self._looked = looked

    def _decode_instruction(self, instruction: int, length: int) -> Decoded:
        function, operands, length, word = super()._decode_instruction(instruction, length)
        found = self.decoder.decode(instruction)
        if found is None or word & 0x7F != _SYSTEM or found[0].name in ("ecall", "ebreak"):
            return function, operands, length, word
        kind = "return" if found[0].name in _RETURNS else "privileged"

        def seen(hart: Hart, *values: int) -> None:
            before = hart.pc, hart.mode, hart.satp
            function(hart, *values)
            self._looked(kind, before, word)

        return seen, operands, length, word


def _table_pages(machine: Machine) -> set[int]:
    """The pages that hold the tables of the present `satp`."""
    root = (machine.hart.satp & 0x3F_FFFF) << 12
    pages = {root}
    if machine.bus.is_ram(root, PAGE):
        entries = memoryview(machine.bus.read_bytes(root, PAGE)).cast("I")
        pages |= {entry >> 10 << 12 for entry in entries if entry & 0xF == 1}
    return pages


def _access(vcpu: VirtualCpu, address: int, cause: int) -> str:
    word = vcpu.hart.instruction
    found = vcpu.decoder.decode(word)
    operands = found[1] if found is not None else {}
    value = vcpu.hart.x[operands.get("rs2" if cause == _STORE else "rd", 0)]
    return f"{_register(address)} {'=' if cause == _STORE else 'is'} {value:#x}"


def _register(address: int) -> str:
    """The device at an address, and the register's offset."""
    below = [(base, name) for name, base in ADDRESSES.items() if base <= address]
    base, name = max(below, default=(0, "nothing"))
    return f"{name}+{address - base:#x}"


def _line(event: TraceEvent) -> str:
    where = event.line or event.symbol
    return (
        f"{event.step:>12,} {event.vm:<8} {event.mode} {event.pc:#010x} {event.kind:<10} "
        f"{event.text}" + (f"  ({where})" if where else "")
    )
