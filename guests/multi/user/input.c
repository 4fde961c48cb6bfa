// Reading, a piece at a time from the kernel, a character or a line at a time by the program.

#include "user.h"

int
next_char(struct input *input)
{
  if (input->next == input->count) {
    input->count = read(input->file, input->buffer, sizeof input->buffer);
    input->next = 0;
    if (input->count <= 0) {
      input->count = 0;
      return -1;
    }
  }
  return (uint8_t)input->buffer[input->next++];
}

// A line that does not fit is cut into several.
int
next_line(struct input *input, char *line, int size)
{
  int length = 0, c = 0;

  while (length < size - 1 && c != '\n' && (c = next_char(input)) >= 0)
    line[length++] = c;
  line[length] = 0;
  return length;
}

int
number_of(const char *digits)
{
  int number = 0;

  for (; *digits >= '0' && *digits <= '9'; digits++)
    number = 10 * number + *digits - '0';
  return number;
}
