"""Stage 08: reader, processor and printer at the same time, through a spool on the disk."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kit import VMM
from kit.devices.card_punch import PUNCH
from kit.devices.card_reader import FEED
from kit.devices.deck import Deck
from kit.devices.disk_image import DiskImage
from kit.devices.line_printer import EJECT, PRINT
from kit.machine.computer import Computer
from kit.machine.machine import Machine
from tests.guests.batch import (
    BUDGET,
    EXIT_WITH_A0,
    MONDAY,
    SURVIVOR,
    as_deck,
    job,
    number,
    papers,
    run,
    stage,
)
from tests.guests.hostile import hostile_job
from tests.guests.test_batch_stages import all_hostile, assert_stacks_have_room, watched

BLOCK = 2048
"""Bytes of the spools' blocks."""


def disk(blocks: int = 128) -> DiskImage:
    return DiskImage(bytes(BLOCK * blocks))


def spooled(deck: Deck | list[str], blocks: int = 128, **machine: Any) -> Machine:
    return run(deck, stage("08"), disk=disk(blocks), **machine)


def without_accounts(paper: str) -> str:
    """The paper without the batch's own accounts, which tell of overlap."""
    return re.sub(r"^(JOBS \d|ELAPSED|AT WORK|THAT IS|AT BEST).*\n", "", paper, flags=re.M)


def set_speeds(machine: Computer, card: int, line: int) -> None:
    """Ticks that a card takes to be read, and a line or an eject to be printed."""
    machine.reader.durations = {FEED: card}
    machine.printer.durations = {PRINT: line, EJECT: line}
    machine.punch.durations = {PUNCH: 2 * card}


# Reads a card, computes for a while, prints the card, and so on. CARD and ROUNDS are replaced.
COPIER = """
1:  li a0, JOB_BASE + 0x800
    li a7, READ
    ecall
    bltz a0, 3f
    li t0, ROUNDS
2:  addi t0, t0, -1
    bgtz t0, 2b
    li a0, JOB_BASE + 0x800
    li a1, 80
    li a7, PRINT
    ecall
    li a0, JOB_BASE + 0x800
    li a1, 12
    li a7, PUNCH
    CARD
    j 1b
3:  li a0, 0
"""


def copier(name: str, cards: int, rounds: int = 1, punch: bool = False) -> list[str]:
    """A job that prints its data cards, each of which is unlike all others."""
    source = COPIER.replace("ROUNDS", str(rounds)).replace("CARD", "ecall" if punch else "")
    data = tuple(f"{name} {n:06} {'X' * (n % 60)}" for n in range(cards))
    return job(source + EXIT_WITH_A0, data, name, "9999,9999,9999")


def copied(name: str, cards: int) -> list[str]:
    return [f"{name} {n:06} {'X' * (n % 60)}".rstrip() for n in range(cards)]


# Nothing changes but the time


def test_the_paper_is_that_of_a_monitor_without_spooling() -> None:
    deck = Deck([*Deck.read(MONDAY), *as_deck(SURVIVOR)])
    machine, plain = spooled(deck), run(deck, stage("07"))
    differ = re.compile(r"^(S0   |TIME 20\d\d\d |TIME 301\d\d).*", re.M)  # LOOP, and what it pays
    assert differ.sub("", without_accounts(machine.printer.text)) == differ.sub(
        "", without_accounts(plain.printer.text)
    )
    assert machine.punch.cards == plain.punch.cards


def test_hostile_jobs_do_no_more_harm_than_before() -> None:
    cards = all_hostile()
    machine = spooled(cards)
    assert machine.printer.text.count("\nALIVE\n") == cards.count("$JOB SURVIVOR,ACCT,1,2")
    assert_stacks_have_room(machine, stage("08"))


def test_it_prints_the_same_in_a_virtual_machine() -> None:
    cards = [*copier("FIRST", 30, punch=True), *hostile_job("smash"), *SURVIVOR]
    machine = spooled(cards)
    vmm = VMM(Machine(memory="4M"))
    virtual = vmm.create("batch", stage("08"), memory="1M", reader=as_deck(cards), disk=disk())
    assert vmm.run(BUDGET)["batch"].code == 0
    assert virtual.printer.text == machine.printer.text


@pytest.mark.parametrize("card", [200, 400, 1000])
def test_a_job_does_not_pay_for_interrupts_that_happen_to_come_in_its_time(card: int) -> None:
    cards = [*copier("A", 20, 100), *copier("B", 20, 100), *SURVIVOR]
    machine, (_, *seen) = watched(as_deck(cards), stage("08"), card, disk=disk())
    charged = [number(r"\nTIME (\d+) TICKS", paper) for paper in papers(machine)[:-1]]
    assert charged == [turns.steps for turns in seen]
    assert seen[0].turns > 42  # more than its services: it was interrupted
    plain = papers(run(cards, stage("07")))[:-1]
    assert charged == [number(r"\nTIME (\d+) TICKS", paper) for paper in plain]


# No line lost, doubled or mixed


