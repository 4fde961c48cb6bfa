// Services for who waits and who tells.

#include "message.h"
#include "semaphore.h"
#include "semaphore_services.h"

int
service_semaphore(const uint32_t *argument)
{
  return semaphore_use(argument[0], argument[1]);
}

int
service_down(const uint32_t *argument)
{
  return semaphore_down(argument[0]);
}

int
service_up(const uint32_t *argument)
{
  return semaphore_up(argument[0]);
}

int
service_send(const uint32_t *argument)
{
  return message_send(argument[0], argument[1], argument[2]);
}

int
service_receive(const uint32_t *argument)
{
  return message_receive(argument[0], argument[1], argument[2]);
}
