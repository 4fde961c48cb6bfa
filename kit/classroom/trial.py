"""A program of a student's under observation: run from a prepared state, with accidents noticed.

Storage that nothing was loaded into, and registers that nobody has set, hold `POISON`: who uses
what was never written is found out. A trial is recorded, so that it can be looked at afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kit.errors import KitError
from kit.isa.causes import cause_name
from kit.isa.cpu import M
from kit.isa.disassembler import disassemble
from kit.isa.image import Image
from kit.isa.registers import ABI_NAMES
from kit.machine.board import ADDRESSES, RAM_BASE
from kit.machine.computer import memory_size
from kit.machine.machine import Machine
from kit.machine.names import names_of
from kit.machine.protocol import Stop
from kit.trace.history import History

__all__ = ["POISON", "Accident", "Place", "Trial"]

POISON = 0xA5A5A5A5
"""What stands in storage and registers that nobody has set."""
LOOP = 50
"""Traps that follow each other, without an instruction between them, before it is a loop."""
BUDGET = 200_000
"""Steps of a run unless a check says otherwise."""
_MODES = "US?M"
_RANGE = 0x1000
_INTERRUPT = 1 << 31
_FETCH, _ACCESS, _ADDRESS = (0, 1), (1, 5, 7), (0, 1, 4, 5, 6, 7)
"""Causes: of fetches; where nobody has answered; and all for which mtval is an address."""


@dataclass(frozen=True)
class Place:
    """A place of a run: after so many steps, where pc is, in which mode."""

    step: int
    pc: int
    where: str
    mode: str
    instruction: str = ""


@dataclass(frozen=True)
class Accident:
    """A classic accident: its id in the catalogue (``check.accident.…``), values, and place."""

    id: str
    place: Place
    values: dict[str, Any] = field(default_factory=dict)


class Trial:
    """One run of an image on a bare machine of its own.

    `stack` are the lowest and highest value that sp may have; with it, sp is looked at before every
    instruction (if `closely`), or else at every trap. `handles` are the causes of traps in M-mode
    that belong to the run: every other one is an accident, unless `may_trap`, and then only what
    cannot be meant is one. `scratch` are the lowest and highest value that mscratch may have while
    a program runs in U-mode. `before` prepares the machine. `passing` has what is called, with the
    machine, before the instruction at an address is executed (if `closely`).
    """

    def __init__(
        self,
        image: Image | str | Path,
        *,
        memory: str | int = "128K",
        modes: str = "MU",
        stack: tuple[int, int] | None = None,
        closely: bool = False,
        handles: Iterable[int] = (),
        may_trap: bool = False,
        scratch: tuple[int, int] | None = None,
        before: Callable[[Machine], None] | None = None,
        **devices: Any,
    ) -> None:
        engine = "reference" if closely else "auto"
        self.machine = Machine(memory=memory, modes=modes, engine=engine, **devices)
        self.stack, self.closely = stack, closely
        self.handles, self.may_trap = frozenset(handles), may_trap
        self.scratch = scratch
        self.passing: dict[int, Callable[[Machine], None]] = {}
        self.accident: Accident | None = None
        self.traps: list[tuple[int, int, int]] = []  # after which step, cause, where
        self.on_trap: Callable[[int], None] | None = None
        self.machine.write_memory(
            RAM_BASE, POISON.to_bytes(4, "little") * (memory_size(memory) // 4)
        )
        self.machine.load(image)
        for name in ABI_NAMES[1:]:
            if name not in ("a0", "a1"):
                self.machine.set_register(name, POISON)
        if before is not None:
            before(self.machine)
        self.history = History(self.machine)
        self._row = 0

    # -- running -------------------------------------------------------------------------------

    def call(
        self,
        symbol: str,
        arguments: Sequence[int] = (),
        *,
        sp: int,
        back: int,
        registers: dict[str, int] | None = None,
        budget: int = BUDGET,
    ) -> Stop:
        """Calls a routine as another one would: arguments in a0 and on, ra is the address `back`.

        It has returned if the run's reason is "breakpoint". Raises `KitError` for a routine that
        the program does not have.
        """
        values = {name: POISON for name in ABI_NAMES[1:] if name not in ("sp", "ra")}
        values |= {f"a{n}": value for n, value in enumerate(arguments)}
        values |= {"sp": sp, "ra": back, "pc": self.address(symbol)} | (registers or {})
        for name, value in values.items():
            self.machine.set_register(name, value)
        self.machine.breakpoints = {back}
        return self.run(budget)

    def run(self, budget: int = BUDGET) -> Stop:
        """Runs on until something ends it; an accident does, as "stopped"."""
        machine = self.machine
        limit = machine.steps + budget
        trapped: list[int] = []

        def on_trap(cause: int) -> None:
            trapped.append(cause)
            machine.stop()

        machine.on_trap = on_trap
        try:
            while True:
                if self.closely and machine.hart.pc in self.passing:
                    self.passing[machine.hart.pc](machine)
                stop = machine.run(1 if self.closely else limit - machine.steps)
                if trapped:
                    self._trapped(trapped.pop())
                    trapped.clear()
                elif self.closely:
                    self._row = 0
                self._look_at_stack()
                if self.accident is not None:
                    return Stop("stopped", 0, 0, machine.hart.pc)
                over = stop.reason not in ("budget", "stopped") or machine.steps >= limit
                if over or (self.closely and machine.hart.pc in machine.breakpoints):
                    reason = stop.reason if over else "breakpoint"
                    return Stop(reason, stop.code, 0, machine.hart.pc)
        finally:
            machine.on_trap = None

    # -- accidents -----------------------------------------------------------------------------

    def _trapped(self, cause: int) -> None:
        hart, steps = self.machine.hart, self.machine.steps
        epc, tval = (hart.mepc, hart.mtval) if hart.mode == M else (hart.sepc, hart.stval)
        follows = bool(self.traps) and self.traps[-1][0] == steps - 1
        self._row = self._row + 1 if follows else 1
        self.traps.append((steps, cause, epc))
        if self.on_trap is not None:
            self.on_trap(cause)
        from_machine = hart.mode == M and hart.mstatus >> 11 & 3 == M
        if hart.mode == M and not from_machine and self.scratch is not None:
            low, high = self.scratch
            if not low <= hart.mscratch <= high:
                self._note("scratch", steps, value=hart.mscratch)
        if cause & _INTERRUPT:
            return
        if self._row >= LOOP:
            first = self.traps[-self._row]
            self._note("trap_loop", first[0], cause=cause_name(first[1]), mtvec=hart.mtvec)
        elif from_machine and cause not in self.handles:
            self._judge(cause, epc, tval, steps)

    def _judge(self, cause: int, epc: int, tval: int, steps: int) -> None:
        """A trap out of M-mode that the run does not expect: which accident is it?"""
        if cause in _FETCH and epc < _RANGE:
            self._note("jump_to_zero", steps, back=True, target=f"{epc:#x}")
        elif cause in _ADDRESS and _is_poison(tval):
            self._note("poison", steps, address=f"{tval:#x}")
        elif cause in _ACCESS and self._is_nowhere(tval):
            self._note("nothing_there", steps, address=f"{tval:#x}", cause=cause_name(cause))
        elif not self.may_trap:
            self._note("trap", steps, cause=cause_name(cause), value=f"{tval:#x}")

    def _look_at_stack(self) -> None:
        if self.stack is None or self.accident is not None:
            return
        sp = self.machine.register("sp")
        low, high = self.stack
        if self.machine.hart.mode == M and not low <= sp <= high:
            values: dict[str, Any] = {"sp": sp, "low": low, "high": high}
            self._note("stack", self.machine.steps, **values)

    def _note(self, id_: str, step: int, back: bool = False, **values: Any) -> None:
        if self.accident is None:
            place = self.place(max(0, step - 1 - back))
            shown = {n: f"{v:#x}" if isinstance(v, int) else v for n, v in values.items()}
            self.accident = Accident(id_, place, shown)

    def _is_nowhere(self, address: int) -> bool:
        base, size = self.machine.ram
        if base <= address < base + size:
            return False
        return not any(at <= address < at + _RANGE for at in ADDRESSES.values())

    # -- looking -------------------------------------------------------------------------------

    def address(self, symbol: str) -> int:
        """The address of a label. Raises `KitError` if the program has none of this name."""
        if symbol not in self.machine.symbols:
            raise KitError(f"the program has no label {symbol!r}; write it at its beginning")
        return self.machine.symbols[symbol]

    def word(self, address: int) -> int:
        """A word of storage."""
        return int.from_bytes(self.machine.read_memory(address, 4), "little")

    def place(self, step: int | None = None) -> Place:
        """Where the run was after so many steps; by default where it is."""
        machine, now = self.machine, self.machine.steps
        wanted = now if step is None else min(max(step, 0), now)
        if wanted != now:
            self.history.go(wanted)
        try:
            pc = machine.hart.pc
            names = names_of(machine)
            where = "/".join(names.line(pc).split("/")[-2:]) or f"{pc:#010x}"
            return Place(wanted, pc, where, _MODES[machine.hart.mode], self._instruction(pc))
        finally:
            if wanted != now:
                self.history.go(now)

    def _instruction(self, pc: int) -> str:
        try:
            word = int.from_bytes(self.machine.read_memory(pc, 4), "little")
        except KitError:
            return ""
        return disassemble(word if word & 3 == 3 else word & 0xFFFF, pc)

    def step_where(self, fits: Callable[[Machine], bool]) -> int:
        """After how many steps something was true for the first time; where the run is, if never.

        Every step is made again, so this is for runs of some thousand steps.
        """
        now = self.machine.steps
        try:
            for step in range(now + 1):
                self.history.go(step)
                if fits(self.machine):
                    return step
            return now
        finally:
            self.history.go(now)


def _is_poison(address: int) -> bool:
    return abs(address - POISON) < _RANGE
