"""What the kernel must get right that random programs seldom meet."""

from __future__ import annotations

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
