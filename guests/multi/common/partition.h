// Partitions: storage is cut into equal parts, one for each program, once and for all.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { PARTITIONS = 4, PARTITION_SIZE = 0x10000 };
#define PARTITION_BASE 0x80100000       // of partition 0; programs are linked for theirs

uint32_t partition_start(int partition);

// Puts a program file into the partition that it is linked for, clears the rest, and returns its
// number, or -1 if it does not fit in there or the partition is taken.
int partition_load(const void *file, uint32_t size, uint32_t *entry);
