# Page faults. A program in U-mode stores into pages that nothing is mapped to; the kernel gives each
# of them a frame when the store has faulted, and takes the frames back when the program says so.
# The program is always paged; the kernel runs in M-mode, or in S-mode in the setting PAGED.
#
# A round is 64 pages; the checksum adds up what the program reads back.

        .equ    USERS, 1
        .equ    TABLES, 1
        .include "start.s"

        .equ    PAGES, 64
        .equ    DEMAND, 0x50000000      # where these pages are, in the program's addresses
        .equ    CAUSE_USER_ECALL, 8
        .equ    CAUSE_STORE_PAGE_FAULT, 15

# main(a0: rounds): links the table of the pages, collects the free frames, starts the program.
main:
        la      t0, trap
        write_csr tvec, t0
        la      t0, kernel_frame
        write_csr scratch, t0

        la      t0, root
        li      t1, DEMAND >> TABLE_SPAN_BITS << 2
        add     t0, t0, t1
        la      t1, table
        li      t2, PHYSICAL_TO_KERNEL
        sub     t1, t1, t2
        srli    t1, t1, 2
        ori     t1, t1, PTE_V
        sw      t1, 0(t0)
        sfence.vma

        la      t0, free                # an entry of the list is a leaf that maps the frame
        la      t1, frames
        sub     t1, t1, t2
        srli    t1, t1, 2
        ori     t1, t1, PTE_V | PTE_RW | PTE_U | PTE_AD
        li      t2, PAGES
1:      sw      t1, 0(t0)
        addi    t0, t0, 4
        addi    t1, t1, PTE_NEXT_PAGE
        addi    t2, t2, -1
        bnez    t2, 1b
        sw      t0, free_end, t1

        la      t1, program
        enter_user t1

# -- the program ---------------------------------------------------------------------------------

# It asks for its pages to be dropped with a7 = 0, and ends the run with a7 = 1 and a checksum in a0.
program:
        mv      s0, a0
        li      a0, 0
        li      s1, DEMAND
        li      s2, DEMAND + PAGES * PAGE
        li      s3, PAGE
round:
        mv      t0, s1
        li      t1, 1
1:      sw      t1, 0(t0)               # faults
        addi    t1, t1, 1
        add     t0, t0, s3
        bne     t0, s2, 1b
        mv      t0, s1
2:      lw      t1, 0(t0)
        add     a0, a0, t1
        add     t0, t0, s3
        bne     t0, s2, 2b
        li      a7, 0
        ecall
        addi    s0, s0, -1
        bnez    s0, round
        li      a7, 1
        ecall

# -- the kernel ----------------------------------------------------------------------------------

# A trap. The scratch register holds the kernel's frame while the program runs.
        .balign 4
trap:
        swap_csr sp, scratch
        sw      t0, 0(sp)
        sw      t1, 4(sp)
        sw      t2, 8(sp)
        sw      t3, 12(sp)
        read_csr t0, cause
        li      t1, CAUSE_STORE_PAGE_FAULT
        beq     t0, t1, fault
        li      t1, CAUSE_USER_ECALL
        bne     t0, t1, unexpected
        bnez    a7, finish

drop:
        la      t0, table               # every frame goes back to the list
        lw      t1, free_end
        li      t2, PAGES
1:      lw      t3, 0(t0)
        sw      zero, 0(t0)
        sw      t3, 0(t1)
        addi    t0, t0, 4
        addi    t1, t1, 4
        addi    t2, t2, -1
        bnez    t2, 1b
        sw      t1, free_end, t0
        sfence.vma
        read_csr t0, epc                # go on behind the ecall
        addi    t0, t0, 4
        write_csr epc, t0
        j       leave

fault:
        read_csr t0, tval
        li      t1, DEMAND
        bltu    t0, t1, unexpected
        li      t1, DEMAND + PAGES * PAGE
        bgeu    t0, t1, unexpected
        lw      t1, free_end            # the last frame of the list
        addi    t1, t1, -4
        sw      t1, free_end, t2
        lw      t1, 0(t1)
        srli    t2, t0, 12
        andi    t2, t2, PAGES - 1
        slli    t2, t2, 2
        la      t3, table
        add     t3, t3, t2
        sw      t1, 0(t3)
        sfence.vma t0                   # the store is made again

leave:
        lw      t0, 0(sp)
        lw      t1, 4(sp)
        lw      t2, 8(sp)
        lw      t3, 12(sp)
        swap_csr sp, scratch
        return_from_trap

        .bss
        .balign PAGE
table:  .space  PAGE
frames: .space  PAGES * PAGE
kernel_frame:
        .space  16
free:   .space  PAGES * 4
free_end:
        .space  4                       # the address behind the list's last entry
