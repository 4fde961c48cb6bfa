"""Small guests for the tests of going back."""

from __future__ import annotations

from kit.isa.assembler import assemble
from kit.isa.image import Image

ECHO = """
        .equ UART, 0x10000000
        .equ PRINTER, 0x10011000
        .equ PLIC, 0xc000000
        la t0, handler
        csrw mtvec, t0
        li t0, 1
        li t1, PLIC
        sw t0, 40(t1)           # priority of source 10
        li t1, PLIC + 0x2000
        li t2, 1 << 10
        sw t2, 0(t1)
        li t1, UART
        sb t0, 1(t1)            # interrupt for each byte
        li t0, 0x800
        csrw mie, t0
        csrsi mstatus, 8
loop:   addi s0, s0, 1
        la t1, count
        sw s0, 0(t1)
        j loop
        .balign 4
handler:
        csrw mscratch, t0
        li a0, PLIC + 0x200004
        lw a1, 0(a0)
        li a2, UART
        lbu a3, 0(a2)
        sb a3, 0(a2)            # echo
        la a4, keys
        lw a5, 0(a4)
        xor a5, a5, s0          # depends on the very step
        slli a6, a5, 3
        add a5, a5, a6
        add a5, a5, a3
        sw a5, 0(a4)
        li a4, PRINTER
        sb a3, 0x80(a4)
        li a5, 1
        sw a5, 4(a4)            # a line of paper
        sw a1, 0(a0)
        csrr t0, mscratch
        mret
        .balign 4
count:  .word 0
keys:   .word 0
"""
"""Counts for ever; each key interrupts, is echoed and printed, and stirs the word `keys`."""

CALLS = """
        la t0, handler
        csrw mtvec, t0
        la t0, user
        csrw mepc, t0
        li t0, -1
        csrw pmpaddr0, t0
        li t0, 0x1f
        csrw pmpcfg0, t0
        mret
user:   addi s0, s0, 1
        la t1, count
        sw s0, 0(t1)
        mv a0, s0
        ecall
        j user
        .balign 4
handler:
        csrr t0, mepc
        addi t0, t0, 4
        csrw mepc, t0
        la t0, calls
        lw t1, 0(t0)
        addi t1, t1, 1
        sw t1, 0(t0)
        mret
        .balign 4
count:  .word 0
calls:  .word 0
"""
"""A program in U-mode calls its kernel for ever: a trap every dozen steps."""

PAGES = """
        .equ TABLE, 0x80002000
        la t0, handler
        csrw mtvec, t0
        li t0, -1
        csrw pmpaddr0, t0
        li t0, 0x1f
        csrw pmpcfg0, t0
        li s0, TABLE
        li t0, 0x20000000 | 0x0f        # 4 MiB at 0x80000000: without A and D as yet
        li t1, TABLE + 0x800
        sw t0, 0(t1)
        li t0, TABLE >> 2 | 1           # 0x400000: pages of this very table
        sw t0, 4(s0)
        li t0, 0x80003000 >> 2 | 7      # 0x400000 is 0x80003000
        sw t0, 0(s0)
        li t0, 0x80004000 >> 2 | 7      # 0x402000 is 0x80004000
        sw t0, 8(s0)
        li t0, 1 << 31 | TABLE >> 12
        csrw satp, t0
        li t0, 1 << 11
        csrs mstatus, t0
        la t0, user
        csrw mepc, t0
        mret
user:   li a0, 0x400ff8
        li a1, 0x402000
        li a2, 0x400000
1:      addi s1, s1, 1
        sb s1, 5(a0)
        sb s1, 6(a0)
        sh s1, 6(a0)
        sh s1, 4(a0)
        sw s1, 0(a0)
        sw s1, 4(a0)
        sb s1, 0(a1)
        sw s1, 4(a1)
        sw s1, 0(a2)
        amoadd.w a3, s1, (a2)
        lr.w a3, (a2)
        sc.w a3, s1, (a2)
        sw s1, 2(a2)                    # misaligned: a trap
        j 1b
        .balign 4
handler:
        csrr t0, mepc
        addi t0, t0, 4
        csrw mepc, t0
        mret
"""
"""In S-mode behind page tables, stores of all sizes, for ever; one of them traps."""


def program(source: str) -> Image:
    """The program, assembled."""
    return assemble(source)
