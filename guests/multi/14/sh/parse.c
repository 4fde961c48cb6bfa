// The shell's grammar:
//
//   line:     job ; job & job ...
//   job:      command | command ...
//   command:  words, and < file, > file or >> file
//   word:     characters without blanks, or any between two quotes; # begins a comment

#include "sh.h"

enum { TOKENS = LINE + 1 };

static struct token tokens[TOKENS], *next;
static char words[2 * LINE];            // with a 0 behind each

// Takes a word from *p, to *to.
static char *
take_word(const char **p, char **to)
{
  char *word = *to;
  bool quoted = **p == '"';
  const char *ends = quoted ? "\"\n" : " \n|<>;&";

  for (*p += quoted; **p != 0 && strchr(ends, **p) == 0; (*p)++)
    *(*to)++ = **p;
  *p += quoted && **p == '"';
  *(*to)++ = 0;
  return word;
}

void
cut(const char *line)
{
  char *to = words;
  struct token *token = tokens;

  for (;;) {
    while (*line == ' ' || *line == '\n')
      line++;
    if (*line == 0 || *line == '#')
      break;
    if (strchr("|<>;&", *line) == 0)
      *token++ = (struct token){'w', take_word(&line, &to)};
    else if (line[0] == '>' && line[1] == '>') {
      *token++ = (struct token){'+'};
      line += 2;
    } else
      *token++ = (struct token){*line++};
  }
  *token = (struct token){0};
  next = tokens;
}

static const char *
take_file(char **file)
{
  if (next->kind != 'w')
    return "a file's name is missing";
  *file = (next++)->word;
  return 0;
}

static const char *
take_command(struct command *command)
{
  const char *mistake = 0;

  while (mistake == 0 && next->kind != 0 && strchr("w<>+", next->kind) != 0) {
    struct token token = *next++;
    if (token.kind == '<')
      mistake = take_file(&command->input);
    else if (token.kind != 'w') {
      command->append = token.kind == '+';
      mistake = take_file(&command->output);
    } else if (command->count == WORDS)
      mistake = "too many words";
    else
      command->words[command->count++] = token.word;
  }
  return mistake == 0 && command->count == 0 ? "a program's name is missing" : mistake;
}

const char *
take_job(struct job *job)
{
  const char *mistake = 0;

  *job = (struct job){.wait = true};
  while (next->kind == ';')
    next++;
  if (next->kind == 0)
    return 0;
  do {
    if (job->count == COMMANDS)
      return "too many programs";
    mistake = take_command(&job->commands[job->count++]);
  } while (mistake == 0 && next->kind == '|' && next++ != 0);
  job->wait = next->kind != '&';
  if (next->kind == '&')
    next++;
  return mistake;
}
