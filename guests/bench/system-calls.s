# System calls. A program in U-mode asks a small kernel for its services; the kernel runs in M-mode,
# or in S-mode in the setting PAGED. A round is 16 times three calls; the checksum is the total that
# the kernel keeps, and the number of its calls.

        .equ    USERS, 1
        .include "start.s"

        .equ    CALLS, 16
        .equ    CAUSE_USER_ECALL, 8

        .equ    ADD, 0                  # services, by number in a7: add a0 to the total,
        .equ    TOTAL, 1                #   return the total,
        .equ    COUNT, 2                #   return how many calls there were,
        .equ    EXIT, 3                 #   end the run, with a checksum in a0
        .equ    SERVICES, 4

# main(a0: rounds): starts the program, which gets a0 from here.
main:
        la      t0, trap
        write_csr tvec, t0
        la      t0, frame
        write_csr scratch, t0
        la      t1, program
        enter_user t1

# -- the program ---------------------------------------------------------------------------------

program:
        mv      s0, a0
1:      li      s1, CALLS
2:      mv      a0, s1
        li      a7, ADD
        ecall
        li      a7, TOTAL
        ecall
        mv      s2, a0
        li      a7, COUNT
        ecall
        addi    s1, s1, -1
        bnez    s1, 2b
        addi    s0, s0, -1
        bnez    s0, 1b
        add     a0, a0, s2
        li      a7, EXIT
        ecall

# -- the kernel ----------------------------------------------------------------------------------

# A trap. The scratch register holds the kernel's frame while the program runs, and the program's
# stack pointer while the kernel does. A service may change t0 to t2, a0 and a7.
        .balign 4
trap:
        swap_csr sp, scratch
        sw      ra, 0(sp)
        sw      t0, 4(sp)
        sw      t1, 8(sp)
        sw      t2, 12(sp)
        read_csr t0, cause
        li      t1, CAUSE_USER_ECALL
        bne     t0, t1, unexpected
        li      t0, SERVICES
        bgeu    a7, t0, unexpected
        la      t0, services
        slli    a7, a7, 2
        add     t1, t0, a7
        lw      t1, 0(t1)               # a distance, so that it serves at any address
        add     t0, t0, t1
        la      t1, calls
        lw      t2, 0(t1)
        addi    t2, t2, 1
        sw      t2, 0(t1)
        jalr    t0
        read_csr t0, epc                # go on behind the ecall
        addi    t0, t0, 4
        write_csr epc, t0
        lw      ra, 0(sp)
        lw      t0, 4(sp)
        lw      t1, 8(sp)
        lw      t2, 12(sp)
        swap_csr sp, scratch
        return_from_trap

add_to_total:
        la      t0, total
        lw      t1, 0(t0)
        add     t1, t1, a0
        sw      t1, 0(t0)
        ret

get_total:
        lw      a0, total
        ret

get_count:
        lw      a0, calls
        ret

        .section .rodata
        .balign 4
services:
        .word   add_to_total - services, get_total - services
        .word   get_count - services, finish - services

        .data
        .balign 4
frame:  .space  16
total:  .word   0
calls:  .word   0
