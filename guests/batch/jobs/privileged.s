# PROMOTE: wants to go on in M-mode, which no job may.
# The instruction traps, in U-mode, as every privileged one does.
        .include "../interface.s"

        .data
warning:
        .ascii  "NOW I MAKE MYSELF THE MONITOR"
        .equ    WARNING, . - warning

        .text
        .globl  _start
_start:
        la      a0, warning
        li      a1, WARNING
        li      a7, PRINT
        ecall
        la      t0, 1f
        csrw    mepc, t0
        li      t0, 3 << 11
        csrw    mstatus, t0
        mret
1:      li      a0, 1
        li      a7, EXIT
        ecall
