"""Guests that get nowhere are told from those that only take long."""

from __future__ import annotations

import pytest

from kit import VMM, Machine
from kit.control.diagnosis import trap_loop
from kit.isa.assembler import assemble

NOWHERE = {
    "no handler": (
        "_start: li a0, 1\nret\n",
        "instruction access fault, mtval 0x0 (no trap handler",
    ),
    "bad handler": (
        "la t0, bad\ncsrw mtvec, t0\necall\n.balign 4\nbad: .word 0\n",
        "illegal instruction, mtval 0x0 (the trap handler's first instruction traps: mtvec",
    ),
}
SOMEWHERE = {
    "loop": "1: j 1b\n",
    "handled": "la t0, good\ncsrw mtvec, t0\n1: ecall\nj 1b\n.balign 4\ngood: csrr t0, mepc\n"
    "addi t0, t0, 4\ncsrw mepc, t0\nmret\n",
}


@pytest.mark.parametrize("name", NOWHERE)
def test_a_handler_that_traps_at_once_is_a_loop_bare_and_virtual(name: str) -> None:
    source, words = NOWHERE[name]
    bare = Machine(memory="64K")
    bare.load(assemble(source))
    virtual = VMM(Machine(memory="1M")).create("guest", assemble(source), memory="64K")
    for machine in (bare, virtual):
        machine.run(100)
        assert words in trap_loop(machine.hart)


@pytest.mark.parametrize("name", SOMEWHERE)
def test_a_guest_that_goes_on_is_none(name: str) -> None:
    machine = Machine(memory="64K")
    machine.load(assemble(SOMEWHERE[name]))
    for _ in range(40):
        machine.run(1)
        assert trap_loop(machine.hart) == ""
