# Context switches. Two tasks in U-mode take turns: each gives up the processor by a system call,
# and the kernel saves all of its registers and loads the other's. The kernel runs in M-mode, or in
# S-mode in the setting PAGED; the tasks share one address space. They yield, rather than be
# interrupted by a timer, so that the load is the same on machines with clocks of different speed.
#
# In a round each task has 16 turns; the checksum adds up what both have counted.

        .equ    USERS, 1
        .include "start.s"

        .equ    TURNS, 16
        .equ    CAUSE_USER_ECALL, 8

        .equ    OTHER, 0                # a frame: the other task's frame, in the place of x0,
        .equ    SP, 4 * 2               #   x1 to x31
        .equ    A0, 4 * 10
        .equ    EPC, 4 * 32             #   and the pc
        .equ    FRAME, 4 * 33

# each_register load_or_store: for x1 to x31, except for sp, with sp as the frame's address.
        .macro  each_register instruction
        \instruction x1, 4(sp)
        .irp    n, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24
        \instruction x\n, 4 * \n(sp)
        .endr
        .irp    n, 25, 26, 27, 28, 29, 30, 31
        \instruction x\n, 4 * \n(sp)
        .endr
        .endm

# main(a0: rounds): makes the frames, and goes on as the first task.
main:
        la      t0, trap
        write_csr tvec, t0
        la      t0, first
        la      t1, second
        sw      t1, OTHER(t0)
        sw      t0, OTHER(t1)
        write_csr scratch, t0
        la      t2, second_task
        li      t3, KERNEL_TO_USER
        add     t2, t2, t3
        sw      t2, EPC(t1)
        la      t1, first_task
        enter_user t1

# -- the tasks -----------------------------------------------------------------------------------

# A task yields with a7 = 0; the first one ends the run with a7 = 1 and a checksum in a0.
first_task:
        mv      s0, a0
        li      a0, 0
1:      li      s1, TURNS
2:      add     a0, a0, s1
        li      a7, 0
        ecall
        addi    s1, s1, -1
        bnez    s1, 2b
        addi    s0, s0, -1
        bnez    s0, 1b
        li      a7, 1
        ecall

second_task:
        addi    a0, a0, 3
        li      a7, 0
        ecall
        j       second_task

# -- the kernel ----------------------------------------------------------------------------------

# A trap. The scratch register holds the frame of the task that runs.
        .balign 4
trap:
        swap_csr sp, scratch
        each_register sw
        read_csr t0, scratch
        sw      t0, SP(sp)
        read_csr t0, epc
        addi    t0, t0, 4               # go on behind the ecall
        sw      t0, EPC(sp)
        read_csr t0, cause
        li      t1, CAUSE_USER_ECALL
        bne     t0, t1, unexpected
        bnez    a7, exit

        lw      sp, OTHER(sp)
        write_csr scratch, sp
        lw      t0, EPC(sp)
        write_csr epc, t0
        each_register lw
        lw      sp, SP(sp)
        return_from_trap

exit:
        lw      sp, OTHER(sp)
        lw      t0, A0(sp)              # what the second task has counted
        add     a0, a0, t0
        j       finish

        .bss
        .balign 4
first:  .space  FRAME
second: .space  FRAME
