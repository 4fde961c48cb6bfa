"""Programs that mean harm to whoever runs them: each ends in its budget, and hurts nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit import VMM
from kit.devices.disk_image import DiskImage
from kit.machine.machine import Machine
from kit.resources import guests_dir
from tests.guests.batch import SURVIVOR, as_deck, run, stage
from tests.guests.hostile import MACHINE_PROGRAMS

BUDGET = 110_000
HOSTILE = guests_dir() / "hostile"


@pytest.mark.parametrize("path", sorted(HOSTILE.rglob("*.s")), ids=lambda path: path.stem)
def test_a_hostile_program_begins_with_what_it_tries(path: Path) -> None:
    first = path.read_text(encoding="ascii").splitlines()[0]
    assert first.startswith("# ")
    assert "ries" in first
    assert len(first) <= 100


@pytest.mark.parametrize("path", MACHINE_PROGRAMS, ids=lambda path: path.stem)
def test_a_machine_that_runs_it_stops_at_its_budget_at_the_latest(path: Path) -> None:
    machine = Machine(memory="1M", disk=DiskImage(bytes(4096)))
    machine.load(path)
    stop = machine.run(BUDGET)
    assert stop.steps <= BUDGET
    assert stop.reason in ("budget", "idle", "reset")


def test_machines_beside_hostile_ones_do_not_notice_them() -> None:
    vmm = VMM(Machine(memory="32M"))
    good = vmm.create("good", stage(), memory="1M", reader=as_deck(SURVIVOR))
    for path in MACHINE_PROGRAMS:
        vmm.create(path.stem, path, memory="1M", disk=DiskImage(bytes(4096)))
    ends = vmm.run(BUDGET)
    assert ends["good"].reason == "halt"
    assert good.printer.text == run(SURVIVOR).printer.text
    assert all(ends[path.stem].steps <= BUDGET for path in MACHINE_PROGRAMS)
    assert {end.reason for end in ends.values()} <= {"halt", "budget", "idle", "reset"}
