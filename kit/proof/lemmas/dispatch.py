"""The dispatcher: whatever trap the machine takes, what the kernel does about it is right.

These goals run `Kernel._dispatch` itself, path by path, on a symbolic guest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import z3

from kit.isa.config import Config
from kit.isa.encoding import Instruction
from kit.machine.bus import PAGE
from kit.proof.contracts import page_rights, walk_of
from kit.proof.goals import Goal, Obligation, lemma
from kit.proof.lemmas.direct import real
from kit.proof.lemmas.emulation import shown
from kit.proof.lemmas.translation import paged
from kit.proof.numbers import Paths
from kit.proof.stage import Stage, operands_of
from kit.proof.terms import SymbolicState, is_ram
from kit.proof.world import World, alike, world_of
from kit.vmm.access import ACCESSES
from kit.vmm.interpreters import INTERPRETERS
from kit.vmm.kernel import FETCH, MACHINE_TIMER, NO_GUEST_STEP, RIGHT
from kit.vmm.protection import CUT, EXECUTE

SHARED = (0, 3, 4, 6)
LOADS = ("lb", "lh", "lw", "lbu", "lhu", "lr.w")
"""What reads only; every other access needs the right to write."""
PMP_REGISTERS = (0x3A0, 0x3BF)

Claims = Callable[[Stage, str], dict[str, Any]]


def explore(
    world: World,
    cause: int,
    claims: Claims,
    row: Instruction | None = None,
    hypotheses: list[Any] | None = None,
) -> list[Obligation]:
    """Every path of the dispatcher for a cause, with what is claimed of it."""
    known = [*world.invariant(), *(hypotheses or [])]

    def run() -> tuple[Stage, str]:
        stage = Stage(world, real, row)
        return stage, stage.explore(lambda: stage.kernel._dispatch(stage.vcpu, cause))

    obligations = []
    about = {"instruction": row.name if row else "", "cause": cause}
    for path in Paths(known).explore(run):
        stage, kind = path.result
        terms = {**shown(world), "value": _value()}
        demanded = {**claims(stage, kind), "survives": z3.BoolVal(not stage.vcpu.failure)}
        obligations.append(Obligation([*known, *path.conditions], demanded, terms, about))
    return obligations


def _value() -> Any:
    """What the machine's mtval is when the kernel is entered."""
    return z3.BitVec("host mtval", 32)


def same(stage: Stage, kind: str, expected: SymbolicState, guest_step: bool) -> dict[str, Any]:
    """Claims: the guest's state is the expected one, and the exit is counted as it should."""
    counted = (kind not in NO_GUEST_STEP) == guest_step
    return {**alike(expected, stage.hart.state), "counted": z3.BoolVal(counted)}


# -- traps that need no look at storage ----------------------------------------------------------


def _timer(world: World) -> list[Obligation]:
    return explore(world, MACHINE_TIMER, lambda stage, kind: same(stage, kind, world.start, False))


def _call(world: World) -> list[Obligation]:
    step = world.bare_step(world.rows["ecall"], {}, world.start)
    return explore(world, 8, lambda stage, kind: same(stage, kind, step, True))


def _shared(world: World, cause: int) -> list[Obligation]:
    number = z3.BitVecVal(cause, world.config.xlen)
    step = world.trap(world.isa(), world.start, number, _value(), False)
    return explore(world, cause, lambda stage, kind: same(stage, kind, step, True))


def _undefined(world: World) -> list[Obligation]:
    number = z3.BitVecVal(2, world.config.xlen)
    step = world.trap(world.isa(), world.start, number, _value(), False)
    return explore(world, 2, lambda stage, kind: same(stage, kind, step, True))


