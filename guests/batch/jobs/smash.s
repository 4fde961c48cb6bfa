# SMASH: writes into the monitor.
# The store traps, and the monitor's first instruction stays what it was.
        .include "../interface.s"

        .equ    MONITOR, 0x80000000

        .data
warning:
        .ascii  "NOW I WRITE INTO THE MONITOR"
        .equ    WARNING, . - warning
victory:
        .ascii  "THE MONITOR IS MINE"
        .equ    VICTORY, . - victory

        .text
        .globl  _start
_start:
        la      a0, warning
        li      a1, WARNING
        li      a7, PRINT
        ecall
        li      t0, MONITOR
        li      t1, 0xdeadbeef
        sw      t1, 0(t0)

        la      a0, victory
        li      a1, VICTORY
        li      a7, PRINT
        ecall
        li      a0, 1
        li      a7, EXIT
        ecall
