# The line printer: paper in pages of PAGE_LINES lines.

# print_line(): prints what was put into the line, on a new page if this one is full.
# The line is empty afterwards. The printer prints while the monitor goes on.
        .text
print_line:
        enter
        lw      t0, lines_on_page
        li      t1, PAGE_LINES
        bltu    t0, t1, 1f
        call    eject
1:      put     "   "                   # whole words only: each access to a device costs
        lw      s0, line_length
        andi    s0, s0, -4

        la      t0, line
        add     s0, s0, t0
        li      a0, PRINTER
        addi    t1, a0, BUFFER          # blank since the last line
2:      bgeu    t0, s0, 3f
        lw      t2, 0(t0)
        sw      t2, 0(t1)
        addi    t0, t0, 4
        addi    t1, t1, 4
        j       2b
3:      call    await
        li      t0, PRINT_LINE
        sw      t0, COMMAND(a0)
        sw      zero, line_length, t0

        la      t0, lines_on_page
        lw      t1, 0(t0)
        addi    t2, t1, 1
        sw      t2, 0(t0)
        bnez    t1, 4f
        la      t0, pages               # the page's first line
        lw      t1, 0(t0)
        addi    t1, t1, 1
        sw      t1, 0(t0)
4:      leave

# eject(): the next line comes at the top of a page. Does nothing if it does so already.
eject:
        enter
        lw      t0, lines_on_page
        beqz    t0, 1f
        li      a0, PRINTER
        call    await
        li      t0, EJECT_PAGE
        sw      t0, COMMAND(a0)
        sw      zero, lines_on_page, t0
1:      leave

        .bss
        .align  2
lines_on_page:
        .space  4
pages:  .space  4                       # that have a line, since the beginning
