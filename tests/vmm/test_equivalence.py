"""A guest in a virtual machine does, step for step, what it does on the bare machine."""

from __future__ import annotations

import pytest

from kit import VMM, Machine
from kit.isa.config import Config
from kit.machine.computer import Computer
from tests.conformance.generator import generate
from tests.vmm.programs import Writer

TRANSIENT = ("next_pc", "instruction", "completed")


def state(machine: Computer) -> dict[str, object]:
    """Everything that a program could see, but storage."""
    snapshot = machine.hart.snapshot()
    for name in TRANSIENT:
        del snapshot[name]
    if not snapshot["reservation_valid"]:
        del snapshot["reservation"]
    return snapshot


def pair(program: bytes, config: Config, memory: str = "64K") -> tuple[Machine, Computer]:
    """The program on a bare machine and in a virtual one that should be its like."""
    bare = Machine(config.isa, config.modes, config.pmp, memory, config.ad)
    bare.load(program)
    vmm = VMM(Machine(config.isa, memory="24M", ad=config.ad))
    guest = vmm.create("guest", program, memory=memory, modes=config.modes, pmp=config.pmp)
    return bare, guest


def compare(program: bytes, config: Config, steps: int, memory: str = "64K") -> int:
    """Runs one program both ways, step by step; returns the steps made."""
    bare, virtual = pair(program, config, memory)
    for step in range(steps):
        stop, other = bare.run(1), virtual.run(1)
        assert (stop.reason, stop.code) == (other.reason, other.code), step
        assert state(bare) == state(virtual), step
        if stop.reason != "budget":
            break
    assert bare.read_memory(*bare.ram) == virtual.read_memory(*virtual.ram)
    assert bare.board.save() == virtual.board.save()
    return step


@pytest.mark.parametrize("seed", range(20))
def test_rude_programs_run_step_for_step_as_on_the_bare_machine(seed: int) -> None:
    compare(Writer(seed).program(300), Config(modes="MU"), 500)


@pytest.mark.parametrize("seed", range(100, 110))
def test_a_long_run_ends_in_the_same_state_as_on_the_bare_machine(seed: int) -> None:
    bare, virtual = pair(Writer(seed).program(300), Config(modes="MU"))
    assert bare.run(5000) == virtual.run(5000)
    assert state(bare) == state(virtual)
    assert bare.read_memory(*bare.ram) == virtual.read_memory(*virtual.ram)


CONFIGS = {
    "MSU-update": Config(),
    "MSU-fault": Config(ad="fault"),
    "MSU-no-pmp": Config(pmp=0),
    "MU": Config(modes="MU"),
    "M": Config(modes="M"),
    "rv32ima": Config("rv32ima"),
}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", CONFIGS)
def test_privileged_programs_run_step_for_step_as_on_the_bare_machine(name: str, seed: int) -> None:
    program = generate(seed, CONFIGS[name])
    compare(program.image(), CONFIGS[name], 2500, "8M")


@pytest.mark.parametrize("seed", range(3))
def test_a_vmm_in_a_virtual_machine_runs_its_guest_as_the_bare_machine(seed: int) -> None:
    program = generate(seed, Config())
    bare = Machine(memory="8M")
    bare.load(program.image())
    outer = VMM(Machine(memory="64M")).create("outer", memory="24M")
    inner = VMM(outer).create("inner", program.image(), memory="8M")
    assert bare.run(3000) == inner.run(3000)
    assert state(bare) == state(inner)
    assert bare.read_memory(*bare.ram) == inner.read_memory(*inner.ram)
    assert outer.counts["direct"] > 0
