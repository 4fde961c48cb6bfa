// The services of the kernel, by number: what a program puts into a7 before its ECALL. They are the
// same in all stages; a stage that does not have one yet answers -1.
#pragma once

#define CALL_EXIT 1             // stage 09
#define CALL_WRITE 2
#define CALL_YIELD 3
#define CALL_SLEEP 4
#define CALL_TIME 5
#define CALL_PRIORITY 6         // stage 10
#define CALL_SEMAPHORE 7        // stage 11
#define CALL_DOWN 8
#define CALL_UP 9
#define CALL_SEND 10
#define CALL_RECEIVE 11
#define CALL_FORK 12            // stage 12
#define CALL_EXEC 13
#define CALL_WAIT 14
#define CALL_KILL 15
#define CALL_GROW 16
#define CALL_STATUS 17
#define CALL_LOCK 18            // stage 13
#define CALL_OPEN 19            // stage 14
#define CALL_READ 20
#define CALL_CLOSE 21
#define CALL_DUP 22
#define CALL_PIPE 23
#define CALL_SEEK 24
#define CALL_STAT 25
#define CALL_MKDIR 26
#define CALL_CHDIR 27
#define CALL_LINK 28
#define CALL_UNLINK 29
#define CALL_HALT 30
#define CALLS 31
