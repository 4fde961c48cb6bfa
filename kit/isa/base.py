"""RV32I and RV64I: the integer instructions. Unprivileged Architecture, chapters 2 and 4."""

from __future__ import annotations

from functools import partial

from kit.bits import Bits
from kit.isa.cpu import Cpu
from kit.isa.encoding import instruction
from kit.isa.storage import load, store

base = partial(instruction, extension="I")

Register = Bits  # a register's number, five bits


@base("imm[31:12] rd 0110111", "rd, imm20")
def lui(cpu: Cpu, rd: Register, imm: Bits) -> None:
    """Load upper immediate: the upper 20 bits of rd become the operand, the others zero."""
    cpu.x[rd] = imm


@base("imm[31:12] rd 0010111", "rd, imm20")
def auipc(cpu: Cpu, rd: Register, imm: Bits) -> None:
    """Add upper immediate to pc."""
    cpu.x[rd] = cpu.pc + imm


@base("imm[20|10:1|11|19:12] rd 1101111", "rd, target")
def jal(cpu: Cpu, rd: Register, imm: Bits) -> None:
    """Jump and link: rd becomes the address of the next instruction."""
    link = cpu.next_pc
    cpu.jump(cpu.pc + imm)
    cpu.x[rd] = link


@base("imm[11:0] rs1 000 rd 1100111", "rd, imm(rs1)")
def jalr(cpu: Cpu, rd: Register, rs1: Register, imm: Bits) -> None:
    """Jump and link to the address in a register; the lowest bit of the sum is ignored."""
    link = cpu.next_pc
    cpu.jump((cpu.x[rs1] + imm) & ~1)
    cpu.x[rd] = link


@base("imm[12|10:5] rs2 rs1 000 imm[4:1|11] 1100011", "rs1, rs2, target")
def beq(cpu: Cpu, rs1: Register, rs2: Register, imm: Bits) -> None:
    """Branch if equal."""
    if cpu.x[rs1] == cpu.x[rs2]:
        cpu.jump(cpu.pc + imm)


@base("imm[12|10:5] rs2 rs1 001 imm[4:1|11] 1100011", "rs1, rs2, target")
def bne(cpu: Cpu, rs1: Register, rs2: Register, imm: Bits) -> None:
    """Branch if not equal."""
    if cpu.x[rs1] != cpu.x[rs2]:
        cpu.jump(cpu.pc + imm)


@base("imm[12|10:5] rs2 rs1 100 imm[4:1|11] 1100011", "rs1, rs2, target")
def blt(cpu: Cpu, rs1: Register, rs2: Register, imm: Bits) -> None:
    """Branch if less than, signed."""
    if cpu.x[rs1].lts(cpu.x[rs2]):
        cpu.jump(cpu.pc + imm)


@base("imm[12|10:5] rs2 rs1 101 imm[4:1|11] 1100011", "rs1, rs2, target")
def bge(cpu: Cpu, rs1: Register, rs2: Register, imm: Bits) -> None:
    """Branch if greater than or equal, signed."""
    if cpu.x[rs1].ges(cpu.x[rs2]):
        cpu.jump(cpu.pc + imm)


@base("imm[12|10:5] rs2 rs1 110 imm[4:1|11] 1100011", "rs1, rs2, target")
def bltu(cpu: Cpu, rs1: Register, rs2: Register, imm: Bits) -> None:
    """Branch if less than, unsigned."""
    if cpu.x[rs1].ltu(cpu.x[rs2]):
        cpu.jump(cpu.pc + imm)


@base("imm[12|10:5] rs2 rs1 111 imm[4:1|11] 1100011", "rs1, rs2, target")
def bgeu(cpu: Cpu, rs1: Register, rs2: Register, imm: Bits) -> None:
    """Branch if greater than or equal, unsigned."""
    if cpu.x[rs1].geu(cpu.x[rs2]):
        cpu.jump(cpu.pc + imm)


# -- loads and stores ------------------------------------------------------------------------


@base("imm[11:0] rs1 000 rd 0000011", "rd, imm(rs1)")
def lb(cpu: Cpu, rd: Register, rs1: Register, imm: Bits) -> None:
    """Load a byte, sign-extended."""
    cpu.x[rd] = load(cpu, cpu.x[rs1] + imm, 1).sext(cpu.xlen)


@base("imm[11:0] rs1 001 rd 0000011", "rd, imm(rs1)")
def lh(cpu: Cpu, rd: Register, rs1: Register, imm: Bits) -> None:
    """Load a half-word, sign-extended."""
    cpu.x[rd] = load(cpu, cpu.x[rs1] + imm, 2).sext(cpu.xlen)


