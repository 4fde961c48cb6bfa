"""The weak monitors: each planted hole is real, and the stage they stand for has none of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kit.machine.machine import Machine
from kit.machine.protocol import Stop
from kit.resources import guests_dir
from kit.toolchain.build import run_settings
from tests.guests.batch import SURVIVOR, as_deck, papers, stage
from tests.guests.hostile import Seat, hostile_job

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


# The kernel: weak/multi stands for the last stage


def panics(seat: Seat) -> bool:
    return "panic: kernel: " in seat.machine.uart.text


def has_ended(seat: Seat) -> bool:
    return seat.machine.uart.text.endswith("kernel: init has ended with code -1\n")


def has_won(seat: Seat) -> bool:
    return ": WON " in seat.machine.uart.text


def names_are_lost(seat: Seat) -> bool:
    return seat.do("sort <fruit") == ["sh: fruit: cannot be opened", "sh: sort ended with code 1"]


KERNEL_HOLES: dict[str, tuple[list[str], Callable[[Seat], bool]]] = {
    "services have negative numbers": (["numbers"], panics),
    "what the kernel may read, a program may have read for it": (["secret &", "spy"], has_won),
    "a page that another one had to leave is not cleared": (["secret &", "scavenger"], has_won),
    "init can be killed": (["killer"], has_ended),
    "directories can be written": (["scribbler"], names_are_lost),
}


@pytest.mark.parametrize("hole", KERNEL_HOLES)
def test_a_hole_of_the_kernel_is_real_and_the_last_stage_does_not_have_it(hole: str) -> None:
    commands, damage = KERNEL_HOLES[hole]
    for kernel, broken in (("weak/multi", True), ("multi/14", False)):
        seat = Seat(kernel)
        for command in commands:
            seat.do(command)
            seat.machine.run(5_000_000)
        assert damage(seat) is broken


def test_the_weak_kernel_runs_good_programs_as_the_sound_one_does() -> None:
    for kernel in ("weak/multi", "multi/14"):
        seat = Seat(kernel)
        assert seat.do("sort <fruit | grep an >x; cat x; rm x") == ["banana"]
        assert seat.do("cat bin | wc | wc") == ["1 3 9"]


def test_the_readers_own_program_is_on_the_weak_kernels_disk() -> None:
    settings = run_settings(guests_dir() / "weak" / "multi")
    machine = Machine(**settings)
    machine.load(guests_dir() / "weak" / "multi")
    machine.uart.feed(b"mine\nexit\n")
    machine.board.refresh()
    assert machine.run(50_000_000).reason == "halt"
    assert "\nmine: the kernel refuses a pointer to nothing\n" in machine.uart.text
