# The machine: where its devices are, and the bits that this monitor uses.

        .equ    FINISHER, 0x100000      # a word written here ends the run:
        .equ    PASS, 0x5555            #   well,
        .equ    FAIL, 0x3333            #   or not, with a code in the upper half

        .equ    MTIMECMP, 0x2004000     # the timer interrupts when mtime reaches this (64 bits)

        .equ    PLIC_PRIORITY, 0xc000000
        .equ    PLIC_ENABLE, 0xc002000
        .equ    PLIC_CONTEXT, 0xc200000 # the hart's M-mode
        .equ    PLIC_THRESHOLD, 0
        .equ    PLIC_CLAIM, 4           # read: claim, write: complete

        .equ    READER, 0x10010000      # interrupt 12
        .equ    PRINTER, 0x10011000     # interrupt 13
        .equ    CARD_PUNCH, 0x10012000  # interrupt 14

# The registers of reader, printer and punch.

        .equ    STATUS, 0x00
        .equ    READY, 1                #   idle: takes a command
        .equ    END, 4                  #   the reader's last FEED found no card
        .equ    COMMAND, 0x04
        .equ    FEED_CARD, 1            #   reader: the next card comes into the buffer
        .equ    PRINT_LINE, 1           #   printer: the buffer is printed, then it is blank
        .equ    EJECT_PAGE, 2
        .equ    PUNCH_CARD, 1           #   punch: the buffer is punched, then it is blank
        .equ    IE, 0x08                # 1: interrupt when a command is done
        .equ    BUFFER, 0x80

# CSR fields.

        .equ    MSTATUS_MPP, 3 << 11    # the mode that was interrupted: 0 is U
        .equ    MSTATUS_TW, 1 << 21     # WFI in U-mode is illegal
        .equ    MIE_MTIE, 1 << 7
        .equ    MIE_MEIE, 1 << 11
        .equ    PMP_JOB, 0x1f           # NAPOT, execute, write, read
        .equ    PMP_JOB_ADDRESS, (JOB_BASE >> 2) + (JOB_SIZE >> 3) - 1

        .equ    CAUSE_SERVICE, 8        # ecall from U-mode