@pytest.mark.parametrize(
    ("blocks", "card", "line"),
    [(0, 200, 200), (8, 1, 1), (8, 50, 3000), (8, 3000, 50), (128, 50, 3000)],
)
def test_no_line_is_lost_doubled_or_mixed(blocks: int, card: int, line: int) -> None:
    """With a disk that has room enough, with one that is full soon, and without any."""
    machine = Machine(memory="1M", disk=disk(blocks) if blocks else None)
    cards = [*copier("FIRST", 250, punch=True), *copier("SECOND", 120), *SURVIVOR]
    machine.reader.load(as_deck(cards))
    set_speeds(machine, card, line)
    machine.load(stage("08"))
    assert machine.run(100_000_000).code == 0
    lines = machine.printer.text.replace("\f", "").splitlines()
    found = [text for text in lines if text.startswith(("FIRST ", "SECOND ", "ALIVE"))]
    assert found == [*copied("FIRST", 250), *copied("SECOND", 120), "ALIVE"]
    assert machine.punch.deck.lines() == [f"FIRST {n:06}" for n in range(250)]
    assert f"CARDS IN ALL {len(cards)}, SKIPPED 0" in machine.printer.text
    if blocks and line > card:
        assert machine.disk is not None
        assert any(machine.disk.image.read(0, 4 * BLOCK))  # it was used


WINDOWS = ["card_in", "put_out", "serve_interrupts", "go_on"]


@pytest.mark.parametrize("name", WINDOWS)
def test_an_interrupt_before_any_instruction_of_a_critical_section_does_no_harm(name: str) -> None:
    """All that is under way ends just there: a card, a line, a request to the disk.

    Each call of the function, of more than there are instructions in it, is interrupted at another.
    """
    of = stage("08")
    machine = Machine(memory="1M", disk=disk(16))
    cards = [*copier("FIRST", 700), *SURVIVOR]
    machine.reader.load(as_deck(cards))
    set_speeds(machine, 900, 1100)
    machine.load(of)
    at, within = 0, 0
    machine.breakpoints = {_address(machine, name)}
    while machine.run(BUDGET).reason == "breakpoint":
        machine.breakpoints, saved = set(), machine.breakpoints
        machine.run(at)
        within += machine.hart.mode == 3
        _end_what_is_under_way(machine)
        machine.breakpoints = saved
        at = at + 1 if at < 900 else 0
    assert machine.finisher.result is not None
    assert machine.finisher.result.code == 0
    assert within > 600
    lines = machine.printer.text.replace("\f", "").splitlines()
    found = [text for text in lines if text.startswith(("FIRST ", "ALIVE"))]
    assert found == [*copied("FIRST", 700), "ALIVE"]
    assert f"CARDS IN ALL {len(cards)}, SKIPPED 0" in machine.printer.text
    split = re.search(r"JOBS (\d+) \+ MONITOR (\d+) \+ IDLE (\d+) = (\d+) TICKS", lines_of(machine))
    assert split
    assert sum(map(int, split.groups()[:3])) == int(split[4])


def lines_of(machine: Machine) -> str:
    return machine.printer.text


def _address(machine: Machine, name: str) -> int:
    return machine.symbols[name]


def _end_what_is_under_way(machine: Machine) -> None:
    """The reader's card, the printer's line, the disk's request: their time has come now."""
    times = [machine.devices[name].next_event() for name in ("reader", "printer", "punch", "disk")]
    machine.hart.mtime = max([machine.hart.mtime, *(time for time in times if time is not None)])
    machine.board.advance()


# What it is good for


CARDS = 15


def after(of: str, jobs: int, card: int, line: int, rounds: int) -> str:
    """The paper of a batch of jobs that are all alike, on devices of these speeds."""
    cards = [card for n in range(jobs) for card in copier(f"J{n}", CARDS, rounds)]
    machine = Machine(memory="1M", reader=as_deck(cards), disk=disk())
    set_speeds(machine, card, line)
    machine.load(stage(of))
    assert machine.run(100_000_000).code == 0
    return machine.printer.text


@pytest.mark.parametrize(
    ("card", "line", "rounds", "bound"),
    [
        (200, 200, 2000, "processor"),
        (15000, 5000, 1, "reader"),
        (2000, 25000, 1, "printer"),
        (12000, 12000, 4000, "reader"),
    ],
)
def test_utilisation_is_as_predicted(card: int, line: int, rounds: int, bound: str) -> None:
    """Each works for its part of the time that the one with most to do takes: x / max(r, c, p).

    What reader and printer have to do for a job is known from its cards and lines, what the
    processor has, from batches of one and of three jobs. The batch that is predicted has thirty:
    what is read before all else, and printed after it, is little then.
    """
    one, three = (number(r"PROCESSOR (\d+)", after("08", n, card, line, rounds)) for n in (1, 3))
    work = {
        "reader": card * len(copier("J1", CARDS, rounds)),
        "processor": (three - one) // 2,
        "printer": line * (2 + CARDS + 4 + 1),  # header, data, account, eject
    }
    assert max(work, key=lambda who: work[who]) == bound
    predicted = {who: 100 * ticks / max(work.values()) for who, ticks in work.items()}
    paper = after("08", 30, card, line, rounds)
    found = re.search(r"THAT IS  READER (\d+)  PROCESSOR (\d+)  PRINTER (\d+)", paper)
    assert found
    for who, measured in zip(predicted, map(int, found.groups()), strict=True):
        assert abs(measured - predicted[who]) <= 5, (who, predicted, found.groups())


def test_overlap_saves_time_where_devices_are_slow() -> None:
    elapsed = [number(r"ELAPSED (\d+)", after(of, 8, 5000, 5000, 1000)) for of in ("07", "08")]
    assert elapsed[1] < 0.75 * elapsed[0]


def test_a_disk_that_fails_ends_the_batch_with_an_error() -> None:
    machine = Machine(memory="1M", disk=DiskImage(bytes(BLOCK * 64), read_only=True))
    machine.reader.load(as_deck(copier("FIRST", 200)))
    set_speeds(machine, 1, 5000)
    machine.load(stage("08"))
    assert machine.run(100_000_000).code == 1
    assert "panic: the disk reports an error" in machine.uart.text
