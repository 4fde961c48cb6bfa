# Start-up in M-mode, for a kernel in S-mode. M-mode gives everything away but the clock's
# interrupt, which it passes on: the S-mode of this machine cannot have one of its own.

#include "machine.h"

        .equ    STACK_SIZE, 16384

        .section .text.start, "ax"
        .globl  _start
_start:
        bnez    a0, park                # one hart is enough; on QEMU there may be more
        li      t0, -1
        csrw    pmpaddr0, t0            # S-mode and U-mode may use all of storage: from here on
        li      t0, PMP_NAPOT | PMP_R | PMP_W | PMP_X   # page tables say what is whose
        csrw    pmpcfg0, t0
        li      t0, ~(1 << CAUSE_ECALL_S)
        csrw    medeleg, t0             # all traps go to S-mode,
        li      t0, INTERRUPT_SSI | INTERRUPT_STI | INTERRUPT_SEI
        csrw    mideleg, t0             # and all interrupts that S-mode knows
        la      t0, machine_trap
        csrw    mtvec, t0
        la      t0, saved
        csrw    mscratch, t0
        li      t0, INTERRUPT_MTI
        csrw    mie, t0

        li      t0, MSTATUS_MPP
        csrc    mstatus, t0
        li      t0, MSTATUS_MPP_S
        csrs    mstatus, t0
        la      t0, supervisor
        csrw    mepc, t0
        mret

supervisor:
        la      sp, stack_top
        la      t0, trap_entry
        csrw    stvec, t0
        csrw    sscratch, zero          # trap_entry: "the stack is mine already"
        la      t0, bss_start
        la      t1, bss_end
1:      bgeu    t0, t1, 2f
        sw      zero, 0(t0)
        addi    t0, t0, 4
        j       1b
2:      call    main                    # main(hart, device tree)
        tail    power_off

park:   wfi
        j       park

# The clock's interrupt becomes S-mode's software interrupt. The alarm is switched off; S-mode sets
# the next one. Any other trap would be a mistake in the kernel: the machine is switched off.
        .balign 4
machine_trap:
        csrrw   a0, mscratch, a0        # a0 = saved
        sw      a1, 0(a0)
        sw      a2, 4(a0)
        csrr    a1, mcause
        bgez    a1, unexpected
        li      a1, CLINT + 0x4000      # mtimecmp
        li      a2, -1
        sw      a2, 0(a1)
        sw      a2, 4(a1)
        csrsi   mip, INTERRUPT_SSI
        lw      a1, 0(a0)
        lw      a2, 4(a0)
        csrrw   a0, mscratch, a0
        mret

unexpected:
        li      a0, 2
        tail    power_off

        .bss
        .balign 4
saved:  .space  8

        .section .stack, "aw", @nobits
        .balign 16
stack_bottom:
        .space  STACK_SIZE
        .globl  stack_bottom, stack_top
stack_top:
