// Counts prime numbers: a program that needs the processor, and lets others run now and then.

#include "user.h"

enum { STEP = 500, LAST = 4000 };

static bool
is_prime(int n)
{
  for (int d = 2; d * d <= n; d++)
    if (n % d == 0)
      return false;
  return true;
}

int
main(void)
{
  int primes = 0;

  for (int n = 2; n <= LAST; n++) {
    primes += is_prime(n);
    if (n % STEP == 0) {
      printf("count: %d primes up to %d\n", primes, n);
      yield();
    }
  }
  return 0;
}
