// What a job's paper says before and after it, and the account of the whole batch.

#include "monitor.h"

struct charges batch_charges;

static uint32_t jobs, well, refused;

static void
print_rule(void)
{
  print("--------------------------------------------------------------------------------");
}

static void
print_charges(const struct charges *used)
{
  put("TIME ");
  print_time(used->ticks);
  print("  CARDS READ %u  LINES %u  PAGES %u  CARDS PUNCHED %u",
        used->cards, used->lines, used->pages, used->punched);
}

void
print_header(void)
{
  print("JOB %u  %s  ACCOUNT %s  LIMITS: SECONDS %u, PAGES %u",
        job.number, job.name, job.account, job.seconds, job.pages);
  end_line();
}

void
print_refusal(const char *reason)
{
  refused++;
  print("*** CARD %u: %s", card_number, reason);
  put("    ");
  put_bytes(card, CARD_COLUMNS);
  end_line();
}

void
print_bill(const char *how)
{
  struct charges *all = &batch_charges, *used = &job.used;

  print_rule();
  put("JOB %s  ACCOUNT %s  %s", job.name, job.account, how);
  if (how == normal_end) {
    put(", CODE %d", job.exit_code);
    well++;
  }
  end_line();
  print_charges(used);
  print_rule();
  jobs++;
  *all = (struct charges){
    all->ticks + used->ticks, all->cards + used->cards, all->lines + used->lines,
    all->pages + used->pages, all->punched + used->punched,
  };
}

// The batch's last page.
void
print_summary(uint32_t skipped)
{
  finish_output();                      // it belongs to the time, too
  eject();
  print_rule();
  print("END OF BATCH  JOBS %u  ENDED NORMALLY %u  ENDED BADLY %u  REFUSED %u",
        jobs, well, jobs - well - refused, refused);
  print_charges(&batch_charges);
  print_elapsed();
  print("  CARDS IN ALL %u, SKIPPED %u", card_number, skipped);
  print_utilisation();
  print_rule();
}
