"""PMP: the kernel's `guest_rights` against the definition's `pmp_allows`.

One entry's match is compared for itself; then all sixteen, with the matches unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import z3

from kit.isa.config import Config
from kit.isa.pmp import entry_matches, pmp_allows
from kit.machine.bus import PAGE
from kit.proof.contracts import ENTRIES, RIGHTS, entry_match
from kit.proof.goals import Goal, Obligation, lemma
from kit.proof.world import World, world_of
from kit.vmm.protection import CUT, entry_covers, guest_rights

SIZES = (1, 2, 4)


def _place(world: World, size: int) -> tuple[Any, list[Any]]:
    """An aligned address, whose `size` bytes are below the end of the address space."""
    address = z3.BitVec("address", world.config.plen)
    return address, [*world.invariant(), address & (size - 1) == 0]


def _entry(world: World, entry: int, size: int) -> list[Obligation]:
    address, hypotheses = _place(world, size)
    defined = world.isa().call(entry_matches, world.start, entry, address, size).value
    kernel = world.vmm().call(entry_covers, world.start, entry, address, size).value
    terms = {"address": address, "defined": defined, "kernel": kernel}
    return [Obligation(hypotheses, {"match": defined == kernel}, terms)]


def _matches(world: World, address: Any, size: int) -> list[Any]:
    """What holds of matches: all bytes are some bytes; a region is made of words."""
    found = [entry_match(entry, address, size) for entry in range(world.config.pmp)]
    some_only = [match != 0b10 for match in found if size < PAGE]
    return [*(match != 0b01 for match in found), *some_only]


def _all_entries(world: World, size: int) -> list[Obligation]:
    address, hypotheses = _place(world, size)
    mode = z3.BitVec("access_mode", 2)
    hypotheses += [*_matches(world, address, size), mode != 2]
    rights = world.vmm(ENTRIES).call(guest_rights, world.start, address, size, mode).value
    isa, claims = world.isa(ENTRIES), {"not cut": z3.Extract(CUT, CUT, rights) == 0}
    for right, access in RIGHTS.items():
        allowed = isa.call(pmp_allows, world.start, address, size, access, mode).value
        claims[access] = allowed == z3.Extract(right, right, rights)
    return [Obligation(hypotheses, claims, {"address": address, "rights": rights})]


def _word(world: World, entry: int) -> list[Obligation]:
    """A region has all bytes of a word, or none: they have the same rights."""
    address, hypotheses = _place(world, 1)
    call = partial(world.isa().call, entry_matches, world.start, entry)
    byte = call(address, 1).value
    claims = {f"{size} bytes": call(address & -size, size).value == byte for size in (2, 4)}
    return [Obligation(hypotheses, claims, {"address": address, "byte's": byte})]


def _page(world: World, entry: int) -> list[Obligation]:
    """A region that has all of a page, or none of it, has all or none of each access in it."""
    address, hypotheses = _place(world, 1)
    obligations = []
    for size in SIZES:
        inside = world.isa().call(entry_matches, world.start, entry, address, size).value
        page = z3.Concat(z3.Extract(world.config.plen - 1, 12, address), z3.BitVecVal(0, 12))
        whole = world.isa().call(entry_matches, world.start, entry, page, PAGE).value
        aligned = address & (size - 1) == 0
        claim = z3.Or(whole == 0b10, inside == whole)
        terms = {"address": address, "page's": whole, "access's": inside}
        obligations.append(Obligation([*hypotheses, aligned], {"match": claim}, terms))
    return obligations


def _page_rights(world: World) -> list[Obligation]:
    """Where no boundary cuts a page, its rights are those of each access in it."""
    address, hypotheses = _place(world, 1)
    mode = z3.BitVec("access_mode", 2)
    page = z3.Concat(z3.Extract(world.config.plen - 1, 12, address), z3.BitVecVal(0, 12))
    vmm = world.vmm(ENTRIES)
    whole = vmm.call(guest_rights, world.start, page, PAGE, mode).value
    obligations = []
    for size in SIZES:
        inside = vmm.call(guest_rights, world.start, address, size, mode).value
        known = [*_matches(world, address, size), *_matches(world, page, PAGE), mode != 2]
        for entry in range(world.config.pmp):
            on_page = entry_match(entry, page, PAGE)
            known.append(z3.Or(on_page == 0b10, entry_match(entry, address, size) == on_page))
        uncut = z3.Extract(CUT, CUT, whole) == 0
        terms = {"address": address, "page's": whole, "access's": inside}
        obligations.append(
            Obligation([*hypotheses, *known, uncut], {"rights": inside == whole}, terms)
        )
    return obligations


@lemma("protection")
def protection(config: Config) -> Mapping[str, Goal]:
    """For every address and mode, and whatever the PMP registers hold, the kernel's `guest_rights`
    of one, two or four aligned bytes are what `pmp_allows` says of reading, writing and executing
    them; and the rights of a page that no region's boundary cuts are those of all bytes in it."""
    world = world_of(config)
    goals: dict[str, Goal] = {}
    for entry in range(config.pmp):
        for size in (*SIZES, PAGE):
            goals[f"entry {entry}, {size} bytes"] = partial(_entry, world, entry, size)
        goals[f"entry {entry}, words"] = partial(_word, world, entry)
        goals[f"entry {entry}, pages"] = partial(_page, world, entry)
    for size in SIZES:
        goals[f"all entries, {size} bytes"] = partial(_all_entries, world, size)
    goals["all entries, pages"] = partial(_page_rights, world)
    return goals
