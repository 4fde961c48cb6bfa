# The round trip of a trap: storage that a VMM's shadow tables do not map yet, or not any more. A
# round makes the VMM drop its tables, by a write to a PMP register, or to a page table in the
# setting PAGED; then it reads a word of each of 256 pages. The checksum adds up the words.

        .include "start.s"

        .equ    PAGES, 256

main:
        la      a2, root_or_pages
        li      a1, 0                   # the checksum
        li      t2, PAGE
1:      .if     PAGED
        lw      t0, 0(a2)
        sw      t0, 0(a2)
        .else
        csrw    pmpaddr1, zero
        nop
        .endif
        la      a3, pages
        li      t0, PAGES
2:      lw      t1, 0(a3)
        add     a1, a1, t1
        add     a3, a3, t2
        addi    t0, t0, -1
        bnez    t0, 2b
        addi    a0, a0, -1
        bnez    a0, 1b
        mv      a0, a1
        ret

        .if     PAGED
        .equ    root_or_pages, root
        .else
        .equ    root_or_pages, pages
        .endif

        .data
        .balign PAGE
pages:  .rept   PAGES
        .word   1
        .space  PAGE - 4
        .endr
