// What a job may use, as its $JOB card says. Its time is limited by the alarm in clock.c.

#include "monitor.h"

const char *
check_paper(void)
{
  return page_is_full() && job.used.pages == job.pages ? "PAGE LIMIT EXCEEDED" : 0;
}

const char *
check_punch(void)
{
  return job.used.punched == job.cards ? "CARD LIMIT EXCEEDED" : 0;
}
