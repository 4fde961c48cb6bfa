"""A counterexample as a program: the solver's numbers, made simple, and really run.

The state before the step is simplified as far as the two sides go on to differ. Then a program is
written that brings a machine from reset to that state and makes the step. It is run on the bare
machine and in a virtual one, step by step, and counts only if they part.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from kit.bits import Bits
from kit.errors import KitError
from kit.files import replace_file
from kit.isa.assembler import assemble
from kit.isa.causes import cause_name
from kit.isa.config import Config
from kit.isa.cpu import ARRAYS, WORDS, Cpu, M, Trap, width_of
from kit.isa.csr import CSRS
from kit.isa.encoding import Decoder, Instruction
from kit.isa.hart import Hart, cpu_of
from kit.isa.registers import REGISTERS
from kit.isa.step import as_word, count, operand_words
from kit.isa.trap import take_trap
from kit.machine.machine import Machine
from kit.proof.results import Result
from kit.proof.variant import uncompiled
from kit.trace.history import History
from kit.trace.snapshot import lasting
from kit.trace.tape import record_to

__all__ = ["Counterexample", "counterexample", "save"]

RAM, DATA = 0x8000_0000, 0x8000_4000
MEMORY, REAL_MEMORY = "64K", "16M"
MODES = {0: "U", 1: "S", 3: "M"}
MIE, MPIE, MPP, MPRV = 1 << 3, 1 << 7, 3 << 11, 1 << 17
OPEN = 0x1F
"""A PMP entry that lets everything through."""
MOST_STEPS = 400
OPERANDS = (1, 0x8000_0001, 0xFFFF_FFFF)
"""What an atomic operation combines it with, in turn."""
PATTERN = 0x80C1_E2F3
"""What lies where a load or an atomic operation finds it."""
SETTABLE = (
    "medeleg mideleg mie mip mtvec mscratch mcause mtval mcounteren mcountinhibit stvec sscratch "
    "sepc scause stval satp scounteren mepc"
).split()
"""Registers that a program in M-mode sets before the step, in this order."""
WITHIN = {"next_pc", "instruction", "completed"}
CLOCKS = {"mtime", "mcycle", "minstret"}

SET_BEFORE = (5, 10, 11)
"""Registers that are not zero after reset, or that the program itself uses."""

State = dict[str, Any]


@dataclass
class Counterexample:
    """A state that shows what is wrong.

    `text` says it in words. `before` has what is not zero of the state before the step, `after` for
    each register that differs its name and both values: bare, and with the kernel. `program` is the
    assembly text that leads there; empty where none could be made, and `reason` says why. `place`
    is the step of the program in which the two part.
    """

    text: str
    before: dict[str, int]
    after: list[tuple[str, int, int]] = field(default_factory=list)
    program: str = ""
    place: int = 0
    reason: str = ""

    @property
    def is_confirmed(self) -> bool:
        """Was it really run, bare and in a virtual machine, and did the two part?"""
        return bool(self.program)

    def numbers(self) -> dict[str, Any]:
        """It as JSON has it."""
        return {
            "text": self.text, "before": self.before, "after": [list(row) for row in self.after],
            "program": self.program, "place": self.place, "reason": self.reason,
        }  # fmt: skip


def counterexample(result: Result, config: Config) -> Counterexample:
    """What refutes a goal, as a program if that can be; with the kernel that is loaded here."""
    name = str(result.about.get("instruction") or result.instruction)
    row = Decoder.of(config).by_name.get(name)
    plain = _plain(result)
    if row is None or row.execute is None:
        plain.reason = "it is not about one instruction, so that there is no program to be run"
        return plain
    finder = _Finder(config, row, result)
    found = finder.find()
    if found is None:
        plain.reason = "no program could be made that leads to this state"
        return plain
    return found


def _plain(result: Result) -> Counterexample:
    """The state that the solver found, as it is."""
    before = {name: int(v) for name, v in result.values.items() if isinstance(v, int) and v}
    return Counterexample(f"the two differ in {', '.join(result.failed)}", before)


def save(result: Result, folder: Path) -> list[Path]:
    """Writes a counterexample's program, and a recording of it up to the step where the two part.

    Returns what was written: nothing where there is no program. Raises `KitError`.
    """
    shown = result.shown
    if not shown.get("program"):
        return []
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KitError(f"{folder}: cannot make the folder: {error.strerror}") from None
    words = re.sub(r"[^a-z0-9.]+", "-", f"{result.lemma}-{result.instruction}".lower())
    program, recording = folder / f"{words}.s", folder / f"{words}.rec"
    replace_file(program, shown["program"])
    machine = Machine(memory=MEMORY)
    machine.load(assemble(shown["program"], name=program.name))
    history = History(machine)
    machine.run(int(shown["place"]))
    record_to(recording, history)
    return [program, recording]


# -- one step, on both sides -----------------------------------------------------------------------


class _Storage:
    """RAM of 64 KiB, zero but for a pattern that loads find."""

    def __init__(self) -> None:
        self.bytes = {DATA + n: PATTERN >> 8 * (n % 4) & 0xFF for n in range(16)}

    def is_ram(self, address: int, size: int) -> bool:
        return RAM <= address <= RAM + 0x10000 - size

    reaches = is_ram

    def read(self, address: int, size: int) -> int:
        return sum(self.bytes.get(address + n, 0) << 8 * n for n in range(size))

    def write(self, address: int, size: int, value: int) -> None:
        for n in range(size):
            self.bytes[address + n] = value >> 8 * n & 0xFF


class _Finder:
    """Looks for a simple state in which an instruction's step differs, and a program for it."""

    def __init__(self, config: Config, row: Instruction, result: Result) -> None:
        from kit.vmm.access import ACCESSES
        from kit.vmm.interpreters import INTERPRETERS

        self.config, self.row, self.result = config, row, result
        self.is_access = row.name in ACCESSES
        self.kernel: Callable[..., None] | None = INTERPRETERS.get(row.name) or ACCESSES.get(
            row.name
        )
        self.operands = self._operands()

    def _operands(self) -> dict[str, int]:
        """Operands as the solver has them; or some, where the goal leaves them open."""
        values = self.result.values
        word = int(values.get("value", 0))
        if word & self.row.mask == self.row.match:  # the machine's mtval is the instruction
            found = Decoder.of(self.config).decode(word)
            assert found is not None
            return found[1]
        if self.is_access or not all(name in values for name in self.row.widths):
            usual = {"rd": 12, "rs1": 10, "rs2": 11}
            operands = {name: usual.get(name, 0) for name in self.row.widths}
            return operands | {n: int(values[n]) for n in ("csr",) if n in values}
        operands = {}
        for name, width in self.row.widths.items():
            value = int(values[name]) & (1 << width) - 1
            if self.row.is_signed(name) and value >> width - 1:
                value -= 1 << width
            operands[name] = value
        register = self.result.instruction.partition(" ")[2]
        numbers = {csr.name: number for number, csr in CSRS.items()}
        return operands | ({"csr": numbers[register]} if register in numbers else {})

    def find(self) -> Counterexample | None:
        """The counterexample, or None where no program shows it."""
        for state in self._states():
            if self.differs(state):
                state = self._simplified(state)
            found = self._run(state)
            if found is not None:
                return found
        return None

    def _states(self) -> list[State]:
        """What the solver found, with what a program cannot set as it will be."""
        values = self.result.values
        state: State = {name: int(values.get(name, 0)) for name in WORDS}
        for name, (size, _) in ARRAYS.items():
            state[name] = [int(values.get(f"{name}{n}", 0)) for n in range(size)]
        state["x"][0] = 0
        state |= dict.fromkeys(("wires", "reservation_valid", "reservation", "waiting"), 0)
        state |= {"mtime": 0, "mcycle": 0, "minstret": 0, "pc": RAM, "next_pc": RAM + 4}
        state["instruction"] = self.row.encode(**self.operands)
        without_interrupts = state | {"mie": 0, "mip": 0}
        if self.is_access:
            states = [self._with_address(without_interrupts, x11) for x11 in OPERANDS]
        else:
            states = [without_interrupts, state, state | {"satp": 0}]
        return [self._reachable(s) for s in states]

    def _with_address(self, state: State, operand: int) -> State:
        """An access of the kernel's own kind: in virtual M-mode, counting as U-mode's."""
        x = [*state["x"][:11], operand, *state["x"][12:]]
        return state | {"x": x, "mode": M, "satp": 0}

    def _reachable(self, state: State) -> State:
        """The nearest state in which a program can be: below M-mode, mret has led there."""
        if self.config.pmp and (state["mode"] != M or self.is_access):
            state = state | {
                "pmpcfg": [OPEN, 0, 0, 0], "pmpaddr": [0xFFFF_FFFF, *[0] * 15]
            }  # fmt: skip
        if self.is_access:
            status = state["mstatus"] & ~MPP | MPRV
            return state | {"x": [*state["x"][:10], DATA, *state["x"][11:]], "mstatus": status}
        if state["mode"] == M:
            return state
        return state | {"mstatus": state["mstatus"] & ~(MPP | MPRV) | MPIE}

    # -- simplifying -------------------------------------------------------------------------

    def differs(self, state: State) -> bool:
        """Do the two sides come to different states?"""
        if self.kernel is None or self.result.lemma == "dispatch":
            return self._run(state) is not None
        return self._after(state, True) != self._after(state, False)

    def _after(self, state: State, is_bare: bool) -> tuple[dict[str, Any], dict[int, int]]:
        storage = _Storage()
        hart = Hart(self.config, storage)
        hart.put_back(state)
        cpu = cpu_of(hart)
        words = operand_words(self.row, self.operands, self.config.xlen)
        if is_bare:
            self._bare(cpu, words)
        else:
            assert self.kernel is not None
            self.kernel(cpu, **words)
        after = {n: v for n, v in hart.snapshot().items() if n not in WITHIN}
        return after, storage.bytes

    def _bare(self, cpu: Cpu, words: dict[str, Bits]) -> None:
        assert self.row.execute is not None
        try:
            self.row.execute(cpu, **words)
        except Trap as trap:
            take_trap(cpu, as_word(cpu, trap.cause), as_word(cpu, trap.tval), False)
            count(cpu, False)
        else:
            cpu.pc = cpu.next_pc
            count(cpu, True)

    def _simplified(self, state: State) -> State:
        """The state with as many zeros as it can have: many at once, then fewer."""
        waiting = [_places()]
        while waiting:
            places = waiting.pop()
            fewer = self._reachable(_cleared(state, places))
            if fewer == state:
                continue
            if self.differs(fewer):
                state = fewer
            elif len(places) > 1:
                middle = len(places) // 2
                waiting += [places[:middle], places[middle:]]
        return state

    # -- the program -------------------------------------------------------------------------

    def _run(self, state: State) -> Counterexample | None:
        """The program for a state, run on both; None where they do not part."""
        program = self._program(state)
        try:
            image = assemble(program, isa=self.config.isa)
        except KitError:
            return None
        bare = Machine(self.config.isa, self.config.modes, self.config.pmp, MEMORY, self.config.ad,
                       engine="reference")  # fmt: skip
        bare.load(image)
        virtual = _virtual(self.config, image)
        for place in range(1, MOST_STEPS):
            before = bare.hart.snapshot()
            bare.run(1)
            virtual.run(1)
            rows = _rows(lasting(bare.hart.snapshot()), lasting(virtual.hart.snapshot()))
            here = [int.from_bytes(m.read_memory(DATA, 4), "little") for m in (bare, virtual)]
            if here[0] != here[1]:
                rows.append((f"word at {DATA:#x}", here[0], here[1]))
            if rows or virtual.vcpu.failure:
                failed = f"the VMM gives the guest up: {virtual.vcpu.failure}"
                text = self._words(before, bare.hart, virtual.hart, rows) if rows else failed
                return Counterexample(text, _nonzero(before), rows, program, place)
            if bare.hart.pc == before["pc"]:
                return None
        return None

    def _program(self, state: State) -> str:
        lines = ["# The state before the step, as far as it is not zero."]
        for n in range(16):
            if state["pmpaddr"][n]:
                lines += _set(f"pmpaddr{n}", state["pmpaddr"][n])
        for n in range(4):
            if state["pmpcfg"][n]:
                lines += _set(f"pmpcfg{n}", state["pmpcfg"][n])
        for name in SETTABLE:
            if state[name] and not (name == "mepc" and state["mode"] != M):
                lines += _set(name, state[name])
        if self.is_access:
            lines += [f"    li a0, {DATA:#x}", f"    li t0, {PATTERN:#x}", "    sw t0, 0(a0)"]
        if state["mode"] == M:
            if state["mstatus"]:
                lines += _set("mstatus", state["mstatus"])
        else:
            lines += ["    la t0, here", "    csrw mepc, t0"]
            enabled = MPIE if state["mstatus"] & MIE else 0
            status = state["mstatus"] & ~(MIE | MPIE | MPP) | enabled | state["mode"] << 11
            lines += _set("mstatus", status)
        lines += [
            f"    li x{n}, {state['x'][n]:#x}"
            for n in range(1, 32)
            if state["x"][n] or n in SET_BEFORE
        ]
        if state["mode"] != M:
            lines.append("    mret")
        lines += ["here:", f"    {self._instruction()}", "after:", "    j after"]
        return "\n".join(lines) + "\n"

    def _instruction(self) -> str:
        word = self.row.encode(**self.operands)
        from kit.isa.disassembler import disassemble

        return disassemble(word, RAM, xlen=self.config.xlen)

    # -- in words ----------------------------------------------------------------------------

    def _words(
        self, before: State, bare: Hart, virtual: Hart, rows: list[tuple[str, int, int]]
    ) -> str:
        """What is wrong: "after mret with MPP=U and MPRV=1, mstatus.MPRV stays 1; the architecture
        clears it"."""
        what = self._instruction()
        given = _given(before, what)
        start = f"after {what}{given}"
        if bare.completed != virtual.completed:
            done = [_outcome(hart, before) for hart in (virtual, bare)]
            return f"{start}, the kernel {done[0]}; the architecture {done[1]}"
        told = [_told(name, before, one, two) for name, one, two in rows if name not in CLOCKS]
        return f"{start}, " + "; ".join(told or [_told(*_clock(rows, before))])


