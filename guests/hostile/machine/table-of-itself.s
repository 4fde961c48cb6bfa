# Tries a page table that maps itself, and changes its entries through that mapping, in S-mode.
        .equ    TABLE, 0x80002000
        .globl  _start
_start: la      t0, handler
        csrw    mtvec, t0
        li      t0, -1
        csrw    pmpaddr0, t0
        li      t0, 0x1f
        csrw    pmpcfg0, t0
        li      t0, TABLE
        li      t1, (TABLE >> 2) | 1    # every entry points at this same table
        li      t2, 1024
1:      sw      t1, 0(t0)
        addi    t0, t0, 4
        addi    t2, t2, -1
        bnez    t2, 1b
        li      t0, TABLE + 0x800       # but 0x80000000 to 0x803fffff is mapped to itself
        li      t1, (0x80000000 >> 2) | 0xcf
        sw      t1, 0(t0)
        li      t0, 1 << 31 | TABLE >> 12
        csrw    satp, t0
        li      t0, 3 << 11
        csrc    mstatus, t0
        li      t0, 1 << 11             # MPP: S
        csrs    mstatus, t0
        la      t0, supervisor
        csrw    mepc, t0
        mret
supervisor:
        li      s0, TABLE
        li      s1, 0
2:      add     t0, s0, s1
        lw      t1, 0(t0)
        xori    t1, t1, 0xf             # rights come and go, its own among them
        sw      t1, 0(t0)
        sfence.vma
        addi    s1, s1, 4
        andi    s1, s1, 0x7ff
        j       2b
        .align  2
handler:
        csrr    t0, mepc
        addi    t0, t0, 4
        csrw    mepc, t0
        mret
