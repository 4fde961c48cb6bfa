# The context switch: switch_context(save, load) leaves on one stack and returns on another.

        .text
        .globl  switch_context
switch_context:
        sw      ra, 0(a0)
        sw      sp, 4(a0)
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
        sw      s\n, 8+4*\n(a0)
        .endr

        lw      ra, 0(a1)
        lw      sp, 4(a1)
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
        lw      s\n, 8+4*\n(a1)
        .endr
        .globl  switch_end
switch_end:
        ret