def _clock(rows: list[tuple[str, int, int]], before: State) -> tuple[str, State, int, int]:
    name, one, two = rows[0]
    return name, before, one, two


def _places() -> list[tuple[str, int | None]]:
    """What to try zeros for: whole words, words of files, and bits of mstatus."""
    fixed = {"pc", "next_pc", "instruction", "completed", "mode", "mstatus"}
    found: list[tuple[str, int | None]] = [("x", n) for n in range(1, 32)]
    found += [(name, n) for name in ("pmpaddr", "pmpcfg") for n in range(ARRAYS[name][0])]
    found += [(name, None) for name in sorted(WORDS.keys() - fixed)]
    return [*found, *(("mstatus", bit) for bit in range(32))]


def _cleared(state: State, places: list[tuple[str, int | None]]) -> State:
    """The state with zeros at some places."""
    state = {**state, **{name: list(state[name]) for name in ARRAYS}}
    for name, n in places:
        if n is None:
            state[name] = 0
        elif name in ARRAYS:
            state[name][n] = 0
        else:
            state[name] &= ~(1 << n)
    return state


def _set(name: str, value: int) -> list[str]:
    return [f"    li t0, {value:#x}", f"    csrw {name}, t0"]


def _virtual(config: Config, image: Any) -> Any:
    """A virtual machine of the kernel as it is in this process."""
    from kit.control.vmm import VMM
    from kit.vmm import kernel

    with mock.patch.object(kernel, "compiled", uncompiled):
        host = Machine(config.isa, memory=REAL_MEMORY, ad=config.ad, engine="reference")
        kind: dict[str, Any] = {"modes": config.modes, "pmp": config.pmp}
        return VMM(host).create("guest", image, memory=MEMORY, **kind)


