// Sorts more numbers than it may have in storage at a time.

#include "user.h"

enum { NUMBERS = 16 * 1024 };   // 16 pages

static void
fill(uint32_t *numbers)
{
  uint32_t seed = 1;

  for (int n = 0; n < NUMBERS; n++) {
    seed = seed * 1664525 + 1013904223;
    numbers[n] = seed >> 8;
  }
}

// Quicksort: works in one place for a long time, which is what paging likes.
static void
sort(uint32_t *first, uint32_t *last)
{
  while (first < last) {
    uint32_t *a = first, *b = last, middle = first[(last - first) / 2];
    while (a <= b) {
      while (*a < middle)
        a++;
      while (*b > middle)
        b--;
      if (a <= b) {
        uint32_t one = *a;
        *a++ = *b;
        *b-- = one;
      }
    }
    if (b - first < last - a) { // the smaller part first, so that the stack stays small
      sort(first, b);
      first = a;
    } else {
      sort(a, last);
      last = b;
    }
  }
}

int
main(int argc, char **argv)
{
  uint32_t *numbers = grow(NUMBERS * sizeof *numbers);
  int wrong = 0;

  fill(numbers);
  sort(numbers, numbers + NUMBERS - 1);
  for (int n = 1; n < NUMBERS; n++)
    wrong += numbers[n - 1] > numbers[n];
  printf("bigsort: %d numbers, %d out of order\n", NUMBERS, wrong);
  return wrong;
}
