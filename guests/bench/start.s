# What all loads share: from reset to `main`, and from its return to the end of the run.
#
# A load includes this file first and defines `main(a0: rounds) -> a0: checksum`. It may use every
# register, and may jump to `finish` instead of returning. Each round does exactly the same, so the
# number of instructions is a number for start-up plus a number for each round. The checksum is
# printed in hexadecimal, so that every engine can be seen to have done the same.
#
# Two symbols make a setting of a load; who builds it may define them before this file is read:
#
#   ROUNDS      how often the load repeats itself
#   PAGED       0: `main` runs in M-mode, with physical addresses
#               1: `main` runs in S-mode behind Sv32 tables of 4 KiB pages
#
# A load that runs programs in U-mode says `.equ USERS, 1` before it includes this file; one whose
# programs are paged in both settings says `.equ TABLES, 1`, too.
# Everything here runs on the kit's machine, on QEMU's virt board, on Spike and on Unicorn.

        .ifndef ROUNDS
        .equ    ROUNDS, 1
        .endif
        .ifndef PAGED
        .equ    PAGED, 0
        .endif
        .ifndef USERS
        .equ    USERS, 0
        .endif
        .ifndef TABLES
        .equ    TABLES, PAGED
        .endif

        .equ    UART, 0x10000000
        .equ    THR, 0                  # a byte written here is sent
        .equ    LSR, 5
        .equ    LSR_THRE, 0x20          # the last byte has left
        .equ    FINISHER, 0x100000      # a word written here ends the run:
        .equ    PASS, 0x5555            #   well,
        .equ    FAIL, 0x13333           #   or with code 1
        .equ    HTIF_PASS, 1            # the same for Spike, in the word `tohost`
        .equ    HTIF_FAIL, 3

        .equ    PAGE, 4096
        .equ    RAM, 0x80000000
        .equ    RAM_SIZE, 16 << 20      # as much as is mapped

# Virtual addresses, where there are tables. The kernel's image of the RAM begins at 0xc0000000, the
# image that U-mode may use at 0x40000000. Devices lie at their physical addresses.

        .equ    KERNEL, 0xc0000000
        .equ    USER, 0x40000000
        .equ    PHYSICAL_TO_KERNEL, 0   # what makes a physical address one of the kernel's,
        .equ    KERNEL_TO_USER, 0       #   and that one of the programs'
        .if     PAGED
        .equ    PHYSICAL_TO_KERNEL, KERNEL - RAM
        .endif
        .if     TABLES
        .equ    KERNEL_TO_USER, USER - RAM - PHYSICAL_TO_KERNEL
        .endif

        .equ    PTE_V, 1
        .equ    PTE_RWX, 7 << 1
        .equ    PTE_RW, 3 << 1
        .equ    PTE_U, 1 << 4
        .equ    PTE_AD, 3 << 6          # accessed and dirty: set beforehand, as Spike wants it
        .equ    PTE_NEXT_PAGE, PAGE >> 12 << 10
        .equ    TABLE_SPAN_BITS, 22     # a table maps 4 MiB
        .equ    SATP_SV32, 1 << 31

# A kernel's CSRs are those of the mode that it runs in.

        .macro  read_csr register, name         # csrr register, mname (or sname)
        .if     PAGED
        csrr    \register, s\name
        .else
        csrr    \register, m\name
        .endif
        .endm

        .macro  write_csr name, register
        .if     PAGED
        csrw    s\name, \register
        .else
        csrw    m\name, \register
        .endif
        .endm

        .macro  swap_csr register, name
        .if     PAGED
        csrrw   \register, s\name, \register
        .else
        csrrw   \register, m\name, \register
        .endif
        .endm

        .macro  return_from_trap
        .if     PAGED
        sret
        .else
        mret
        .endif
        .endm

# enter_user register: goes on in U-mode at the kernel's address in a register. Changes t0.
        .macro  enter_user register
        .if     PAGED
        li      t0, 1 << 8                      # SPP = U
        csrc    sstatus, t0
        .else
        li      t0, 3 << 11                     # MPP = U
        csrc    mstatus, t0
        .endif
        li      t0, KERNEL_TO_USER
        add     t0, t0, \register
        write_csr epc, t0
        return_from_trap
        .endm

        .text
        .globl  _start
