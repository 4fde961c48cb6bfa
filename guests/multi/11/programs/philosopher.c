// One of four philosophers, who sit round a table with a fork between each two. To eat, one needs
// both. If all take their first one at the same time, nobody ever gets a second.

#include "user.h"

enum { FORK = 8, MEALS = 3, EATING = 500 };

#define LEFT (FORK + NUMBER)
#define RIGHT (FORK + (NUMBER + 1) % 4)

// False if it would have waited for ever: then somebody else must eat first.
static bool
eat(int first, int second)
{
  bool done = false;

  down(first);
  sleep(EATING);                // and the others take their first fork, too
  if (down(second) == 0) {
    sleep(EATING);
    up(second);
    done = true;
  }
  up(first);
  return done;
}

int
main(void)
{
  int meals = 0, refused = 0;

  semaphore(LEFT, 1);
  semaphore(RIGHT, 1);
  while (meals < MEALS)
    if (LEFT_HANDED ? eat(LEFT, RIGHT) : eat(RIGHT, LEFT))
      meals++;
    else {
      refused++;
      sleep(EATING * (NUMBER + 1));
    }
  printf("philosopher-%d: %d meals%s\n", NUMBER, meals, refused > 0 ? ", some had to wait" : "");
  return 0;
}
