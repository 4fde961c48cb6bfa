// The dump of a job that ended badly: why, its registers, and storage around pc and sp.

#include "monitor.h"

enum { PARAGRAPH = 16, AROUND = 2 };    // bytes to a line; lines before and after the address

static const char register_names[32][5] = {
  "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
  "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
  "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

// The instruction at pc, if the job can have fetched it.
static void
print_instruction(uint32_t pc)
{
  const uint16_t *half = (const uint16_t *)pc;

  if (!in_job_storage(pc, 2))
    print("INSTRUCTION NOT IN THE JOB'S STORAGE");
  else if ((half[0] & 3) != 3)
    print("INSTRUCTION %04x", half[0]);
  else if (in_job_storage(pc, 4))
    print("INSTRUCTION %04x%04x", half[1], half[0]);
  else
    print("INSTRUCTION NOT IN THE JOB'S STORAGE");
}

static void
print_registers(const struct trap_frame *frame)
{
  for (int n = 0; n < 32; n += 4) {
    for (int i = n; i < n + 4; i++)
      put("%-4s %08x%s", register_names[i], i == 0 ? 0 : frame->x[i], i < n + 3 ? "     " : "");
    end_line();
  }
  end_line();
}

static void
print_paragraph(uint32_t address)
{
  const uint32_t *words = (const uint32_t *)address;
  char text[PARAGRAPH];

  memcpy(text, words, PARAGRAPH);
  for (int i = 0; i < PARAGRAPH; i++)
    if (text[i] < ' ' || text[i] > '~')
      text[i] = '.';
  put("%08x   %08x  %08x  %08x  %08x  *", address, words[0], words[1], words[2], words[3]);
  put_bytes(text, PARAGRAPH);
  print("*");
}

static void
print_storage(const char *what, uint32_t address)
{
  print("STORAGE AROUND %s", what);
  address = (address & -PARAGRAPH) - AROUND * PARAGRAPH;
  for (int i = 0; i < 2 * AROUND + 1; i++, address += PARAGRAPH)
    if (in_job_storage(address, PARAGRAPH))
      print_paragraph(address);
  end_line();
}

void
print_dump(const char *how, const struct trap_frame *frame)
{
  end_line();
  print("*** %s", how);
  end_line();
  print("PC %08x   MCAUSE %08x %s   MTVAL %08x",
        frame->pc, frame->cause, cause_text(frame->cause), frame->value);
  print_instruction(frame->pc);
  end_line();
  print_registers(frame);
  print_storage("PC", frame->pc);
  print_storage("SP", frame->x[SP]);
}
