// Another program for a process: with a space of its own, and arguments on its stack.

#include "frames.h"
#include "lib.h"
#include "machine.h"
#include "process.h"
#include "storage.h"
#include "table.h"

enum { ARGUMENTS = 16, TEXT = 128 };

// The last page of the new stack, as it is being filled: texts from its end on downwards, and in
// the end, below them, a list of where they are.
struct last_page {
  char *frame;
  uint32_t place;               // in the page: what lies behind is used
  uint32_t texts[ARGUMENTS + 1];        // their addresses, and 0
  int count;
};

static bool
add_text(struct last_page *page, const char *text)
{
  uint32_t size = strlen(text) + 1;

  if (page->count == ARGUMENTS || size > page->place - sizeof page->texts - 16)
    return false;
  page->place -= size;
  memcpy(page->frame + page->place, text, size);
  page->texts[page->count++] = USER_END - PAGE + page->place;
  return true;
}

static bool
add_texts_of_program(struct last_page *page, uint32_t argv)
{
  char text[TEXT];
  uint32_t at;

  for (;; argv += sizeof at) {
    if (!copy_in(&at, argv, sizeof at))
      return false;
    if (at == 0)
      return true;
    if (!copy_text_in(text, at, sizeof text) || !add_text(page, text))
      return false;
  }
}

// Writes the list: where argv is going to be.
static uint32_t
finish(struct last_page *page)
{
  uint32_t size = (page->count + 1) * sizeof page->texts[0];

  page->place = (page->place - size) & -16;     // stacks are aligned like this
  memcpy(page->frame + page->place, page->texts, size);
  return USER_END - PAGE + page->place;
}

static const char *
last_name(const char *path)
{
  for (const char *stroke; (stroke = strchr(path, '/')) != 0; path = stroke + 1)
    ;
  return path;
}

// Puts the new program into the place of the old one, if there was one.
static int
replace(const char *name, struct last_page *page)
{
  struct process *p = current;
  uint32_t entry, argv = finish(page);
  struct space fresh;
  struct image *image = image_open(name);

  if (image == 0)
    return -1;
  if (!space_make(&fresh, image, page->frame, &entry)) {
    image_close(image);
    return -1;
  }
  struct space old = p->space;
  p->space = fresh;
  storage_enter(p);             // the processor must not use a table that is free
  if (old.table != 0)
    space_free(&old);
  *p->frame = (struct trap_frame){.pc = entry, .status = MSTATUS_SPIE};
  p->frame->x[2] = argv;        // sp
  p->frame->x[11] = argv;       // a1; a0 is the result
  strlcpy(p->name, last_name(name), sizeof p->name);
  return page->count;
}

int
process_exec(const char *name, uint32_t argv)
{
  hold();
  struct last_page page = {.frame = frame_take(), .place = PAGE};
  int count = -1;
  if (page.frame != 0 && add_texts_of_program(&page, argv))
    count = replace(name, &page);
  if (page.frame != 0)
    frame_give(page.frame);
  let_go();
  return count;
}

int
process_load(const char *name, char *const *texts, int count)
{
  struct last_page page = {.frame = frame_take(), .place = PAGE};

  for (int n = 0; n < count && add_text(&page, texts[n]); n++)
    ;
  count = replace(name, &page);
  frame_give(page.frame);
  return count;
}
