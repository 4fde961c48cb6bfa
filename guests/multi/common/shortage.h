// When there is no storage left, and no room on the disk for pages.
#pragma once

#include <stdbool.h>

// Ends the process that has most, and waits until that is done. False if that is the current one:
// then it gets nothing.
bool shortage_ends_somebody(void);
