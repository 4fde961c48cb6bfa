# Start-up of a job in C, and its way to the services. The monitor has set sp and cleared storage.

#include "services.h"

        .section .text.start, "ax"
        .globl  _start
_start:
        call    main                    # what it returns is the code of its end
        li      a7, SERVICE_EXIT
        ecall

        .text
# service(a0, a1, number): calls a service of the monitor, and returns its result.
        .globl  service
service:
        mv      a7, a2
        ecall
        ret
