"""The stages of the batch monitor: what each lesson says that its monitor does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from kit import VMM
from kit.devices.card_reader import FEED
from kit.devices.deck import Deck
from kit.isa.image import Image
from kit.machine.machine import Machine
from kit.toolchain.build import run_settings
from kit.toolchain.decks import jobs_deck, read_jobs
from tests.guests.batch import (
    BATCH,
    BUDGET,
    EXIT_WITH_A0,
    SURVIVOR,
    as_deck,
    job,
    number,
    papers,
    papers_of,
    run,
    stage,
)
from tests.guests.hostile import JOBS, hostile_job
from tests.guests.qemu import qemu

TUESDAY = BATCH / "jobs" / "tuesday.deck"
MRET = 0x30200073
MPP = 3 << 11
QUANTUM = 200
"""Of monitor.h: no job has more ticks beyond its time."""

PROTECTED = pytest.mark.parametrize("of", ["06", "07"])


def virtual_paper(deck: Deck, of: Image) -> str:
    vmm = VMM(Machine(memory="4M"))
    machine = vmm.create("batch", image=of, memory="1M", reader=deck)
    assert vmm.run(BUDGET)["batch"].reason == "halt"
    return machine.printer.text


# 05: cards that nobody vouches for


def test_trusted_jobs_and_untrusted_cards() -> None:
    deck = Deck.read(BATCH / "jobs" / "cards.deck")
    machine = run(deck, stage("05"))
    refused = [
        (number(r"CARD (\d+):", p), p.split("\n    ")[1].split("\n")[0])
        for p in papers(machine)
        if "*** CARD" in p
    ]
    assert len(refused) == 5
    assert all(deck.lines()[n - 1] == shown for n, shown in refused)
    for message in ("CHECKSUM", "CUT SHORT", "OVERLAP", "NOT IN THE JOB'S", "NO END RECORD"):
        assert message in machine.printer.text
    assert "JOBS 9  ENDED NORMALLY 4  ENDED BADLY 0  REFUSED 5" in machine.printer.text
    assert virtual_paper(deck, stage("05")) == machine.printer.text


def test_jobs_in_c_give_what_their_cards_ask_for() -> None:
    deck = Deck.read(TUESDAY)
    assert jobs_deck(read_jobs(TUESDAY.with_suffix(".toml"))) == deck
    machine = run(deck)
    sales, load, sort, _ = papers(machine)
    amounts = [int(n) for n in re.findall(r"^(?!  TOTAL|ALL).{10} +(\d+)$", sales, re.M)]
    totals = [int(n) for n in re.findall(r"^  TOTAL +(\d+)$", sales, re.M)]
    assert len(amounts) == 27
    assert sum(amounts) == sum(totals) == number(r"\nALL +(\d+)\n", sales)
    assert sales.count("SALES BY DEPARTMENT") == 2
    assert "30 rounds, sum " in load
    cards = machine.punch.deck.lines()
    assert len(cards) == 8
    assert cards == sorted(cards)
    assert [line[5:] for line in sort.splitlines()[2:10]] == cards


# 06: jobs that mean harm

ENDS = {
    "heir": "ENDED NORMALLY, CODE 0",
    "secret": "ENDED NORMALLY, CODE 0",
    "loop": "TIME LIMIT EXCEEDED",
    "services": "TIME LIMIT EXCEEDED",
    "steal": "BREAKPOINT",
}


def all_hostile() -> list[str]:
    """Every hostile job, and a good one behind each."""
    cards: list[str] = []
    for name in sorted(JOBS, key=lambda name: (name == "heir", name)):
        before = hostile_job("secret", "9,1") if name == "heir" else []
        cards += [*before, *hostile_job(name, "9,2,9" if name == "heir" else "1,2,9"), *SURVIVOR]
    return cards


@PROTECTED
def test_good_jobs_between_hostile_jobs_print_correctly(of: str) -> None:
    assert len(JOBS) >= 12
    found = papers_of([all_hostile()], stage(of))
    good = [paper for paper in found if " SURVIVOR " in paper]
    assert len(good) == len(JOBS)
    assert all("\nALIVE\n" in p and "ENDED NORMALLY, CODE 0" in p for p in good)
    bad = {p.split()[2].lower(): p for p in found if "ACCOUNT ENEMY" in p}
    assert set(bad) == set(JOBS)
    for name, paper in bad.items():
        if name in ENDS:
            assert f"ENEMY  {ENDS[name]}\n" in paper, name
        elif of == "07" or name not in ("flood", "punch"):
            assert "\n*** " in paper, name


@PROTECTED
def test_hostile_jobs_find_the_same_monitor_in_a_virtual_machine(of: str) -> None:
    """Those that could notice a difference."""
    names = ("smash", "promote", "open", "alarm", "off", "stack", "sleep", "number", "spy")
    cards = [card for name in names for card in hostile_job(name)] + SURVIVOR
    assert virtual_paper(as_deck(cards), stage(of)) == run(cards, stage(of)).printer.text


# 07: who pays


@dataclass
class Turns:
    """What was seen from outside: a job's steps, without the traps that ended its turns."""

    steps: int
    turns: int


