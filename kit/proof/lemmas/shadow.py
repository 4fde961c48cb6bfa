"""What a shadow entry promises when it is made, and why the promise lasts.

An entry promises: each access that it lets through, the guest's own walk lets through too, to the
page whose frame the entry has, with nothing left to set in the guest's tables. (*fill*)

It lasts while the registers that the promise depends on are the same, which the regime's key tells
(*key*); while only A and D bits of the guest's tables change by walks (lemma *walk*); and while no
store reaches the tables: their frames are protected (*fill*), what else writes to them is noticed
(lemma *storage*), and before the guest goes on every entry is dropped (lemma *exit*).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import z3

from kit.isa.config import Config
from kit.proof.contracts import PMP, RIGHTS, granted, page_agrees
from kit.proof.goals import Goal, Obligation, lemma
from kit.proof.lemmas.direct import real
from kit.proof.lemmas.emulation import shown
from kit.proof.lemmas.translation import fault_of, paged
from kit.proof.numbers import Paths, truth, word
from kit.proof.stage import Stage
from kit.proof.terms import SymbolicState, cell_of
from kit.proof.world import World, alike, world_of
from kit.vmm.kernel import RIGHT
from kit.vmm.protection import EXECUTE
from kit.vmm.translation import locate

PAGE_BITS = 12


def _page(address: Any) -> Any:
    """The page that an address is in: its bits above the offset."""
    return z3.Extract(address.size() - 1, PAGE_BITS, address)


def _start(page: Any) -> Any:
    return z3.Concat(page, z3.BitVecVal(0, PAGE_BITS))


# -- fill ----------------------------------------------------------------------------------------


def _fills(world: World, cause: int) -> list[tuple[Stage, list[Any]]]:
    """Every path on which a page fault ends in a new entry, with what holds on it."""
    hypotheses = world.invariant()

    def run() -> Stage:
        stage = Stage(world, real, contracts=PMP)
        stage.kernel._word = lambda vcpu: 0
        stage.explore(lambda: stage.kernel._dispatch(stage.vcpu, cause))
        return stage

    paths = Paths(hypotheses).explore(run)
    return [
        (path.result, [*hypotheses, *path.conditions])
        for path in paths
        if any(event[0] == "map" for event in path.result.events)
    ]


def _fill(world: World, cause: int, use: int) -> list[Obligation]:
    """The entry lets accesses through for which the guest's walk is ready, and protects tables."""
    right, fault_address = RIGHT[cause], z3.BitVec("host mtval", world.config.xlen)
    address = z3.BitVec("address", world.config.xlen)
    faulted = world.vmm(PMP).call(locate, world.start, fault_address, 1, right).value
    first = z3.Extract(world.config.plen - 1, 0, faulted)
    expected = z3.Concat(_page(first), z3.Extract(PAGE_BITS - 1, 0, address))
    obligations = []
    for stage, known in _fills(world, cause):
        (entry,) = (event for event in stage.events if event[0] == "map")
        _, key, page, frame, rights = entry
        state = stage.hart.state
        after = replace(state, wrote=z3.BoolVal(False))
        walk = world.vmm(PMP).call(locate, after, address, 1, use)
        leads = z3.Extract(world.config.plen - 1, 0, walk.value)
        let = z3.Extract(use, use, rights) == 1
        asked = z3.Extract(right, right, rights) == 1
        modes = [z3.BitVecVal(mode, 2) for mode in (0, 1, 3)]
        agree = [page_agrees(at, 1, mode) for at in (expected, first) for mode in modes]
        here = _page(address) == _page(page)
        tables = _tables(world, after, address)
        protected = [event[1] for event in stage.events if event[0] == "protect"]
        claims = {
            "ready": z3.And(fault_of(world, walk.value) == 0, z3.Not(walk.state.wrote)),
            "frame": frame == real(_start(_page(leads))),
            "tables are protected": z3.Implies(
                paged(world, EXECUTE), _all_among(tables, protected)
            ),
            "data of another mode": z3.Implies(truth(key[-1]), z3.BoolVal(use == EXECUTE)),
        }
        hypotheses = [*known, *agree]
        claims = {name: z3.Implies(z3.And(here, let), claim) for name, claim in claims.items()}
        claims["page"] = page == _start(_page(fault_address))
        claims["what was asked for"] = asked
        dropped = ("drop",) in stage.events
        claims["room"] = z3.Or(truth(stage.shadow.has_room), z3.BoolVal(dropped))
        terms = {"address": address, "rights": rights, **shown(world)}
        obligations.append(Obligation(hypotheses, claims, terms))
    return obligations


