// The words that the machine was started with, which stand in the device tree.

#include "arguments.h"
#include "lib.h"

static char text[256];                  // all that was given; the device tree will be overwritten
static const char *words;               // where words are looked for that are no settings

// Takes the next word from *p; false at the end.
static bool
next_word(const char **p, char word[ARGUMENT_LENGTH])
{
  int length = 0;

  while (**p == ' ')
    (*p)++;
  for (; **p != 0 && **p != ' '; (*p)++)
    if (length < ARGUMENT_LENGTH - 1)
      word[length++] = **p;
  word[length] = 0;
  return length > 0;
}

bool
argument(int n, char word[ARGUMENT_LENGTH])
{
  const char *p = words;

  while (next_word(&p, word))
    if (strchr(word, '=') == 0 && n-- == 0)
      return true;
  return false;
}

void
arguments_read(uint32_t device_tree, const char *usual)
{
  char word[ARGUMENT_LENGTH];

  strlcpy(text, boot_arguments(device_tree), sizeof text);
  words = text;
  if (!argument(0, word))
    words = usual;
}

const char *
setting(const char *name, const char *otherwise)
{
  static char word[ARGUMENT_LENGTH];
  const char *p = text;
  size_t length = strlen(name);

  while (next_word(&p, word))
    if (strncmp(word, name, length) == 0 && word[length] == '=')
      return word + length + 1;
  return otherwise;
}

uint32_t
setting_number(const char *name, uint32_t otherwise)
{
  const char *digits = setting(name, "");
  uint32_t number = 0;

  if (*digits == 0)
    return otherwise;
  for (; *digits >= '0' && *digits <= '9'; digits++)
    number = 10 * number + *digits - '0';
  return number;
}
