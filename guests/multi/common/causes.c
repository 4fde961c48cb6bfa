// The processor's exceptions, in words. Privileged Architecture, table 3.6.

#include "causes.h"

const char *
cause_name(uint32_t cause)
{
  static const char *const names[] = {
    "misaligned jump", "fetch outside its storage", "illegal instruction", "breakpoint",
    "misaligned load", "load outside its storage", "misaligned store",
    "store outside its storage", "system call", "system call", "", "system call",
    "fetch outside its storage", "load outside its storage", "", "store outside its storage",
  };

  return cause < sizeof names / sizeof names[0] ? names[cause] : "unknown cause";
}