def _tables(world: World, state: SymbolicState, address: Any) -> list[tuple[Any, Any]]:
    """The tables that a walk reads, each with the condition on which it does.

    They are stated once more here, from the architecture's description of Sv32.
    """
    top = z3.Extract(21, 0, state.words["satp"])
    first = z3.Concat(top, z3.Extract(31, 22, address), z3.BitVecVal(0, 2))
    entry = z3.Select(state.storage, cell_of(first))
    is_leaf = z3.Extract(3, 1, entry) != 0
    return [(z3.BoolVal(True), _start(top)), (z3.Not(is_leaf), _start(z3.Extract(31, 10, entry)))]


def _all_among(tables: list[tuple[Any, Any]], frames: list[Any]) -> Any:
    return z3.And(
        *(
            z3.Implies(used, z3.Or(*(real(table) == frame for frame in frames)))
            for used, table in tables
        )
    )


# -- key -----------------------------------------------------------------------------------------


def _keys(world: World, state: SymbolicState, known: list[Any]) -> list[tuple[Any, list[Any]]]:
    """The key of the regime of a state, on each path, with what holds on it."""

    def run() -> Any:
        stage = Stage(world, real, contracts=PMP)
        stage.hart.state = state
        return stage.vcpu.regime()

    return [(path.result, path.conditions) for path in Paths(known).explore(run)]


def _packed(key: Any) -> Any:
    """A key as one word."""
    kind, satp, status, moved = key
    moved_bit = z3.If(truth(moved), z3.BitVecVal(1, 1), z3.BitVecVal(0, 1))
    return z3.Concat(word(kind, 8), word(satp, 32), word(status, 32), moved_bit)


def _key(world: World, right: int) -> list[Obligation]:
    """Two states with the same tables and the same key: a walk comes to the same in both.

    Where the key says that data have another mode, that holds of fetches alone; no entry lets
    anything else through then (goal *fill*).
    """
    one = world.start
    fresh = SymbolicState.unknown(world.isa().definitions, "other ")
    changed = {name: fresh.words[name] for name in ("mode", "mstatus", "satp")}
    two = one.with_words(**changed)
    other = _with_start(world, two)
    known = [*world.invariant(), *other.invariant()]
    address = z3.BitVec("address", world.config.xlen)
    walks = [world.vmm(PMP).call(locate, state, address, 1, right) for state in (one, two)]
    claims = {
        "walk": walks[0].value == walks[1].value,
        **alike(walks[0].state, walks[1].state, but=set(changed)),
    }
    # PMP tells M-mode from the others, but not S from U.
    places = [z3.Extract(world.config.plen - 1, 0, walk.value) for walk in walks]
    places.append(z3.ZeroExt(world.config.plen - address.size(), address))
    user, supervisor = z3.BitVecVal(0, 2), z3.BitVecVal(1, 2)
    known += [granted(at, 1, user) == granted(at, 1, supervisor) for at in places]
    obligations = []
    terms = {"address": address, **shown(world), **{f"other {k}": v for k, v in changed.items()}}
    for first, held in _keys(world, one, known):
        for second, also in _keys(world, two, [*known, *held]):
            same = [_packed(first) == _packed(second)]
            if right != EXECUTE:
                same.append(z3.Not(truth(first[-1])))
            hypotheses = [*known, *held, *also, *same]
            if _possible(hypotheses):
                obligations.append(Obligation(hypotheses, claims, terms))
    return obligations


def _possible(hypotheses: list[Any]) -> bool:
    solver = z3.SolverFor("QF_AUFBV")
    solver.add(*hypotheses)
    return bool(solver.check() == z3.sat)


def _with_start(world: World, start: SymbolicState) -> World:
    """The same world, of which another state is asked."""
    other = World.__new__(World)
    other.__dict__.update(world.__dict__)
    other.start = start
    return other


@lemma("shadow")
def shadow(config: Config) -> Mapping[str, Goal]:
    """When a page fault ends in a new shadow entry: every access that the entry lets through, at
    any address of its page, the guest's own walk lets through, to the page whose frame the entry
    has, with no A or D bit left to set; the access that faulted is among them; and the tables on
    the way are protected from stores. Two regimes with the same key agree on every walk."""
    world = world_of(config)
    goals: dict[str, Goal] = {}
    for cause, right in RIGHT.items():
        for use, name in RIGHTS.items():
            goals[f"filled by {RIGHTS[right]}, for {name}"] = partial(_fill, world, cause, use)
    for right, name in RIGHTS.items():
        goals[f"key, {name}"] = partial(_key, world, right)
    return goals