@base("imm[11:0] rs1 010 rd 0000011", "rd, imm(rs1)")
def lw(cpu: Cpu, rd: Register, rs1: Register, imm: Bits) -> None:
    """Load a word, sign-extended."""
    cpu.x[rd] = load(cpu, cpu.x[rs1] + imm, 4).sext(cpu.xlen)


@base("imm[11:0] rs1 100 rd 0000011", "rd, imm(rs1)")
def lbu(cpu: Cpu, rd: Register, rs1: Register, imm: Bits) -> None:
    """Load a byte, zero-extended."""
    cpu.x[rd] = load(cpu, cpu.x[rs1] + imm, 1).zext(cpu.xlen)


@base("imm[11:0] rs1 101 rd 0000011", "rd, imm(rs1)")
def lhu(cpu: Cpu, rd: Register, rs1: Register, imm: Bits) -> None:
    """Load a half-word, zero-extended."""
    cpu.x[rd] = load(cpu, cpu.x[rs1] + imm, 2).zext(cpu.xlen)


@base("imm[11:5] rs2 rs1 000 imm[4:0] 0100011", "rs2, imm(rs1)")
def sb(cpu: Cpu, rs1: Register, rs2: Register, imm: Bits) -> None:
    """Store a byte."""
    store(cpu, cpu.x[rs1] + imm, cpu.x[rs2][7:0])


@base("imm[11:5] rs2 rs1 001 imm[4:0] 0100011", "rs2, imm(rs1)")
def sh(cpu: Cpu, rs1: Register, rs2: Register, imm: Bits) -> None:
    """Store a half-word."""
    store(cpu, cpu.x[rs1] + imm, cpu.x[rs2][15:0])


@base("imm[11:5] rs2 rs1 010 imm[4:0] 0100011", "rs2, imm(rs1)")
def sw(cpu: Cpu, rs1: Register, rs2: Register, imm: Bits) -> None:
    """Store a word."""
    store(cpu, cpu.x[rs1] + imm, cpu.x[rs2][31:0])


# -- computing -------------------------------------------------------------------------------


@base("imm[11:0] rs1 000 rd 0010011", "rd, rs1, imm")
def addi(cpu: Cpu, rd: Register, rs1: Register, imm: Bits) -> None:
    """Add immediate."""
    cpu.x[rd] = cpu.x[rs1] + imm


@base("imm[11:0] rs1 010 rd 0010011", "rd, rs1, imm")
def slti(cpu: Cpu, rd: Register, rs1: Register, imm: Bits) -> None:
    """Set rd to 1 if less than immediate, signed; else to 0."""
    cpu.x[rd] = cpu.x[rs1].lts(imm).zext(cpu.xlen)


@base("imm[11:0] rs1 011 rd 0010011", "rd, rs1, imm")
def sltiu(cpu: Cpu, rd: Register, rs1: Register, imm: Bits) -> None:
    """Set rd to 1 if less than the sign-extended immediate, unsigned; else to 0."""
    cpu.x[rd] = cpu.x[rs1].ltu(imm).zext(cpu.xlen)


@base("imm[11:0] rs1 100 rd 0010011", "rd, rs1, imm")
def xori(cpu: Cpu, rd: Register, rs1: Register, imm: Bits) -> None:
    """Exclusive or with immediate."""
    cpu.x[rd] = cpu.x[rs1] ^ imm


@base("imm[11:0] rs1 110 rd 0010011", "rd, rs1, imm")
def ori(cpu: Cpu, rd: Register, rs1: Register, imm: Bits) -> None:
    """Or with immediate."""
    cpu.x[rd] = cpu.x[rs1] | imm


@base("imm[11:0] rs1 111 rd 0010011", "rd, rs1, imm")
def andi(cpu: Cpu, rd: Register, rs1: Register, imm: Bits) -> None:
    """And with immediate."""
    cpu.x[rd] = cpu.x[rs1] & imm


@base("0000000 shamt[4:0] rs1 001 rd 0010011", "rd, rs1, shamt", xlens=(32,))
def slli(cpu: Cpu, rd: Register, rs1: Register, shamt: Bits) -> None:
    """Shift left by immediate."""
    cpu.x[rd] = cpu.x[rs1].shl(shamt)


@base("0000000 shamt[4:0] rs1 101 rd 0010011", "rd, rs1, shamt", xlens=(32,))
def srli(cpu: Cpu, rd: Register, rs1: Register, shamt: Bits) -> None:
    """Shift right by immediate, filling with zeros."""
    cpu.x[rd] = cpu.x[rs1].shr(shamt)


