// Division of 64-bit numbers, which the compiler calls by these names: the processor divides 32.

#include "lib.h"

// Binary long division, as on paper. Where both fit a register, the processor does it. Division by
// zero gives what the processor's own instruction gives: all ones, and the dividend as the rest.
static uint64_t
divide(uint64_t dividend, uint64_t divisor, uint64_t *rest)
{
  uint64_t quotient = 0, left = 0;

  if (divisor == 0) {
    *rest = dividend;
    return UINT64_MAX;
  }
  if ((dividend | divisor) >> 32 == 0) {
    *rest = (uint32_t)dividend % (uint32_t)divisor;
    return (uint32_t)dividend / (uint32_t)divisor;
  }
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
