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
from kit.proof.contracts import ACCESS_FAULT, PAGE_FAULT, PMP, RIGHTS
from kit.proof.goals import Goal, Obligation, lemma
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


@lemma("walk")
def walk(config: Config) -> Mapping[str, Goal]:
    """For every aligned virtual address, mode, satp, mstatus and contents of the tables, the
    kernel's `locate` comes to the same physical address as `translate`, or to the same cause, and
    leaves the same A and D bits in the tables. (What PMP says is unknown: lemma *protection*.)"""
    world = world_of(config)
    return {
        f"{name}, {size} bytes": partial(_walk, world, size, right)
        for right, name in RIGHTS.items()
        for size in ((2, 4) if right == EXECUTE else (1, 2, 4))
    }