def _privileged(world: World, row: Instruction) -> list[Obligation]:
    """The word in mtval is that instruction: the guest makes its step."""
    instruction = _value()
    operands = operands_of(row, instruction, world.config.xlen)
    is_it = instruction & row.mask == row.match
    expected = world.bare_step(row, operands, _decoded(world, instruction))

    def claims(stage: Stage, kind: str) -> dict[str, Any]:
        demanded = same(stage, kind, expected, True)
        if "csr" in operands:
            low, high = (z3.BitVecVal(number, 12) for number in PMP_REGISTERS)
            register = operands["csr"]
            touched = z3.And(z3.ULE(low, register), z3.ULE(register, high))
            dropped = z3.BoolVal(("drop",) in stage.events)
            demanded["protection changes"] = z3.Implies(touched, dropped)
        return demanded

    return explore(world, 2, claims, row, [is_it])


def _decoded(world: World, instruction: Any) -> SymbolicState:
    """The start of a step whose instruction is known: the words that it works with are set."""
    pc = world.start.words["pc"]
    short = z3.Extract(1, 0, instruction) != 3
    return world.start.with_words(
        instruction=instruction, next_pc=pc + z3.If(short, z3.BitVecVal(2, 32), 4)
    )


# -- page faults ---------------------------------------------------------------------------------


def _fetched(world: World) -> tuple[Any, list[Any]]:
    """The word at pc, as the guest's own fetch finds it, and that it could be fetched.

    The machine has fetched it (lemma *direct*), so the guest's walk neither faults nor has
    anything left to set in its tables.
    """
    pc = world.start.words["pc"]
    walks = [walk_of(world.start, pc + n, 1, EXECUTE) for n in (0, 2)]
    octets = [world.start.octets(walk.leads, 2) for walk in walks]
    long = z3.Extract(1, 0, octets[0]) == 3
    fine = [z3.And(z3.Not(w.faults), z3.Not(w.sets)) for w in walks]
    # The word's second half is only looked at where there is one.
    word = z3.Concat(z3.If(long, octets[1], z3.BitVecVal(0, 16)), octets[0])
    return word, [fine[0], z3.Implies(long, fine[1])]


def _data_fault(world: World, row: Instruction) -> list[Obligation]:
    """A load, store or atomic operation that the shadow tables stopped, at the address it has."""
    cause = 13 if row.name in LOADS else 15
    right, address = RIGHT[cause], _value()
    walk = walk_of(world.start, address, 1, right)
    word, fetched = _fetched(world)
    operands = operands_of(row, word, world.config.xlen)
    is_it = [word & row.mask == row.match, address == _target(world, row, operands)]
    is_it += [address & (size_of(row) - 1) == 0, z3.Implies(walk.sets, paged(world, right))]
    decoded = _decoded(world, word)
    fault = z3.ZeroExt(world.config.xlen - 4, walk.cause)
    trap = world.trap(world.isa(), walk.state, fault, address, False)

    def claims(stage: Stage, kind: str) -> dict[str, Any]:
        made = [event for event in stage.events if event[0] == "step"]
        if made:
            return _carried_out(made, kind, row, operands, decoded, walk)
        if kind == "reflect":
            return {**same(stage, kind, trap, True), "the walk faults": walk.faults}
        return _refilled(world, stage, kind, right, walk)

    return explore(world, cause, claims, row, [*is_it, *fetched])


def size_of(row: Instruction) -> int:
    """How many bytes a load, store or atomic operation accesses."""
    return {"b": 1, "h": 2}.get(row.name.removesuffix("u")[-1], 4)


def _target(world: World, row: Instruction, operands: dict[str, Any]) -> Any:
    """The address that a load, store or atomic operation accesses."""
    register = z3.ZeroExt(3, operands["rs1"])
    base = z3.Select(world.start.files["x"], register)
    return base + operands["imm"] if "imm" in operands else base


