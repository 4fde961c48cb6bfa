"""Physical memory protection. Privileged Architecture, 3.7."""

from __future__ import annotations

from kit.bits import Bits, concat, select
from kit.isa.cpu import Cpu, M, opaque

__all__ = ["entry_matches", "pmp_allows"]

TOR, NA4 = 1, 2
_ADDRESS_MATCHING = 0x1818_1818


def config_byte(cpu: Cpu, entry: int) -> Bits:
    """The configuration of a PMP entry: L..AAXWR."""
    low = 8 * (entry % 4)
    return cpu.pmpcfg[entry // 4][low + 7 : low]


@opaque(2)
def entry_matches(cpu: Cpu, entry: int, address: Bits, size: int) -> Bits:
    """Which bytes of an access lie in the region of a PMP entry: bit 1 any of them, bit 0 all.

    Regions are multiples of four bytes, so the first and the last byte of an access decide; of more
    bytes than that, a region may also lie in the middle.
    """
    mode = config_byte(cpu, entry)[4:3]
    top = _region_address(cpu, cpu.pmpaddr[entry])
    last = address + (size - 1)

    bottom = _region_address(cpu, cpu.pmpaddr[entry - 1]) if entry else Bits(cpu.plen, 0)
    tor_first = address.geu(bottom) & address.ltu(top)
    tor_last = last.geu(bottom) & last.ltu(top)

    # The ones at the low end of pmpaddr, and the zero above them, give the size of a NAPOT region.
    ones = cpu.pmpaddr[entry]
    within = _region_address(cpu, ones ^ (ones + 1)) | 3
    within = select(mode == NA4, Bits(cpu.plen, 3), within)
    napot_first = (address | within) == (top | within)
    napot_last = (last | within) == (top | within)

    first = select(mode == TOR, tor_first, select(mode == 0, Bits(1, 0), napot_first))
    final = select(mode == TOR, tor_last, select(mode == 0, Bits(1, 0), napot_last))
    some = first | final
    if size > 4:
        start = select(mode == TOR, bottom, (top | within) ^ within)
        is_region = select(mode == TOR, bottom.ltu(top), mode != 0)
        some = some | (is_region & start.geu(address) & last.geu(start))
    return concat(some, first & final)


def _region_address(cpu: Cpu, pmpaddr: Bits) -> Bits:
    """A pmpaddr register holds an address in units of four bytes."""
    return pmpaddr[cpu.plen - 3 : 0].zext(cpu.plen).shl(2)


@opaque(2)
def group_decides(cpu: Cpu, group: int, address: Bits, size: int, access: str, mode: Bits) -> Bits:
    """What the four entries of one pmpcfg register say: bit 1 is one of them decides, bit 0 how."""
    if (cpu.pmpcfg[group] & _ADDRESS_MATCHING) == 0:
        return Bits(2, 0)
    right = {"read": 0, "write": 1, "execute": 2}[access]
    for entry in range(4 * group, 4 * group + 4):
        match = entry_matches(cpu, entry, address, size)
        if match[1]:
            config = config_byte(cpu, entry)
            allowed = match[0] & (config[right] | ((mode == M) & ~config[7]))
            return concat(Bits(1, 1), allowed)
    return Bits(2, 0)


@opaque(1)
def pmp_allows(cpu: Cpu, address: Bits, size: int, access: str, mode: Bits) -> Bits:
    """May `mode` access these bytes? `access` is "read", "write" or "execute".

    The lowest-numbered entry that matches any byte decides, and must match all of them. M-mode is
    bound by locked entries only; without a match, it may do anything, the others nothing.
    """
    if not cpu.config.pmp:
        return Bits(1, 1)
    active = cpu.pmpcfg[0] | cpu.pmpcfg[1] | cpu.pmpcfg[2] | cpu.pmpcfg[3]
    if (active & _ADDRESS_MATCHING) == 0:
        return mode == M
    for group in range(cpu.config.pmp // 4):
        decision = group_decides(cpu, group, address, size, access, mode)
        if decision[1]:
            return decision[0]
    return mode == M
