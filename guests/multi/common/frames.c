// Free frames: a list that runs through the frames themselves.

#include "frames.h"
#include "lib.h"
#include "table.h"

struct free_frame {
  struct free_frame *next;
};

static struct free_frame *first;
static uint32_t free_count;

void
frames_find(uint32_t end)
{
  for (char *frame = (char *)end - PAGE; frame >= image_end; frame -= PAGE)
    frame_give(frame);
}

void *
frame_take(void)
{
  struct free_frame *frame = first;

  if (frame == 0)
    return 0;
  first = frame->next;
  free_count--;
  return memset(frame, 0, PAGE);
}

void
frame_give(void *frame)
{
  struct free_frame *f = frame;

  f->next = first;
  first = f;
  free_count++;
}

uint32_t
frames_free(void)
{
  return free_count;
}
