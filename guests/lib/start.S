# Start-up: the first instructions of a program that has the machine to itself.
# The loader leaves the hart's number in a0 and the address of the device tree in a1.

        .equ    STACK_SIZE, 16384

        .section .text.start, "ax"
        .globl  _start
_start:
        bnez    a0, park                # one hart is enough; on QEMU there may be more
        la      sp, stack_top
        la      t0, trap_entry
        csrw    mtvec, t0
        csrw    mscratch, zero          # trap_entry: "the stack is mine already"

        la      t0, bss_start           # C expects that what it does not initialise is zero
        la      t1, bss_end
1:      bgeu    t0, t1, 2f
        sw      zero, 0(t0)
        addi    t0, t0, 4
        j       1b

2:      call    main                    # main(hart, device tree)
        tail    power_off               # what main returns is the exit code

park:   wfi
        j       park

        .section .stack, "aw", @nobits
        .balign 16
stack_bottom:
        .space  STACK_SIZE
        .globl  stack_bottom, stack_top
stack_top:
