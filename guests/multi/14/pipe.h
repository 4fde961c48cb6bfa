// Pipes: what one process writes, another one reads.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pipe;

struct pipe *pipe_make(void);           // with one reader and one writer; 0 if there are too many
void pipe_leave(struct pipe *p, bool writer);   // one end has no more users

// To and from the current process, which waits while the pipe is empty or full. How many bytes; 0
// if nobody will write any more, -1 if nobody will read.
int pipe_read(struct pipe *p, uint32_t to, uint32_t size);
int pipe_write(struct pipe *p, uint32_t from, uint32_t size);