_start:
        la      t0, unexpected
        csrw    mtvec, t0
        li      t0, -1                  # PMP: everything is allowed (NAPOT over all addresses)
        csrw    pmpaddr0, t0
        li      t0, 0x1f
        csrw    pmpcfg0, t0
        .if     TABLES
        call    map_all
        la      t0, root
        srli    t0, t0, 12
        li      t1, SATP_SV32
        or      t0, t0, t1
        csrw    satp, t0
        sfence.vma
        .endif
        .if     PAGED
        li      t0, -1                  # S-mode handles all that may be left to it
        csrw    medeleg, t0
        li      t0, PHYSICAL_TO_KERNEL
        la      t1, unexpected
        add     t1, t1, t0
        csrw    stvec, t1
        la      t1, run
        add     t1, t1, t0
        csrw    mepc, t1
        li      t0, 3 << 11
        csrc    mstatus, t0
        li      t0, 1 << 11             # MPP = S
        csrs    mstatus, t0
        mret
        .endif
run:
        la      sp, stack_top
        lw      a0, rounds
        call    main

# finish(a0: checksum): prints it and ends the run.
finish:
        li      t0, UART
        la      t4, digits
        li      t1, 28                  # the highest digit first
1:      srl     t2, a0, t1
        andi    t2, t2, 15
        add     t2, t2, t4
        lbu     t2, 0(t2)
2:      lbu     t3, LSR(t0)
        andi    t3, t3, LSR_THRE
        beqz    t3, 2b
        sb      t2, THR(t0)
        addi    t1, t1, -4
        bgez    t1, 1b
        li      t2, '\n'
        sb      t2, THR(t0)
        li      t0, HTIF_PASS
        li      t1, PASS

# end(t0: word for tohost, t1: word for the finisher)
end:
        sw      t0, tohost, t2
        li      t2, FINISHER
        sw      t1, 0(t2)               # on Spike this traps to `unexpected`
1:      j       1b

# A trap that no load has asked for ends the run, badly. Spike has no finisher: the trap that the
# store above caused there is only waited out.
        .balign 4
unexpected:
        lw      t0, tohost
        bnez    t0, 1b
        li      t0, HTIF_FAIL
        li      t1, FAIL
        j       end

        .if     TABLES
# map_all(): fills the tables. Runs in M-mode, with physical addresses.
map_all:
        mv      s0, ra
        la      s1, root
        li      t0, PTE_V | PTE_RW | PTE_AD             # finisher: the first 4 MiB
        sw      t0, 0(s1)
        li      t0, UART >> 2 | PTE_V | PTE_RW | PTE_AD # UART: the 4 MiB from there on
        li      t1, UART >> TABLE_SPAN_BITS << 2
        add     t1, t1, s1
        sw      t0, 0(t1)
        li      a0, KERNEL
        li      a1, PTE_V | PTE_RWX | PTE_AD
        la      a2, kernel_tables
        call    map_ram
        .if     USERS
        li      a0, USER
        li      a1, PTE_V | PTE_RWX | PTE_AD | PTE_U
        la      a2, user_tables
        call    map_ram
        .endif
        jr      s0

# map_ram(a0: virtual address, a1: flags, a2: tables): maps the RAM there.
map_ram:
        srli    a0, a0, TABLE_SPAN_BITS
        slli    a0, a0, 2
        add     a0, a0, s1              # the root's first entry
        li      t0, RAM >> 2            # the first leaf entry
        or      t0, t0, a1
        li      t3, RAM_SIZE >> 12 << 2
        add     t3, t3, a2              # the end of the tables
1:      srli    t1, a2, 2               # a pointer to the next table
        ori     t1, t1, PTE_V
        sw      t1, 0(a0)
        addi    a0, a0, 4
        li      t2, PAGE
        add     t2, t2, a2
2:      sw      t0, 0(a2)               # its 1024 entries
        addi    t0, t0, PTE_NEXT_PAGE
        addi    a2, a2, 4
        bne     a2, t2, 2b
        bne     a2, t3, 1b
        ret
        .endif

        .section .rodata
digits: .ascii  "0123456789abcdef"

        .data
        .balign 64
        .globl  tohost
tohost: .dword  0                       # Spike looks here for the end of the run
        .globl  fromhost
fromhost:
        .dword  0
rounds: .word   ROUNDS

        .bss
        .if     TABLES
        .balign PAGE
root:   .space  PAGE
kernel_tables:
        .space  RAM_SIZE >> 10
        .if     USERS
user_tables:
        .space  RAM_SIZE >> 10
        .endif
        .endif
        .balign 16
        .space  4096
stack_top:

        .text
