// Program files, wherever a stage keeps them: image.c knows.
#pragma once

#include <stdint.h>

struct image;

void images_find(void);                         // stage 13: to be called first
struct image *image_open(const char *name);     // 0 if there is none
struct image *image_again(struct image *image); // for one more user
void image_close(struct image *image);

// Returns how many bytes were read: less than `size` only where the file ends.
uint32_t image_read(struct image *image, uint32_t offset, void *to, uint32_t size);
