// Services for who waits and who tells: arguments as the program gave them.
#pragma once

#include <stdint.h>

int service_semaphore(const uint32_t *argument);
int service_down(const uint32_t *argument);
int service_up(const uint32_t *argument);
int service_send(const uint32_t *argument);
int service_receive(const uint32_t *argument);