def _rows(one: dict[str, Any], two: dict[str, Any]) -> list[tuple[str, int, int]]:
    """The registers that differ, by the names that people use."""
    called = {number: name for name, number in REGISTERS.items() if name != f"x{number}"}
    rows: list[tuple[str, int, int]] = []
    for key, first in one.items():
        second = two[key]
        if isinstance(first, list):
            names = called if key == "x" else {}
            rows += [
                (names.get(n, f"{key}{n}"), a, b)
                for n, (a, b) in enumerate(zip(first, second, strict=True))
                if a != b
            ]
        elif first != second:
            rows.append((key, first, second))
    return rows


def _nonzero(state: State) -> dict[str, int]:
    found: dict[str, int] = {"mode": state["mode"]}
    for name in sorted(WORDS.keys() - WITHIN - CLOCKS - {"mode"}):
        if state[name]:
            found[name] = state[name]
    for name in ARRAYS:
        found |= {f"{name}{n}": value for n, value in enumerate(state[name]) if value}
    return found


def _fields(name: str) -> list[Any]:
    rows = [csr for csr in CSRS.values() if csr.name == name]
    return [f for f in rows[0].fields if f.high - f.low < 8] if rows else []


def _given(before: State, what: str) -> str:
    """In which mode, and with what in the registers that matter."""
    parts = []
    previous = {"mret": ("MPP", 11, 3), "sret": ("SPP", 8, 1)}.get(what)
    if previous is not None:
        name, low, mask = previous
        parts.append(f"{name}={MODES[before['mstatus'] >> low & mask]}")
    for found in _fields("mstatus"):
        value = before["mstatus"] >> found.low & (1 << found.high - found.low + 1) - 1
        if value and found.name not in ("MPP", "SPP"):
            parts.append(f"{found.name}={value}")
    for name in ("medeleg", "mideleg", "mie", "mip", "mcounteren", "scounteren", "mcountinhibit"):
        if before[name]:
            parts.append(f"{name}={before[name]:#x}")
    given = f" in {MODES[before['mode']]}-mode"
    if previous is not None and before["mode"] == M:
        given = ""
    if not parts:
        return given
    listed = ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]
    return f"{given} with {listed}"


