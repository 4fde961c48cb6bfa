// Traps that are wanted: each is noted, and the program goes on.

#include "exerciser.h"

extern void run_until_trap(void function(void), uint32_t mode);
extern char user_back[], user_end[];

// What has happened: bit n for source n of the PLIC, and these two, which are none of its sources.
enum { SOFTWARE = 1u << 0, ALARM = 1u << 31 };

static volatile uint32_t events;
static volatile int noted;              // the cause of an exception, -1 for none

static void
serve_device(int source)
{
  if (source == IRQ_UART)
    uart_get();
  else if (source >= IRQ_READER && source <= IRQ_PUNCH)
    unit_acknowledge(READER + (source - IRQ_READER) * (PRINTER - READER));
  else
    disk_finished();
  events |= 1u << source;
}

static void
serve_interrupt(uint32_t cause)
{
  if (cause == CAUSE_M_SOFTWARE) {
    clock_software_interrupt(false);
    events |= SOFTWARE;
  } else if (cause == CAUSE_M_TIMER) {
    clock_no_alarm();
    events |= ALARM;
  } else {
    int source = plic_claim(PLIC_MACHINE);
    serve_device(source);
    plic_complete(PLIC_MACHINE, source);
  }
}

void
trap(struct trap_frame *frame)
{
  if (frame->cause & CAUSE_INTERRUPT) {
    serve_interrupt(frame->cause);
    return;
  }
  if (frame->pc != (uint32_t)user_end)
    noted = frame->cause;
  frame->pc = (uint32_t)user_back;
  frame->status |= MSTATUS_MPP_M;
}

void
watch_traps(void)
{
  clock_no_alarm();                     // the timer's interrupt is up after power-on
  csr_write(mie, INTERRUPT_MEI | INTERRUPT_MTI | INTERRUPT_MSI);

  // Lower modes may use all of storage, but for what a test forbids.
  csr_write(pmpaddr15, 0xffffffff);
  csr_write(pmpcfg3, (uint32_t)(PMP_NAPOT | PMP_R | PMP_W | PMP_X) << 24);
}

int
cause_of(void test(void))
{
  noted = -1;
  run_until_trap(test, MSTATUS_MPP_M);
  return noted;
}

int
cause_in_user_mode(void test(void))
{
  noted = -1;
  run_until_trap(test, MSTATUS_MPP_U);
  return noted;
}

// Interrupts are let in only here, between two looks at what has come: none can slip in before the
// WFI. The alarm ends the wait for what does not come.
static bool
comes(uint32_t event, uint64_t alarm)
{
  events = 0;
  clock_alarm(alarm);
  while ((events & (event | ALARM)) == 0) {
    wait_for_interrupt();
    csr_set(mstatus, MSTATUS_MIE);
    csr_clear(mstatus, MSTATUS_MIE);
  }
  clock_no_alarm();
  return (events & event) != 0;
}

bool
interrupt_comes(int source)
{
  plic_enable(PLIC_MACHINE, source);
  return comes(1u << source, clock_now() + TICKS_PER_SECOND);
}

bool
software_interrupt_comes(void)
{
  clock_software_interrupt(true);
  return comes(SOFTWARE, clock_now() + TICKS_PER_SECOND);
}

bool
alarm_comes(uint64_t when)
{
  return comes(ALARM, when) && clock_now() >= when;
}
