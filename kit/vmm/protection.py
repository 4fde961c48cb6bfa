"""The guest's PMP, as the kernel evaluates it: what a virtual mode may do with some bytes."""

from __future__ import annotations

from kit.bits import Bits, concat, select
from kit.isa.cpu import Cpu, M, opaque

__all__ = ["CUT", "EXECUTE", "READ", "WRITE", "data_mode", "guest_rights"]

READ, WRITE, EXECUTE, CUT = 0, 1, 2, 3
"""Bits of a rights word. CUT: a region's boundary runs through the bytes, so no right is common."""

KINDS = 0x1818_1818
"""In a pmpcfg register, the bits that say what regions its entries have, if any."""


def data_mode(v: Cpu) -> Bits:
    """The virtual mode in which the guest's loads and stores count: MPP while MPRV is set."""
    if not v.config.has_u:
        return v.mode
    return select((v.mstatus & 1 << 17) != 0, v.mstatus[12:11], v.mode)


@opaque(2)
def entry_covers(v: Cpu, entry: int, address: Bits, size: int) -> Bits:
    """Which of the bytes lie in the region of a PMP entry: bit 1 any of them, bit 0 all."""
    kind = v.pmpcfg[entry // 4][8 * (entry % 4) + 4 : 8 * (entry % 4) + 3]
    here = v.pmpaddr[entry].zext(v.plen).shl(2)
    before = v.pmpaddr[entry - 1].zext(v.plen).shl(2) if entry else Bits(v.plen, 0)
    # A NAPOT address ends in ones; as many address bits, and three more, vary within the region.
    ones = v.pmpaddr[entry]
    low_zero = (ones + 1) & ~ones
    varying = select(low_zero == 0, Bits(v.plen, -1), (low_zero.zext(v.plen).shl(3)) - 1)
    varying = select(kind == 2, Bits(v.plen, 3), varying)
    is_range = kind == 1
    first = select(is_range, before, here & ~varying)
    last = select(is_range, here - 1, here | varying)
    exists = select(is_range, before.ltu(here), kind != 0)
    end = address + (size - 1)
    touched = exists & end.geu(first) & last.geu(address)
    return concat(touched, touched & address.geu(first) & last.geu(end))


def _entries_in_use(v: Cpu) -> int:
    """So many entries from the first; all others have no region."""
    rest = (v.pmpcfg[1] | v.pmpcfg[2] | v.pmpcfg[3]) & KINDS
    if not v.config.pmp or (v.pmpcfg[0] & KINDS | rest) == 0:
        return 0
    return v.config.pmp if rest != 0 else 4 if (v.pmpcfg[0] & KINDS << 8) != 0 else 1


@opaque(4)
def guest_rights(v: Cpu, address: Bits, size: int, mode: Bits) -> Bits:
    """What `mode` may do with the `size` bytes at a guest-physical address.

    One bit each for READ, WRITE, EXECUTE, and CUT where the entry that decides covers only a part.
    """
    is_machine = (mode == M) | (v.config.pmp == 0)
    rights = select(is_machine, Bits(4, 0b0111), Bits(4, 0))
    for entry in reversed(range(_entries_in_use(v))):
        config = v.pmpcfg[entry // 4][8 * (entry % 4) + 7 : 8 * (entry % 4)]
        match = entry_covers(v, entry, address, size)
        granted = select(is_machine & ~config[7], Bits(4, 0b0111), config[2:0].zext(4))
        rights = select(match[1], select(match[0], granted, Bits(4, 1 << CUT)), rights)
    return rights
