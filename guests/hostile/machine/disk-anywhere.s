# Tries to have the disk read sectors to places that are not storage, or are the queue itself.
        .equ    DISK, 0x10001000
        .equ    QUEUE, 0x80004000
        .equ    HEADER, 0x80006000
        .globl  _start
_start: la      t0, handler
        csrw    mtvec, t0
        li      s0, DISK
        li      s1, QUEUE
        li      s3, 0                   # where the data are to go
again:  sw      zero, 0x70(s0)          # reset
        li      t0, 3
        sw      t0, 0x70(s0)
        li      t0, 4096
        sw      t0, 0x28(s0)
        sw      zero, 0x30(s0)
        li      t0, 8
        sw      t0, 0x38(s0)
        li      t0, 4096
        sw      t0, 0x3c(s0)
        li      t0, QUEUE >> 12
        sw      t0, 0x40(s0)
        li      t0, 7
        sw      t0, 0x70(s0)

        li      t0, HEADER              # a read of sector 0
        sw      zero, 0(t0)
        sw      zero, 8(t0)
        sw      zero, 12(t0)
        sw      t0, 0(s1)               # its descriptors: header, data, status
        sw      zero, 4(s1)
        li      t1, 16
        sw      t1, 8(s1)
        li      t1, 1 << 16 | 1
        sw      t1, 12(s1)
        sw      s3, 16(s1)
        sw      zero, 20(s1)
        li      t1, 512
        sw      t1, 24(s1)
        li      t1, 2 << 16 | 3
        sw      t1, 28(s1)
        sw      s3, 32(s1)
        sw      zero, 36(s1)
        li      t1, 1
        sw      t1, 40(s1)
        li      t1, 2
        sw      t1, 44(s1)
        sh      zero, 132(s1)           # available: descriptor 0, once
        li      t1, 1
        sh      t1, 130(s1)
        fence
        sw      zero, 0x50(s0)
        li      t0, 1200
1:      addi    t0, t0, -1
        bnez    t0, 1b
        li      t0, 0x10000100
        add     s3, s3, t0
        j       again
        .align  2
handler:
        csrr    t0, mepc
        addi    t0, t0, 4
        csrw    mepc, t0
        mret
