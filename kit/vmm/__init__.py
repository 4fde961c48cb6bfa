"""The VMM kernel: the trusted part. It runs as the machine's M-mode program.

Its rules for CSRs, traps, protection and data accesses are written independently of `kit.isa`, so
that comparing the two means something. A virtual CPU is a `kit.isa.cpu.Cpu` too, called ``v`` in
these modules: its words are the guest's registers as the guest believes them to be.
"""
