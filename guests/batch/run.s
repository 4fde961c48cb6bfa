# Running a job: to the monitor, a job is a function that returns at each trap.

# run_job() -> a0: how the job ended (a text); job_exit has its code if it called EXIT
        .text
run_job:
        enter
        la      t0, frame
        addi    t1, t0, FRAME_PC
1:      sw      zero, 0(t0)
        addi    t0, t0, 4
        bltu    t0, t1, 1b
        lw      t1, job_entry
        sw      t1, 0(t0)
        li      t1, JOB_END
        sw      t1, frame + FRAME_SP, t0
        fence.i                         # its instructions have just been written

2:      call    enter_job
        li      t0, CAUSE_SERVICE
        bne     a0, t0, 3f
        call    service
        beqz    a0, 2b
        j       4f
3:      call    cause_text
4:      mv      s0, a0
        lw      t0, pages
        lw      t1, pages_before
        sub     t0, t0, t1
        sw      t0, job_pages, t1
        la      t0, normal_end
        beq     s0, t0, 5f
        mv      a0, s0
        call    print_dump
5:      mv      a0, s0
        leave

        .section .rodata
normal_end:
        .asciz  "ENDED NORMALLY"
