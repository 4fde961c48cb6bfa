// Between programs and open files. It goes through a page of the kernel's: while the program's own
// pages come and go, the file system must not be kept waiting.

#include "file.h"
#include "frames.h"
#include "inode.h"
#include "journal.h"
#include "pipe.h"
#include "process.h"
#include "storage.h"
#include "table.h"
#include "terminal.h"

static uint32_t
to_page(uint32_t size)
{
  return size < PAGE ? size : PAGE;
}

static int
read_disk(struct file *f, char *page, uint32_t to, uint32_t size)
{
  for (uint32_t done = 0, piece;; done += piece) {
    fs_begin();
    piece = inode_read(f->inode, f->offset, page, to_page(size - done));
    f->offset += piece;
    fs_end();
    if (piece == 0)
      return done;
    if (!copy_out(to + done, page, piece))
      return -1;
  }
}

// Each page is one change. What was not written because the disk is full does not count.
static int
write_disk(struct file *f, char *page, uint32_t from, uint32_t size)
{
  for (uint32_t done = 0, piece, written; done < size; done += piece) {
    piece = to_page(size - done);
    if (!copy_in(page, from + done, piece))
      return -1;
    fs_begin();
    written = inode_write(f->inode, f->offset, page, piece);
    f->offset += written;
    fs_end();
    if (written < piece)
      return done + written > 0 ? (int)(done + written) : -1;
  }
  return size;
}

// Both are the same but for the direction.
static int
with_page(int act(struct file *, char *, uint32_t, uint32_t), struct file *f, uint32_t at,
          uint32_t size)
{
  hold();
  char *page = frame_take();
  int result = page != 0 ? act(f, page, at, size) : -1;
  if (page != 0)
    frame_give(page);
  let_go();
  return result;
}

int
file_read(struct file *f, uint32_t to, uint32_t size)
{
  if (!f->can_read)
    return -1;
  if (f->kind == TERMINAL)
    return terminal_read(to, size);
  if (f->kind == PIPE)
    return pipe_read(f->pipe, to, size);
  return with_page(read_disk, f, to, size);
}

int
file_write(struct file *f, uint32_t from, uint32_t size)
{
  if (!f->can_write)
    return -1;
  if (f->kind == TERMINAL)
    return terminal_write(from, size);
  if (f->kind == PIPE)
    return pipe_write(f->pipe, from, size);
  return with_page(write_disk, f, from, size);
}
