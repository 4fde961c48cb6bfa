// Program files are on the disk, one behind the other, and a list of them is in the first sector.
// The rest of the disk is for pages. mkdisk.py lays it out.

#include "image.h"
#include "disk_wait.h"
#include "lib.h"
#include "slot.h"

enum { MAGIC = 0x4b534944, IMAGES = 20 };

struct image {
  char name[16];
  uint32_t sector, size;        // where the file begins; bytes
};

static struct {
  uint32_t magic, end;          // end: the first sector behind the files
  struct image images[IMAGES];
  char unused[SECTOR_SIZE - 8 - IMAGES * sizeof(struct image)];
} list;

void
images_find(void)
{
  disk_wait(DISK_READ, 0, &list, 1);
  if (list.magic != MAGIC)
    panic("the disk has no programs");
  slots_begin(list.end, (disk_sectors() - list.end) / SECTORS_OF_PAGE);
}

struct image *
image_open(const char *name)
{
  for (struct image *image = list.images; image < list.images + IMAGES; image++)
    if (strncmp(image->name, name, sizeof image->name) == 0 && *name != 0)
      return image;
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

// Reads a part of a sector.
static void
read_part(uint32_t sector, uint32_t offset, void *to, uint32_t size)
{
  char buffer[SECTOR_SIZE];

  disk_wait(DISK_READ, sector, buffer, 1);
  memcpy(to, buffer + offset, size);
}

uint32_t
image_read(struct image *image, uint32_t offset, void *to, uint32_t size)
{
  if (offset > image->size)
    return 0;
  if (size > image->size - offset)
    size = image->size - offset;
  for (uint32_t piece, done = 0; done < size; done += piece, offset += piece) {
    uint32_t sector = image->sector + offset / SECTOR_SIZE, in = offset % SECTOR_SIZE;
    uint32_t whole = (size - done) / SECTOR_SIZE;
    piece = in == 0 && whole > 0 ? whole * SECTOR_SIZE : SECTOR_SIZE - in;
    if (piece > size - done)
      piece = size - done;
    if (in == 0 && whole > 0)
      disk_wait(DISK_READ, sector, to + done, whole);
    else
      read_part(sector, in, to + done, piece);
  }
  return size;
}
