"""A: load-reserved, store-conditional and atomic memory operations. Chapter 13.

With one hart every access is already in order, so the aq and rl bits have no effect. Reservations
live in RAM only; they survive traps and end with the next store-conditional.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from kit.bits import Bits, select
from kit.isa.cpu import Cpu, Trap
from kit.isa.encoding import instruction
from kit.isa.storage import locate
from kit.isa.translation import ACCESS_FAULT

atomic = partial(instruction, extension="A")


@atomic("00010 aq rl 00000 rs1 010 rd 0101111", "rd, (rs1)", name="lr.w")
def lr_w(cpu: Cpu, rd: Bits, rs1: Bits, aq: Bits, rl: Bits) -> None:
    """Load a word and reserve it."""
    address = cpu.x[rs1]
    physical = locate(cpu, address, 4, "read")
    if ~cpu.is_ram(physical, 4):
        raise Trap(ACCESS_FAULT["read"], address)
    cpu.reservation_valid, cpu.reservation = 1, physical
    cpu.x[rd] = cpu.read(physical, 4).sext(cpu.xlen)


@atomic("00011 aq rl rs2 rs1 010 rd 0101111", "rd, rs2, (rs1)", name="sc.w")
def sc_w(cpu: Cpu, rd: Bits, rs1: Bits, rs2: Bits, aq: Bits, rl: Bits) -> None:
    """Store a word if it is still reserved: rd becomes 0, or 1 where nothing was stored."""
    address = cpu.x[rs1]
    physical = locate(cpu, address, 4, "write")
    if ~cpu.is_ram(physical, 4):
        raise Trap(ACCESS_FAULT["write"], address)
    held = cpu.reservation_valid & (cpu.reservation == physical)
    value = cpu.x[rs2][31:0]
    cpu.reservation_valid = 0
    if held:
        cpu.write(physical, 4, value)
    cpu.x[rd] = (~held).zext(cpu.xlen)


def update(cpu: Cpu, rd: Bits, rs1: Bits, rs2: Bits, combine: Callable[[Bits, Bits], Bits]) -> None:
    """Replaces a word by its combination with rs2; the old word goes to rd. Faults as a store."""
    address = cpu.x[rs1]
    physical = locate(cpu, address, 4, "write")
    if ~cpu.reaches(physical, 4):
        raise Trap(ACCESS_FAULT["write"], address)
    old = cpu.read(physical, 4)
    cpu.write(physical, 4, combine(old, cpu.x[rs2][31:0]))
    cpu.x[rd] = old.sext(cpu.xlen)


@atomic("00001 aq rl rs2 rs1 010 rd 0101111", "rd, rs2, (rs1)", name="amoswap.w")
def amoswap_w(cpu: Cpu, rd: Bits, rs1: Bits, rs2: Bits, aq: Bits, rl: Bits) -> None:
    """Swap a word with rs2."""
    update(cpu, rd, rs1, rs2, lambda old, new: new)


@atomic("00000 aq rl rs2 rs1 010 rd 0101111", "rd, rs2, (rs1)", name="amoadd.w")
def amoadd_w(cpu: Cpu, rd: Bits, rs1: Bits, rs2: Bits, aq: Bits, rl: Bits) -> None:
    """Add rs2 to a word."""
    update(cpu, rd, rs1, rs2, lambda old, new: old + new)


@atomic("00100 aq rl rs2 rs1 010 rd 0101111", "rd, rs2, (rs1)", name="amoxor.w")
def amoxor_w(cpu: Cpu, rd: Bits, rs1: Bits, rs2: Bits, aq: Bits, rl: Bits) -> None:
    """Exclusive or of a word with rs2."""
    update(cpu, rd, rs1, rs2, lambda old, new: old ^ new)


@atomic("01100 aq rl rs2 rs1 010 rd 0101111", "rd, rs2, (rs1)", name="amoand.w")
def amoand_w(cpu: Cpu, rd: Bits, rs1: Bits, rs2: Bits, aq: Bits, rl: Bits) -> None:
    """And of a word with rs2."""
    update(cpu, rd, rs1, rs2, lambda old, new: old & new)


@atomic("01000 aq rl rs2 rs1 010 rd 0101111", "rd, rs2, (rs1)", name="amoor.w")
def amoor_w(cpu: Cpu, rd: Bits, rs1: Bits, rs2: Bits, aq: Bits, rl: Bits) -> None:
    """Or of a word with rs2."""
    update(cpu, rd, rs1, rs2, lambda old, new: old | new)


@atomic("10000 aq rl rs2 rs1 010 rd 0101111", "rd, rs2, (rs1)", name="amomin.w")
def amomin_w(cpu: Cpu, rd: Bits, rs1: Bits, rs2: Bits, aq: Bits, rl: Bits) -> None:
    """The lesser of a word and rs2, signed."""
    update(cpu, rd, rs1, rs2, lambda old, new: select(old.lts(new), old, new))


@atomic("10100 aq rl rs2 rs1 010 rd 0101111", "rd, rs2, (rs1)", name="amomax.w")
def amomax_w(cpu: Cpu, rd: Bits, rs1: Bits, rs2: Bits, aq: Bits, rl: Bits) -> None:
    """The greater of a word and rs2, signed."""
    update(cpu, rd, rs1, rs2, lambda old, new: select(old.lts(new), new, old))


@atomic("11000 aq rl rs2 rs1 010 rd 0101111", "rd, rs2, (rs1)", name="amominu.w")
def amominu_w(cpu: Cpu, rd: Bits, rs1: Bits, rs2: Bits, aq: Bits, rl: Bits) -> None:
    """The lesser of a word and rs2, unsigned."""
    update(cpu, rd, rs1, rs2, lambda old, new: select(old.ltu(new), old, new))


@atomic("11100 aq rl rs2 rs1 010 rd 0101111", "rd, rs2, (rs1)", name="amomaxu.w")
def amomaxu_w(cpu: Cpu, rd: Bits, rs1: Bits, rs2: Bits, aq: Bits, rl: Bits) -> None:
    """The greater of a word and rs2, unsigned."""
    update(cpu, rd, rs1, rs2, lambda old, new: select(old.ltu(new), new, old))
