# Into a job and out again: the monitor's own stack waits while the job runs.

        .text
# enter_job(frame): begins a job. Returns what leave_job is given.
        .globl  enter_job
enter_job:
        addi    sp, sp, -64
        sw      ra, 0(sp)
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
        sw      s\n, 4+4*\n(sp)
        .endr
        la      t0, monitor_sp
        sw      sp, 0(t0)
        tail    go_on

# leave_job(how): ends the job. Called from its last trap, whose stack is given up.
        .globl  leave_job
leave_job:
        la      t0, monitor_sp
        lw      sp, 0(t0)
        lw      ra, 0(sp)
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
        lw      s\n, 4+4*\n(sp)
        .endr
        addi    sp, sp, 64
        ret

        .bss
        .balign 4
monitor_sp:
        .space  4
