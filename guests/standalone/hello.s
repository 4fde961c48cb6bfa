# Hello: prints a line on the serial port and switches the machine off.
# Runs on the kit's machine, and on QEMU: qemu-system-riscv32 -M virt -bios none -kernel hello.elf

        .equ    UART, 0x10000000
        .equ    THR, 0                  # a byte written here is sent
        .equ    LSR, 5
        .equ    LSR_THRE, 0x20          # the last byte has left
        .equ    FINISHER, 0x100000
        .equ    PASS, 0x5555

        .text
        .globl  _start
_start:
        la      a0, greeting
        li      a1, UART
1:      lbu     t0, 0(a0)
        beqz    t0, 3f
2:      lbu     t1, LSR(a1)
        andi    t1, t1, LSR_THRE
        beqz    t1, 2b
        sb      t0, THR(a1)
        addi    a0, a0, 1
        j       1b

3:      li      t0, PASS
        li      t1, FINISHER
        sw      t0, 0(t1)
4:      j       4b

        .section .rodata
greeting:
        .asciz  "Hello from the bare machine.\n"
