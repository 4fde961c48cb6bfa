// Open files: what a process reads and writes by small numbers.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "information.h"

struct inode;
struct pipe;

enum {
  FILES = 10,                   // that a process can have open
  OPEN_FILES = 48,              // that all can, together
};

enum file_kind { TERMINAL, PIPE, DISK_FILE };

struct file {
  enum file_kind kind;
  int users;                    // 0: this place is free
  bool can_read, can_write;
  struct pipe *pipe;            // PIPE
  struct inode *inode;          // DISK_FILE
  uint32_t offset;              // in that: where the next one reads or writes
};

struct file *file_terminal(void);               // these three: 0 if there are too many
struct file *file_open(const char *path, int mode);     // mode: see information.h
bool file_pipe(struct file **reader, struct file **writer);
struct file *file_again(struct file *f);        // for one more user
void file_close(struct file *f);

// To and from the current process: how many bytes, or -1.
int file_read(struct file *f, uint32_t to, uint32_t size);
int file_write(struct file *f, uint32_t from, uint32_t size);
int file_seek(struct file *f, uint32_t offset);
void file_inform(const struct file *f, struct information *information);
