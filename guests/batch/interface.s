# What the monitor and the jobs agree on, for jobs in assembly; include/services.h has it for C.
#
# A job runs in its own storage, JOB_BASE to JOB_END, and may read, write and execute all of it. At
# its start, pc is the start address on its object cards (or JOB_BASE), sp is JOB_END, and everything
# else, registers and storage, is zero.
#
# A service is called by ecall with its number in a7 and its arguments in a0 and a1; the result
# comes back in a0, and all other registers are kept (TIME gives a second result in a1). A job that
# calls a service that does not exist, or hands over a buffer that is not wholly in its storage, or
# a length that is too large, is ended.

        .equ    JOB_BASE, 0x80010000
        .equ    JOB_SIZE, 0x4000        # a power of two, and JOB_BASE a multiple of it
        .equ    JOB_END, JOB_BASE + JOB_SIZE

        .equ    EXIT, 0                 # a0: code. Ends the job.
        .equ    READ, 1                 # a0: 80 bytes for the next data card. Gives 80, or -1
                                        # if there are no more: a card with $ in column 1 is none.
        .equ    PRINT, 2                # a0, a1: up to LINE bytes. Prints them as a line. Gives 0.
        .equ    PUNCH, 3                # a0, a1: up to CARD bytes. Punches a card. Gives 0.
        .equ    TIME, 4                 # Gives the job's own time so far: a0 in ticks, a1 in
                                        # whole seconds.
        .equ    PAGE, 5                 # The next line comes at the top of a page. Gives 0.

        .equ    CARD, 80                # columns of a card
        .equ    LINE, 132               # columns of a line

        .equ    PAGE_LINES, 60          # lines of a page
        .equ    SECOND, 10000           # ticks (instructions, nearly) that count as a second on
                                        # $JOB cards and in accounts
