"""A guest in a virtual machine does, step for step, what it does on the bare machine.

`make equivalence` compares a million steps, and a tenth as many of a VMM in a virtual machine.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from kit import VMM, Machine
from kit.isa.config import Config
from kit.machine.computer import Computer
from tests.vmm import lockstep
from tests.vmm.checks import (
    CONFIGS,
    compare_directed,
    compare_paged,
    compare_random,
    compare_reservations,
    compare_reused_storage,
    compare_rude,
    compare_two,
    compare_writes_from_outside,
    some_steps,
    step_by_step,
)
from tests.vmm.directed import DIRECTED
from tests.vmm.lockstep import Pair

BATCH = Path(__file__).parents[2] / "guests" / "batch"
PROGRAM = 8000
"""Steps of a random program at most; few are longer."""

state = lockstep.state
Record = Callable[[str, object], None]


@pytest.fixture
def steps(request: pytest.FixtureRequest) -> int:
    """How many steps were asked for on the command line, or 0."""
    return int(request.config.getoption("--equivalence-steps", 0))


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """The first program's seed."""
    return int(request.config.getoption("--seed", 0))


def programs(compare: Callable[[int, int], Pair], seed: int, steps: int, each: int) -> int:
    """Compares programs from `seed` on until at least so many steps are made; returns how many."""
    made = 0
    while made < steps:
        try:
            made += compare(seed, each).steps
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        seed += 1
    return made


@pytest.mark.parametrize("name", CONFIGS)
def test_privileged_programs_run_step_for_step_as_on_the_bare_machine(
    name: str, steps: int, seed: int, record_property: Record
) -> None:
    made = programs(
        lambda seed, each: compare_random(seed, CONFIGS[name], each),
        seed,
        steps // len(CONFIGS) or 6000,
        PROGRAM if steps else 1500,
    )
    record_property("vmm steps compared, at most 60 at a time", made)


def test_rude_programs_run_step_for_step_as_on_the_bare_machine(
    steps: int, seed: int, record_property: Record
) -> None:
    made = programs(compare_rude, seed, steps // 20 or 4000, 2000 if steps else 500)
    record_property("vmm steps compared, at most 60 at a time", made)


def test_a_vmm_in_a_virtual_machine_runs_its_guest_as_the_bare_machine(
    steps: int, seed: int, record_property: Record
) -> None:
    made = programs(
        lambda seed, each: compare_random(seed, Config(), each, depth=2),
        seed,
        steps // 10 or 1500,
        PROGRAM if steps else 500,
    )
    record_property("vmm steps compared at depth two", made)


def test_a_guest_whose_pages_come_and_go_notices_nothing(
    steps: int, seed: int, record_property: Record
) -> None:
    made = programs(compare_paged, seed, steps // 20 or 2000, PROGRAM if steps else 1000)
    record_property("vmm steps compared with pages coming and going", made)


@pytest.mark.parametrize("seed", [0, 4, 8])
def test_a_guest_with_ten_frames_gets_on_whichever_page_the_policy_chooses(seed: int) -> None:
    """First in, last in, or by lot: an instruction's pages do not push each other out for ever."""
    assert compare_paged(seed, 2500).steps >= 2500


def test_the_batch_monitor_runs_as_on_the_bare_machine(steps: int, record_property: Record) -> None:
    """Its sample deck, to the end if steps were asked for: then it is compared after each."""
    deck = BATCH / "jobs" / "monday.deck"
    bare = Machine(memory="4M", reader=deck)
    bare.load(BATCH)
    virtual = VMM(Machine(memory="8M")).create("batch", BATCH, memory="4M", reader=deck)
    batch = Pair(bare, virtual)
    slices = step_by_step if steps else some_steps(random.Random(1))
    batch.run_to(1_000_000 if steps else 30_000, slices)
    assert not steps or "END OF BATCH" in virtual.printer.text
    assert bare.printer.text == virtual.printer.text
    record_property("vmm steps of the batch monitor compared", batch.steps)


@pytest.mark.parametrize("name", DIRECTED)
def test_a_directed_program_runs_step_for_step_as_on_the_bare_machine(name: str) -> None:
    compare_directed(DIRECTED[name])


def test_two_machines_that_alternate_every_few_steps_do_not_notice_each_other(
    steps: int, seed: int
) -> None:
    compare_two(seed + 1, seed + 2, PROGRAM if steps else 2000)


def test_a_reservation_survives_another_machines_turn_and_its_reservation() -> None:
    compare_reservations()


def test_a_page_table_entry_written_from_outside_holds_at_once() -> None:
    compare_writes_from_outside()


def test_storage_of_another_machine_is_found_cleared() -> None:
    compare_reused_storage()


def test_a_long_run_ends_in_the_same_state_as_on_the_bare_machine() -> None:
    """In one go, so that the machine's own timer never interrupts the guest."""
    machines: list[Computer] = []
    for depth in (0, 1, 2):
        pair = compare_random(5, Config(), 0, depth or 1)
        machines.append(pair.virtual if depth else pair.bare)
    ends = [machine.run(20_000) for machine in machines]
    assert ends[0] == ends[1] == ends[2]
    assert state(machines[0]) == state(machines[1]) == state(machines[2])
