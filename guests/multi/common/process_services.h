// Services that make and end processes: arguments as the program gave them.
#pragma once

#include <stdint.h>

int service_exit(const uint32_t *argument);
int service_fork(const uint32_t *argument);
int service_wait(const uint32_t *argument);
int service_kill(const uint32_t *argument);
int service_grow(const uint32_t *argument);
