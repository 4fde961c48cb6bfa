# LOOP: counts in s0, for ever.
# The monitor ends it when its time is over; the dump shows how far it came.
        .text
        .globl  _start
_start:
        addi    s0, s0, 1
        j       _start