def _carried_out(
    made: list[Any],
    kind: str,
    row: Instruction,
    operands: dict[str, Any],
    decoded: SymbolicState,
    walk: Any,
) -> dict[str, Any]:
    """One step was made, of that instruction with those operands, from the state at its start.

    Or from the state after the walk that the step begins with, which then finds nothing to set.
    """
    ((_, name, used, before),) = made
    walked = replace(decoded, storage=walk.state.storage)
    claims = {
        "counted": z3.BoolVal(kind not in NO_GUEST_STEP),
        "instruction": z3.BoolVal(name == row.name),
        **{f"operand {key}": used[key] == value for key, value in operands.items()},
        **{f"{key} before": claim for key, claim in alike(decoded, before, but=set()).items()},
    }
    if "storage before" in claims:
        claims["storage before"] = z3.Or(
            claims["storage before"], alike(walked, before).get("storage", z3.BoolVal(True))
        )
    return claims


def _fetch_fault(world: World) -> list[Obligation]:
    """The pc, or its instruction's second half, is on a page that no shadow table maps."""
    address = _value()
    walk = walk_of(world.start, address, 1, EXECUTE)
    page = z3.Concat(z3.Extract(world.config.plen - 1, 12, walk.leads), z3.BitVecVal(0, 12))
    fault = z3.If(walk.faults, z3.ZeroExt(world.config.xlen - 4, walk.cause), 1)
    trap = world.trap(world.isa(), walk.state, fault, address, False)

    def claims(stage: Stage, kind: str) -> dict[str, Any]:
        if ("definition",) in stage.events:
            return {"counted": z3.BoolVal(kind not in NO_GUEST_STEP)}
        if kind == "reflect":
            nothing_there = z3.Or(walk.faults, z3.Not(is_ram(page, PAGE)))
            return {**same(stage, kind, trap, True), "the fetch faults": nothing_there}
        return _refilled(world, stage, kind, EXECUTE, walk)

    return explore(world, FETCH, claims)


def _refilled(world: World, stage: Stage, kind: str, right: int, walk: Any) -> dict[str, Any]:
    """A refill is no step of the guest's. The walk is the one that the guest's step begins with.

    The right that was asked for is among those that the new entry grants, so the machine gets past
    this access; the frame is that of the page that the walk leads to.
    """
    mapped = [event for event in stage.events if event[0] == "map"]
    if kind != "refill" or len(mapped) != 1:
        return {f"is a refill, not {kind}": z3.BoolVal(False)}
    _, _, page, frame, _ = mapped[0]
    leads = z3.Concat(z3.Extract(world.config.plen - 1, 12, walk.leads), z3.BitVecVal(0, 12))
    mode = world.start.words["mode"]
    return {
        **same(stage, kind, walk.state, False),
        "the walk succeeds": z3.Not(walk.faults),
        "page": page == _value() & ~(PAGE - 1),
        "frame": frame == real(leads),
        "is RAM": is_ram(leads, PAGE),
        "no boundary": z3.Extract(CUT, CUT, page_rights(leads, mode)) == 0,
    }


@lemma("dispatch")
def dispatch(config: Config) -> Mapping[str, Goal]:
    """For each trap that the machine can take while it runs a guest, whatever the guest's state:
    the dispatcher leaves the guest as one step of its bare machine does; or it leaves all but the
    A and D bits of the walk that this step begins with, maps the page of that walk, and counts no
    step; or, for the kernel's own timer, it leaves everything. It never gives the guest up."""
    world = world_of(config)
    goals: dict[str, Goal] = {
        "timer": partial(_timer, world),
        "ecall": partial(_call, world),
        "no instruction": partial(_undefined, world),
        "fetch": partial(_fetch_fault, world),
    }
    for cause in SHARED:
        goals[f"exception {cause}"] = partial(_shared, world, cause)
    for name in INTERPRETERS:
        if name in world.rows:
            goals[name] = partial(_privileged, world, world.rows[name])
    for name in ACCESSES:
        if name in world.rows:
            goals[name] = partial(_data_fault, world, world.rows[name])
    return goals
