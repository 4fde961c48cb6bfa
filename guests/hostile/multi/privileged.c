// Tries the instructions and registers that only the kernel may use, each in a child.

#include "attack.h"
#include "machine.h"

#define ATTEMPTS(what) what(sstatus) what(sie) what(stvec) what(sscratch) what(sepc) what(scause) \
  what(stval) what(sip) what(satp) what(mstatus) what(misa) what(medeleg) what(mie) what(mtvec) \
  what(mscratch) what(mepc) what(mcause) what(mip) what(pmpcfg0) what(pmpaddr0) what(mhartid)
#define READS(name) static void read_##name(void) { (void)csr_read(name); }
#define WRITES(name) static void write_##name(void) { csr_write(name, 0); }
#define NAMES(name) read_##name, write_##name,

ATTEMPTS(READS)
ATTEMPTS(WRITES)

static void return_s(void) { asm volatile("sret"); }
static void return_m(void) { asm volatile("mret"); }
static void wait_long(void) { asm volatile("wfi"); }
static void flush_all(void) { asm volatile("sfence.vma"); }
static void stop_here(void) { asm volatile("ebreak"); }

static void (*const attempts[])(void) = {
  ATTEMPTS(NAMES) return_s, return_m, wait_long, flush_all, stop_here,
};

int
main(void)
{
  int won = 0;

  for (int n = 0; n < sizeof attempts / sizeof attempts[0]; n++)
    won += outcome(attempts[n]) != -1;
  return verdict("privileged", won);
}
