# A batch monitor for the bare machine: RV32IMAC, modes M and U, PMP, no paging.
#
# It takes a deck of jobs from the card reader and runs them, one after the other:
#
#       $JOB name,account,seconds,pages
#       $LOAD
#       object cards (Intel HEX)
#       $RUN
#       data cards
#       $EOJ
#
# The monitor lives in M-mode below JOB_BASE; a job runs in U-mode in the storage above, and asks
# for everything else by ecall (interface.s says how). Whatever is on the cards and whatever a job
# does, the job's paper says how it ended, and the next job runs.

        .include "interface.s"
        .include "machine.s"
        .include "macros.s"

        .bss
        .align  2
bss_start:

        .include "start.s"
        .include "batch.s"
        .include "control.s"
        .include "loader.s"
        .include "trap.s"
        .include "run.s"
        .include "services.s"
        .include "dump.s"
        .include "account.s"
        .include "line.s"
        .include "printer.s"
        .include "reader.s"
        .include "punch.s"
        .include "await.s"

        .bss
bss_end:
