"""From virtual to physical addresses: effective privilege and the Sv32 walk.

Privileged Architecture, 3.1.6.3 (MPRV, SUM, MXR) and 12.3 (Sv32). Tables are read at every
access: the definition has no TLB, so SFENCE.VMA has nothing to do.
"""

from __future__ import annotations

from kit.bits import Bits, concat, select
from kit.isa.cpu import Cpu, M, S, Trap, U, opaque
from kit.isa.pmp import pmp_allows

__all__ = ["ACCESS_FAULT", "PAGE_FAULT", "effective_mode", "is_direct", "translate"]

ACCESS_FAULT = {"execute": 1, "read": 5, "write": 7}
PAGE_FAULT = {"execute": 12, "read": 13, "write": 15}

# A page-table entry: PPN[31:10] RSW[9:8] D A G U X W R V.
PTE_V, PTE_R, PTE_W, PTE_X, PTE_U, PTE_A, PTE_D = 0, 1, 2, 3, 4, 6, 7
_A, _D = 1 << PTE_A, 1 << PTE_D

MPRV, SUM, MXR = 17, 18, 19


def effective_mode(cpu: Cpu, access: str) -> Bits:
    """The mode in which an access is made: under mstatus.MPRV, that of data is mstatus.MPP."""
    if access == "execute" or not cpu.config.has_u:
        return cpu.mode
    return select(cpu.mstatus[MPRV], cpu.mstatus[12:11], cpu.mode)


def is_direct(cpu: Cpu, mode: Bits) -> Bits:
    """Are the addresses of a mode physical ones, without translation?"""
    return Bits(1, 1) if not cpu.config.has_s else (mode == M) | ~cpu.satp[cpu.xlen - 1]


@opaque("plen")
def translate(cpu: Cpu, address: Bits, size: int, access: str) -> Bits:
    """The physical address of `size` bytes at a virtual one, which `access` may touch.

    Traps with a page fault, or with an access fault where PMP or the bus forbids it. The check of
    the final address against PMP is part of it; whether a device takes the access is not.
    """
    mode = effective_mode(cpu, access)
    direct = is_direct(cpu, mode)
    physical = address.zext(cpu.plen) if direct else walk(cpu, address, access, mode)
    if not pmp_allows(cpu, physical, size, access, mode):
        raise Trap(ACCESS_FAULT[access], address)
    return physical


@opaque("plen")
def walk(cpu: Cpu, address: Bits, access: str, mode: Bits) -> Bits:
    """The walk of the two levels of an Sv32 table, which sets A and D bits where it must."""
    table = concat(cpu.satp[21:0], Bits(12, 0))
    for level in (1, 0):
        low = 12 + 10 * level
        entry_address = table + concat(address[low + 9 : low], Bits(2, 0)).zext(cpu.plen)
        entry = _read_entry(cpu, entry_address, access, address)
        if ~entry[PTE_V] | (entry[PTE_W] & ~entry[PTE_R]):
            raise Trap(PAGE_FAULT[access], address)
        if entry[PTE_R] | entry[PTE_X]:
            return _leaf(cpu, entry, entry_address, level, address, access, mode)
        # In a pointer to the next level, these bits are reserved.
        if entry[PTE_D] | entry[PTE_A] | entry[PTE_U]:
            raise Trap(PAGE_FAULT[access], address)
        table = concat(entry[31:10], Bits(12, 0))
    raise Trap(PAGE_FAULT[access], address)


def _leaf(
    cpu: Cpu, entry: Bits, entry_address: Bits, level: int, address: Bits, access: str, mode: Bits
) -> Bits:
    """The physical address that a leaf entry gives, if it allows the access."""
    misaligned = entry[19:10] != 0 if level else Bits(1, 0)
    if ~_permitted(cpu, entry, access, mode) | misaligned:
        raise Trap(PAGE_FAULT[access], address)
    wanted = Bits(32, _A | _D if access == "write" else _A)
    if (entry & wanted) != wanted:
        if cpu.config.ad == "fault":
            raise Trap(PAGE_FAULT[access], address)
        if not pmp_allows(cpu, entry_address, 4, "write", Bits(2, S)):
            raise Trap(ACCESS_FAULT[access], address)
        cpu.write(entry_address, 4, entry | wanted)
    if level:
        return concat(entry[31:20], address[21:0])
    return concat(entry[31:10], address[11:0])


def _permitted(cpu: Cpu, entry: Bits, access: str, mode: Bits) -> Bits:
    """Do the U, R, W and X bits of a leaf allow the access? SUM and MXR have their say."""
    if access == "execute":
        right = entry[PTE_X]
        supervisor = ~entry[PTE_U]
    else:
        readable = entry[PTE_R] | (entry[PTE_X] & cpu.mstatus[MXR])
        right = entry[PTE_W] if access == "write" else readable
        supervisor = ~entry[PTE_U] | cpu.mstatus[SUM]
    return right & select(mode == U, entry[PTE_U], supervisor)


def _read_entry(cpu: Cpu, entry_address: Bits, access: str, address: Bits) -> Bits:
    """A page-table entry; tables lie in RAM, and PMP must let S-mode read them."""
    if ~cpu.is_ram(entry_address, 4):
        raise Trap(ACCESS_FAULT[access], address)
    if not pmp_allows(cpu, entry_address, 4, "read", Bits(2, S)):
        raise Trap(ACCESS_FAULT[access], address)
    return cpu.read(entry_address, 4)
