"""The kernel's interpreters, each against the instruction that it stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import z3

from kit.isa.config import Config
from kit.isa.csr import CSRS, existing_numbers
from kit.isa.encoding import Instruction
from kit.proof.contracts import WALK
from kit.proof.goals import Goal, Obligation, lemma
from kit.proof.world import World, alike, world_of
from kit.vmm.access import ACCESSES
from kit.vmm.csr import virtual_csrs
from kit.vmm.interpreters import INTERPRETERS

CSR = 12


def compare(
    world: World,
    row: Instruction,
    interpreter: Callable[..., None],
    fixed: Mapping[str, int],
    assume: Callable[[dict[str, Any]], list[Any]] | None = None,
) -> list[Obligation]:
    """The interpreter makes the step that the bare machine makes with the instruction.

    Operands in `fixed` have that value; of the others, `assume` holds.
    """
    operands = world.operands(row)
    for name, value in fixed.items():
        operands[name] = z3.BitVecVal(value, operands[name].size())
    bare = world.bare_step(row, operands, world.start, WALK)
    kernel = world.on_operands(
        world.vmm(WALK), interpreter, f"emulate {row.name}", world.start, operands
    ).state
    hypotheses = [*world.invariant(), *(assume(operands) if assume else [])]
    terms = {**operands, **shown(world)}
    about = {"instruction": row.name, "bare": True}
    return [Obligation(hypotheses, alike(bare, kernel), terms, about)]


def shown(world: World) -> dict[str, Any]:
    """What a counterexample shows of the state before the step."""
    state = world.start
    index = [z3.BitVecVal(n, 8) for n in range(32)]
    terms = {f"x{n}": z3.Select(state.files["x"], index[n]) for n in range(32)}
    terms |= dict(state.words)
    for name, count in (("pmpcfg", 4), ("pmpaddr", 16)):
        terms |= {f"{name}{n}": z3.Select(state.files[name], index[n]) for n in range(count)}
    return terms


def csr_goals(world: World, row: Instruction, interpreter: Callable[..., None]) -> dict[str, Goal]:
    """One goal for each register that either side knows, and one for all other numbers."""
    numbers = sorted({*existing_numbers(world.config), *virtual_csrs(world.config)})

    def others(operands: dict[str, Any]) -> list[Any]:
        return [operands["csr"] != number for number in numbers]

    goals: dict[str, Goal] = {}
    for number in numbers:
        name = CSRS[number].name if number in CSRS else f"{number:#x}"
        goals[f"{row.name} {name}"] = partial(compare, world, row, interpreter, {"csr": number})
    goals[f"{row.name}, no such register"] = partial(compare, world, row, interpreter, {}, others)
    return goals


@lemma("emulation")
def emulation(config: Config) -> Mapping[str, Goal]:
    """For each sensitive instruction with any operands, in any legal state: the step that the
    kernel's interpreter makes leaves every register, the pc, all of storage and the devices as the
    step of the bare machine does, whether it completes or traps."""
    world = world_of(config)
    goals: dict[str, Goal] = {}
    for name, interpreter in INTERPRETERS.items():
        row = world.rows.get(name)
        if row is None:
            continue
        if "csr" in row.widths:
            goals.update(csr_goals(world, row, interpreter))
        else:
            goals[name] = partial(compare, world, row, interpreter, {})
    return goals


@lemma("access")
def access(config: Config) -> Mapping[str, Goal]:
    """For each load, store and atomic operation, at any address, in any legal state: carried out by
    the kernel, it leaves registers, storage and devices as the step of the bare machine does.
    (Where an address leads is unknown: lemma *walk*.)"""
    world = world_of(config)
    return {
        name: partial(compare, world, world.rows[name], function, {})
        for name, function in ACCESSES.items()
        if name in world.rows
    }
