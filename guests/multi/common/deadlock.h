// Deadlocks: processes that wait for each other in a circle.
#pragma once

#include <stdbool.h>

struct semaphore;

// Would the current process, if it waited for this one, wait for itself? Then says so.
bool closes_circle(const struct semaphore *wanted);

// Says who waits for what: for a kernel in which nobody will ever go on.
void print_waiting(void);
