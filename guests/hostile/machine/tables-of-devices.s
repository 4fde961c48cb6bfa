# Tries page tables in devices and beyond storage, for S-mode and for M-mode's own accesses.
        .globl  _start
_start: la      t0, handler
        csrw    mtvec, t0
        li      s0, 0x80000             # satp: Sv32, with each page of the address space as its root
        slli    s0, s0, 12
1:      csrw    satp, s0
        sfence.vma
        li      t0, 1 << 17 | 1 << 11   # MPRV, as S-mode
        csrs    mstatus, t0
        lw      t1, 0(zero)
        sw      t1, 0(s0)
2:      li      t0, 1 << 17
        csrc    mstatus, t0
        li      t0, 0x1001
        add     s0, s0, t0
        j       1b
        .align  2
handler:
        csrr    t0, mepc
        addi    t0, t0, 4
        csrw    mepc, t0
        mret
