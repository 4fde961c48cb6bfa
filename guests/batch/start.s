# From reset to the batch, and the ways to stop.

        .text
        .globl  _start
_start:
        la      sp, stack_top
        la      t0, unfit
        csrw    mtvec, t0

        la      t0, bss_start           # all of the monitor's variables begin as zero
        la      t1, bss_end
1:      bgeu    t0, t1, 2f
        sw      zero, 0(t0)
        addi    t0, t0, 4
        j       1b

# The fence round the jobs. U-mode may access what a PMP entry allows, and nothing else.
2:      li      t0, PMP_JOB_ADDRESS
        csrw    pmpaddr0, t0
        csrr    t1, pmpaddr0
        bne     t0, t1, unfit
        li      t0, PMP_JOB
        csrw    pmpcfg0, t0
        csrw    mcounteren, zero        # a job learns the time from the monitor only
        li      t0, MSTATUS_TW          # MPP = U; MIE = 0: the monitor is never interrupted
        csrw    mstatus, t0

        la      t0, frame
        csrw    mscratch, t0
        la      t0, trap_entry
        csrw    mtvec, t0

        li      t0, PLIC_PRIORITY       # the devices' interrupts only serve to end a WFI
        li      t1, 1
        sw      t1, 4 * 12(t0)
        sw      t1, 4 * 13(t0)
        sw      t1, 4 * 14(t0)
        li      t0, PLIC_ENABLE
        li      t1, 1 << 12 | 1 << 13 | 1 << 14
        sw      t1, 0(t0)
        li      t0, PLIC_CONTEXT
        sw      zero, PLIC_THRESHOLD(t0)

        call    batch
        li      a0, PASS
        j       stop

# A trap on the way here: the machine has no U-mode or no PMP, and a job could not be kept in.
        .align  2
unfit:
        la      sp, stack_top
        la      t0, stop_at_once
        csrw    mtvec, t0
        put     "THIS MACHINE HAS NO USER MODE OR NO STORAGE PROTECTION: NO BATCH"
        call    print_line
        li      a0, FAIL | 1 << 16
        j       stop

# A trap in the monitor itself: there is an error in it, and nothing can be trusted any more.
monitor_failed:
        la      sp, stack_top
        la      t0, stop_at_once
        csrw    mtvec, t0
        call    clear_line
        put     "THE MONITOR HAS FAILED: "
        call    put_trap
        call    print_line
        .align  2
stop_at_once:
        li      a0, FAIL | 2 << 16

# stop(a0: word for the finisher): the end of the run.
stop:
        li      t0, FINISHER
        sw      a0, 0(t0)
1:      wfi
        j       1b

        .bss
        .align  4
        .space  1024
stack_top:
