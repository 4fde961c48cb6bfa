// Directories: files that hold names, each with the number of an inode.

#include "directory.h"
#include "lib.h"
#include "process.h"

// The place of a name in a directory; in `entry` what is there. -1 if it is not there. The empty name
// finds a free place, at the end if there is no other.
static int
find(struct inode *directory, const char *name, struct directory_entry *entry)
{
  uint32_t at = 0;

  for (; inode_read(directory, at, entry, sizeof *entry) == sizeof *entry; at += sizeof *entry)
    if (entry->inode == 0 ? *name == 0 : strcmp(entry->name, name) == 0)
      return at;
  return *name == 0 ? (int)at : -1;
}

static bool
add(struct inode *directory, const char *name, uint32_t number)
{
  struct directory_entry entry;
  int at = find(directory, "", &entry);

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
  return *path == '/' || current->directory == 0 ? inode_get(ROOT) : inode_again(current->directory);
}

// Gives up the reference to the directory. 0 if there is no such name in it.
static struct inode *
go_to(struct inode *directory, const char *name)
{
  struct directory_entry entry;
  bool found = directory->disk.type == DIRECTORY && find(directory, name, &entry) >= 0;

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

// The directory that the last name of a path is to be in, and that name; 0 if there is none.
static struct inode *
find_parent(const char *path, char name[FILE_NAME])
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

// A new directory knows itself, and its parent.
static bool
add_dots(struct inode *directory, struct inode *parent)
{
  return add(directory, ".", directory->number) && add(directory, "..", parent->number);
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
  struct inode *parent = find_parent(path, name), *made = 0;
  bool is_directory = type == DIRECTORY;

  if (parent == 0)
    return 0;
  if (find(parent, name, &entry) < 0)
    made = inode_make(type);
  if (made == 0) {
    inode_put(parent);
    return 0;
  }
  if ((!is_directory || add_dots(made, parent)) && add(parent, name, made->number)) {
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
  struct inode *i = path_find(old), *parent = find_parent(new, name);
  int result = -1;

  if (i != 0 && parent != 0 && i->disk.type == FILE && find(parent, name, &entry) < 0 &&
      add(parent, name, i->number)) {
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
  struct inode *parent = find_parent(path, name);
  int result = -1;

  if (parent == 0)
    return -1;
  int at = find(parent, name, &entry);
  if (at >= 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
    struct inode *i = inode_get(entry.inode);
    result = remove(parent, at, i);
    inode_put(i);
  }
  inode_put(parent);
  return result;
}
