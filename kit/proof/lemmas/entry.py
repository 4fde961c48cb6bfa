"""Into a guest and out of it: `Kernel._enter` and `Kernel._leave` on symbolic registers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import z3

from kit.isa.config import Config
from kit.proof.goals import Goal, Obligation, lemma
from kit.proof.lemmas.direct import frames_are_its_own, real
from kit.proof.lemmas.emulation import shown
from kit.proof.numbers import Paths, Truth, number, truth, word
from kit.proof.stage import Stage
from kit.proof.terms import SymbolicState, is_ram
from kit.proof.world import World, alike, world_of
from kit.vmm.kernel import MTIMECMP

GUEST = {"x", "pc", "reservation_valid", "reservation"}
"""What the machine holds for the guest that it runs."""
ENTERED = GUEST | {"mode", "satp"}


def _stage(world: World) -> Stage:
    stage = Stage(world, real)
    stage.storage.stale = Truth(z3.Bool("stale"))
    return stage


def _known(world: World) -> list[Any]:
    """The invariant, and the kernel's counts: some steps are left, and no clock overflows."""
    left, now = z3.BitVec("left", 64), z3.BitVec("host mtime", 64)
    soon = [z3.ULT(left, 1 << 62), z3.ULT(now, 1 << 62), left != 0]
    reserved = world.start.words["reservation"]
    own = z3.Implies(is_ram(reserved, 4), frames_are_its_own(reserved))
    # A timer that the kernel has set earlier lies as far ahead as it was told, or behind.
    return [*world.invariant(), *soon, own]


def _enter(world: World) -> list[Obligation]:
    known = _known(world)

    def run() -> Stage:
        stage = _stage(world)
        stage.explore(lambda: stage.kernel._enter(stage.vcpu))
        return stage

    obligations = []
    for path in Paths(known).explore(run):
        stage = path.result
        claims = _entered(world, stage)
        obligations.append(Obligation([*known, *path.conditions], claims, shown(world)))
    return obligations


def _entered(world: World, stage: Stage) -> dict[str, Any]:
    """The machine has the guest's registers, U-mode, the right tables, and a timer in time."""
    before = SymbolicState.unknown(world.isa().definitions, "host ")
    host, guest = stage.real.state, world.start
    h, g = host.words, guest.words
    roots = [event for event in stage.events if event[0] == "root"]
    root = z3.BitVec("root_table", world.config.plen)
    dropped = ("drop",) in stage.events
    claims = {
        "x": host.files["x"] == guest.files["x"],
        "pc": h["pc"] == g["pc"],
        "mode": h["mode"] == 0,
        "satp": h["satp"] == 1 << 31 | z3.Extract(31, 0, z3.LShR(root, 12)),
        "one root": z3.BoolVal(len(roots) == 1),
        "reservation_valid": h["reservation_valid"] == g["reservation_valid"],
        "reservation": z3.Implies(
            g["reservation_valid"] == 1, h["reservation"] == real(g["reservation"])
        ),
        "nothing stale": z3.Or(z3.Not(z3.Bool("stale")), z3.BoolVal(dropped)),
        "the guest": z3.And(*alike(guest, stage.hart.state, but=set()).values(), z3.BoolVal(True)),
        "time": _in_time(stage, h["mtime"]),
    }
    others = alike(before, host, but=ENTERED)
    return claims | {f"the machine's {name}": claim for name, claim in others.items()}


def _in_time(stage: Stage, now: Any) -> Any:
    """The timer is set for no later than the steps that are left; it was, or it has been now."""
    deadline = word(stage.kernel._deadline, 64)
    left = z3.BitVec("left", 64)
    written = [event for event in stage.events if event[0] == "timer"]
    if written:
        low, high = (event[2] for event in written)
        places = [event[1] for event in written] == [MTIMECMP, MTIMECMP + 4]
        return z3.And(z3.Concat(high, low) == now + left, z3.BoolVal(places))
    return z3.And(z3.ULT(now, deadline), z3.ULE(deadline, now + left))


def _leave(world: World) -> list[Obligation]:
    """What `_enter` has loaded, `_leave` saves, with the steps made in between counted."""
    known, direct = _known(world), z3.BitVec("direct", 64)

    def run() -> Stage:
        stage = _stage(world)
        own = number(world.start.words["reservation"])
        stage.storage.guest_address = lambda real: own  # type: ignore[method-assign]
        stage.explore(lambda: stage.kernel._enter(stage.vcpu))
        stage.explore(lambda: stage.kernel._leave(stage.vcpu, stage.real.pc, number(direct)))
        return stage

    obligations = []
    for path in Paths(known).explore(run):
        stage = path.result
        before, after = world.start.words, stage.hart.state.words
        held = before["mcountinhibit"]
        cycle, instret = (z3.If(held & bit == 0, direct, z3.BitVecVal(0, 64)) for bit in (1, 4))
        claims = {
            **alike(world.start, stage.hart.state, but={"mtime", "mcycle", "minstret"}),
            "mtime": after["mtime"] == before["mtime"] + direct,
            "mcycle": after["mcycle"] == before["mcycle"] + cycle,
            "minstret": after["minstret"] == before["minstret"] + instret,
            "left": word(stage.kernel._left, 64) == z3.BitVec("left", 64) - direct,
            "nobody runs": z3.BoolVal(stage.kernel._current is None),
        }
        obligations.append(Obligation([*known, *path.conditions], claims, shown(world)))
    return obligations


def _key_is_asked(world: World) -> list[Obligation]:
    """The tables that the machine is given are those of the guest's present regime."""
    known = _known(world)

    def run() -> tuple[Stage, Any]:
        stage = _stage(world)
        key = stage.explore(lambda: stage.vcpu.regime())
        stage.explore(lambda: stage.kernel._enter(stage.vcpu))
        return stage, key

    obligations = []
    for path in Paths(known).explore(run):
        stage, key = path.result
        ((_, asked),) = (event for event in stage.events if event[0] == "root")
        same = [word(a, 64) == word(b, 64) for a, b in zip(asked[:3], key[:3], strict=True)]
        moved = truth(asked[3]) == truth(key[3])
        obligations.append(
            Obligation([*known, *path.conditions], {"key": z3.And(*same, moved)}, shown(world))
        )
    return obligations


@lemma("exit")
def exit_(config: Config) -> Mapping[str, Goal]:
    """Whenever a guest is entered, the machine is in U-mode with the guest's registers and its
    reservation, behind the tables of its present regime, with none that have gone stale, its timer
    due before the guest's steps are used up, and every other register of the machine as it was.
    When the guest is left, all that the machine held for it is saved, and its clocks have counted
    the steps that it made; so a guest that is entered and left with no step is as before."""
    world = world_of(config)
    return {
        "enter": partial(_enter, world),
        "regime": partial(_key_is_asked, world),
        "leave": partial(_leave, world),
    }
