// Program files are linked into the kernel.

#include "image.h"
#include "lib.h"
#include "programs.h"

struct image *
image_open(const char *name)
{
  for (const struct program *p = programs; p->name != 0; p++)
    if (strcmp(p->name, name) == 0)
      return (struct image *)p;
  return 0;
}

struct image *
image_again(struct image *image)
{
  return image;
}

void
image_close(struct image *image)
{
}

uint32_t
image_read(struct image *image, uint32_t offset, void *to, uint32_t size)
{
  const struct program *program = (const struct program *)image;

  if (offset > program->size)
    return 0;
  if (size > program->size - offset)
    size = program->size - offset;
  memcpy(to, (const char *)program->start + offset, size);
  return size;
}
