"""A guest in a virtual machine does, step for step, what it does on the bare machine."""

from __future__ import annotations

import pytest

from kit import VMM, Machine
from kit.machine.computer import Computer
from tests.vmm.programs import Writer

TRANSIENT = ("next_pc", "instruction")


def state(machine: Computer) -> dict[str, object]:
    """Everything that a program could see, but storage."""
    snapshot = machine.hart.snapshot()
    for name in TRANSIENT:
        del snapshot[name]
    if not snapshot["reservation_valid"]:
        del snapshot["reservation"]
    return snapshot


def pair(program: bytes) -> tuple[Machine, Computer]:
    """The program on a bare machine and in a virtual one that should be its like."""
    bare = Machine(modes="MU", memory="64K")
    bare.load(program)
    vmm = VMM(Machine(memory="512K"))
    return bare, vmm.create("guest", program, memory="64K")


def compare(seed: int, steps: int) -> int:
    """Runs one random program both ways; returns the steps made."""
    bare, virtual = pair(Writer(seed).program(300))
    for step in range(steps):
        stop, other = bare.run(1), virtual.run(1)
        assert (stop.reason, stop.code) == (other.reason, other.code), (seed, step)
        assert state(bare) == state(virtual), (seed, step)
        if stop.reason != "budget":
            break
    assert bare.read_memory(*bare.ram) == virtual.read_memory(*virtual.ram), seed
    assert bare.board.save() == virtual.board.save(), seed
    return step


@pytest.mark.parametrize("seed", range(20))
def test_random_programs_run_step_for_step_as_on_the_bare_machine(seed: int) -> None:
    compare(seed, 500)


@pytest.mark.parametrize("seed", range(100, 110))
def test_a_long_run_ends_in_the_same_state_as_on_the_bare_machine(seed: int) -> None:
    bare, virtual = pair(Writer(seed).program(300))
    assert bare.run(5000) == virtual.run(5000)
    assert state(bare) == state(virtual)
    assert bare.read_memory(*bare.ram) == virtual.read_memory(*virtual.ram)
