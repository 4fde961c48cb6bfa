"""What the kernel must get right that random programs seldom meet."""

from __future__ import annotations

import pytest

from kit import VMM, Machine
from kit.isa.assembler import assemble
from kit.machine.computer import Computer
from tests.vmm.test_equivalence import state


def pair(source: str) -> tuple[Machine, Computer]:
    """An assembled program on a bare machine and in a virtual one."""
    image = assemble(source)
    bare = Machine(modes="MU", memory="64K")
    bare.load(image)
    return bare, VMM(Machine(memory="512K")).create("guest", image, memory="64K")


def run_both(source: str, steps: int) -> Computer:
    """Runs a program both ways; both must end alike. Returns the virtual machine."""
    bare, virtual = pair(source)
    assert bare.run(steps) == virtual.run(steps)
    assert state(bare) == state(virtual)
    return virtual


def test_mprv_that_stays_in_machine_mode_is_carried_out() -> None:
    virtual = run_both(
        """
            li t0, 0x21800          # MPRV, with MPP = M
            csrw mstatus, t0
            la a0, data
            lw a1, 0(a0)
            sw a1, 4(a0)
        1:  j 1b
        data: .word 5, 6
        """,
        50,
    )
    assert virtual.register("a1") == 5


def test_protection_set_by_code_on_a_page_that_protection_cuts_holds_at_once() -> None:
    virtual = run_both(
        """
            la t0, refused
            csrw mtvec, t0
            la t0, data
            lw a1, 0(t0)            # the page of the data is mapped now
            li t0, 0x80000020 >> 2 | 1
            csrw pmpaddr1, t0       # a region within the page of this code: it is cut
            li t0, 0x1F00
            csrw pmpcfg0, t0
            nop
            li t0, 0x80004000 >> 2 | 0x1FF
            csrw pmpaddr0, t0
            li t0, 0x1F98           # locked, no right at all, on the data
            csrw pmpcfg0, t0
            la t0, data
            lw a2, 0(t0)
        1:  j 1b
            .align 2
        refused: csrr a3, mcause
        2:  j 2b
            .align 14
        data: .word 5
        """,
        60,
    )
    assert (virtual.register("a1"), virtual.register("a2"), virtual.register("a3")) == (5, 0, 5)


INTERRUPTED = """
        la t0, handler
        csrw mtvec, t0
        li t0, 0x88             # the timer's interrupt, pending since the reset
        csrw mie, t0
        csrsi mstatus, 8
interrupted:
        nop
1:      j 1b
        .align 2
handler: csrw mie, x0
        mret
"""


@pytest.mark.parametrize("name", ["interrupted", "handler"])
def test_a_breakpoint_ends_the_run_also_where_an_interrupt_comes(name: str) -> None:
    bare, virtual = pair(INTERRUPTED)
    for machine in (bare, virtual):
        machine.breakpoints = {machine.symbols[name]}
    for _ in range(4):
        assert bare.run(10) == virtual.run(10)
        assert state(bare) == state(virtual)


def test_a_machine_that_ends_under_a_guest_fails_it() -> None:
    _, virtual = pair("1: j 1b")
    virtual.kernel.machine.finisher.write(0, 4, 0x5555)  # type: ignore[attr-defined]
    assert virtual.run(100).reason == "stopped"
    assert "came to an end" in virtual.failure  # type: ignore[attr-defined]


def test_tables_stay_watched_when_the_pool_of_shadow_tables_runs_out() -> None:
    image = assemble(
        """
            .equ ROOT, 0x80008000
            .equ TABLE, 0x80009000
            li t0, -1
            csrw pmpaddr0, t0
            li t0, 0x1F
            csrw pmpcfg0, t0
            li t0, ROOT
            li t1, TABLE >> 2 | 1
            li t2, 100
        1:  sw t1, 0(t0)            # a hundred regions, all by one table
            addi t0, t0, 4
            addi t2, t2, -1
            bnez t2, 1b
            li t0, ROOT + 0x800
            li t1, 0x80000000 >> 2 | 0xCF
            sw t1, 0(t0)            # and this program where it is
            li s0, TABLE
            li s1, 0x8000A000 >> 2 | 0xC7
            sw s1, 0(s0)
            li t0, 0x8000A000
            li t1, 1
            sw t1, 0(t0)            # the two pages that the table leads to in turn hold 1 and 0
            li t0, 1 << 31 | ROOT >> 12
            csrw satp, t0
            li t0, 0x800
            csrw mstatus, t0
            la t0, supervisor
            csrw mepc, t0
            mret
        supervisor:
            li s3, 36               # the number of regions to be read before the table changes
            li s4, 0x400
            li s5, 0x400000
        2:  li s2, 0
            mv t0, s3
        3:  lw a0, 0(s2)
            add s2, s2, s5
            addi t0, t0, -1
            bnez t0, 3b
            sub s2, s2, s5
            xor s1, s1, s4
            sw s1, 0(s0)
            lw a1, 0(s2)
            beq a0, a1, 4f
            addi s3, s3, 1
            li t0, 60
            bne s3, t0, 2b
        4:  j 4b
        """
    )
    bare = Machine(memory="64K")
    bare.load(image)
    virtual = VMM(Machine(memory="512K")).create("guest", image, memory="64K")
    assert bare.run(10_000) == virtual.run(10_000)
    assert bare.register("s3") == 60
    assert state(bare) == state(virtual)