def watched(deck: Deck, of: Image, card: int = 200, **settings: Any) -> tuple[Machine, list[Turns]]:
    """Runs a batch and counts each job's own steps. The first job is the monitor's measurement.

    Reading a card takes `card` ticks.
    """
    machine = Machine(memory="1M", reader=deck, **settings)
    machine.reader.durations = {FEED: card}
    machine.load(of)
    way_in = of.symbols["trap_return"]
    code = machine.read_memory(way_in, 256)
    mret = way_in + next(
        n for n in range(0, 256, 2) if code[n : n + 4] == MRET.to_bytes(4, "little")
    )
    seen: list[Turns] = []
    machine.breakpoints = {mret, of.symbols["trap_entry"], of.symbols["enter_job"]}
    while True:
        stop = machine.run(BUDGET)
        if stop.reason == "halt":
            assert stop.code == 0
            return machine, seen
        assert stop.reason == "breakpoint"
        if stop.pc == of.symbols["enter_job"]:
            seen.append(Turns(0, 0))
        elif machine.register("mstatus") & MPP:
            continue  # an interrupt of the monitor itself
        elif stop.pc == mret:
            start = machine.steps + 1
        else:
            seen[-1].steps += machine.steps - start - 1
            seen[-1].turns += 1


def test_a_job_pays_for_its_own_steps_exactly() -> None:
    limits = [job("1: j 1b", limits=f"{n},1") for n in (1, 2, 3)]
    cards = [card for cards in limits for card in cards] + SURVIVOR
    deck = Deck([*Deck.read(BATCH / "jobs" / "monday.deck"), *as_deck(cards)])
    machine, (_, *seen) = watched(deck, stage())
    charged = [number(r"\nTIME (\d+) TICKS", paper) for paper in papers(machine)[:-1]]
    assert charged == [turns.steps for turns in seen]
    assert sum(turns.turns for turns in seen) > 100


def test_user_and_monitor_and_idle_are_all_there_is() -> None:
    machine = run(Deck.read(TUESDAY))
    *jobs, summary = papers(machine)
    found = re.search(r"JOBS (\d+) \+ MONITOR (\d+) \+ IDLE (\d+) = (\d+) TICKS", summary)
    assert found
    user, monitor, idle, total = map(int, found.groups())
    assert user == sum(number(r"\nTIME (\d+) TICKS", paper) for paper in jobs)
    assert user + monitor + idle == total == number(r"ELAPSED (\d+) TICKS", summary)
    # It is nearly all of the machine's time: before the first charge and behind the last is little.
    assert 0 < machine.hart.mtime - total < 60_000
    assert idle >= machine.hart.mtime - machine.steps


@pytest.mark.parametrize("service", ["TIME", "PAGE", None])
def test_no_job_has_more_than_a_quantum_beyond_its_time(service: str | None) -> None:
    some = "li t0, 50\n2: addi t0, t0, -1\nbnez t0, 2b\n"
    source = f"li a7, {service}\n1: ecall\n{some}\nj 1b" if service else "1: j 1b"
    for limit, paper in enumerate(papers_of(job(source, limits=f"{n},1") for n in (1, 2, 3)), 1):
        assert 0 <= number(r"\nTIME (\d+) TICKS", paper) - 10_000 * limit < QUANTUM


def test_waiting_is_not_charged() -> None:
    """Data cards that are read, lines that are printed: the job pays for its own instructions."""
    read = "1: li a0, JOB_BASE + 0x200\nli a7, READ\necall\nbgez a0, 1b\n" + EXIT_WITH_A0
    few, many = papers_of(job(read, ("X",) * n) for n in (1, 11))
    step = number(r"\nTIME (\d+) TICKS", many) - number(r"\nTIME (\d+) TICKS", few)
    assert step == 10 * 4  # two instructions for the address, one for the number, and bgez


def test_punched_cards_end_at_the_limit() -> None:
    source = "li a7, PUNCH\n1: li a0, JOB_BASE\nli a1, 4\necall\nj 1b"
    some, most = papers_of([job(source, limits="9,1,7"), job(source, limits="9,1")])
    assert "*** CARD LIMIT EXCEEDED" in some
    assert "CARDS PUNCHED 7\n" in some
    assert "CARDS PUNCHED 100\n" in most


