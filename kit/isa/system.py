"""Calls, returns, waiting and fences of the privileged architecture. Chapter 3.3, 12.2."""

from __future__ import annotations

from functools import partial

from kit.bits import Bits
from kit.isa.cpu import Cpu, M, S, Trap, U
from kit.isa.encoding import instruction
from kit.isa.trap import illegal_instruction, return_from

system = partial(instruction, extension="")

TVM, TW, TSR = 20, 21, 22


@system("000000000000 00000 000 00000 1110011")
def ecall(cpu: Cpu) -> None:
    """Call the execution environment: traps with cause 8 (U), 9 (S) or 11 (M)."""
    raise Trap(cpu.mode.zext(cpu.xlen) + 8, cpu.word(0))


@system("000000000001 00000 000 00000 1110011")
def ebreak(cpu: Cpu) -> None:
    """Breakpoint: traps with cause 3; xtval is the instruction's address."""
    raise Trap(3, cpu.pc)


@system("001100000010 00000 000 00000 1110011", privilege="M")
def mret(cpu: Cpu) -> None:
    """Return from a trap handler of M-mode."""
    if cpu.mode != M:
        raise illegal_instruction(cpu)
    return_from(cpu, M)


@system("000100000010 00000 000 00000 1110011", privilege="S")
def sret(cpu: Cpu) -> None:
    """Return from a trap handler of S-mode; in S-mode itself only while mstatus.TSR is clear."""
    if not cpu.config.has_s:
        raise illegal_instruction(cpu)
    if (cpu.mode == U) | ((cpu.mode == S) & cpu.mstatus[TSR]):
        raise illegal_instruction(cpu)
    return_from(cpu, S)


@system("000100000101 00000 000 00000 1110011", privilege="S")
def wfi(cpu: Cpu) -> None:
    """Wait for an interrupt; in S-mode only while mstatus.TW is clear, in U-mode never."""
    if (cpu.mode == U) | ((cpu.mode == S) & cpu.mstatus[TW]):
        raise illegal_instruction(cpu)
    cpu.waiting = 1


@system("0001001 rs2 rs1 000 00000 1110011", "rs1, rs2", privilege="S")
def sfence_vma(cpu: Cpu, rs1: Bits, rs2: Bits) -> None:
    """Order table writes before later translations; without a TLB there is nothing to do."""
    if not cpu.config.has_s:
        raise illegal_instruction(cpu)
    if (cpu.mode == U) | ((cpu.mode == S) & cpu.mstatus[TVM]):
        raise illegal_instruction(cpu)
