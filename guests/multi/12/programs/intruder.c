// Tries what no program may do. Each attempt is a child's, which must not survive it; and no
// pointer of that kind must get anything from the kernel.

#include "machine.h"
#include "user.h"

#define OUTSIDE 0x50000000
#define BELOW_STACK (USER_STACK - 0x4000)

static void load_null(void) { (void)REG32(0); }
static void load_kernel(void) { (void)REG32(RAM); }
static void store_kernel(void) { REG32(RAM + 0x100000) = 0; }
static void load_device(void) { (void)REG8(UART); }
static void store_outside(void) { REG32(OUTSIDE) = 1; }
static void store_text(void) { REG32(load_null) = 0; }
static void run_data(void) { volatile uint32_t ret = 0x00008067; ((void (*)(void))&ret)(); }
static void run_kernel(void) { ((void (*)(void))RAM)(); }
static void below_stack(void) { REG32(BELOW_STACK - 4) = 1; }
static void change_table(void) { csr_write(satp, 0); }
static void stop_clock(void) { csr_clear(sie, INTERRUPT_SSI); }
static void return_high(void) { asm volatile("sret"); }

static void (*const attempts[])(void) = {
  load_null, load_kernel, store_kernel, load_device, store_outside, store_text,
  run_data, run_kernel, below_stack, change_table, stop_clock, return_high,
};

static const uint32_t pointers[] = {
  0, RAM, RAM + 0x100000, UART, OUTSIDE, BELOW_STACK - 2, 0x7ffffffe, 0xfffffffe,
};

enum { ATTEMPTS = sizeof attempts / sizeof attempts[0] };
enum { POINTERS = sizeof pointers / sizeof pointers[0] };

static bool
is_stopped(void attempt(void))
{
  int code;

  if (fork() == 0) {
    attempt();
    exit(0);
  }
  return wait(&code) > 0 && code == -1;
}

int
main(void)
{
  int survived = 0, believed = 0;

  for (int n = 0; n < ATTEMPTS; n++)
    survived += !is_stopped(attempts[n]);
  for (int n = 0; n < POINTERS; n++) {
    believed += write(1, (void *)pointers[n], 4) != -1;
    believed += status(0, (void *)pointers[n]) != -1;
    believed += exec((void *)pointers[n], (void *)pointers[n]) != -1;
    believed += exec("intruder", (void *)pointers[n]) != -1;
  }
  believed += status(0, (void *)main) != -1;
  printf("intruder: %d of %d survived, %d pointers were believed\n", survived, ATTEMPTS, believed);
  return survived + believed;
}
