"""Where a guest's address leads, as the kernel works it out: the guest's own tables and its PMP.

Both `locate` and `_walk` answer with a word: the guest-physical address in the low bits, and above
it the cause of the exception that the access must end in, or zero (`cause_of`, `address_of`).
"""

from __future__ import annotations

from kit.bits import Bits, concat, select
from kit.isa.cpu import Cpu, M, S, U, opaque
from kit.vmm.protection import CUT, EXECUTE, READ, WRITE, data_mode, guest_rights

__all__ = ["CAUSE", "address_of", "cause_of", "leaf_rights", "locate", "regime_mode"]

PAGE_FAULT = {READ: 13, WRITE: 15, EXECUTE: 12}
ACCESS_FAULT = {READ: 5, WRITE: 7, EXECUTE: 1}
CAUSE = 4
"""Bits that a cause takes."""

V, USER, A, D = 1 << 0, 1 << 4, 1 << 6, 1 << 7
SUM, MXR = 1 << 18, 1 << 19
PAGED = 1 << 31


def cause_of(v: Cpu, answer: Bits) -> Bits:
    """The cause of an exception in an answer, at register width; zero if there is none."""
    return answer[v.plen + CAUSE - 1 : v.plen].zext(v.xlen)


def address_of(v: Cpu, answer: Bits) -> Bits:
    """The guest-physical address in an answer."""
    return answer[v.plen - 1 : 0]


def _fault(v: Cpu, cause: int) -> Bits:
    return concat(Bits(CAUSE, cause), Bits(v.plen, 0))


def regime_mode(v: Cpu, right: int) -> Bits:
    """The virtual mode whose rules an access follows."""
    return v.mode if right == EXECUTE else data_mode(v)


@opaque(38)
def locate(v: Cpu, address: Bits, size: int, right: int) -> Bits:
    """Where the guest may access `size` bytes at a virtual address, or why it may not."""
    mode = regime_mode(v, right)
    answer = concat(Bits(CAUSE, 0), address.zext(v.plen))
    if v.config.has_s and (mode != M) & ((v.satp & PAGED) != 0):
        answer = _walk(v, address, right, mode)
        if cause_of(v, answer) != 0:
            return answer
    rights = guest_rights(v, address_of(v, answer), size, mode)
    return select(rights[right] & ~rights[CUT], answer, _fault(v, ACCESS_FAULT[right]))


@opaque(38)
def _walk(v: Cpu, address: Bits, right: int, mode: Bits) -> Bits:
    """The guest's Sv32 tables, read where they are in its storage."""
    root = concat(v.satp[21:0], Bits(12, 0))
    first = root | address[31:22].zext(v.plen).shl(2)
    if not _readable(v, first):
        return _fault(v, ACCESS_FAULT[right])
    entry = v.read(first, 4)
    if _is_pointer(entry):
        second = concat(entry[31:10], Bits(12, 0)) | address[21:12].zext(v.plen).shl(2)
        if not _readable(v, second):
            return _fault(v, ACCESS_FAULT[right])
        entry = v.read(second, 4)
        whole = concat(Bits(CAUSE, 0), entry[31:10], address[11:0])
        return _enter(v, entry, second, right, mode, whole, Bits(1, 1))
    whole = concat(Bits(CAUSE, 0), entry[31:20], address[21:0])
    return _enter(v, entry, first, right, mode, whole, entry[19:10] == 0)


def _readable(v: Cpu, at: Bits) -> Bits:
    """May the walk read an entry there? It must be RAM, and PMP must let S-mode read it."""
    return v.is_ram(at, 4) & guest_rights(v, at, 4, Bits(2, S))[READ]


def _is_pointer(entry: Bits) -> Bits:
    """Valid, no right of its own, and none of the bits that are reserved in a pointer."""
    return (entry & (0xF | USER | A | D)) == V


def _enter(
    v: Cpu, entry: Bits, at: Bits, right: int, mode: Bits, whole: Bits, aligned: Bits
) -> Bits:
    """Checks a leaf, and sets its A and D bits as the machine would; it leads to `whole`."""
    wanted = Bits(32, A | D if right == WRITE else A)
    marked = (entry & wanted) == wanted
    if not (_grants(v, entry, right, mode) & aligned):
        return _fault(v, PAGE_FAULT[right])
    if marked:
        return whole
    if v.config.ad == "fault":
        return _fault(v, PAGE_FAULT[right])
    if not guest_rights(v, at, 4, Bits(2, S))[WRITE]:
        return _fault(v, ACCESS_FAULT[right])
    v.write(at, 4, entry | wanted)
    return whole


def _grants(v: Cpu, entry: Bits, right: int, mode: Bits) -> Bits:
    """Do the bits V, R, W, X, U of a leaf allow the access? (W alone is reserved.)"""
    usable = entry[0] & (entry[1] | (entry[3] & ~entry[2]))
    user = (entry & USER) != 0
    if right == EXECUTE:
        return usable & entry[3] & (user == (mode == U))
    open_to_s = ~user | ((v.mstatus & SUM) != 0)
    page = select(mode == U, user, open_to_s)
    if right == WRITE:
        return usable & entry[2] & page
    return usable & page & (entry[1] | (entry[3] & ((v.mstatus & MXR) != 0)))


@opaque(3)
def leaf_rights(v: Cpu, entry: Bits, mode: Bits) -> Bits:
    """What a leaf that has been entered lets `mode` do; writing only once its D bit is set."""
    marked = (entry & D) != 0
    return concat(
        _grants(v, entry, EXECUTE, mode),
        _grants(v, entry, WRITE, mode) & marked,
        _grants(v, entry, READ, mode),
    )
