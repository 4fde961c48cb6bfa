// The terminal in place of reader and printer: a typed line is a card. Control-D ends the deck.

#include "monitor.h"

enum { END_OF_DECK = 4 };

static bool ended;

bool
terminal_card(char card[CARD_COLUMNS])
{
  memset(card, ' ', CARD_COLUMNS);
  for (size_t column = 0; !ended; column++) {
    int c = getchar();
    ended = c == END_OF_DECK;
    if (c == '\n')
      return true;
    if (column < CARD_COLUMNS && !ended)
      card[column] = c;
  }
  return false;
}

// As the printer does it: no blanks at the end, and "?" for what it has no type for.
void
terminal_line(const char *text, size_t length)
{
  while (length > 0 && text[length - 1] == ' ')
    length--;
  for (size_t i = 0; i < length; i++)
    putchar(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
  putchar('\n');
}
