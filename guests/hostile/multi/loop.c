// Tries to keep the processor: it computes without end, and never calls the kernel.

int
main(void)
{
  for (volatile int n = 0;; n++)
    ;
}
