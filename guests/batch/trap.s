# The way into a job and the way back.
#
# While the job runs, mscratch holds the address of the frame, which keeps what belongs to whoever
# is not running: the job's registers, or the monitor's sp.

        .equ    FRAME_SP, 4 * 2         # register number n is at 4 n
        .equ    FRAME_A0, 4 * 10
        .equ    FRAME_A1, 4 * 11
        .equ    FRAME_A7, 4 * 17
        .equ    FRAME_PC, 4 * 32
        .equ    FRAME_CAUSE, 4 * 33
        .equ    FRAME_VALUE, 4 * 34
        .equ    FRAME_MONITOR_SP, 4 * 35

# enter_job() -> a0: mcause of the trap that ended the job's turn
#
# Keeps sp only. The timer is set for what is left of the job's time; its interrupt is the only one
# that can come. The job pays from here to its trap.
        .text
enter_job:
        addi    sp, sp, -16
        sw      ra, 0(sp)
        sw      sp, frame + FRAME_MONITOR_SP, t0

        lw      t0, job_limit
        lw      t1, job_used
        sub     t0, t0, t1              # negative, if there is nothing left
1:      rdtimeh t2
        rdtime  t1
        rdtimeh t3
        bne     t2, t3, 1b
        sw      t1, turn_started, t3
        srai    t3, t0, 31
        add     t0, t0, t1
        sltu    t1, t0, t1
        add     t2, t2, t3
        add     t2, t2, t1
        li      t1, MTIMECMP
        li      t3, -1
        sw      t3, 4(t1)               # no moment in between at which it is reached
        sw      t0, 0(t1)
        sw      t2, 4(t1)
        li      t0, MIE_MTIE
        csrw    mie, t0

        la      sp, frame
        lw      t0, FRAME_PC(sp)
        csrw    mepc, t0                # mstatus.MPP is U, since start and since each trap
        lw      x1, 4 * 1(sp)
        lw      x3, 4 * 3(sp)
        lw      x4, 4 * 4(sp)
        lw      x5, 4 * 5(sp)
        lw      x6, 4 * 6(sp)
        lw      x7, 4 * 7(sp)
        lw      x8, 4 * 8(sp)
        lw      x9, 4 * 9(sp)
        lw      x10, 4 * 10(sp)
        lw      x11, 4 * 11(sp)
        lw      x12, 4 * 12(sp)
        lw      x13, 4 * 13(sp)
        lw      x14, 4 * 14(sp)
        lw      x15, 4 * 15(sp)
        lw      x16, 4 * 16(sp)
        lw      x17, 4 * 17(sp)
        lw      x18, 4 * 18(sp)
        lw      x19, 4 * 19(sp)
        lw      x20, 4 * 20(sp)
        lw      x21, 4 * 21(sp)
        lw      x22, 4 * 22(sp)
        lw      x23, 4 * 23(sp)
        lw      x24, 4 * 24(sp)
        lw      x25, 4 * 25(sp)
        lw      x26, 4 * 26(sp)
        lw      x27, 4 * 27(sp)
        lw      x28, 4 * 28(sp)
        lw      x29, 4 * 29(sp)
        lw      x30, 4 * 30(sp)
        lw      x31, 4 * 31(sp)
        lw      x2, 4 * 2(sp)
        mret

# Every trap comes here.
        .align  2
trap_entry:
        csrrw   sp, mscratch, sp
        sw      x1, 4 * 1(sp)
        sw      x3, 4 * 3(sp)
        sw      x4, 4 * 4(sp)
        sw      x5, 4 * 5(sp)
        rdtime  t0                      # the turn ends here
        sw      x6, 4 * 6(sp)
        sw      x7, 4 * 7(sp)
        sw      x8, 4 * 8(sp)
        sw      x9, 4 * 9(sp)
        sw      x10, 4 * 10(sp)
        sw      x11, 4 * 11(sp)
        sw      x12, 4 * 12(sp)
        sw      x13, 4 * 13(sp)
        sw      x14, 4 * 14(sp)
        sw      x15, 4 * 15(sp)
        sw      x16, 4 * 16(sp)
        sw      x17, 4 * 17(sp)
        sw      x18, 4 * 18(sp)
        sw      x19, 4 * 19(sp)
        sw      x20, 4 * 20(sp)
        sw      x21, 4 * 21(sp)
        sw      x22, 4 * 22(sp)
        sw      x23, 4 * 23(sp)
        sw      x24, 4 * 24(sp)
        sw      x25, 4 * 25(sp)
        sw      x26, 4 * 26(sp)
        sw      x27, 4 * 27(sp)
        sw      x28, 4 * 28(sp)
        sw      x29, 4 * 29(sp)
        sw      x30, 4 * 30(sp)
        sw      x31, 4 * 31(sp)
        csrrw   t1, mscratch, sp
        sw      t1, FRAME_SP(sp)
        csrr    t1, mepc
        sw      t1, FRAME_PC(sp)
        csrr    a0, mcause
        sw      a0, FRAME_CAUSE(sp)
        csrr    t1, mtval
        sw      t1, FRAME_VALUE(sp)
        csrr    t1, mstatus
        li      t2, MSTATUS_MPP
        and     t1, t1, t2
        bnez    t1, monitor_failed

        lw      t1, turn_started
        sub     t0, t0, t1
        la      t1, job_used
        lw      t2, 0(t1)
        add     t2, t2, t0
        sw      t2, 0(t1)

        lw      sp, FRAME_MONITOR_SP(sp)
        lw      ra, 0(sp)
        addi    sp, sp, 16
        ret

        .bss
        .align  2
frame:  .space  4 * 36
turn_started:
        .space  4
