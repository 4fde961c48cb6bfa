"""Traps that belong to the guest: the kernel delivers them as the machine would."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import z3

from kit.isa.config import Config
from kit.isa.trap import INTERRUPT_ORDER, pending_interrupt
from kit.proof.goals import Goal, Obligation, lemma
from kit.proof.lemmas.emulation import shown
from kit.proof.world import World, alike, world_of
from kit.vmm.traps import deliver_exception, deliver_interrupt, due_interrupt

EXCEPTIONS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15)


def _exception(world: World, cause: int) -> list[Obligation]:
    number = z3.BitVecVal(cause, world.config.xlen)
    value = z3.BitVec("value", world.config.xlen)
    bare = world.trap(world.isa(), world.start, number, value, False)
    kernel = world.vmm().call(deliver_exception, world.start, number, value).state
    return [Obligation(world.invariant(), alike(bare, kernel), {"value": value, **shown(world)})]


def _interrupt(world: World, cause: int) -> list[Obligation]:
    number = z3.BitVecVal(cause, world.config.xlen)
    due = world.vmm().call(due_interrupt, world.start).value
    bare = world.trap(world.isa(), world.start, number, z3.BitVecVal(0, world.config.xlen), True)
    kernel = world.vmm().call(deliver_interrupt, world.start, number).state
    hypotheses = [*world.invariant(), due == number]
    return [Obligation(hypotheses, alike(bare, kernel), shown(world))]


def _choice(world: World) -> list[Obligation]:
    kernel = world.vmm().call(due_interrupt, world.start).value
    bare = world.isa().call(pending_interrupt, world.start).value
    claims = {"interrupt": kernel == bare}
    terms = {"kernel's": kernel, "machine's": bare, **shown(world)}
    return [Obligation(world.invariant(), claims, terms)]


@lemma("reflection")
def reflection(config: Config) -> Mapping[str, Goal]:
    """For each exception with any value, and each interrupt, with any delegation, in any legal
    state: the kernel finds the same interrupt due as the machine, and its delivery leaves every
    register as the machine's trap entry does."""
    world = world_of(config)
    goals: dict[str, Goal] = {
        f"exception {cause}": partial(_exception, world, cause) for cause in EXCEPTIONS
    }
    goals["the interrupt that is due"] = partial(_choice, world)
    for cause in INTERRUPT_ORDER:
        if config.has_s or cause in (3, 7, 11):
            goals[f"interrupt {cause}"] = partial(_interrupt, world, cause)
    return goals
