"""Fetches, loads and stores by virtual address. Misaligned data accesses always trap."""

from __future__ import annotations

from kit.bits import Bits, concat
from kit.isa.cpu import Cpu, Trap
from kit.isa.translation import ACCESS_FAULT, translate

__all__ = ["fetch", "load", "locate", "store"]

MISALIGNED = {"read": 4, "write": 6}


def locate(cpu: Cpu, address: Bits, size: int, access: str) -> Bits:
    """The physical address of an aligned data access, checked in every respect but the bus's."""
    if size > 1 and (address & (size - 1)) != 0:
        raise Trap(MISALIGNED[access], address)
    return translate(cpu, address, size, access)


def load(cpu: Cpu, address: Bits, size: int) -> Bits:
    """The `size` bytes at a virtual address."""
    physical = locate(cpu, address, size, "read")
    if ~cpu.reaches(physical, size):
        raise Trap(ACCESS_FAULT["read"], address)
    return cpu.read(physical, size)


def store(cpu: Cpu, address: Bits, value: Bits) -> None:
    """Stores a value of one, two or four bytes at a virtual address."""
    size = value.width // 8
    physical = locate(cpu, address, size, "write")
    if ~cpu.reaches(physical, size):
        raise Trap(ACCESS_FAULT["write"], address)
    cpu.write(physical, size, value)


def fetch(cpu: Cpu) -> Bits:
    """The instruction word at pc; a compressed one in its lower half, the upper half undefined.

    Instructions come from RAM only. One that crosses a word is fetched in halves, since its second
    half may lie on another page or in another PMP region.
    """
    if not cpu.config.has_c or ~cpu.pc[1]:
        return _fetch_part(cpu, cpu.pc, 4)
    low = _fetch_part(cpu, cpu.pc, 2)
    if low[1:0] != 3:
        return low.zext(32)
    return concat(_fetch_part(cpu, cpu.pc + 2, 2), low)


def _fetch_part(cpu: Cpu, address: Bits, size: int) -> Bits:
    physical = translate(cpu, address, size, "execute")
    if ~cpu.is_ram(physical, size):
        raise Trap(ACCESS_FAULT["execute"], address)
    return cpu.read(physical, size)
