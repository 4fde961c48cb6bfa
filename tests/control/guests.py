"""Small guests for the tests of what is around the kernel."""

from __future__ import annotations

import functools

from kit.isa.assembler import assemble
from kit.isa.image import Image

UART, FINISHER, PRINTER, READER, CLINT = 0x10000000, 0x100000, 0x10011000, 0x10010000, 0x2000000
HALT = f"""
        li t0, {FINISHER}
        li t1, 0x5555
        sw t1, 0(t0)
    9:  j 9b
"""

SPINNER = "1: j 1b"
"""Never waits, never ends."""

TALKER = f"""
        li s0, 6                # lines, each after some work
    1:  li t0, 700
    2:  addi t0, t0, -1
        bnez t0, 2b
        li t0, {UART}
        addi t1, s0, 'a'
        sb t1, 0(t0)
        li t1, '\\n'
        sb t1, 0(t0)
        addi s0, s0, -1
        bnez s0, 1b
        {HALT}
"""
"""Works and sends g, f, e, d, c, b, a line each."""

CRASHER = f"""
        li t0, {UART}
        li t1, '!'
        sb t1, 0(t0)
        csrw mtvec, zero
        csrw satp, t1
        lw t1, 0(zero)          # no storage there, nor where the trap handler should be
    1:  j 1b
"""
"""Sends one byte, and traps for ever afterwards."""

CLERK = f"""
        li s0, 4                # lines of paper
        li s1, {PRINTER}
        li s2, {CLINT} + 0x4000
        li t0, 0x80
        csrw mie, t0            # the timer ends a wait; interrupts stay off
    1:  addi t1, s0, '0'
        sb t1, 0x80(s1)
        li t1, 1
        sw t1, 4(s1)
        rdtime t0
        li t1, 5000
        add t0, t0, t1
        sw t0, 0(s2)
        wfi
        addi s0, s0, -1
        bnez s0, 1b
        {HALT}
"""
"""Prints 4, 3, 2, 1, and waits 5,000 ticks after each line."""

SLEEPER = """
        csrw mie, zero
    1:  wfi
        j 1b
"""
"""Waits for ever."""

ECHO = f"""
        li s0, {UART}
        li t0, 1
        sb t0, 1(s0)            # interrupt for received bytes
        li t0, 0xC002000
        li t1, 1 << 10
        sw t1, 0(t0)            # enabled in the PLIC, with a priority
        li t0, 0xC000000 + 40
        li t1, 1
        sw t1, 0(t0)
        li t0, 0x800
        csrw mie, t0
        li s1, 0xC200004
        li s2, 'q'
    1:  wfi
        lw s3, 0(s1)
    2:  lbu t0, 5(s0)
        andi t0, t0, 1
        beqz t0, 3f
        lbu t1, 0(s0)
        beq t1, s2, 4f
        sb t1, 0(s0)
        j 2b
    3:  sw s3, 0(s1)
        j 1b
    4:  {HALT}
"""
"""Sends back what is typed, until a q."""

COPIER = f"""
        li s0, {READER}
        li s1, {PRINTER}
    1:  li t0, 1
        sw t0, 4(s0)
    2:  lw t0, 0(s0)
        andi t1, t0, 2
        beqz t1, 2b
        andi t1, t0, 4
        bnez t1, 4f
        li t0, 20
        addi t2, s0, 0x80
        addi t3, s1, 0x80
    3:  lw t1, 0(t2)
        sw t1, 0(t3)
        addi t2, t2, 4
        addi t3, t3, 4
        addi t0, t0, -1
        bnez t0, 3b
        li t0, 1
        sw t0, 4(s1)
    5:  lw t0, 0(s1)
        andi t0, t0, 2
        beqz t0, 5b
        j 1b
    4:  {HALT}
"""
"""Prints the cards in its reader, then halts."""


@functools.cache
def image(source: str) -> Image:
    """The assembled guest."""
    return assemble(source)
