// Directories: files that hold names, each with the number of an inode.

#include "directory.h"
#include "lib.h"
#include "process.h"

int
directory_find(struct inode *directory, const char *name, struct directory_entry *entry)
{
  uint32_t at = 0;

  for (; inode_read(directory, at, entry, sizeof *entry) == sizeof *entry; at += sizeof *entry)
    if (entry->inode == 0 ? *name == 0 : strcmp(entry->name, name) == 0)
      return at;
  return *name == 0 ? (int)at : -1;
}

bool
directory_add(struct inode *directory, const char *name, uint32_t number)
{
  struct directory_entry entry;
  int at = directory_find(directory, "", &entry);

  entry = (struct directory_entry){.inode = number};
  strlcpy(entry.name, name, sizeof entry.name);
  return inode_write(directory, at, &entry, sizeof entry) == sizeof entry;
}

enum step { NAME, END, TOO_LONG };

// Takes the next name from *path, with the strokes behind it.
static enum step
next_name(const char **path, char name[FILE_NAME])
{
  int length = 0;

  while (**path == '/')
    (*path)++;
  for (; **path != 0 && **path != '/'; (*path)++) {
    if (length == FILE_NAME - 1)
      return TOO_LONG;
    name[length++] = **path;
  }
  name[length] = 0;
  while (**path == '/')
    (*path)++;
  return length > 0 ? NAME : END;
}

static struct inode *
start_of(const char *path)
{
  bool from_root = *path == '/' || current->directory == 0;
  return from_root ? inode_get(ROOT) : inode_again(current->directory);
}

// Gives up the reference to the directory. 0 if there is no such name in it, or no such directory
// any more: what it knew as its parent may be gone, too.
static struct inode *
go_to(struct inode *directory, const char *name)
{
  struct directory_entry entry;
  bool found = directory->disk.type == DIRECTORY && directory->disk.links > 0 &&
               directory_find(directory, name, &entry) >= 0;

  inode_put(directory);
  return found ? inode_get(entry.inode) : 0;
}

struct inode *
path_find(const char *path)
{
  char name[FILE_NAME];
  struct inode *at = start_of(path);
  enum step step = END;

  while (at != 0 && (step = next_name(&path, name)) == NAME)
    at = go_to(at, name);
  if (at != 0 && step == TOO_LONG) {
    inode_put(at);
    at = 0;
  }
  return at;
}

struct inode *
path_parent(const char *path, char name[FILE_NAME])
{
  struct inode *at = start_of(path);

  while (at != 0 && next_name(&path, name) == NAME && *path != 0)
    at = go_to(at, name);
  bool good = at != 0 && *path == 0 && *name != 0 && at->disk.type == DIRECTORY &&
              at->disk.links > 0;               // not deleted
  if (at != 0 && !good) {
    inode_put(at);
    at = 0;
  }
  return at;
}
