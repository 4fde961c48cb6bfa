// Asks the server for squares of numbers, by messages.

#include "user.h"

enum { QUESTIONS = 0, ANSWERS = 1, LAST = 10 };

int
main(void)
{
  int sum = 0, square;

  for (int n = 1; n <= LAST; n++) {
    send(QUESTIONS, &n, sizeof n);
    receive(ANSWERS, &square, sizeof square);
    sum += square;
  }
  send(QUESTIONS, &sum, 0);     // no more questions
  printf("client: the squares up to %d make %d\n", LAST, sum);
  return 0;
}
