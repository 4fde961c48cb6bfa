// Services that get paths.

#include "directory.h"
#include "file_services.h"
#include "journal.h"
#include "process.h"
#include "storage.h"

int
service_exec(const uint32_t *argument)
{
  char path[PATH];

  return copy_text_in(path, argument[0], sizeof path) ? process_exec(path, argument[1]) : -1;
}

int
service_mkdir(const uint32_t *argument)
{
  char path[PATH];

  if (!copy_text_in(path, argument[0], sizeof path))
    return -1;
  fs_begin();
  struct inode *i = path_make(path, DIRECTORY);
  if (i != 0)
    inode_put(i);
  fs_end();
  return i != 0 ? 0 : -1;
}

int
service_chdir(const uint32_t *argument)
{
  char path[PATH];

  if (!copy_text_in(path, argument[0], sizeof path))
    return -1;
  fs_begin();
  struct inode *i = path_find(path);
  bool good = i != 0 && i->disk.type == DIRECTORY;
  if (i != 0)
    inode_put(good ? current->directory : i);
  if (good)
    current->directory = i;
  fs_end();
  return good ? 0 : -1;
}

int
service_link(const uint32_t *argument)
{
  char old[PATH], new[PATH];

  if (!copy_text_in(old, argument[0], sizeof old) || !copy_text_in(new, argument[1], sizeof new))
    return -1;
  fs_begin();
  int result = path_link(old, new);
  fs_end();
  return result;
}

int
service_unlink(const uint32_t *argument)
{
  char path[PATH];

  if (!copy_text_in(path, argument[0], sizeof path))
    return -1;
  fs_begin();
  int result = path_unlink(path);
  fs_end();
  return result;
}
