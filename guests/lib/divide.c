// Division of 64-bit numbers, which the compiler calls by these names: the processor divides 32.

#include "lib.h"

// Long division, as on paper, by a divisor of 16 bits: with digits of 16 bits, so that each step is
// a division that the processor can do. (printf needs no other.)
static uint64_t
divide_by_short(uint64_t dividend, uint32_t divisor, uint64_t *rest)
{
  uint64_t quotient = 0;
  uint32_t left = 0;

  for (int shift = 48; shift >= 0; shift -= 16) {
    left = left << 16 | (dividend >> shift & 0xffff);
    quotient = quotient << 16 | left / divisor;
    left %= divisor;
  }
  *rest = left;
  return quotient;
}

// The same bit by bit, by any divisor.
static uint64_t
divide_by_long(uint64_t dividend, uint64_t divisor, uint64_t *rest)
{
  uint64_t quotient = 0, left = 0;

  for (int bit = 63; bit >= 0; bit--) {
    bool carry = left >> 63;    // the 65th bit of `left`, once shifted
    left = left << 1 | (dividend >> bit & 1);
    quotient <<= 1;
    if (carry || left >= divisor) {
      left -= divisor;
      quotient |= 1;
    }
  }
  *rest = left;
  return quotient;
}

// Division by zero gives what the processor's own instruction gives: all ones, and the dividend as
// the rest.
static uint64_t
divide(uint64_t dividend, uint64_t divisor, uint64_t *rest)
{
  if (divisor == 0) {
    *rest = dividend;
    return UINT64_MAX;
  }
  if (divisor >> 16 == 0)
    return divide_by_short(dividend, divisor, rest);
  return divide_by_long(dividend, divisor, rest);
}

static uint64_t
magnitude(int64_t value)
{
  return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

uint64_t
__udivdi3(uint64_t a, uint64_t b)
{
  uint64_t rest;
  return divide(a, b, &rest);
}

uint64_t
__umoddi3(uint64_t a, uint64_t b)
{
  uint64_t rest;
  divide(a, b, &rest);
  return rest;
}

int64_t
__divdi3(int64_t a, int64_t b)
{
  uint64_t quotient = __udivdi3(magnitude(a), magnitude(b));
  return (a < 0) != (b < 0) && b != 0 ? -quotient : quotient;
}

// The rest has the sign of the dividend.
int64_t
__moddi3(int64_t a, int64_t b)
{
  uint64_t rest = __umoddi3(magnitude(a), magnitude(b));
  return a < 0 ? -rest : rest;
}
