// Storage that all programs share, so that there is something to be careful with.
#pragma once

#define SHARED 0x80140000               // behind the partitions
#define SHARED_SIZE 4096

void share_storage(void);
