// Pipes: a ring of bytes, with processes waiting at both ends.

#include "pipe.h"
#include "schedule.h"
#include "storage.h"

enum { PIPES = 16, PIPE_SIZE = 512 };

struct pipe {
  bool has_reader, has_writer;  // neither: it is free
  uint32_t written, taken;      // both count for ever; their difference is what is in it
  char data[PIPE_SIZE];
};

static struct pipe pipes[PIPES];

struct pipe *
pipe_make(void)
{
  for (struct pipe *p = pipes; p < pipes + PIPES; p++)
    if (!p->has_reader && !p->has_writer) {
      *p = (struct pipe){.has_reader = true, .has_writer = true};
      return p;
    }
  return 0;
}

void
pipe_leave(struct pipe *p, bool writer)
{
  if (writer)
    p->has_writer = false;
  else
    p->has_reader = false;
  wake(p);
}

int
pipe_read(struct pipe *p, uint32_t to, uint32_t size)
{
  uint32_t done = 0;

  while (p->written == p->taken && p->has_writer)
    sleep(p);
  for (; done < size && p->taken != p->written; done++) {
    char c = p->data[p->taken++ % PIPE_SIZE];   // ours, before we may have to wait for our page
    if (!copy_out(to + done, &c, 1))
      return -1;
  }
  wake(p);
  return done;
}

int
pipe_write(struct pipe *p, uint32_t from, uint32_t size)
{
  for (uint32_t done = 0; done < size; done++) {
    char c;
    if (!copy_in(&c, from + done, 1))
      return -1;
    while (p->written - p->taken == PIPE_SIZE && p->has_reader) {
      wake(p);
      sleep(p);
    }
    if (!p->has_reader)
      return -1;
    p->data[p->written++ % PIPE_SIZE] = c;
  }
  wake(p);
  return size;
}
