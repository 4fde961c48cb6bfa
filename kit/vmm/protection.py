"""The guest's PMP, as the kernel evaluates it: what a virtual mode may do with some bytes."""

from __future__ import annotations

from kit.bits import Bits, concat, select
from kit.isa.cpu import Cpu, M, opaque

__all__ = ["CUT", "EXECUTE", "READ", "WRITE", "data_mode", "guest_rights"]

READ, WRITE, EXECUTE, CUT = 0, 1, 2, 3
"""Bits of a rights word. CUT: a region's boundary runs through the bytes, so no right is common."""


def data_mode(v: Cpu) -> Bits:
    """The virtual mode in which the guest's loads and stores count: MPP while MPRV is set."""
    if not v.config.has_u:
        return v.mode
    return select((v.mstatus & 1 << 17) != 0, v.mstatus[12:11], v.mode)


def _region(v: Cpu, entry: int) -> tuple[Bits, Bits, Bits]:
    """Of a PMP entry: does it have a region at all, and its first and its last byte."""
    kind = v.pmpcfg[entry // 4][8 * (entry % 4) + 4 : 8 * (entry % 4) + 3]
    here = v.pmpaddr[entry].zext(v.plen).shl(2)
    before = v.pmpaddr[entry - 1].zext(v.plen).shl(2) if entry else Bits(v.plen, 0)
    # A NAPOT address ends in ones; as many address bits, and three more, vary within the region.
    ones = v.pmpaddr[entry]
    low_zero = (ones + 1) & ~ones
    varying = (low_zero.zext(v.plen).shl(3)) - 1
    varying = select(low_zero == 0, Bits(v.plen, -1), varying)
    varying = select(kind == 2, Bits(v.plen, 3), varying)
    is_range = kind == 1
    first = select(is_range, before, here & ~varying)
    last = select(is_range, here - 1, here | varying)
    exists = select(is_range, before.ltu(here), kind != 0)
    return exists, first, last


@opaque(4)
def guest_rights(v: Cpu, address: Bits, size: int, mode: Bits) -> Bits:
    """What `mode` may do with the `size` bytes at a guest-physical address.

    One bit each for READ, WRITE, EXECUTE, and CUT where the entry that decides covers only a part.
    """
    is_machine = mode == M
    everything, nothing = Bits(4, 0b0111), Bits(4, 0)
    if not v.config.pmp:
        return everything
    rights = select(is_machine, everything, nothing)
    end = address + (size - 1)
    for entry in reversed(range(v.config.pmp)):
        config = v.pmpcfg[entry // 4][8 * (entry % 4) + 7 : 8 * (entry % 4)]
        exists, first, last = _region(v, entry)
        touched = exists & end.geu(first) & last.geu(address)
        covered = address.geu(first) & last.geu(end)
        free = is_machine & ~config[7]
        granted = concat(Bits(1, 0), select(free, Bits(3, 0b111), config[2:0]))
        granted = select(covered, granted, Bits(4, 1 << CUT))
        rights = select(touched, granted, rights)
    return rights
