# Three abbreviations.

# enter, leave: begin and end of a function that calls others. It may use s0, s1 and s2.
        .macro  enter
        addi    sp, sp, -16
        sw      ra, 12(sp)
        sw      s0, 8(sp)
        sw      s1, 4(sp)
        sw      s2, 0(sp)
        .endm

        .macro  leave
        lw      ra, 12(sp)
        lw      s0, 8(sp)
        lw      s1, 4(sp)
        lw      s2, 0(sp)
        addi    sp, sp, 16
        ret
        .endm

# put "text": puts the text at the end of the line. Like any call, it keeps s-registers only.
        .macro  put text
        .section .rodata
9:      .asciz  "\text"
        .text
        la      a0, 9b
        call    put_string
        .endm
