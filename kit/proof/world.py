"""The two sides that lemmas compare: the instruction set's definition, and the kernel's code.

`World.bare_step` is what the bare machine does with an instruction; `World.vmm` runs the kernel's
functions. Both start from a state that satisfies the invariant of `legal`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache, reduce
from typing import Any

import z3

from kit.bits import Bits
from kit.engine.compiled import instruction_arguments
from kit.engine.paths import Definitions
from kit.isa.config import Config
from kit.isa.cpu import Cpu
from kit.isa.encoding import Decoder, Instruction
from kit.isa.step import count
from kit.isa.trap import take_trap
from kit.proof.terms import Contract, Meaning, Outcome, SymbolicState, is_ram, ram_is_somewhere

__all__ = ["SCRATCH", "World", "alike", "legal", "world_of"]

SCRATCH = {"instruction", "next_pc", "completed"}
"""Words that a step uses for itself: their values between steps mean nothing."""

WHOLE = 0xFFFF_FFFF


def legal(state: SymbolicState, config: Config) -> dict[str, Any]:
    """The invariant: what holds of a hart's registers between two steps, by register.

    Each register holds only values that can be written to it. (That steps keep it so is the lemma
    *initial*.)
    """
    w = state.words
    of_s, of_u = (WHOLE if has else 0 for has in (config.has_s, config.has_u))
    status = 0x88 | 0xC_0122 & of_s | 0x50_0000 & of_s | 0x22_0000 & of_u | 3 << 11
    previous = z3.Extract(12, 11, w["mstatus"])
    low = 1 if config.has_c else 3
    masks = {
        "mstatus": status,
        "medeleg": 0xB3FE | (0 if config.has_c else 1),
        "mideleg": 0x222,
        "mie": 0x888 | 0x222 & of_s,
        "mip": 0x222 & of_s,
        "wires": 0xAAA,
        "mcounteren": 7,
        "scounteren": 7,
        "mcountinhibit": 5,
        "mtvec": ~2,
        "stvec": ~2,
        "pc": ~low,
        "mepc": ~low,
        "sepc": ~low,
    }
    conditions = {name: w[name] & ~mask == 0 for name, mask in masks.items()}
    conditions["mode"] = _is_mode(w["mode"], config)
    conditions["mstatus.MPP"] = _is_mode(previous, config)
    conditions["x0"] = z3.Select(state.files["x"], z3.BitVecVal(0, 8)) == 0
    if config.pmp:
        conditions["pmpcfg"] = z3.And(*(_is_pmpcfg(state, n) for n in range(4)))
    return conditions


def _is_mode(mode: Any, config: Config) -> Any:
    numbers = {"U": 0, "S": 1, "M": 3}
    return z3.Or(*(mode == numbers[letter] for letter in config.modes))


def _is_pmpcfg(state: SymbolicState, index: int) -> Any:
    """No reserved bit, and no W without R, in any of the four entries."""
    word = z3.Select(state.files["pmpcfg"], z3.BitVecVal(index, 8))
    lonely = word & ~(word << 1) & 0x0202_0202
    return z3.And(word & 0x6060_6060 == 0, lonely == 0)


def alike(one: SymbolicState, two: SymbolicState, *, but: set[str] | None = None) -> dict[str, Any]:
    """Claims that two states are the same, by register; not those in `but` (default: `SCRATCH`)."""
    skipped = SCRATCH if but is None else but
    claims = {
        name: value == two.words[name]
        for name, value in one.words.items()
        if name not in skipped and not value.eq(two.words[name])
    }
    for name, value in one.files.items():
        if name not in skipped and not value.eq(two.files[name]):
            index = z3.BitVec(f"any_of_{name}", 8)
            claims[name] = z3.Select(value, index) == z3.Select(two.files[name], index)
    if not one.storage.eq(two.storage):
        address = z3.Const("any_address", one.storage.sort().domain())
        claims["storage"] = z3.Select(one.storage, address) == z3.Select(two.storage, address)
    if not one.log.eq(two.log):
        claims["devices"] = one.log == two.log
    return claims


class World:
    """Both sides for one configuration, and a symbolic state `start` of which both are to begin.

    `contracts` stand for functions of either side that have lemmas of their own.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.rows = Decoder.of(config).by_name
        self._isa, self._vmm = Definitions(config), Definitions(config)
        self.start = SymbolicState.unknown(self._isa)

    def isa(self, contracts: Mapping[str, Contract] | None = None) -> Meaning:
        """The instruction set's definition."""
        return Meaning(self._isa, contracts)

    def vmm(self, contracts: Mapping[str, Contract] | None = None) -> Meaning:
        """The kernel's code."""
        return Meaning(self._vmm, contracts)

    def invariant(self) -> list[Any]:
        """What holds of `start` before a step: it is legal, RAM is somewhere, nothing waits."""
        state = self.start
        w = state.words
        follows = z3.Or(w["next_pc"] == w["pc"] + 4, w["next_pc"] == w["pc"] + 2)
        if not self.config.has_c:
            follows = w["next_pc"] == w["pc"] + 4
        held = z3.Implies(w["reservation_valid"] == 1, is_ram(w["reservation"], 4))
        aligned = w["reservation"] & 3 == 0
        ram = ram_is_somewhere(self.config.plen)
        conditions = legal(state, self.config).values()
        return [*conditions, w["waiting"] == 0, follows, held, aligned, ram]

    def operands(self, row: Instruction) -> dict[str, Any]:
        """Unknown operands of an instruction, as its function takes them, by name."""
        shape = instruction_arguments(row, self.config.xlen)
        return {
            name: self._operand(row, name, word.width)
            for name, word in zip(row.widths, shape, strict=True)
        }

    @staticmethod
    def _operand(row: Instruction, name: str, width: int) -> Any:
        own = z3.BitVec(name, row.widths[name])
        # Bits that no field of the word gives are zero: branches go to even addresses.
        given = (((1 << f.size) - 1) << f.at for f in row.fields if f.operand == name)
        mask = reduce(int.__or__, given, 8 if name.endswith("'") else 0)
        own = z3.simplify(own & mask) if mask + 1 != 1 << own.size() else own
        return z3.SignExt(width - own.size(), own) if row.is_signed(name) else own

    def execute(
        self, meaning: Meaning, row: Instruction, state: SymbolicState, operands: dict[str, Any]
    ) -> Outcome:
        """What the definition of an instruction does."""
        return self.on_operands(meaning, row.execute, f"do {row.name}", state, operands)

    def on_operands(
        self,
        meaning: Meaning,
        function: Callable[..., Any] | None,
        name: str,
        state: SymbolicState,
        operands: dict[str, Any],
    ) -> Outcome:
        """The outcome of a function that takes an instruction's operands by name."""
        assert function is not None
        names = list(operands)

        def apply(cpu: Cpu, *values: Bits) -> None:
            function(cpu, **dict(zip(names, values, strict=True)))

        apply.__name__ = name
        return meaning.call(apply, state, *operands.values())

    def bare_step(
        self,
        row: Instruction,
        operands: dict[str, Any],
        state: SymbolicState,
        contracts: Mapping[str, Contract] | None = None,
    ) -> SymbolicState:
        """The state of the bare machine after a step that executes this instruction.

        As `kit.isa.step.step` has it, where no interrupt is due: a trap is taken, or the pc moves
        on; then the clocks advance.
        """
        isa = self.isa(contracts)
        return self.finish(isa, self.execute(isa, row, state, operands))

    def finish(self, isa: Meaning, done: Outcome) -> SymbolicState:
        """The end of a step whose instruction had this outcome."""
        after = done.state
        completed = after.with_words(pc=after.words["next_pc"])
        completed = isa.call(count, completed, True).state
        if z3.is_false(z3.simplify(done.trapped)):
            return completed
        return self.trap(isa, after, done.cause, done.tval, False).merge(done.trapped, completed)

    def trap(
        self, isa: Meaning, state: SymbolicState, cause: Any, tval: Any, interrupt: bool
    ) -> SymbolicState:
        """The state after a step that is a trap."""
        taken = isa.call(take_trap, state, cause, tval, interrupt).state
        return isa.call(count, taken, False).state


@lru_cache
def world_of(config: Config) -> World:
    """The world of a configuration; definitions are traced once."""
    return World(config)


def fresh_storage(state: SymbolicState, storage: Any) -> SymbolicState:
    """The state with other contents of storage."""
    return replace(state, storage=storage)
