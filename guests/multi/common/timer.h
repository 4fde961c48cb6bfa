// Waiting for the clock.
#pragma once

#include <stdint.h>

void sleep_until(uint64_t when);        // the current process
void wake_sleepers(void);               // whose time has come
uint64_t next_wake(void);               // when the next one's comes; UINT64_MAX if none waits
