// What a job in C can ask for.
#pragma once

#include "lib.h"
#include "services.h"

int main(void);

// The plain call; `a` and `b` are what the service wants in a0 and a1.
int service(uint32_t a, uint32_t b, uint32_t number);

bool read(char card[CARD_COLUMNS + 1]);         // false: no more. A 0 stands behind the card.
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));      // a line
void punch(const char *text);                   // a card
void new_page(void);
uint32_t ticks(void);                           // the job's own time so far
