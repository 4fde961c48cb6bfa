// Directories, and the paths through them. For who is in the file system: see journal.h.
#pragma once

#include "inode.h"

enum { PATH = 80 };             // bytes of a path, with the 0 at its end

// What a path leads to, with a reference; 0 if there is nothing. A path begins at /, or else at the
// current process's directory.
struct inode *path_find(const char *path);

// The directory that the last name of a path is to be in, and that name; 0 if there is none.
struct inode *path_parent(const char *path, char name[FILE_NAME]);

// The place of a name in a directory, and in `entry` what is there; -1 if it is not there. The
// empty name finds a free place, at the end if there is no other.
int directory_find(struct inode *directory, const char *name, struct directory_entry *entry);
bool directory_add(struct inode *directory, const char *name, uint32_t number);

// names.c: make or change one entry; -1 if that cannot be.
struct inode *path_make(const char *path, enum inode_type type);        // 0 if it cannot be
int path_link(const char *old, const char *new);
int path_unlink(const char *path);      // a directory only if it is empty
