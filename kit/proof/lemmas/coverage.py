"""The cases of the other lemmas are all the cases there are."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import z3

from kit.isa.config import Config
from kit.isa.encoding import Instruction
from kit.isa.storage import fetch
from kit.isa.trap import pending_interrupt
from kit.proof.goals import Goal, Obligation, lemma
from kit.proof.lemmas.direct import Twin
from kit.proof.lemmas.dispatch import LOADS, SHARED
from kit.proof.lemmas.emulation import shown
from kit.proof.world import World, world_of
from kit.vmm.access import ACCESSES
from kit.vmm.interpreters import INTERPRETERS

TIMER = 7
FETCH, LOAD, STORE = 12, 13, 15
ILLEGAL, ECALL = 2, 8


def _interrupts(world: World) -> list[Obligation]:
    """Of interrupts, the machine takes the kernel's timer only, since it enables no other."""
    twin = Twin(world)
    host = twin.host.with_words(
        mie=z3.BitVecVal(1 << TIMER, world.config.xlen),
        mideleg=z3.BitVecVal(0, world.config.xlen),
    )
    due = world.isa().call(pending_interrupt, host).value
    claims = {"the timer": z3.Or(due == 0, due == TIMER)}
    return [Obligation(twin.hypotheses(), claims, {})]


def _traps(world: World, row: Instruction) -> list[Obligation]:
    """An instruction traps with a cause for which *dispatch* has a goal about this instruction."""
    twin, operands = Twin(world), world.operands(row)
    done = world.execute(world.isa({"translate": twin.translate}), row, twin.host, operands)
    if done.cause is None:
        done_never = {"never traps": z3.Not(done.trapped)}
        return [Obligation(twin.hypotheses(), done_never, {})]
    treated = [done.cause == cause for cause in SHARED]
    if row.name in INTERPRETERS:
        treated.append(done.cause == ILLEGAL)
    if row.name == "ecall":
        treated.append(done.cause == ECALL)
    if row.name in ACCESSES:
        treated.append(done.cause == (LOAD if row.name in LOADS else STORE))
    claims = {"treated": z3.Implies(done.trapped, z3.Or(*treated))}
    return [Obligation(twin.hypotheses(), claims, {**operands, **shown(world)})]


def _fetches(world: World) -> list[Obligation]:
    twin = Twin(world)
    done = world.isa({"translate": twin.translate}).call(fetch, twin.host)
    claims = {"treated": z3.Implies(done.trapped, done.cause == FETCH)}
    return [Obligation(twin.hypotheses(), claims, shown(world))]


@lemma("coverage")
def coverage(config: Config) -> Mapping[str, Goal]:
    """While a guest runs directly, the machine takes no trap but those for which *dispatch* has a
    goal: of interrupts its own timer alone; of fetches, page faults; and of each instruction, the
    exceptions that the dispatcher treats for it."""
    world = world_of(config)
    goals: dict[str, Goal] = {
        "interrupts": partial(_interrupts, world),
        "fetch": partial(_fetches, world),
    }
    for row in world.rows.values():
        if row.execute is not None:
            goals[row.name] = partial(_traps, world, row)
    return goals
