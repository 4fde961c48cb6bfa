// Making and changing the names of files and directories.

#include "directory.h"
#include "lib.h"

// A new directory knows itself, and its parent.
static bool
add_dots(struct inode *directory, struct inode *parent)
{
  return directory_add(directory, ".", directory->number) &&
         directory_add(directory, "..", parent->number);
}

static void
change_links(struct inode *i, int by)
{
  i->disk.links += by;
  inode_update(i);
}

struct inode *
path_make(const char *path, enum inode_type type)
{
  char name[FILE_NAME];
  struct directory_entry entry;
  struct inode *parent = path_parent(path, name), *made = 0;
  bool is_directory = type == DIRECTORY;

  if (parent == 0)
    return 0;
  if (directory_find(parent, name, &entry) < 0)
    made = inode_make(type);
  if (made == 0) {
    inode_put(parent);
    return 0;
  }
  if ((!is_directory || add_dots(made, parent)) && directory_add(parent, name, made->number)) {
    change_links(made, is_directory ? 2 : 1);
    if (is_directory)
      change_links(parent, 1);
  } else {
    inode_put(made);            // which deletes it: it has no links
    made = 0;
  }
  inode_put(parent);
  return made;
}

int
path_link(const char *old, const char *new)
{
  char name[FILE_NAME];
  struct directory_entry entry;
  struct inode *i = path_find(old), *parent = path_parent(new, name);
  int result = -1;

  if (i != 0 && parent != 0 && i->disk.type == FILE && directory_find(parent, name, &entry) < 0 &&
      directory_add(parent, name, i->number)) {
    change_links(i, 1);
    result = 0;
  }
  if (i != 0)
    inode_put(i);
  if (parent != 0)
    inode_put(parent);
  return result;
}

static bool
is_empty(struct inode *directory)
{
  struct directory_entry entry;

  for (uint32_t at = 2 * sizeof entry; at < directory->disk.size; at += sizeof entry)
    if (inode_read(directory, at, &entry, sizeof entry) == sizeof entry && entry.inode != 0)
      return false;
  return true;
}

// Takes an entry away.
static int
remove(struct inode *parent, int at, struct inode *i)
{
  static const struct directory_entry free;
  bool is_directory = i->disk.type == DIRECTORY;

  if (is_directory && !is_empty(i))
    return -1;
  inode_write(parent, at, &free, sizeof free);
  change_links(i, is_directory ? -2 : -1);
  if (is_directory)
    change_links(parent, -1);
  return 0;
}

int
path_unlink(const char *path)
{
  char name[FILE_NAME];
  struct directory_entry entry;
  struct inode *parent = path_parent(path, name);
  int result = -1;

  if (parent == 0)
    return -1;
  int at = directory_find(parent, name, &entry);
  if (at >= 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
    struct inode *i = inode_get(entry.inode);
    result = remove(parent, at, i);
    inode_put(i);
  }
  inode_put(parent);
  return result;
}
