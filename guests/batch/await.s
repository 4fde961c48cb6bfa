# Waiting for a device.

# await(a0: device): returns when the device is ready for a command; keeps a0.
#
# The device's interrupt is enabled while it is waited for, so that no other one ends the WFI, and it
# is claimed afterwards, so that it does not end the next one. WFI may return for no reason at all;
# what counts is the status.
        .text
await:
        lw      t0, STATUS(a0)
        andi    t0, t0, READY
        bnez    t0, 2f
        li      t0, MIE_MEIE
        csrw    mie, t0
        li      t0, 1
        sw      t0, IE(a0)
1:      wfi
        lw      t0, STATUS(a0)
        andi    t0, t0, READY
        beqz    t0, 1b
        sw      zero, IE(a0)            # first: else the claim would be followed by another
        li      t0, PLIC_CONTEXT
        lw      t1, PLIC_CLAIM(t0)
        sw      t1, PLIC_CLAIM(t0)
2:      ret
