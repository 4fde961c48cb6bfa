"""The weak monitors: each planted hole is real, and the stage they stand for has none of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kit.machine.machine import Machine
from kit.machine.protocol import Stop
from tests.guests.batch import SURVIVOR, as_deck, papers, stage
from tests.guests.hostile import hostile_job

BUDGET = 2_000_000

WEAK, SOUND = "../weak/batch", "06"


def after(monitor: str, cards: list[str]) -> tuple[Stop, Machine]:
    machine = Machine(memory="1M", reader=as_deck(cards))
    machine.load(stage(monitor))
    return machine.run(BUDGET), machine


def monitor_is_read(stop: Stop, machine: Machine) -> bool:
    """The monitor's first word is on the paper, and the job ended normally."""
    word = machine.read_memory(0x80000000, 4)
    shown = "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in word)
    return f"\n{shown}\n" in machine.printer.text and "ENDED NORMALLY" in machine.printer.text


def monitor_fails(stop: Stop, machine: Machine) -> bool:
    return (stop.reason, stop.code) == ("halt", 2)


def secret_is_found(stop: Stop, machine: Machine) -> bool:
    return "JOB HEIR" in machine.printer.text and "CODE 0" not in papers(machine)[1]


def processor_is_kept(stop: Stop, machine: Machine) -> bool:
    return stop.reason == "budget"


HOLES: dict[str, tuple[list[str], Callable[[Stop, Machine], bool]]] = {
    "storage of the monitor can be read": (["look"], monitor_is_read),
    "the end of a buffer wraps round": (["wrap"], monitor_fails),
    "half of storage is not cleared": (["secret", "heir"], secret_is_found),
    "each service gives the whole time again": (["services"], processor_is_kept),
}


@pytest.mark.parametrize("hole", HOLES)
def test_a_hole_is_real_and_the_sound_monitor_does_not_have_it(hole: str) -> None:
    names, damage = HOLES[hole]
    cards = [card for name in names for card in hostile_job(name, "9,2,9")] + SURVIVOR
    assert damage(*after(WEAK, cards))
    stop, machine = after(SOUND, cards)
    assert not damage(stop, machine)
    assert (stop.reason, stop.code) == ("halt", 0)
    assert "\nALIVE\n" in papers(machine)[-2]


def test_the_weak_monitor_runs_good_jobs_as_the_sound_one_does() -> None:
    weak, sound = after(WEAK, SURVIVOR), after(SOUND, SURVIVOR)
    assert "\nALIVE\n" in papers(weak[1])[0]
    assert weak[0].code == sound[0].code == 0
