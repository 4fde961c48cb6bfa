// Counts prime numbers: a program that never waits, and never thinks of others.

#include "user.h"

enum { LAST = 3000 };

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

  for (int n = 2; n <= LAST; n++)
    primes += is_prime(n);
  printf(NAME ": %d primes up to %d\n", primes, LAST);
  return 0;
}
