"""What stands for a function whose contract is a lemma: unknown, but the same on both sides.

A contract answers with an unknown function of the arguments. It may therefore be used for the
kernel's function and for the definition's wherever a lemma says that the two agree.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import z3

from kit.engine.paths import Key
from kit.proof.terms import Outcome, SymbolicState
from kit.vmm.protection import EXECUTE, READ, WRITE

__all__ = ["ACCESS", "PMP", "RIGHTS", "entry_match", "granted", "walk_of"]

RIGHTS = {READ: "read", WRITE: "write", EXECUTE: "execute"}
ACCESS = {name: right for right, name in RIGHTS.items()}
PAGE_FAULT = {READ: 13, WRITE: 15, EXECUTE: 12}
ACCESS_FAULT = {READ: 5, WRITE: 7, EXECUTE: 1}


def _bits(width: int) -> Any:
    return z3.BitVecSort(width)


def _value(state: SymbolicState, value: Any) -> Outcome:
    return Outcome(state, value, z3.BoolVal(False), None, None)


# -- protection: the lemmas *PMP entry* and *PMP* ------------------------------------------------


def entry_match(entry: int, address: Any, size: int) -> Any:
    """Which of the bytes are in an entry's region: bit 1 any, bit 0 all."""
    return z3.Function(f"entry_{entry}_has_{size}", address.sort(), _bits(2))(address)


def _entry(state: SymbolicState, key: Key, args: list[Any]) -> Outcome:
    """`entry_matches` and `entry_covers`: an entry that is off has no byte."""
    entry, size = key.static
    config = z3.Select(state.files["pmpcfg"], z3.BitVecVal(entry // 4, 8))
    low = 8 * (entry % 4)
    off = z3.Extract(low + 4, low + 3, config) == 0
    return _value(state, z3.If(off, z3.BitVecVal(0, 2), entry_match(entry, args[0], size)))


ENTRIES = {"entry_matches": _entry, "entry_covers": _entry}


def granted(address: Any, size: int, mode: Any) -> Any:
    """Three bits: may `mode` read, write, execute these bytes, which are aligned?"""
    function = z3.Function(f"pmp_grants_{size}", address.sort(), mode.sort(), _bits(3))
    return function(address, mode)


def _rights(state: SymbolicState, key: Key, args: list[Any]) -> Outcome:
    """`guest_rights`. Of bytes that are not aligned, nothing is known."""
    (size,), (address, mode) = key.static, args
    other = z3.Function(f"pmp_says_{size}", address.sort(), mode.sort(), _bits(4))
    aligned = address & (size - 1) == 0
    whole = z3.ZeroExt(1, granted(address, size, mode))
    return _value(state, z3.If(aligned, whole, other(address, mode)))


def _allows(state: SymbolicState, key: Key, args: list[Any]) -> Outcome:
    """`pmp_allows`, likewise."""
    (size, access), (address, mode) = key.static, args
    other = z3.Function(f"pmp_allows_{size}", address.sort(), mode.sort(), _bits(1))
    aligned = address & (size - 1) == 0
    right = ACCESS[access]
    whole = z3.Extract(right, right, granted(address, size, mode))
    return _value(state, z3.If(aligned, whole, other(address, mode)))


PMP = {"guest_rights": _rights, "pmp_allows": _allows}


# -- translation: the lemma *walk* ---------------------------------------------------------------


class Walk:
    """What the walk for an access at an address comes to.

    `faults`: does it trap, and then `cause`. `leads`: to which physical address otherwise.
    `storage`: its contents afterwards.
    """

    def __init__(self, state: SymbolicState, address: Any, size: int, right: int) -> None:
        name, sort = f"{RIGHTS[right]}_{size}", address.sort()
        plen = state.storage.sort().domain().size()
        self.faults = z3.Function(f"{name}_faults", sort, z3.BoolSort())(address)
        is_page_fault = z3.Function(f"{name}_page_faults", sort, z3.BoolSort())(address)
        self.cause = z3.If(
            is_page_fault, z3.BitVecVal(PAGE_FAULT[right], 4), z3.BitVecVal(ACCESS_FAULT[right], 4)
        )
        page = z3.Function(f"{name}_leads_to", sort, _bits(plen - 12))(address)
        self.leads = z3.Concat(page, z3.Extract(11, 0, address))
        self.storage = z3.Function(f"{name}_leaves", sort, state.storage.sort())(address)
        self.state = replace(state, storage=self.storage)


def walk_of(state: SymbolicState, address: Any, size: int, right: int) -> Walk:
    """The walk for an access of `size` bytes with a right."""
    return Walk(state, address, size, right)


def _translate(state: SymbolicState, key: Key, args: list[Any]) -> Outcome:
    """`kit.isa.translation.translate`."""
    size, access = key.static
    walk = Walk(state, args[0], size, ACCESS[access])
    cause = z3.ZeroExt(args[0].size() - 4, walk.cause)
    return Outcome(walk.state, walk.leads, walk.faults, cause, args[0])


def _locate(state: SymbolicState, key: Key, args: list[Any]) -> Outcome:
    """`kit.vmm.translation.locate`: cause and address in one word."""
    size, right = key.static
    walk = Walk(state, args[0], size, right)
    fault = z3.Concat(walk.cause, z3.BitVecVal(0, walk.leads.size()))
    found = z3.Concat(z3.BitVecVal(0, 4), walk.leads)
    return _value(walk.state, z3.If(walk.faults, fault, found))


WALK = {"translate": _translate, "locate": _locate}
