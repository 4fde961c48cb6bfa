"""M: multiplication and division. Unprivileged Architecture, chapter 12."""

from __future__ import annotations

from functools import partial

from kit.bits import Bits, select
from kit.isa.cpu import Cpu
from kit.isa.encoding import instruction

multiply = partial(instruction, extension="M")


@multiply("0000001 rs2 rs1 000 rd 0110011", "rd, rs1, rs2")
def mul(cpu: Cpu, rd: Bits, rs1: Bits, rs2: Bits) -> None:
    """Multiply: the lower half of the product."""
    cpu.x[rd] = cpu.x[rs1] * cpu.x[rs2]


@multiply("0000001 rs2 rs1 001 rd 0110011", "rd, rs1, rs2")
def mulh(cpu: Cpu, rd: Bits, rs1: Bits, rs2: Bits) -> None:
    """The upper half of the product of signed factors."""
    double = 2 * cpu.xlen
    product = cpu.x[rs1].sext(double) * cpu.x[rs2].sext(double)
    cpu.x[rd] = product[double - 1 : cpu.xlen]


@multiply("0000001 rs2 rs1 010 rd 0110011", "rd, rs1, rs2")
def mulhsu(cpu: Cpu, rd: Bits, rs1: Bits, rs2: Bits) -> None:
    """The upper half of the product of a signed (rs1) and an unsigned factor."""
    double = 2 * cpu.xlen
    product = cpu.x[rs1].sext(double) * cpu.x[rs2].zext(double)
    cpu.x[rd] = product[double - 1 : cpu.xlen]


@multiply("0000001 rs2 rs1 011 rd 0110011", "rd, rs1, rs2")
def mulhu(cpu: Cpu, rd: Bits, rs1: Bits, rs2: Bits) -> None:
    """The upper half of the product of unsigned factors."""
    double = 2 * cpu.xlen
    product = cpu.x[rs1].zext(double) * cpu.x[rs2].zext(double)
    cpu.x[rd] = product[double - 1 : cpu.xlen]


@multiply("0000001 rs2 rs1 100 rd 0110011", "rd, rs1, rs2")
def div(cpu: Cpu, rd: Bits, rs1: Bits, rs2: Bits) -> None:
    """Divide, signed, towards zero. By zero: -1. The most negative number by -1: itself."""
    a, b = cpu.x[rs1], cpu.x[rs2]
    quotient = magnitude(a).divu(magnitude(b))
    signed = select(sign(a) ^ sign(b), negative(quotient), quotient)
    cpu.x[rd] = select(b == 0, cpu.word(-1), signed)


@multiply("0000001 rs2 rs1 101 rd 0110011", "rd, rs1, rs2")
def divu(cpu: Cpu, rd: Bits, rs1: Bits, rs2: Bits) -> None:
    """Divide, unsigned. By zero: all ones."""
    cpu.x[rd] = cpu.x[rs1].divu(cpu.x[rs2])


@multiply("0000001 rs2 rs1 110 rd 0110011", "rd, rs1, rs2")
def rem(cpu: Cpu, rd: Bits, rs1: Bits, rs2: Bits) -> None:
    """Remainder, signed, with the sign of the dividend. By zero: the dividend."""
    a, b = cpu.x[rs1], cpu.x[rs2]
    remainder = magnitude(a).remu(magnitude(b))
    cpu.x[rd] = select(sign(a), negative(remainder), remainder)


@multiply("0000001 rs2 rs1 111 rd 0110011", "rd, rs1, rs2")
def remu(cpu: Cpu, rd: Bits, rs1: Bits, rs2: Bits) -> None:
    """Remainder, unsigned. By zero: the dividend."""
    cpu.x[rd] = cpu.x[rs1].remu(cpu.x[rs2])


def sign(value: Bits) -> Bits:
    """The sign bit."""
    return value[value.width - 1]


def negative(value: Bits) -> Bits:
    """The two's complement of a word."""
    return Bits(value.width, 0) - value


def magnitude(value: Bits) -> Bits:
    """The absolute value, unsigned (that of the most negative number is its own word)."""
    return select(sign(value), negative(value), value)
