// Does nothing, for ever: something to be killed.

int
main(void)
{
  for (;;)
    asm volatile("");
}
