# The dump of a job that ended badly.

        .equ    CAUSES, 9               # entries of cause_texts

# print_dump(a0: how the job ended)
        .text
print_dump:
        enter
        mv      s0, a0
        call    print_line
        put     "*** "
        mv      a0, s0
        call    put_string
        call    print_line
        call    print_line
        call    put_trap
        call    print_line
        call    put_instruction
        call    print_line
        call    print_line
        call    print_registers
        put     "STORAGE AROUND PC"
        lw      a0, frame + FRAME_PC
        call    print_storage
        put     "STORAGE AROUND SP"
        lw      a0, frame + FRAME_SP
        call    print_storage
        leave

# cause_text() -> a0: the cause of the job's last trap in words
cause_text:
        lw      t0, frame + FRAME_CAUSE
        la      a0, timer_text
        bltz    t0, 1f                  # only the timer interrupts
        li      t1, CAUSES
        la      a0, other_text
        bgeu    t0, t1, 1f
        slli    t0, t0, 2
        la      t1, cause_texts
        add     t1, t1, t0
        lw      a0, 0(t1)
1:      ret

# put_trap(): cause, pc and trap value.
put_trap:
        enter
        put     "PC "
        lw      a0, frame + FRAME_PC
        call    put_hex
        put     "   MCAUSE "
        lw      a0, frame + FRAME_CAUSE
        call    put_hex
        put     " "
        call    cause_text
        call    put_string
        put     "   MTVAL "
        lw      a0, frame + FRAME_VALUE
        call    put_hex
        leave

# put_instruction(): the instruction at pc, if the job can have fetched it.
put_instruction:
        enter
        lw      s0, frame + FRAME_PC
        put     "INSTRUCTION "
        mv      a0, s0
        li      a1, 2
        call    in_job_storage
        beqz    a0, 1f
        lhu     s1, 0(s0)
        li      a1, 4
        andi    t0, s1, 3
        addi    t0, t0, -3
        bnez    t0, 2f
        addi    a0, s0, 2
        li      a1, 2
        call    in_job_storage
        beqz    a0, 1f
        lhu     t0, 2(s0)
        slli    t0, t0, 16
        or      s1, s1, t0
        li      a1, 8
2:      mv      a0, s1
        li      a2, 16
        call    put_in_base
        leave
1:      put     "NOT IN THE JOB'S STORAGE"
        leave

# print_registers(): four to a line.
print_registers:
        enter
        li      s0, 0
1:      slli    s1, s0, 2
        la      a0, register_names
        add     a0, a0, s1
        li      a1, 4
        call    put_bytes
        put     " "
        la      t0, frame
        add     t0, t0, s1
        lw      a0, 0(t0)
        call    put_hex
        addi    s0, s0, 1
        andi    t0, s0, 3
        beqz    t0, 2f
        put     "     "
        j       1b
2:      call    print_line
        li      t0, 32
        bltu    s0, t0, 1b
        call    print_line
        leave

# print_storage(a0: address): the title in the line, then the storage around an address.
print_storage:
        enter
        andi    s0, a0, -16
        addi    s0, s0, -32
        addi    s1, s0, 16 * 5
        call    print_line
1:      mv      a0, s0
        li      a1, 16
        call    in_job_storage
        beqz    a0, 2f
        mv      a0, s0
        call    print_paragraph
2:      addi    s0, s0, 16
        bne     s0, s1, 1b
        call    print_line
        leave

# print_paragraph(a0: address, a multiple of 16, in the job's storage): 16 bytes.
print_paragraph:
        enter
        mv      s0, a0
        addi    s1, a0, 16
        call    put_hex
        put     " "
1:      put     " "
        lw      a0, 0(s0)
        call    put_hex
        addi    s0, s0, 4
        bltu    s0, s1, 1b
        put     "  *"
        addi    a0, s0, -16
        li      a1, 16
        call    put_printable
        put     "*"
        call    print_line
        leave

        .section .rodata
register_names:
        .ascii  "ZERORA  SP  GP  TP  T0  T1  T2  S0  S1  A0  A1  A2  A3  A4  A5  "
        .ascii  "A6  A7  S2  S3  S4  S5  S6  S7  S8  S9  S10 S11 T3  T4  T5  T6  "

        .align  2
cause_texts:
        .word   cause_0, cause_1, cause_2, cause_3, cause_4, cause_5, cause_6, cause_7, cause_8
cause_0:
        .asciz  "INSTRUCTION ADDRESS MISALIGNED"
cause_1:
        .asciz  "INSTRUCTION FETCH OUTSIDE THE JOB'S STORAGE"
cause_2:
        .asciz  "ILLEGAL OR PRIVILEGED INSTRUCTION"
cause_3:
        .asciz  "BREAKPOINT"
cause_4:
        .asciz  "LOAD ADDRESS MISALIGNED"
cause_5:
        .asciz  "LOAD FROM OUTSIDE THE JOB'S STORAGE"
cause_6:
        .asciz  "STORE ADDRESS MISALIGNED"
cause_7:
        .asciz  "STORE OUTSIDE THE JOB'S STORAGE"
cause_8:
        .asciz  "SERVICE CALL"
timer_text:
        .asciz  "TIME LIMIT EXCEEDED"
other_text:
        .asciz  "UNKNOWN TRAP"
