// What can be typed.

#include "sh.h"

static const char text[] =
  "ls cat cp mv ln rm mkdir     files and directories; cd DIRECTORY goes there\n"
  "wc sort grep head echo       text: from files, from other programs, or from what you type\n"
  "ps kill nice sleep spin      processes\n"
  "exit, or halt                the end\n"
  "\n"
  "cat fruit | sort | head 3    each reads what the one before it writes\n"
  "sort <fruit >sorted          files instead of what you type and see; >> adds to one\n"
  "spin &                       does not wait for its end: ps shows it, kill NUMBER ends it\n"
  "echo one; echo two           one after the other\n"
  "\n"
  "Backspace  corrects    Ctrl-U  empties the line    Ctrl-D  is the end of what you type\n"
  "Ctrl-X     ends all programs, and leads back to here\n"
  "cat readme tells more. ls /bin shows all programs.\n";

void
help(void)
{
  printf("%s", text);
}
