// The shell: what a line is made of.
#pragma once

#include "user.h"

enum { LINE = 128, WORDS = 15, COMMANDS = 5 };

// A piece of a line: a word, or one of | < > + ; & (+ stands for >>), or 0 at the end.
struct token {
  char kind;                    // 'w' for a word
  char *word;
};

// One program with its arguments, and files that take the place of its input and output.
struct command {
  char *words[WORDS + 1];       // 0 behind the last
  int count;
  char *input, *output;         // 0: as it is
  bool append;                  // to the output file
};

// Commands that work together, each one's output being the next one's input.
struct job {
  struct command commands[COMMANDS];
  int count;
  bool wait;                    // it did not end with &
};

// parse.c: cuts a line into tokens, and takes a job from them. What was wrong, or 0.
void cut(const char *line);
const char *take_job(struct job *job);  // without commands: there is none any more

void help(void);                        // help.c

// run.c
void run_job(const struct job *job);
