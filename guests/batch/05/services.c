// The services that jobs call; ../interface.s says what they promise.
//
// Each gets the job's registers, trusts none of them, and puts its result into a0. It returns 0 if
// the job is to go on, and otherwise how it has ended.

#include "monitor.h"

static const char *
serve_exit(struct trap_frame *frame)
{
  job.exit_code = frame->x[A0];
  return normal_end;
}

static const char *
serve_read(struct trap_frame *frame)
{
  const char *wrong = check_buffer(frame->x[A0], CARD_COLUMNS, CARD_COLUMNS);

  if (wrong != 0)
    return wrong;
  if (next_card() && card[0] != '$') {
    memcpy((char *)frame->x[A0], card, CARD_COLUMNS);
    job.used.cards++;
    frame->x[A0] = CARD_COLUMNS;
  } else {
    if (card[0] == '$')
      hold_card();
    frame->x[A0] = -1;
  }
  return 0;
}

static const char *
serve_print(struct trap_frame *frame)
{
  const char *wrong = check_buffer(frame->x[A0], frame->x[A1], LINE_COLUMNS);

  if (wrong == 0)
    wrong = check_paper();
  if (wrong != 0)
    return wrong;
  job.used.pages += page_is_full();
  put_bytes((const char *)frame->x[A0], frame->x[A1]);
  end_line();
  job.used.lines++;
  frame->x[A0] = 0;
  return 0;
}

static const char *
serve_punch(struct trap_frame *frame)
{
  const char *wrong = check_buffer(frame->x[A0], frame->x[A1], CARD_COLUMNS);

  if (wrong == 0)
    wrong = check_punch();
  if (wrong != 0)
    return wrong;
  card_out((const char *)frame->x[A0], frame->x[A1]);
  job.used.punched++;
  frame->x[A0] = 0;
  return 0;
}

static const char *
serve_time(struct trap_frame *frame)
{
  frame->x[A0] = job.used.ticks;
  frame->x[A1] = job.used.ticks / SECOND;
  return 0;
}

static const char *
serve_page(struct trap_frame *frame)
{
  eject();
  frame->x[A0] = 0;
  return 0;
}

static const char *(*const services[SERVICES])(struct trap_frame *) = {
  [SERVICE_EXIT] = serve_exit,   [SERVICE_READ] = serve_read, [SERVICE_PRINT] = serve_print,
  [SERVICE_PUNCH] = serve_punch, [SERVICE_TIME] = serve_time, [SERVICE_PAGE] = serve_page,
};

const char *
serve(struct trap_frame *frame)
{
  if (frame->x[A7] >= SERVICES)
    return "CALLED A SERVICE THAT DOES NOT EXIST";
  return services[frame->x[A7]](frame);
}