@base("0100000 shamt[4:0] rs1 101 rd 0010011", "rd, rs1, shamt", xlens=(32,))
def srai(cpu: Cpu, rd: Register, rs1: Register, shamt: Bits) -> None:
    """Shift right by immediate, filling with the sign."""
    cpu.x[rd] = cpu.x[rs1].sar(shamt)


@base("0000000 rs2 rs1 000 rd 0110011", "rd, rs1, rs2")
def add(cpu: Cpu, rd: Register, rs1: Register, rs2: Register) -> None:
    """Add."""
    cpu.x[rd] = cpu.x[rs1] + cpu.x[rs2]


@base("0100000 rs2 rs1 000 rd 0110011", "rd, rs1, rs2")
def sub(cpu: Cpu, rd: Register, rs1: Register, rs2: Register) -> None:
    """Subtract rs2 from rs1."""
    cpu.x[rd] = cpu.x[rs1] - cpu.x[rs2]


@base("0000000 rs2 rs1 001 rd 0110011", "rd, rs1, rs2")
def sll(cpu: Cpu, rd: Register, rs1: Register, rs2: Register) -> None:
    """Shift left by the low bits of rs2."""
    cpu.x[rd] = cpu.x[rs1].shl(shift_amount(cpu, rs2))


@base("0000000 rs2 rs1 010 rd 0110011", "rd, rs1, rs2")
def slt(cpu: Cpu, rd: Register, rs1: Register, rs2: Register) -> None:
    """Set rd to 1 if rs1 is less than rs2, signed; else to 0."""
    cpu.x[rd] = cpu.x[rs1].lts(cpu.x[rs2]).zext(cpu.xlen)


@base("0000000 rs2 rs1 011 rd 0110011", "rd, rs1, rs2")
def sltu(cpu: Cpu, rd: Register, rs1: Register, rs2: Register) -> None:
    """Set rd to 1 if rs1 is less than rs2, unsigned; else to 0."""
    cpu.x[rd] = cpu.x[rs1].ltu(cpu.x[rs2]).zext(cpu.xlen)


@base("0000000 rs2 rs1 100 rd 0110011", "rd, rs1, rs2")
def xor(cpu: Cpu, rd: Register, rs1: Register, rs2: Register) -> None:
    """Exclusive or."""
    cpu.x[rd] = cpu.x[rs1] ^ cpu.x[rs2]


@base("0000000 rs2 rs1 101 rd 0110011", "rd, rs1, rs2")
def srl(cpu: Cpu, rd: Register, rs1: Register, rs2: Register) -> None:
    """Shift right by the low bits of rs2, filling with zeros."""
    cpu.x[rd] = cpu.x[rs1].shr(shift_amount(cpu, rs2))


@base("0100000 rs2 rs1 101 rd 0110011", "rd, rs1, rs2")
def sra(cpu: Cpu, rd: Register, rs1: Register, rs2: Register) -> None:
    """Shift right by the low bits of rs2, filling with the sign."""
    cpu.x[rd] = cpu.x[rs1].sar(shift_amount(cpu, rs2))


@base("0000000 rs2 rs1 110 rd 0110011", "rd, rs1, rs2")
def or_(cpu: Cpu, rd: Register, rs1: Register, rs2: Register) -> None:
    """Or."""
    cpu.x[rd] = cpu.x[rs1] | cpu.x[rs2]


@base("0000000 rs2 rs1 111 rd 0110011", "rd, rs1, rs2")
def and_(cpu: Cpu, rd: Register, rs1: Register, rs2: Register) -> None:
    """And."""
    cpu.x[rd] = cpu.x[rs1] & cpu.x[rs2]


def shift_amount(cpu: Cpu, rs2: Register) -> Bits:
    """The low five (RV64: six) bits of rs2, at register width."""
    return cpu.x[rs2] & (cpu.xlen - 1)


# -- order between memory accesses -----------------------------------------------------------


@base("fm[3:0] pred[3:0] succ[3:0] rs1 000 rd 0001111", "pred, succ")
def fence(cpu: Cpu, fm: Bits, pred: Bits, succ: Bits, rs1: Register, rd: Register) -> None:
    """Order memory accesses: nothing to do, since every access is complete when it returns."""


@base("imm[11:0] rs1 001 rd 0001111", "")
def fence_i(cpu: Cpu, imm: Bits, rs1: Register, rd: Register) -> None:
    """Make stores visible to fetches (Zifencei): nothing to do, storage is read at every fetch."""
