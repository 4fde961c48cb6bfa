"""Addresses: the kernel's `locate` against the definition's `translate`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import z3

from kit.isa.config import Config
from kit.isa.cpu import M
from kit.isa.translation import translate
from kit.proof.contracts import ACCESS_FAULT, PAGE_FAULT, PMP, RIGHTS, granted
from kit.proof.goals import Goal, Obligation, lemma
from kit.proof.terms import SymbolicState
from kit.proof.world import World, alike, world_of
from kit.vmm.protection import EXECUTE
from kit.vmm.translation import locate

CAUSE = 4


def paged(world: World, right: int) -> Any:
    """Do the guest's tables translate for an access?"""
    words = world.start.words
    previous = z3.Extract(12, 11, words["mstatus"])
    moved = z3.Extract(17, 17, words["mstatus"]) == 1
    mode = words["mode"] if right == EXECUTE else z3.If(moved, previous, words["mode"])
    return z3.And(mode != M, z3.Extract(31, 31, words["satp"]) == 1)


def _walk(world: World, size: int, right: int) -> list[Obligation]:
    plen = world.config.plen
    address = z3.BitVec("address", world.config.xlen)
    defined = world.isa(PMP).call(translate, world.start, address, size, RIGHTS[right])
    kernel = world.vmm(PMP).call(locate, world.start, address, size, right)
    found = z3.Extract(plen - 1, 0, kernel.value)
    cause = z3.ZeroExt(world.config.xlen - CAUSE, z3.Extract(plen + CAUSE - 1, plen, kernel.value))
    if defined.cause is None:  # nothing can trap: no tables, and no protection
        nothing = z3.BitVecVal(0, world.config.xlen)
        defined = replace(defined, cause=nothing, tval=nothing)
    causes = [defined.cause == PAGE_FAULT[right], defined.cause == ACCESS_FAULT[right]]
    claims = {
        **alike(defined.state, kernel.state),
        "trap": defined.trapped == (cause != 0),
        "cause": z3.Implies(defined.trapped, z3.And(defined.cause == cause, z3.Or(*causes))),
        "value": z3.Implies(defined.trapped, defined.tval == address),
        "physical address": z3.Implies(z3.Not(defined.trapped), defined.value == found),
        "offset": z3.Implies(
            z3.Not(defined.trapped), z3.Extract(11, 0, found) == z3.Extract(11, 0, address)
        ),
    }
    if isinstance(claims.get("storage"), z3.ExprRef):
        claims["nothing is set without tables"] = z3.Or(paged(world, right), claims["storage"])
    hypotheses = [*world.invariant(), address & (size - 1) == 0]
    return [Obligation(hypotheses, claims, {"address": address})]


def _located(world: World, state: SymbolicState, address: Any, size: int, right: int) -> Any:
    return world.vmm(PMP).call(locate, state, address, size, right)


def fault_of(world: World, answer: Any) -> Any:
    """The cause in an answer of `locate`, or zero."""
    plen = world.config.plen
    return z3.Extract(plen + CAUSE - 1, plen, answer)


def _sizes(world: World, right: int) -> list[Obligation]:
    """Aligned bytes of all sizes have the same fate: the bytes of a word have the same rights."""
    address = z3.BitVec("address", world.config.xlen)
    one = _located(world, world.start, address, 1, right)
    obligations = []
    for size in (2, 4):
        more = _located(world, world.start, address, size, right)
        claims = {**alike(one.state, more.state), "answer": one.value == more.value}
        places = [z3.Extract(world.config.plen - 1, 0, answer.value) for answer in (one, more)]
        modes = [z3.BitVecVal(mode, 2) for mode in (0, 1, 3)]
        words = [granted(at, 1, mode) == granted(at, size, mode) for at in places for mode in modes]
        aligned = address & (size - 1) == 0
        direct = z3.ZeroExt(world.config.plen - address.size(), address)
        words += [granted(direct, 1, mode) == granted(direct, size, mode) for mode in modes]
        hypotheses = [*world.invariant(), aligned, *words]
        obligations.append(Obligation(hypotheses, claims, {"address": address}))
    return obligations


def _again(world: World, right: int) -> list[Obligation]:
    """A walk made twice comes to the same, and has nothing left to set."""
    address = z3.BitVec("address", world.config.xlen)
    first = _located(world, world.start, address, 1, right)
    second = _located(world, first.state, address, 1, right)
    claims = {**alike(first.state, second.state), "answer": first.value == second.value}
    return [Obligation(world.invariant(), claims, {"address": address})]


def _undisturbed(world: World, right: int, other: int) -> list[Obligation]:
    """What a walk has found with nothing to set, it finds again after any other walk."""
    address, elsewhere = (z3.BitVec(name, world.config.xlen) for name in ("address", "elsewhere"))
    first = _located(world, world.start, address, 1, right)
    between = _located(world, world.start, elsewhere, 1, other).state
    second = _located(world, between, address, 1, right)
    ready = [fault_of(world, first.value) == 0, z3.Not(first.state.wrote)]
    claims = {"answer": first.value == second.value}
    terms = {"address": address, "elsewhere": elsewhere}
    return [Obligation([*world.invariant(), *ready], claims, terms)]


@lemma("walk")
def walk(config: Config) -> Mapping[str, Goal]:
    """For every aligned virtual address, mode, satp, mstatus and contents of the tables, the
    kernel's `locate` comes to the same physical address as `translate`, or to the same cause, and
    leaves the same A and D bits in the tables. Aligned accesses of all sizes come to the same; a
    walk made again comes to the same, whatever other walks were made in between. (What PMP says is
    unknown: lemma *protection*.)"""
    world = world_of(config)
    goals: dict[str, Goal] = {}
    for right, name in RIGHTS.items():
        for size in (2, 4) if right == EXECUTE else (1, 2, 4):
            goals[f"{name}, {size} bytes"] = partial(_walk, world, size, right)
        goals[f"{name}, sizes"] = partial(_sizes, world, right)
        goals[f"{name}, again"] = partial(_again, world, right)
        for other, after in RIGHTS.items():
            goals[f"{name}, after {after}"] = partial(_undisturbed, world, right, other)
    return goals
