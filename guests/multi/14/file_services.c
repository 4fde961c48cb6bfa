// Services for files: from small numbers and texts of the program's to files and paths.

#include "file_services.h"
#include "directory.h"
#include "file.h"
#include "process.h"
#include "storage.h"

// The open file of this number; 0 if there is none.
static struct file *
file_of(uint32_t number)
{
  return number < FILES ? current->files[number] : 0;
}

// A number for an open file; -1, and the file is closed, if there is none left, or no file.
static int
number_for(struct file *f)
{
  if (f == 0)
    return -1;
  for (int n = 0; n < FILES; n++)
    if (current->files[n] == 0) {
      current->files[n] = f;
      return n;
    }
  file_close(f);
  return -1;
}

int
service_open(const uint32_t *argument)
{
  char path[PATH];

  if (!copy_text_in(path, argument[0], sizeof path))
    return -1;
  return number_for(file_open(path, argument[1]));
}

int
service_read(const uint32_t *argument)
{
  struct file *f = file_of(argument[0]);
  return f != 0 ? file_read(f, argument[1], argument[2]) : -1;
}

int
service_write(const uint32_t *argument)
{
  struct file *f = file_of(argument[0]);
  return f != 0 ? file_write(f, argument[1], argument[2]) : -1;
}

int
service_close(const uint32_t *argument)
{
  struct file *f = file_of(argument[0]);

  if (f == 0)
    return -1;
  current->files[argument[0]] = 0;
  file_close(f);
  return 0;
}

int
service_dup(const uint32_t *argument)
{
  struct file *f = file_of(argument[0]);
  return f != 0 ? number_for(file_again(f)) : -1;
}

// Gives the two numbers of a pipe's ends.
int
service_pipe(const uint32_t *argument)
{
  struct file *reader, *writer;
  int numbers[2];

  if (!file_pipe(&reader, &writer))
    return -1;
  numbers[0] = number_for(reader);
  numbers[1] = number_for(writer);
  if (numbers[0] >= 0 && numbers[1] >= 0 && copy_out(argument[0], numbers, sizeof numbers))
    return 0;
  for (int n = 0; n < 2; n++)
    if (numbers[n] >= 0)
      service_close((uint32_t *)&numbers[n]);
  return -1;
}

int
service_seek(const uint32_t *argument)
{
  struct file *f = file_of(argument[0]);
  return f != 0 ? file_seek(f, argument[1]) : -1;
}

int
service_stat(const uint32_t *argument)
{
  struct file *f = file_of(argument[0]);
  struct information information;

  if (f == 0)
    return -1;
  file_inform(f, &information);
  return copy_out(argument[1], &information, sizeof information) ? 0 : -1;
}
