"""The invariant holds at reset, and every step of a machine keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import z3

from kit.isa.config import Config
from kit.isa.cpu import ARRAYS, WORDS
from kit.isa.csr import CSRS, csr_write, existing_numbers
from kit.isa.hart import Hart
from kit.isa.trap import INTERRUPT_ORDER
from kit.proof.contracts import WALK
from kit.proof.goals import Goal, Obligation, lemma
from kit.proof.lemmas.emulation import shown
from kit.proof.lemmas.reflection import EXCEPTIONS
from kit.proof.terms import SymbolicState
from kit.proof.world import World, legal, world_of


def _reset(world: World) -> list[Obligation]:
    """The registers after reset, as `Hart.reset` sets them."""
    hart: Any = Hart(world.config, bus=None)  # type: ignore[arg-type]
    state = world.start
    known = [state.words[name] == getattr(hart, name) for name in WORDS]
    for name in ARRAYS:
        for index, value in enumerate(getattr(hart, name)):
            known.append(z3.Select(state.files[name], z3.BitVecVal(index, 8)) == value)
    return [Obligation(known, legal(state, world.config), {})]


def _kept(
    world: World, after: Callable[[], SymbolicState], more: list[Any] | None = None
) -> list[Obligation]:
    claims = legal(after(), world.config)
    return [Obligation([*world.invariant(), *(more or [])], claims, shown(world))]


def _instruction(world: World, name: str) -> list[Obligation]:
    row = world.rows[name]
    operands = world.operands(row)
    return _kept(world, lambda: world.bare_step(row, operands, world.start, WALK))


def _register(world: World, number: int) -> list[Obligation]:
    """Whatever is written to a register. (Register x0 is not written by any instruction.)"""
    value = z3.BitVec("value", world.config.xlen)
    call = world.isa().call
    return _kept(world, lambda: call(csr_write, world.start, number, value).state)


def _trap(world: World, cause: int, interrupt: bool) -> list[Obligation]:
    number, value = z3.BitVecVal(cause, world.config.xlen), z3.BitVec("value", world.config.xlen)
    return _kept(world, lambda: world.trap(world.isa(), world.start, number, value, interrupt))


@lemma("initial")
def initial(config: Config) -> Mapping[str, Goal]:
    """After reset every register holds a value that it can hold; and so it does after each step,
    whatever instruction, exception or interrupt it was, if it did before. This is the invariant
    that the other lemmas start from."""
    world = world_of(config)
    goals: dict[str, Goal] = {"reset": partial(_reset, world)}
    for row in world.rows.values():
        if row.execute is not None and "csr" not in row.widths:
            goals[row.name] = partial(_instruction, world, row.name)
    for number in existing_numbers(config):
        goals[f"written {CSRS[number].name}"] = partial(_register, world, number)
    for cause in EXCEPTIONS:
        goals[f"exception {cause}"] = partial(_trap, world, cause, False)
    for cause in INTERRUPT_ORDER:
        if config.has_s or cause in (3, 7, 11):
            goals[f"interrupt {cause}"] = partial(_trap, world, cause, True)
    return goals
