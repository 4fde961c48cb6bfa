// Formatted output, wherever it goes: printf.c has the functions that programs call.
#pragma once

#include "lib.h"

// Where the characters go. Without a buffer they go to the console.
struct sink {
  char *buffer;
  size_t size;                  // of the buffer
  size_t count;                 // characters so far, also those that did not fit
};

void format_to(struct sink *sink, const char *format, va_list arguments);
