// No limits yet: a job may print and punch what it likes.

#include "monitor.h"

const char *
check_paper(void)
{
  return 0;
}

const char *
check_punch(void)
{
  return 0;
}
