// Services for files: arguments as the program gave them.
#pragma once

#include <stdint.h>

int service_exec(const uint32_t *argument);
int service_open(const uint32_t *argument);
int service_read(const uint32_t *argument);
int service_write(const uint32_t *argument);
int service_close(const uint32_t *argument);
int service_dup(const uint32_t *argument);
int service_pipe(const uint32_t *argument);
int service_seek(const uint32_t *argument);
int service_stat(const uint32_t *argument);
int service_mkdir(const uint32_t *argument);
int service_chdir(const uint32_t *argument);
int service_link(const uint32_t *argument);
int service_unlink(const uint32_t *argument);