def test_an_alarm_at_any_instruction_of_the_monitor_ends_the_job_and_nothing_else() -> None:
    """The way in, the way back, and a service: every instruction of them, one job for each."""
    source = "li a7, TIME\necall\necall\n1: j 1b"
    of = stage()
    window = _steps_of_a_service(source, of)
    assert 300 < window < 1000
    cards = [card for _ in range(0, window) for card in job(source, limits="1,1")] + SURVIVOR
    machine = Machine(memory="1M", reader=as_deck(cards))
    machine.load(of)
    machine.breakpoints = {of.symbols["trap_entry"]}
    machine.run(BUDGET)  # of the monitor's own measurement
    for at in range(window):
        while machine.run(BUDGET).reason == "breakpoint":
            if machine.register("mcause") == 8:
                break
        assert machine.register("mode") == 3
        machine.run(at)
        machine.devices["clint"].write(0x4004, 4, 0)  # mtimecmp: long over
        machine.devices["clint"].write(0x4000, 4, 0)
        machine.board.refresh()
        while True:
            assert machine.run(BUDGET).reason == "breakpoint"
            assert machine.register("mstatus") & MPP == 0, at  # never taken in the monitor
            if machine.register("mcause") == 0x80000007:
                break
    machine.breakpoints = set()
    assert machine.run(BUDGET).code == 0
    *ended, survivor, summary = papers(machine)
    assert len(ended) == window
    assert all("ACCOUNT ACCT  TIME LIMIT EXCEEDED\n" in paper for paper in ended)
    assert "\nALIVE\n" in survivor
    found = re.search(r"JOBS (\d+) \+ MONITOR (\d+) \+ IDLE (\d+) = (\d+) TICKS", summary)
    assert found
    assert sum(map(int, found.groups()[:3])) == int(found[4])


def _steps_of_a_service(source: str, of: Image) -> int:
    machine = Machine(memory="1M", reader=as_deck(job(source)))
    machine.load(of)
    machine.breakpoints = {of.symbols["trap_entry"]}
    for _ in range(2):  # the monitor's measurement, and the first ecall
        machine.run(BUDGET)
    before = machine.steps
    machine.run(BUDGET)
    return machine.steps - before


# Everywhere


@pytest.mark.parametrize("of", ["05", "06", "07", "08", ""])
def test_a_stage_runs_its_sample(of: str) -> None:
    settings = run_settings(BATCH / of)
    machine = Machine(memory="1M", reader=settings["reader"], disk=settings.get("disk"))
    machine.load(stage(of))
    assert machine.run(BUDGET).code == 0
    assert "END OF BATCH  JOBS" in machine.printer.text
    assert_stacks_have_room(machine, stage(of))


def assert_stacks_have_room(machine: Machine, of: Image) -> None:
    """A quarter of each stack has never been used."""
    for name, size in (("stack_bottom", 16384), ("trap_stack", 4096)):
        lowest = machine.read_memory(of.symbols[name], size // 4)
        assert not any(lowest), name


@pytest.mark.qemu
@pytest.mark.parametrize("of", ["05", "06", "07", "08"])
def test_a_terminal_takes_the_place_of_cards_and_paper_on_qemu(of: str) -> None:
    """But for the time, the paper is the same."""
    good = [*Deck.read(BATCH / "jobs" / "cards.deck").lines(), *SURVIVOR]
    bad = hostile_job("spy") + hostile_job("smash") + hostile_job("promote") + SURVIVOR
    cards = good if of == "05" else good + bad
    # a job pays for the time in which it waits for what is typed, and this computer may be busy
    cards = [re.sub(r"^(\$JOB \w+,\w+),\d+", r"\1,9999", card) for card in cards]
    typed = "".join(card + "\n" for card in cards).encode() + b"\x04"
    printed, status = qemu(BATCH / of / "built" / "monitor.elf", typed=typed, counted=0)
    assert status == 0
    bare = run(cards, stage(of)).printer.text
    assert without_times(printed) == without_times(bare)
    assert "\nALIVE\n" in printed


def without_times(paper: str) -> str:
    return re.sub(r"^(TIME|JOBS|ELAPSED|AT WORK|THAT IS|AT BEST) .*", "", paper, flags=re.M)


def test_cards_typed_at_a_terminal_are_the_cards_of_a_deck() -> None:
    """Over-long lines are cut; the end may come in the middle of a line."""
    of = stage()
    machine = Machine(memory="1M")
    machine.board.detach("reader")
    machine.load(of)
    typed = "\n".join([*SURVIVOR[:-1], "$EOJ".ljust(99, "X"), *SURVIVOR, "$JOB"]).encode()
    machine.uart.feed(typed + b"\x04")
    machine.board.refresh()
    assert machine.run(BUDGET).code == 0
    assert machine.uart.text.count("\nALIVE\n") == 2
    assert not machine.printer.text


@pytest.mark.parametrize("name", ["06", "07", "08"])
def test_a_trap_in_the_monitor_itself_ends_the_batch_with_code_2(name: str) -> None:
    of = stage(name)
    machine = Machine(memory="1M", reader=as_deck(SURVIVOR))
    machine.load(of)
    machine.write_memory(of.symbols["read_job_card"], bytes(4))
    stop = machine.run(BUDGET)
    assert (stop.reason, stop.code) == ("halt", 2)
    said = machine.uart.text if name == "08" else machine.printer.text
    assert "THE MONITOR HAS FAILED: ILLEGAL" in said
