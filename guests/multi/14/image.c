// Program files are in the file system.

#include "image.h"
#include "directory.h"
#include "journal.h"

struct image *
image_open(const char *name)
{
  fs_begin();
  struct inode *i = path_find(name);
  if (i != 0 && i->disk.type != FILE) {
    inode_put(i);
    i = 0;
  }
  if (i != 0)
    i->images++;
  fs_end();
  return (struct image *)i;
}

struct image *
image_again(struct image *image)
{
  struct inode *i = inode_again((struct inode *)image);

  i->images++;
  return image;
}

void
image_close(struct image *image)
{
  struct inode *i = (struct inode *)image;

  fs_begin();
  i->images--;
  inode_put(i);
  fs_end();
}

uint32_t
image_read(struct image *image, uint32_t offset, void *to, uint32_t size)
{
  fs_begin();
  size = inode_read((struct inode *)image, offset, to, size);
  fs_end();
  return size;
}
