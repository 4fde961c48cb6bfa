// What the parts of the exerciser share.
#pragma once

#include "lib.h"
#include "machine.h"
#include "trap.h"

// Says how a test has ended; failures count for the exit code.
void report(const char *device, const char *test, bool passed);

// traps.c
void watch_traps(void);                 // from now on traps are noted, not fatal
int cause_of(void test(void));          // the cause of the first trap in a function, or -1
int cause_in_user_mode(void test(void));
bool interrupt_comes(int source);       // from the PLIC, within a second; it is served
bool software_interrupt_comes(void);
bool alarm_comes(uint64_t when);        // the timer's, and not before its time

// unit-record.c
void exercise_unit_record(uint32_t device_tree);
