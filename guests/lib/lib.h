// What the library has, file by file. A program gets the parts that it uses, and what it defines
// itself takes the place of the library's.
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The program has int main(uint32_t hart, uint32_t device_tree), or int main(void). What it returns
// is the exit code.

// start.S, link.ld: symbols whose addresses bound the program's storage
extern char image_start[], text_end[], bss_start[], bss_end[], image_end[];
extern char stack_bottom[], stack_top[];

// finisher.c
void power_off(int code) __attribute__((noreturn));

// console.c: the terminal
void putchar(char c);
int getchar(void);                      // waits for a character
int console_poll(void);                 // a character, or -1 if none has been typed

// uart.c
void uart_put(char c);
int uart_get(void);                     // -1 if nothing has arrived
void uart_enable_interrupt(void);       // while a byte waits to be read

// printf.c, format.c: %d %u %x %c %s %p %%, l and ll, a width, 0 and -
int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int snprintf(char *buffer, size_t size, const char *format, ...)
  __attribute__((format(printf, 3, 4)));
int vprintf(const char *format, va_list arguments);
int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments);
void panic(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

// string.c, memory.c
void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t most);
char *strchr(const char *s, int c);
size_t strlcpy(char *to, const char *from, size_t size);  // always ends it with 0

// clint.c: time in ticks of mtime
uint64_t clock_now(void);
void clock_alarm(uint64_t when);        // the timer's interrupt is up from then on
void clock_no_alarm(void);
void clock_software_interrupt(bool up);

// plic.c: `context` is PLIC_MACHINE or PLIC_SUPERVISOR
enum { PLIC_MACHINE, PLIC_SUPERVISOR };
void plic_enable(int context, int source);
int plic_claim(int context);            // the source to be served, or 0
void plic_complete(int context, int source);

// unit_record.c: card reader, printer, punch; `device` is READER, PRINTER or PUNCH
enum { CARD_COLUMNS = 80, LINE_COLUMNS = 132 };
enum { UNIT_READY = 1, UNIT_DONE = 2, UNIT_END = 4, UNIT_LOST = 8 };  // bits of its status
enum unit_command { READER_FEED = 1, PRINTER_PRINT = 1, PRINTER_EJECT = 2, PUNCH_PUNCH = 1 };
bool card_read(char card[CARD_COLUMNS]);        // false: there was none
void line_print(const char *text, size_t length);
void page_eject(void);
void printer_finish(void);
void card_punch(const char *text, size_t length);
uint32_t unit_status(uint32_t device);
void unit_start(uint32_t device, enum unit_command command);
void unit_acknowledge(uint32_t device);
void unit_interrupts(uint32_t device, bool on);
volatile char *unit_buffer(uint32_t device);

// disk.c: sectors of 512 bytes
enum { SECTOR_SIZE = 512 };
enum disk_command { DISK_READ = 0, DISK_WRITE = 1, DISK_FLUSH = 4 };
struct disk_request {
  uint32_t type;                        // a disk_command; these three are what the device reads
  uint32_t reserved;
  uint64_t sector;
  void *buffer;
  uint32_t size;                        // bytes: whole sectors, 0 for a flush
  volatile uint8_t result;              // 0 if all went well
  volatile bool done;
};
int disk_open(void);                    // its interrupt source; 0 if there is no disk
uint32_t disk_sectors(void);
bool disk_start(struct disk_request *request);  // false: too many at once; the request must stay
struct disk_request *disk_finished(void);       // the next one done, or 0; ends the interrupt
bool disk_do(enum disk_command type, uint32_t sector, void *buffer, uint32_t count);  // and waits

// device_tree.c: `tree` is what main gets; a node is named without its @address
const void *device_tree_property(uint32_t tree, const char *node, const char *name, uint32_t *size);
bool device_tree_region(uint32_t tree, const char *node, uint32_t *base, uint32_t *size);
const char *boot_arguments(uint32_t tree);
