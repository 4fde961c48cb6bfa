// Running jobs: a process for each command, and pipes between them.

#include "sh.h"

enum { NOT_RUN = 127 };         // the exit code of what is no program

// From now on, file number `as` is this one.
static void
put_in_place(int file, int as)
{
  if (file == as)
    return;
  close(as);
  dup(file);                    // gets the lowest number, which is the one just closed
  close(file);
}

static int
open_or_die(const char *name, int mode)
{
  int file = open(name, mode);

  if (file < 0) {
    complain("sh: %s: cannot be opened\n", name);
    exit(1);
  }
  return file;
}

static void
go_to_end(int file)
{
  struct information about;

  if (stat(file, &about) == 0)
    seek(file, about.size);
}

// In the child: becomes the program.
static void
become(const struct command *command)
{
  char path[LINE];
  int mode = WRITE + CREATE + (command->append ? 0 : TRUNCATE);

  if (command->input != 0)
    put_in_place(open_or_die(command->input, READ), 0);
  if (command->output != 0) {
    int file = open_or_die(command->output, mode);
    go_to_end(file);
    put_in_place(file, 1);
  }
  bool has_path = strchr(command->words[0], '/') != 0;
  snprintf(path, sizeof path, "%s%s", has_path ? "" : "/bin/", command->words[0]);
  exec(path, command->words);
  complain(open(path, READ) < 0 ? "sh: %s: not found; help tells what there is\n" :
                                  "sh: %s: is no program\n", command->words[0]);
  exit(NOT_RUN);
}

// What one in the background reads that is given nothing: else it would take the shell's lines.
static int
nothing(void)
{
  int ends[2] = {-1, -1};

  pipe(ends);
  close(ends[1]);
  return ends[0];
}

// Starts a command that reads from `input`; returns its number. If there is a next one, *output is
// what that has to read from.
static int
start(const struct command *command, int input, int *output)
{
  int ends[2] = {-1, -1};

  if (output != 0 && pipe(ends) < 0)
    return -1;
  int number = fork();
  if (number == 0) {
    put_in_place(input, 0);
    if (output != 0) {
      close(ends[0]);
      put_in_place(ends[1], 1);
    }
    become(command);
  }
  if (output != 0) {
    close(ends[1]);
    *output = ends[0];
  }
  return number;
}

static void
wait_for(int number, const char *name)
{
  int ended, code = 0;

  while ((ended = wait(&code)) > 0 && ended != number)
    ;
  if (ended == number && code == -1)
    complain("sh: %s was stopped\n", name);
  else if (ended == number && code != 0 && code != NOT_RUN)
    complain("sh: %s ended with code %d\n", name, code);
}

// Those that the shell does itself: they change the shell.
static bool
do_myself(const struct command *command)
{
  const char *name = command->words[0];

  if (strcmp(name, "exit") == 0)
    exit(command->count > 1 ? number_of(command->words[1]) : 0);
  if (strcmp(name, "help") == 0) {
    help();
    return true;
  }
  if (strcmp(name, "cd") != 0)
    return false;
  if (chdir(command->count > 1 ? command->words[1] : "/") < 0)
    complain("cd: there is no such directory\n");
  return true;
}

void
run_job(const struct job *job)
{
  int input = job->wait ? 0 : nothing(), output, number = -1;

  if (job->count == 1 && do_myself(&job->commands[0]))
    return;
  for (int n = 0; n < job->count; n++) {
    output = 0;
    number = start(&job->commands[n], input, n + 1 < job->count ? &output : 0);
    if (input != 0)
      close(input);
    input = output;
    if (number < 0) {
      complain("sh: there is no room for %s\n", job->commands[n].words[0]);
      return;
    }
  }
  if (job->wait)
    wait_for(number, job->commands[job->count - 1].words[0]);
  else
    printf("%d\n", number);
}
