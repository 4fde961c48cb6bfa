"""The traced definitions as z3 terms: they agree with themselves, and refute what is false."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from kit.bits import Bits
from kit.engine.paths import Definitions
from kit.isa.config import Config
from kit.isa.cpu import Cpu, opaque
from kit.isa.pmp import entry_matches
from kit.isa.translation import walk
from kit.isa.trap import return_from
from kit.vmm.interpreters import emulate_mret

z3 = pytest.importorskip("z3", reason="z3 is not installed (extra proof)")
terms = pytest.importorskip("kit.proof.terms")

MACHINE_USER = Config(modes="MU")


def proved(claim: Any, *assumptions: Any) -> bool:
    """Does the claim hold under the assumptions? These must be satisfiable."""
    solver = z3.Solver()
    solver.add(*assumptions)
    assert solver.check() == z3.sat
    solver.add(z3.Not(claim))
    return bool(solver.check() == z3.unsat)


def mret(cpu: Cpu) -> None:
    """mret in M-mode, as the instruction set says it, with the clocks of a completed step."""
    from kit.isa.step import count

    return_from(cpu, 3)
    cpu.pc = cpu.next_pc
    count(cpu, True)


def wrong_mret(cpu: Cpu) -> None:
    """As `mret`, but MPRV stays."""
    kept = cpu.mstatus[17]
    mret(cpu)
    cpu.mstatus = cpu.mstatus.replace(17, 17, kept)


def same_as_interpreter(definition: Callable[..., None]) -> bool:
    definitions = Definitions(MACHINE_USER)
    state = terms.SymbolicState.unknown(definitions)
    one = terms.Meaning(definitions).call(definition, state)
    two = terms.Meaning(definitions).call(emulate_mret, state)
    words = [name for name in state.words if name != "instruction"]
    same = z3.And(*(one.state.words[name] == two.state.words[name] for name in words))
    status = state.words["mstatus"]
    mpp = z3.Extract(12, 11, status)
    legal = z3.And(z3.Or(mpp == 0, mpp == 3), status & ~0x221888 == 0)
    return proved(same, state.words["mode"] == 3, legal)


def test_the_kernel_interprets_mret_as_the_instruction_set_says() -> None:
    assert same_as_interpreter(mret)


def test_an_mret_that_keeps_mprv_is_refuted() -> None:
    assert not same_as_interpreter(wrong_mret)


def merged_walk(definitions: Definitions, name: str) -> tuple[Any, Any]:
    state = terms.SymbolicState.unknown(definitions)
    address, mode = z3.BitVec("address", 32), z3.BitVec("mode" + name, 2)
    outcome = terms.Meaning(definitions).call(walk, state, address, "read", mode)
    return outcome, mode


def test_two_walks_of_the_same_tables_give_the_same_address() -> None:
    definitions = Definitions(Config(pmp=0))
    one, mode = merged_walk(definitions, "1")
    two, other = merged_walk(definitions, "2")
    same = z3.And(
        one.trapped == two.trapped, z3.Or(one.trapped, one.value == two.value),
        one.state.storage == two.state.storage,
    )  # fmt: skip
    assert proved(same, mode == other, mode != 3)
    # The mode matters: U and S see different pages.
    assert not proved(same, mode == 0, other == 1)


@opaque(1)
def napot_by_division(cpu: Cpu, address: Bits) -> Bits:
    """Does a NAPOT region of 64 bytes in entry 0 hold an address? Said another way."""
    return address.shr(6) == cpu.pmpaddr[0].zext(cpu.plen).shr(4)


def test_a_napot_entry_matches_what_its_size_says() -> None:
    definitions = Definitions(Config())
    state = terms.SymbolicState.unknown(definitions)
    address = z3.BitVec("address", 34)
    meaning = terms.Meaning(definitions)
    match = meaning.call(entry_matches, state, 0, address, 1)
    plain = meaning.call(napot_by_division, state, address)
    config = z3.Select(state.files["pmpcfg"], z3.BitVecVal(0, 8))
    bound = z3.Select(state.files["pmpaddr"], z3.BitVecVal(0, 8))
    claim = z3.Extract(0, 0, match.value) == plain.value
    napot, size_64 = z3.Extract(4, 3, config) == 3, z3.Extract(3, 0, bound) == 7
    assert proved(claim, napot, size_64)
    assert not proved(claim, napot)


def test_random_numbers_agree_with_the_terms() -> None:
    source = random.Random(1)
    a, b = Bits(32, source.getrandbits(32)), Bits(32, source.getrandbits(32))
    for op in ("add", "sub", "mul", "and", "or", "xor", "divu", "remu", "eq", "ltu", "lts"):
        node = _symbolic(op)
        known = {node.args[0]: z3.BitVecVal(int(a), 32), node.args[1]: z3.BitVecVal(int(b), 32)}
        value = z3.simplify(terms.term(node, known)).as_long()
        assert value == int(_apply(op, a, b)), op


def _apply(op: str, a: Bits, b: Bits) -> Bits:
    return a._binary(op, b, 1 if op in ("eq", "ltu", "lts") else None)


def _symbolic(op: str) -> Any:
    from kit.bits import symbol

    return _apply(op, symbol("a", 32), symbol("b", 32)).node