def _told(name: str, before: State, bare: int, kernel: int) -> str:
    """One register, or its fields that differ."""
    old = before.get(name)
    parts = []
    for f in _fields(name):
        mask = (1 << f.high - f.low + 1) - 1
        was = None if not isinstance(old, int) else old >> f.low & mask
        one, two = bare >> f.low & mask, kernel >> f.low & mask
        if one != two:
            parts.append(_said(f"{name}.{f.name}", was, one, two, mask == 1))
    if parts:
        return "; ".join(parts)
    was = old if isinstance(old, int) else None
    if name == "mode":
        return f"the mode is {MODES.get(kernel)}; the architecture makes it {MODES.get(bare)}"
    return _said(name, was, bare, kernel, width_of(name, Config()) == 1 if name in WORDS else False)


def _said(name: str, was: int | None, bare: int, kernel: int, is_bit: bool) -> str:
    verb = "stays" if was == kernel else "becomes"
    if is_bit:
        right = "keeps it" if was == bare else "sets it" if bare else "clears it"
        return f"{name} {verb} {kernel}; the architecture {right}"
    right = f"keeps {bare:#x}" if was == bare else f"makes it {bare:#x}"
    return f"{name} {verb} {kernel:#x}; the architecture {right}"


def _outcome(hart: Hart, before: State) -> str:
    """Did it complete, or trap, and how?"""
    if hart.completed:
        return "executes it"
    cause = hart.mcause if hart.mode == M else hart.scause
    return f"traps ({cause_name(cause)})"
