// What a user program can call: the kernel's services, and a few functions round them. -1 means
// that the kernel refused.
#pragma once

#include "information.h"
#include "lib.h"
#include "status.h"

// Stage 09
void leave(int code) __attribute__((noreturn));         // ends, and what was printed may be lost
int write(int file, const void *data, uint32_t size);   // file 1 is the terminal
void yield(void);                                       // lets others run
void sleep(uint32_t ticks);                             // waits
uint32_t time(void);                                    // ticks, modulo 2^32

// Stage 10
void priority(int priority);                            // higher ones go first, if that counts

// Stage 11
int semaphore(uint32_t number, int value);      // to be used; begins with value, if nobody did
int down(uint32_t number);                      // waits while it is 0; -1 would be a deadlock
int up(uint32_t number);
int send(uint32_t mailbox, const void *text, uint32_t size);    // waits while there is no room
int receive(uint32_t mailbox, void *text, uint32_t size);       // waits for one; its size

// Stage 12
int fork(void);                 // goes on twice: 0 in the child, the child's number in the parent
int exec(const char *name, char *const *argv);  // goes on as another program; argv ends with 0
int wait(int *code);            // for a child's end; its number, -1 if there is no child
int kill(int number);
void *grow(uint32_t size);      // that many bytes more, from the address returned on; or NOWHERE
int status(uint32_t slot, struct status *status);       // its number, 0: free, -1: no such slot

#define NOWHERE ((void *)-1)
#define USER_STACK 0x80000000   // where the stack ends; it has 16 KiB

// Stage 13
int lock(const void *start, uint32_t size);     // these pages stay in storage

// Stage 14. Files 0, 1 and 2 are open from the start: input, output, and for complaints.
int open(const char *path, int mode);           // READ, WRITE, CREATE, TRUNCATE, added; its number
int read(int file, void *to, uint32_t size);    // how many bytes; 0 at the end
int close(int file);
int dup(int file);                              // the lowest free number, for the same file
int pipe(int files[2]);                         // what is written to the second, the first reads
int seek(int file, uint32_t offset);            // where the next read or write begins
int stat(int file, struct information *information);
int mkdir(const char *path);
int chdir(const char *path);                    // where paths begin that do not begin with /
int link(const char *old, const char *new);     // one more name for a file
int unlink(const char *path);                   // takes a name away; the last one: deletes
int halt(int code);                             // switches the machine off

// output.c
void exit(int code) __attribute__((noreturn));
void flush(void);               // writes what has been printed and is no whole line yet
int write_all(int file, const void *data, uint32_t size);       // 0, or -1
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));   // to file 2

// input.c
int number_of(const char *digits);
struct input {
  int file;
  int count, next;
  char buffer[512];
};
int next_char(struct input *input);             // -1 at the end
int next_line(struct input *input, char *line, int size);       // its length; 0 at the end
