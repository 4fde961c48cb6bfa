"""Zicsr: reading and writing control and status registers. Unprivileged Architecture, chapter 6."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from kit.bits import Bits
from kit.isa.cpu import Cpu
from kit.isa.csr import csr_guard, csr_read, csr_update_base, csr_write
from kit.isa.encoding import instruction
from kit.isa.trap import illegal_instruction

zicsr = partial(instruction, extension="")


def access(cpu: Cpu, rd: Bits, csr: Bits, writes: Bits, value: Callable[[], Bits]) -> None:
    """What all six instructions have in common.

    An access traps where the register does not exist, belongs to a more privileged mode, or is
    read-only and `writes` is set. `value` computes what is to be written.
    """
    allowed = cpu.mode.geu(csr[9:8]) & ~(writes & (csr[11:10] == 3))
    if not allowed or not csr_guard(cpu, csr):
        raise illegal_instruction(cpu)
    old = csr_read(cpu, csr)
    if writes:
        csr_write(cpu, csr, value())
    cpu.x[rd] = old


@zicsr("csr[11:0] rs1 001 rd 1110011", "rd, csr, rs1")
def csrrw(cpu: Cpu, rd: Bits, rs1: Bits, csr: Bits) -> None:
    """Write a CSR from rs1; its old value goes to rd."""
    access(cpu, rd, csr, Bits(1, 1), lambda: cpu.x[rs1])


@zicsr("csr[11:0] rs1 010 rd 1110011", "rd, csr, rs1")
def csrrs(cpu: Cpu, rd: Bits, rs1: Bits, csr: Bits) -> None:
    """Set the bits of rs1 in a CSR; with rs1 = x0, only read it."""
    access(cpu, rd, csr, rs1 != 0, lambda: csr_update_base(cpu, csr) | cpu.x[rs1])


@zicsr("csr[11:0] rs1 011 rd 1110011", "rd, csr, rs1")
def csrrc(cpu: Cpu, rd: Bits, rs1: Bits, csr: Bits) -> None:
    """Clear the bits of rs1 in a CSR; with rs1 = x0, only read it."""
    access(cpu, rd, csr, rs1 != 0, lambda: csr_update_base(cpu, csr) & ~cpu.x[rs1])


@zicsr("csr[11:0] uimm[4:0] 101 rd 1110011", "rd, csr, uimm")
def csrrwi(cpu: Cpu, rd: Bits, uimm: Bits, csr: Bits) -> None:
    """Write a CSR from a five-bit immediate."""
    access(cpu, rd, csr, Bits(1, 1), lambda: uimm.zext(cpu.xlen))


@zicsr("csr[11:0] uimm[4:0] 110 rd 1110011", "rd, csr, uimm")
def csrrsi(cpu: Cpu, rd: Bits, uimm: Bits, csr: Bits) -> None:
    """Set the bits of a five-bit immediate in a CSR; with zero, only read it."""
    access(cpu, rd, csr, uimm != 0, lambda: csr_update_base(cpu, csr) | uimm.zext(cpu.xlen))


@zicsr("csr[11:0] uimm[4:0] 111 rd 1110011", "rd, csr, uimm")
def csrrci(cpu: Cpu, rd: Bits, uimm: Bits, csr: Bits) -> None:
    """Clear the bits of a five-bit immediate in a CSR; with zero, only read it."""
    access(cpu, rd, csr, uimm != 0, lambda: csr_update_base(cpu, csr) & ~uimm.zext(cpu.xlen))
