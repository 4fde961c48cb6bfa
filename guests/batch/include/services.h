// What the monitor and its jobs agree on. ../interface.s says it for jobs in assembly, and in full.
#pragma once

#define JOB_BASE 0x80010000
#define JOB_SIZE 0x4000                 // a power of two, and JOB_BASE a multiple of it
#define JOB_END  (JOB_BASE + JOB_SIZE)

// The number of a service goes into a7, its arguments into a0 and a1; ecall; the result is in a0.
#define SERVICE_EXIT  0
#define SERVICE_READ  1
#define SERVICE_PRINT 2
#define SERVICE_PUNCH 3
#define SERVICE_TIME  4
#define SERVICE_PAGE  5
#define SERVICES      6

#define PAGE_LINES 60                   // lines of a page
#define SECOND     10000                // ticks that count as a second on $JOB cards and bills
