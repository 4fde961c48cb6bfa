# Start-up: a load that does nothing, to see what starting and ending cost on an engine.

        .include "start.s"

# main(a0: rounds): returns their number.
main:
        ret
