# Where a user program begins, and its calls of the kernel. The kernel has set sp, and for main
# argc in a0 and argv in a1.

#include "calls.h"

        .section .text.start, "ax"
        .globl  _start
_start:
        call    main
        j       exit                    # what main returns is the exit code

        .text
        .macro  service name, number
        .globl  \name
\name:  li      a7, \number
        ecall
        ret
        .endm

        service leave, CALL_EXIT
        service write, CALL_WRITE
        service yield, CALL_YIELD
        service sleep, CALL_SLEEP
        service time, CALL_TIME
        service priority, CALL_PRIORITY
        service semaphore, CALL_SEMAPHORE
        service down, CALL_DOWN
        service up, CALL_UP
        service send, CALL_SEND
        service receive, CALL_RECEIVE
        service fork, CALL_FORK
        service exec, CALL_EXEC
        service wait, CALL_WAIT
        service kill, CALL_KILL
        service grow, CALL_GROW
        service status, CALL_STATUS
        service lock, CALL_LOCK
        service open, CALL_OPEN
        service read, CALL_READ
        service close, CALL_CLOSE
        service dup, CALL_DUP
        service pipe, CALL_PIPE
        service seek, CALL_SEEK
        service stat, CALL_STAT
        service mkdir, CALL_MKDIR
        service chdir, CALL_CHDIR
        service link, CALL_LINK
        service unlink, CALL_UNLINK
        service halt, CALL_HALT
