// The batch: jobs, one after the other, until the deck is at its end.

#include "monitor.h"

struct job job;

static uint32_t jobs, skipped;          // skipped: cards that nobody wanted

static void
begin_job(void)
{
  memset(&job, 0, sizeof job);
  job.number = ++jobs;
  job.used.pages = 1;                   // the one with its header
  eject();
}

// The rest of the job's cards: up to its $EOJ, or the next $JOB, or the end of the deck.
static void
skip_rest(void)
{
  while (next_card() && !card_is("$EOJ")) {
    if (card_is("$JOB")) {
      hold_card();
      return;
    }
    skipped++;
  }
}

// Everything from a $JOB card, which is at hand, to the job's last card.
static void
do_job(void)
{
  begin_job();
  const char *how = read_job_card();
  print_header();
  if (how == 0)
    how = load_object();
  if (how != 0)
    print_refusal(how);
  else
    how = run_job();
  skip_rest();
  print_bill(how);
}

int
main(uint32_t hart, uint32_t device_tree)
{
  if (image_end > (char *)JOB_BASE)
    panic("the monitor reaches into the storage of the jobs");
  open_devices(device_tree);
  protect_monitor();
  batch_begins();
  while (next_card())
    if (card_is("$JOB"))
      do_job();
    else
      skipped++;
  print_summary(skipped);
  finish_output();
  return 0;
}
