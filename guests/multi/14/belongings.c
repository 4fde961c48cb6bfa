// What a process has beside its storage: semaphores, open files, and a directory to be in.

#include "belongings.h"
#include "directory.h"
#include "file.h"
#include "journal.h"
#include "process.h"
#include "semaphore.h"
#include "terminal.h"

void
belongings_inherit(struct process *child)
{
  semaphores_inherit(child);
  for (int n = 0; n < FILES; n++)
    if (current->files[n] != 0)
      child->files[n] = file_again(current->files[n]);
  child->directory = inode_again(current->directory);
  if (current->parent == 0)             // init: it makes shells
    terminal_for(child);
}

void
belongings_leave(void)
{
  semaphores_leave(current);
  for (int n = 0; n < FILES; n++)
    if (current->files[n] != 0)
      file_close(current->files[n]);
  fs_begin();
  inode_put(current->directory);
  fs_end();
}
