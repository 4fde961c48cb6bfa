// What the kernel knows in the end of how long everything took.
#pragma once

void print_statistics(void);
