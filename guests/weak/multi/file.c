// Open files: a table of all of them.

#include "file.h"
#include "directory.h"
#include "journal.h"
#include "pipe.h"

static struct file files[OPEN_FILES];

static struct file *
make(struct file like)
{
  for (struct file *f = files; f < files + OPEN_FILES; f++)
    if (f->users == 0) {
      *f = like;
      f->users = 1;
      return f;
    }
  return 0;
}

struct file *
file_terminal(void)
{
  return make((struct file){.kind = TERMINAL, .can_read = true, .can_write = true});
}

static bool
may_open(const struct inode *i, int mode)
{
  if (mode & (WRITE | TRUNCATE))        // not programs that are being run
    return i->images == 0;
  return true;
}

struct file *
file_open(const char *path, int mode)
{
  struct file *f = 0;

  fs_begin();
  struct inode *i = path_find(path);
  if (i == 0 && (mode & CREATE))
    i = path_make(path, FILE);
  if (i != 0 && may_open(i, mode))
    f = make((struct file){.kind = DISK_FILE, .can_read = mode & READ, .can_write = mode & WRITE,
                           .inode = i});
  if (f != 0 && (mode & TRUNCATE))
    inode_truncate(i);
  if (f == 0 && i != 0)
    inode_put(i);
  fs_end();
  return f;
}

bool
file_pipe(struct file **reader, struct file **writer)
{
  struct pipe *p = pipe_make();

  if (p == 0)
    return false;
  *reader = make((struct file){.kind = PIPE, .can_read = true, .pipe = p});
  *writer = make((struct file){.kind = PIPE, .can_write = true, .pipe = p});
  if (*reader != 0 && *writer != 0)
    return true;
  if (*reader != 0)
    (*reader)->users = 0;
  pipe_leave(p, false);
  pipe_leave(p, true);
  return false;
}

struct file *
file_again(struct file *f)
{
  f->users++;
  return f;
}

void
file_close(struct file *f)
{
  if (--f->users > 0)
    return;
  if (f->kind == PIPE)
    pipe_leave(f->pipe, f->can_write);
  if (f->kind == DISK_FILE) {
    struct inode *i = f->inode;         // the place may be taken while we wait
    fs_begin();
    inode_put(i);
    fs_end();
  }
}

int
file_seek(struct file *f, uint32_t offset)
{
  if (f->kind != DISK_FILE)
    return -1;
  f->offset = offset;
  return 0;
}

void
file_inform(const struct file *f, struct information *information)
{
  *information = (struct information){.type = TYPE_OTHER};
  if (f->kind == DISK_FILE)
    *information = (struct information){
      f->inode->disk.type, f->inode->number, f->inode->disk.links, f->inode->disk.size};
}
