"""What stands for a function whose contract is a lemma: unknown, but the same on both sides.

A contract answers with an unknown function of the arguments. It may therefore be used for the
kernel's function and for the definition's wherever a lemma says that the two agree.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import z3

from kit.engine.paths import Key
from kit.machine.bus import PAGE
from kit.proof.terms import Outcome, SymbolicState
from kit.vmm.protection import CUT, EXECUTE, READ, WRITE

__all__ = [
    "ACCESS",
    "PMP",
    "RIGHTS",
    "entry_match",
    "granted",
    "page_agrees",
    "page_rights",
    "walk_of",
]

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


def page_rights(address: Any, mode: Any) -> Any:
    """Four bits: the rights of a page, and whether a boundary cuts it."""
    return z3.Function("pmp_says_of_page", address.sort(), mode.sort(), _bits(4))(address, mode)


def page_agrees(address: Any, size: int, mode: Any) -> Any:
    """Where no boundary cuts its page, an access has the page's rights."""
    page = z3.Concat(z3.Extract(address.size() - 1, 12, address), z3.BitVecVal(0, 12))
    rights = page_rights(page, mode)
    same = granted(address, size, mode) == z3.Extract(2, 0, rights)
    return z3.Implies(z3.Extract(CUT, CUT, rights) == 0, same)


def _rights(state: SymbolicState, key: Key, args: list[Any]) -> Outcome:
    """`guest_rights`. Of bytes that are not aligned, nothing is known."""
    (size,), (address, mode) = key.static, args
    if size == PAGE:
        return _value(state, page_rights(address, mode))
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

    `faults`: does it trap, and then `cause`. `leads`: to which physical address otherwise. `sets`:
    does it set A or D bits; `state` is the one after it. Aligned accesses of all sizes come to the
    same, also when another walk has been made before (goals *sizes* and *again* of *walk*).
    """

    def __init__(self, state: SymbolicState, address: Any, size: int, right: int) -> None:
        aligned = address & (size - 1) == 0
        self._address, self._name = address, RIGHTS[right]
        self._odd = z3.BoolVal(False) if z3.is_true(z3.simplify(aligned)) else z3.Not(aligned)
        self._suffix = f"_unaligned_{size}"
        plen = state.storage.sort().domain().size() + 2
        self.faults = self._unknown("faults", z3.BoolSort())
        self.cause = z3.If(
            self._unknown("page_faults", z3.BoolSort()),
            z3.BitVecVal(PAGE_FAULT[right], 4),
            z3.BitVecVal(ACCESS_FAULT[right], 4),
        )
        page = self._unknown("leads_to", _bits(plen - 12))
        self.leads = z3.Concat(page, z3.Extract(11, 0, address))
        self.sets = self._unknown("sets_bits", z3.BoolSort())
        after = self._unknown("leaves", state.storage.sort())
        self.state = replace(state, storage=z3.If(self.sets, after, state.storage))

    def _unknown(self, what: str, sort: Any) -> Any:
        """An unknown function of the address; another where that is not aligned."""
        known = z3.Function(f"{self._name}_{what}", self._address.sort(), sort)(self._address)
        if z3.is_false(self._odd):
            return known
        name = f"{self._name}_{what}{self._suffix}"
        return z3.If(self._odd, z3.Function(name, self._address.sort(), sort)(self._address), known)


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
