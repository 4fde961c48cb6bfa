# The line that is being made up. What does not fit into it is dropped.

# put_bytes(a0, a1: address and number): puts bytes at the end of the line.
        .text
put_bytes:
        la      t0, line_length
        lw      t1, 0(t0)
        li      a2, LINE
        sub     a2, a2, t1
        bleu    a2, a1, 1f
        mv      a2, a1
1:      mv      a1, a0
        la      a0, line
        add     a0, a0, t1
        add     t1, t1, a2
        sw      t1, 0(t0)
        j       copy

# put_string(a0: bytes that end with a zero)
put_string:
        mv      a1, a0
1:      lbu     t0, 0(a1)
        addi    a1, a1, 1
        bnez    t0, 1b
        sub     a1, a1, a0
        addi    a1, a1, -1
        j       put_bytes

# put_signed(a0): in decimal, with a sign if it is negative.
put_signed:
        enter
        mv      s0, a0
        bgez    a0, 1f
        put     "-"
        neg     s0, s0
1:      mv      a0, s0
        call    put_number
        leave

# put_number(a0): in decimal.
put_number:
        li      a1, 1

# put_digits(a0, a1: least number of digits): in decimal, with leading zeros where needed.
put_digits:
        li      a2, 10
        j       put_in_base

# put_hex(a0): as a word of eight hexadecimal digits.
put_hex:
        li      a1, 8
        li      a2, 16

# put_in_base(a0, a1: least number of digits, up to 10; a2: base)
put_in_base:
        enter
        addi    sp, sp, -16
        addi    t0, sp, 16              # digits are made from the right
1:      remu    t1, a0, a2
        divu    a0, a0, a2
        addi    t1, t1, '0'
        li      t2, '9'
        bleu    t1, t2, 2f
        addi    t1, t1, 'A' - '9' - 1
2:      addi    t0, t0, -1
        sb      t1, 0(t0)
        addi    a1, a1, -1
        bgtz    a1, 1b
        bnez    a0, 1b
        mv      a0, t0
        addi    a1, sp, 16
        sub     a1, a1, t0
        call    put_bytes
        addi    sp, sp, 16
        leave

# put_printable(a0, a1): as put_bytes, with a point for what cannot be printed.
put_printable:
        enter
        mv      s0, a0
        add     s1, a0, a1
1:      bgeu    s0, s1, 3f
        lbu     t0, 0(s0)
        addi    t0, t0, -' '
        li      t1, '~' - ' '
        mv      a0, s0
        bleu    t0, t1, 2f
        la      a0, point
2:      li      a1, 1
        call    put_bytes
        addi    s0, s0, 1
        j       1b
3:      leave

# clear_line(): throws away what is in the line.
clear_line:
        sw      zero, line_length, t0
        ret

# copy(a0: to, a1: from, a2: number of bytes)
copy:
        add     a2, a2, a0
        bgeu    a0, a2, 2f
1:      lbu     t0, 0(a1)
        sb      t0, 0(a0)
        addi    a0, a0, 1
        addi    a1, a1, 1
        bltu    a0, a2, 1b
2:      ret

        .section .rodata
point:  .ascii  "."

        .bss
        .align  2
line:   .space  LINE
line_length:
        .space  4
