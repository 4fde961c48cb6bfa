"""The parts of a processor's state that Popek and Goldberg's definitions speak of.

Their state is <E, M, P, R>: storage, mode, program counter, relocation. Here E is storage as the
program sees it, and its registers; M the mode; P the pc. R is the whole effective translation:
satp, the rights SUM and MXR, the mode of data accesses (MPRV and MPP), and PMP. What they did not
have are the other *control registers*, which belong to whoever controls the machine, as R does, and
the *clocks*. Every word of `kit.isa.cpu.Cpu` is in one of these parts, or is nothing between steps.
"""

from __future__ import annotations

from typing import Any

import z3

from kit.isa.cpu import WORDS
from kit.proof.terms import Outcome, SymbolicState

__all__ = ["PARTS", "changes", "differs", "other_state", "results"]

MPRV, SUM, MXR = 17, 18, 19
RIGHTS = 1 << MPRV | 1 << SUM | 1 << MXR
"""Bits of mstatus that say nothing but how addresses are translated."""
TRANSLATION = RIGHTS | 3 << 11
"""The same with MPP, which says it too while MPRV is set."""

CLOCKS = {"mtime", "mcycle", "minstret"}
OF_THE_PROGRAM = {"pc", "next_pc", "reservation_valid", "reservation"}
WITHIN_A_STEP = {"instruction", "completed"}
APART = CLOCKS | OF_THE_PROGRAM | WITHIN_A_STEP | {"mode", "satp", "waiting", "mstatus"}
REGISTERS = sorted(WORDS.keys() - APART)
"""Control registers that are no part of R; of mstatus, some bits are."""

PARTS = {
    "mode": "the mode",
    "relocation": "the effective translation R",
    "registers": "other control registers",
    "processor": "whether the processor waits",
    "clocks": "the clocks",
}
"""The parts of what the control program must keep to itself."""


def _bits(word: Any, mask: int) -> Any:
    return word & z3.BitVecVal(mask & (1 << word.size()) - 1, word.size())


def _is_set(word: Any, bit: int) -> Any:
    return z3.Extract(bit, bit, word) == 1


def _data_mode(state: SymbolicState) -> Any:
    status = state.words["mstatus"]
    return z3.If(_is_set(status, MPRV), z3.Extract(12, 11, status), state.words["mode"])


def _part(state: SymbolicState, part: str) -> list[Any]:
    """The terms that make up a part of the state."""
    w = state.words
    if part == "relocation":
        files = [state.files["pmpcfg"], state.files["pmpaddr"]]
        return [w["satp"], _bits(w["mstatus"], 1 << SUM | 1 << MXR), _data_mode(state), *files]
    if part == "registers":
        return [_bits(w["mstatus"], ~RIGHTS), *(w[name] for name in REGISTERS)]
    names = {"mode": ["mode"], "processor": ["waiting"], "clocks": sorted(CLOCKS)}[part]
    return [w[name] for name in names]


def _unlike(one: list[Any], two: list[Any]) -> Any:
    pairs = [(a, b) for a, b in zip(one, two, strict=True) if not a.eq(b)]
    return z3.simplify(z3.Or(*(a != b for a, b in pairs))) if pairs else z3.BoolVal(False)


def changes(before: SymbolicState, after: SymbolicState, part: str) -> Any:
    """Is a part of the state another one afterwards?"""
    return _unlike(_part(before, part), _part(after, part))


def results(done: Outcome) -> list[Any]:
    """What the program sees of an outcome: where it goes on and whether, registers, storage."""
    state = done.state
    names = ("next_pc", "waiting", "reservation_valid", "reservation")
    return [*(state.words[n] for n in names), state.files["x"], state.storage, state.log]


def differs(done: Outcome, pairs: Replaced) -> Any:
    """Does the program see something else in another state?"""
    seen = results(done)
    return _unlike(seen, [z3.substitute(term, *pairs) for term in seen])


Replaced = list[tuple[Any, Any]]
"""Terms of one state, and what stands for them in another."""


def other_state(state: SymbolicState, part: str) -> Replaced:
    """Another state, which is the same but for one part: what is to be put in place of what."""
    w = state.words
    if part == "relocation":
        named = [w["satp"], state.files["pmpcfg"], state.files["pmpaddr"]]
        return [*map(_renamed, named), _other_bits(w["mstatus"], TRANSLATION)]
    if part == "registers":
        return [*(_renamed(w[n]) for n in REGISTERS), _other_bits(w["mstatus"], ~TRANSLATION)]
    return [_renamed(w[n]) for n in (sorted(CLOCKS) if part == "clocks" else [part])]


def _renamed(constant: Any) -> tuple[Any, Any]:
    return constant, z3.Const(f"other {constant}", constant.sort())


def _other_bits(word: Any, mask: int) -> tuple[Any, Any]:
    return word, _bits(word, ~mask) | _bits(_renamed(word)[1], mask)
