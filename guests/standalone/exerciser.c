// Device exerciser: makes each device do what it can, and watches. Nothing on the disk is changed.
// The exit code is the number of tests that failed.

#include "exerciser.h"

static int failures;

void
report(const char *device, const char *test, bool passed)
{
  printf("%-14s %-24s %s\n", device, test, passed ? "passed" : "FAILED");
  failures += !passed;
}

// The processor

static char fenced[4096] __attribute__((aligned(4096)));

static void illegal(void) { asm volatile(".word 0"); }
static void breakpoint(void) { asm volatile("ebreak"); }
static void call(void) { asm volatile("ecall"); }
static void load_nothing(void) { (void)REG32(0x00300000); }
static void store_nothing(void) { REG32(0x00300000) = 1; }
static void read_status(void) { (void)csr_read(mstatus); }
static void load_fenced(void) { (void)REG8(fenced); }
static void store_fenced(void) { REG8(fenced) = 1; }
static void sleep_now(void) { asm volatile("wfi"); }

static void
exercise_processor(void)
{
  const char *name = "processor";

  report(name, "illegal instruction", cause_of(illegal) == CAUSE_ILLEGAL);
  report(name, "breakpoint", cause_of(breakpoint) == CAUSE_BREAKPOINT);
  report(name, "call from M-mode", cause_of(call) == CAUSE_ECALL_M);
  report(name, "load from nowhere", cause_of(load_nothing) == CAUSE_LOAD_ACCESS);
  report(name, "store to nowhere", cause_of(store_nothing) == CAUSE_STORE_ACCESS);

  report(name, "call from U-mode", cause_in_user_mode(call) == CAUSE_ECALL_U);
  report(name, "privilege in U-mode", cause_in_user_mode(read_status) == CAUSE_ILLEGAL);
  csr_set(mstatus, MSTATUS_TW);
  report(name, "wait in U-mode", cause_in_user_mode(sleep_now) == CAUSE_ILLEGAL);
  csr_clear(mstatus, MSTATUS_TW);
}

static void
exercise_protection(void)
{
  const char *name = "protection";

  // The first entry that matches decides: this page can be read, and not written.
  csr_write(pmpaddr0, (uint32_t)fenced >> 2 | ((sizeof fenced >> 3) - 1));
  csr_write(pmpcfg0, PMP_NAPOT | PMP_R);
  report(name, "load is allowed", cause_in_user_mode(load_fenced) == -1);
  report(name, "store is not", cause_in_user_mode(store_fenced) == CAUSE_STORE_ACCESS);
  report(name, "M-mode is not bound", cause_of(store_fenced) == -1);
  csr_write(pmpcfg0, 0);
  report(name, "without fence", cause_in_user_mode(store_fenced) == -1);
}

static void
exercise_clock(void)
{
  uint64_t before = clock_now();

  report("clock", "goes on", clock_now() > before);
  report("clock", "alarm", alarm_comes(clock_now() + 1000));
  report("clock", "software interrupt", software_interrupt_comes());
}

static void
exercise_uart(void)
{
  enum { IER = 1, MCR = 4, SCRATCH = 7, LOOP = 0x10 };
  bool interrupted;

  REG8(UART + SCRATCH) = 0x5a;
  report("uart", "scratch register", REG8(UART + SCRATCH) == 0x5a);

  // In loop-back nothing is printed: what is sent is received.
  REG8(UART + MCR) |= LOOP;
  uart_put('x');
  bool received = uart_get() == 'x';
  uart_enable_interrupt();
  uart_put('y');
  interrupted = interrupt_comes(IRQ_UART);
  REG8(UART + IER) = 0;
  REG8(UART + MCR) &= ~LOOP;
  report("uart", "loop-back", received);
  report("uart", "interrupt", interrupted);
}

static bool
by_interrupt(int source, enum disk_command type, uint32_t sector, void *buffer)
{
  struct disk_request request = {
    .type = type, .sector = sector, .buffer = buffer, .size = buffer != 0 ? SECTOR_SIZE : 0};

  return disk_start(&request) && interrupt_comes(source) && request.done && request.result == 0;
}

static void
exercise_disk(void)
{
  static uint8_t saved[SECTOR_SIZE], again[SECTOR_SIZE];
  int source = disk_open();

  if (source == 0) {
    printf("%-14s is not there\n", "disk");
    return;
  }
  uint32_t last = disk_sectors() - 1;
  report("disk", "read", by_interrupt(source, DISK_READ, last, saved));
  report("disk", "write what was there", by_interrupt(source, DISK_WRITE, last, saved));
  report("disk", "flush", by_interrupt(source, DISK_FLUSH, 0, 0));
  report("disk", "read again", by_interrupt(source, DISK_READ, last, again));
  report("disk", "nothing has changed", memcmp(saved, again, SECTOR_SIZE) == 0);
  report("disk", "no sector behind the last", !disk_do(DISK_READ, last + 1, again, 1));
}

int
main(uint32_t hart, uint32_t device_tree)
{
  watch_traps();
  exercise_processor();
  exercise_protection();
  exercise_clock();
  exercise_uart();
  exercise_disk();
  exercise_unit_record(device_tree);
  printf(failures == 0 ? "all passed\n" : "%d FAILED\n", failures);
  return failures;
}
