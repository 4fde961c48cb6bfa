// Services that make and end processes.

#include "process.h"
#include "process_services.h"
#include "storage.h"

int
service_exit(const uint32_t *argument)
{
  process_end(argument[0]);
}

int
service_fork(const uint32_t *argument)
{
  return process_fork();
}

// Writes the child's exit code to an address, unless that is 0.
int
service_wait(const uint32_t *argument)
{
  int code, number = process_wait(&code);

  if (number > 0 && argument[0] != 0 && !copy_out(argument[0], &code, sizeof code))
    return -1;
  return number;
}

int
service_kill(const uint32_t *argument)
{
  return process_kill(argument[0]);
}

int
service_grow(const uint32_t *argument)
{
  return space_grow(&current->space, argument[0]);
}
