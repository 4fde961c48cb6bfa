// What a user program can call: the kernel's services, and a few functions round them. -1 means that
// the kernel refused.
#pragma once

#include "lib.h"

// Stage 09
void leave(int code) __attribute__((noreturn));         // ends, and what was printed may be lost
int write(int file, const void *data, uint32_t size);   // file 1 is the terminal
void yield(void);                                       // lets others run
void sleep(uint32_t ticks);                             // waits
uint32_t time(void);                                    // ticks, modulo 2^32

// output.c
void exit(int code) __attribute__((noreturn));
void flush(void);               // writes what has been printed and is no whole line yet
