"""The batch monitor, its sample deck, and decks and jobs that mean harm."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

import pytest

from kit.control.vmm import VMM
from kit.devices.deck import Deck
from kit.isa.assembler import assemble_file
from kit.machine.machine import Machine
from kit.toolchain.decks import JOB_BASE, jobs_deck, read_jobs
from tests.guests.batch import (
    BATCH,
    BUDGET,
    EXIT_WITH_A0,
    MONDAY,
    SURVIVOR,
    as_deck,
    code_of,
    job,
    paper_of,
    papers,
    papers_of,
    program,
    run,
    stage,
)

# The sample deck


@dataclass
class Monday:
    machine: Machine
    papers: list[str]


@pytest.fixture(scope="module")
def monday() -> Monday:
    machine = run(Deck.read(MONDAY))
    return Monday(machine, papers(machine))


def test_the_sample_deck_is_made_from_its_list() -> None:
    assert jobs_deck(read_jobs(MONDAY.with_suffix(".toml"))) == Deck.read(MONDAY)


def test_the_front_page_shows_what_the_sample_prints(monday: Monday) -> None:
    readme = (BATCH.parents[1] / "README.md").read_text(encoding="utf-8")
    shown = readme.split("```text\n")[1].split("```")[0].split("...\n")
    paper = "".join(monday.papers)
    for part in shown:
        assert re.sub(r"^- - .*\n", "", part, flags=re.M) in paper


def test_every_job_of_the_sample_has_its_paper(monday: Monday) -> None:
    names = [paper.split()[2] for paper in monday.papers[:-1]]
    assert names == ["PRIMES", "SUM", "LOOP", "SMASH", "PROMOTE", "REPORT"]


def test_the_computing_job_prints_the_primes(monday: Monday) -> None:
    numbers = [int(n) for n in re.findall(r"^ +\d.*$", monday.papers[0], re.M) for n in n.split()]
    expected = [n for n in range(2, 300) if all(n % d for d in range(2, n))]
    assert numbers == expected
    assert "ENDED NORMALLY, CODE 0" in monday.papers[0]


def test_the_summing_job_reads_its_data_cards(monday: Monday) -> None:
    paper = monday.papers[1]
    assert "       120    120 APPLES\n" in paper
    assert "         ?   PLUMS, NOT YET COUNTED\n" in paper
    assert "----------\n       501\n" in paper
    assert "ENDED NORMALLY, CODE 1" in paper
    assert "CARDS READ 5 " in paper


def test_the_endless_job_ends_when_its_time_is_over(monday: Monday) -> None:
    paper = monday.papers[2]
    assert "*** TIME LIMIT EXCEEDED" in paper
    ticks = int(re.search(r"TIME (\d+) TICKS", paper)[1])  # type: ignore[index]
    assert 20_000 <= ticks < 20_200  # a quantum


def test_the_job_that_writes_into_the_monitor_ends_with_a_dump(monday: Monday) -> None:
    paper = monday.papers[3]
    assert "NOW I WRITE INTO THE MONITOR" in paper
    assert "*** STORE OUTSIDE THE JOB'S STORAGE" in paper
    assert "MTVAL 80000000" in paper
    assert "INSTRUCTION 0062A023" in paper
    assert "T1   DEADBEEF" in paper
    assert "STORAGE AROUND PC" in paper
    assert "STORAGE AROUND SP" in paper
    assert "MINE" not in paper.split("***")[0]
    assert code_of(monday.machine, stage()) == code_of(run([]), stage())


def test_the_job_that_wants_privilege_does_not_get_it(monday: Monday) -> None:
    paper = monday.papers[4]
    assert "*** ILLEGAL OR PRIVILEGED INSTRUCTION" in paper
    assert "INSTRUCTION 34129073" in paper  # csrw mepc, t0


def test_the_last_job_prints_two_pages_and_punches(monday: Monday) -> None:
    paper = monday.papers[5]
    assert paper.count("  N   2 TO THE N\n") == 2
    assert " 31   2147483648\n" in paper
    assert "PAGES 2  CARDS PUNCHED 32" in paper
    cards = monday.machine.punch.deck.lines()
    assert [int(card) for card in cards] == [1 << n for n in range(32)]


def test_the_summary_adds_up(monday: Monday) -> None:
    summary = monday.papers[-1]
    assert "JOBS 6  ENDED NORMALLY 3  ENDED BADLY 3  REFUSED 0" in summary
    single = [int(re.search(r"TIME (\d+) TICKS", p)[1]) for p in monday.papers[:-1]]  # type: ignore[index]
    assert f"\nTIME {sum(single)} TICKS" in summary


def test_each_job_begins_on_a_page_of_its_own(monday: Monday) -> None:
    starts = [page.startswith("JOB ") for page in monday.machine.printer.pages]
    assert starts == [True, True, True, True, True, True, False, False]


def test_the_monitor_sleeps_while_it_waits_for_devices(monday: Monday) -> None:
    cards = len(Deck.read(MONDAY))
    slept = monday.machine.hart.mtime - monday.machine.steps
    assert slept > 40 * cards  # of the 200 ticks of a card; the rest goes by before it sleeps


def test_the_sample_prints_the_same_in_a_virtual_machine(monday: Monday) -> None:
    vmm = VMM(Machine(memory="16M"))
    virtual = vmm.create("batch", image=stage(), memory="1M", reader=Deck.read(MONDAY))
    assert vmm.run(BUDGET)["batch"].reason == "halt"
    assert virtual.printer.text == monday.machine.printer.text
    assert virtual.punch.cards == monday.machine.punch.cards


# The monitor and its machine


def test_the_monitor_lies_below_its_jobs() -> None:
    assert assemble_file(BATCH / "interface.s").constants["JOB_BASE"] == JOB_BASE
    for name in ("", "05", "06", "07", "08", "../weak/batch"):
        assert stage(name).symbols["image_end"] <= JOB_BASE


def test_an_empty_deck_gives_an_empty_batch() -> None:
    machine = run([])
    assert "JOBS 0  ENDED NORMALLY 0" in machine.printer.text


@pytest.mark.parametrize("lack", [{"modes": "M"}, {"pmp": 0}])
def test_a_machine_without_protection_gets_no_jobs(lack: dict[str, str | int]) -> None:
    machine = Machine(reader=Deck.read(MONDAY), memory="1M", **lack)
    machine.load(stage())
    stop = machine.run(BUDGET)
    assert (stop.reason, stop.code) == ("halt", 1)
    assert machine.printer.text.startswith("THIS MACHINE HAS NO USER MODE OR NO STORAGE PROTECTION")


def test_the_same_batch_on_a_machine_without_supervisor_mode() -> None:
    small = run(SURVIVOR, modes="MU")
    assert small.printer.text == run(SURVIVOR).printer.text


def test_a_second_run_after_a_reset_is_as_the_first() -> None:
    machine = run(SURVIVOR)
    first = machine.printer.text
    machine.reader.load(Deck([line.encode() for line in SURVIVOR]))
    machine.reset()
    assert machine.run(BUDGET).reason == "halt"
    assert machine.printer.text == first * 2


# Decks that mean harm

GOOD = list(program(EXIT_WITH_A0))
LAST = ":00000001FF"


def record(address: int, kind: int, data: bytes = b"") -> str:
    """An Intel HEX record with a right checksum."""
    body = bytes([len(data), address >> 8, address & 255, kind]) + data
    return f":{body.hex().upper()}{-sum(body) & 255:02X}"


def upper(half: int) -> str:
    return record(0, 4, half.to_bytes(2, "big"))


OBJECT_CARDS = {
    "checksum": ([upper(0x8001), ":0400000013000000E8", LAST], "CHECKSUM ERROR"),
    "into the monitor": (
        [upper(0x8000), record(0, 0, bytes(16)), LAST],
        "THE ADDRESSES ARE NOT IN THE JOB'S STORAGE",
    ),
    "no upper half": ([record(0, 0, bytes(4)), LAST], "THE ADDRESSES ARE NOT IN"),
    "one byte before": ([upper(0x8000), record(0xFFFF, 0, bytes(2)), LAST], "ADDRESSES ARE NOT"),
    "one byte behind": ([upper(0x8001), record(0x3FFF, 0, bytes(2)), LAST], "ADDRESSES ARE NOT"),
    "end of the world": ([upper(0xFFFF), record(0xFFFF, 0, bytes(34)), LAST], "ADDRESSES ARE NOT"),
    "into the devices": ([upper(0x1001), record(0, 0, bytes(4)), LAST], "ADDRESSES ARE NOT"),
    "segment": ([record(0, 2, b"\xff\xff"), record(0, 0, bytes(4)), LAST], "ADDRESSES ARE NOT"),
    "unknown type": ([record(0, 6, b"")], "UNKNOWN TYPE OF RECORD"),
    "largest type": ([record(0, 255, b"")], "UNKNOWN TYPE OF RECORD"),
    "start segment": ([record(0, 3, bytes(4))], "UNKNOWN TYPE OF RECORD"),
    "short upper half": ([record(0, 4, b"\x80")], "ANOTHER LENGTH"),
    "long segment": ([record(0, 2, bytes(3))], "ANOTHER LENGTH"),
    "long end": ([record(0, 1, bytes(1))], "ANOTHER LENGTH"),
    "short start": ([record(0, 5, bytes(2))], "ANOTHER LENGTH"),
    "odd start": ([record(0, 5, b"\x80\x01\x00\x01")], "THE START ADDRESS IS ODD"),
    "start in the monitor": ([record(0, 5, b"\x80\x00\x00\x00")], "THE START ADDRESS IS ODD"),
    "cut short": ([GOOD[0][:-3]], "THE RECORD IS CUT SHORT"),
    "cut to a colon": ([":"], "THE RECORD IS CUT SHORT"),
    "longer than its card": ([":FF" + "0" * 77], "THE RECORD IS CUT SHORT"),
    "not hexadecimal": ([":04000000G3000000E9"], "THE RECORD IS CUT SHORT"),
    "not quite hexadecimal": ([":0@000000`3/00:00EG"], "THE RECORD IS CUT SHORT"),
    "more behind": ([record(0, 1) + "  X"], "THERE IS MORE ON THE CARD"),
    "no colon": (["HELLO"], "AN OBJECT CARD BEGINS WITH A COLON"),
    "blank card": ([""], "AN OBJECT CARD BEGINS WITH A COLON"),
    "bytes": (["\x00\xff\x80\x01"], "AN OBJECT CARD BEGINS WITH A COLON"),
    "no end record": (GOOD[:-1], "NO END RECORD"),
    "the same card twice": ([upper(0x8001), *2 * [record(0, 0, bytes(16))]], "OVERLAP THOSE"),
    "the last byte twice": (
        [upper(0x8001), record(0, 0, bytes(16)), record(15, 0, bytes(2)), LAST],
        "THE ADDRESSES OVERLAP THOSE OF A CARD BEFORE",
    ),
}


@pytest.mark.parametrize("of", ["05", "07"])
def test_bad_object_cards_are_refused(of: str) -> None:
    head, tail = ["$JOB BAD,ACCT,1,1", "$LOAD"], ["$RUN", "DATA", "$EOJ"]
    jobs = [[*head, *cards, *tail] for cards, _ in OBJECT_CARDS.values()]
    texts = papers_of(jobs, stage(of))
    for what, paper in zip(OBJECT_CARDS, texts, strict=True):
        message = re.escape(OBJECT_CARDS[what][1])
        found = re.search(rf"\*\*\* CARD (\d+): .*{message}.*\n(?: {{4}}(.*))?\n", paper)
        assert found, what
        assert as_deck(card for cards in jobs for card in cards).lines()[int(found[1]) - 1] == (
            found[2] or ""
        ), what
        assert "LINES 0" in paper, what


def test_a_refused_card_is_named_and_shown() -> None:
    paper = paper_of(["$JOB BAD,ACCT,1,1", "$LOAD", ":0400000013000000E8", "$RUN", "$EOJ"])
    assert "*** CARD 3: CHECKSUM ERROR\n    :0400000013000000E8\n" in paper


JOB_CARDS = {
    "nothing": ("$JOB", "A NAME HAS"),
    "name only": ("$JOB A", "EXPECTED $JOB NAME"),
    "three fields": ("$JOB A,B,1", "EXPECTED $JOB NAME"),
    "empty name": ("$JOB ,B,1,1", "A NAME HAS"),
    "long name": ("$JOB ABCDEFGHI,B,1,1", "A NAME HAS"),
    "very long name": ("$JOB " + "X" * 75, "A NAME HAS"),
    "long account": ("$JOB A," + "Y" * 73, "A NAME HAS"),
    "zero seconds": ("$JOB A,B,0,1", "SECONDS, PAGES AND CARDS"),
    "zero pages": ("$JOB A,B,1,0", "SECONDS, PAGES AND CARDS"),
    "negative": ("$JOB A,B,-1,1", "SECONDS, PAGES AND CARDS"),
    "large number": ("$JOB A,B,99999,1", "SECONDS, PAGES AND CARDS"),
    "overflowing number": ("$JOB A,B,4294967297,1", "SECONDS, PAGES AND CARDS"),
    "no number": ("$JOB A,B,X,1", "SECONDS, PAGES AND CARDS"),
    "no cards": ("$JOB A,B,1,1,0", "SECONDS, PAGES AND CARDS"),
    "six fields": ("$JOB A,B,1,1,1,1", "SECONDS, PAGES AND CARDS"),
    "number up to the edge": ("$JOB A,B,1,".ljust(80, "1"), "SECONDS, PAGES AND CARDS"),
    "bytes": ("$JOB A\xff,B,1,1", "EXPECTED $JOB NAME"),
}


def test_bad_job_cards_are_refused() -> None:
    texts = papers_of([card, "$LOAD", *GOOD, "$RUN", "$EOJ"] for card, _ in JOB_CARDS.values())
    for what, paper in zip(JOB_CARDS, texts, strict=True):
        message = re.escape(JOB_CARDS[what][1])
        assert re.search(rf"\*\*\* CARD \d+: {message}", paper), what


def test_the_longest_names_and_largest_numbers_are_taken() -> None:
    paper = paper_of(["$JOB   ABCDEFGH,12345678,9999,9999", "$LOAD", *GOOD, "$RUN", "$EOJ"])
    assert "JOB 1  ABCDEFGH  ACCOUNT 12345678  LIMITS: SECONDS 9999, PAGES 9999\n" in paper
    assert "ENDED NORMALLY" in paper


HALVES = {
    "no $LOAD": (["$JOB A,B,1,1", "$RUN", "$EOJ"], "EXPECTED $LOAD"),
    "object cards first": (["$JOB A,B,1,1", *GOOD, "$RUN", "$EOJ"], "EXPECTED $LOAD"),
    "no $RUN": (["$JOB A,B,1,1", "$LOAD", *GOOD, "$EOJ"], "EXPECTED $RUN"),
    "data too early": (["$JOB A,B,1,1", "$LOAD", *GOOD, "1", "$RUN", "$EOJ"], "EXPECTED $RUN"),
    "next job at once": (["$JOB A,B,1,1"], "EXPECTED $LOAD"),
    "next job in the object": (["$JOB A,B,1,1", "$LOAD", *GOOD[:-1]], "NO END RECORD"),
    "next job after the object": (["$JOB A,B,1,1", "$LOAD", *GOOD], "EXPECTED $RUN"),
}


def test_half_a_job_does_not_swallow_the_next_one() -> None:
    texts = papers_of(cards for cards, _ in HALVES.values())
    for what, paper in zip(HALVES, texts, strict=True):
        assert HALVES[what][1] in paper, what


@pytest.mark.parametrize("length", range(1, 6))
def test_the_deck_may_end_anywhere(length: int) -> None:
    cards = ["$JOB A,B,1,1", "$LOAD", *GOOD[:-1], GOOD[-1], "$RUN"]
    machine = run(cards[:length])
    assert len(papers(machine)) == 2
    expected = "THE DECK ENDS BEFORE $RUN" if length < len(cards) else "ENDED NORMALLY"
    assert expected in machine.printer.text


def test_the_deck_may_end_inside_a_record() -> None:
    machine = run(["$JOB A,B,1,1", "$LOAD", GOOD[0], GOOD[1][:7]])
    assert "THE RECORD IS CUT SHORT" in machine.printer.text


def test_cards_between_jobs_are_skipped() -> None:
    machine = run(["GARBAGE", "$EOJ", "$RUN", *SURVIVOR, "$JOBS X,Y,1,1", "$LOAD"])
    assert "JOBS 1  ENDED NORMALLY 1" in machine.printer.text
    assert "SKIPPED 5" in machine.printer.text


def test_a_deck_with_random_damage_never_stops_the_batch() -> None:
    rng = random.Random(1982)
    cards: list[str] = []
    for _ in range(20):
        damaged = list(SURVIVOR)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(damaged))
            column = rng.randrange(len(damaged[at]) + 1)
            byte = chr(rng.choice([rng.randrange(256), *b"$:0F,"]))
            damaged[at] = damaged[at][:column] + byte + damaged[at][column + 1 :]
            if rng.random() < 0.2:
                del damaged[rng.randrange(len(damaged))]
        cards += damaged
    paper_of(cards)


# Services


def test_registers_and_storage_are_clear_at_the_start() -> None:
    dirty = job(
        """
    li t0, JOB_BASE + 0x100
    li t1, -1
    sw t1, 0(t0)
    li s1, -1
    li a0, 0
"""
        + EXIT_WITH_A0
    )
    check = job(
        """
    or t2, s1, t1
    li t0, JOB_BASE + 0x100
    lw t1, 0(t0)
    or a0, t1, t2
    li t0, JOB_END
    sub t0, t0, sp
    or a0, a0, t0
"""
        + EXIT_WITH_A0
    )
    assert paper_of(dirty + check).count("ENDED NORMALLY, CODE 0") == 2


BAD_JOBS = {
    "unknown service": ("li a7, 6\necall", "CALLED A SERVICE THAT DOES NOT EXIST"),
    "negative service": ("li a7, -1\necall", "CALLED A SERVICE THAT DOES NOT EXIST"),
    "print from the monitor": (
        "li a0, 0x80000000\nli a1, 8\nli a7, PRINT\necall",
        "GAVE A SERVICE A BUFFER",
    ),
    "print from zero": ("li a0, 0\nli a1, 1\nli a7, PRINT\necall", "GAVE A SERVICE A BUFFER"),
    "print over the end": (
        "li a0, JOB_END - 1\nli a1, 2\nli a7, PRINT\necall",
        "GAVE A SERVICE A BUFFER",
    ),
    "print round the world": (
        "li a0, -1\nli a1, 132\nli a7, PRINT\necall",
        "GAVE A SERVICE A BUFFER",
    ),
    "print too much": (
        "li a0, JOB_BASE\nli a1, 133\nli a7, PRINT\necall",
        "GAVE A SERVICE TOO MANY BYTES",
    ),
    "print very much": (
        "li a0, JOB_BASE\nli a1, -1\nli a7, PRINT\necall",
        "GAVE A SERVICE TOO MANY BYTES",
    ),
    "punch too much": (
        "li a0, JOB_BASE\nli a1, 81\nli a7, PUNCH\necall",
        "GAVE A SERVICE TOO MANY BYTES",
    ),
    "punch from a device": (
        "li a0, 0x10010080\nli a1, 80\nli a7, PUNCH\necall",
        "GAVE A SERVICE A BUFFER",
    ),
    "read into the monitor": ("li a0, 0x80000000\nli a7, READ\necall", "GAVE A SERVICE A BUFFER"),
    "read over the end": ("li a0, JOB_END - 79\nli a7, READ\necall", "GAVE A SERVICE A BUFFER"),
    "read round the world": ("li a0, -40\nli a7, READ\necall", "GAVE A SERVICE A BUFFER"),
    "jump away": ("jr zero", "INSTRUCTION FETCH OUTSIDE THE JOB'S STORAGE"),
    "run off the end": ("li t0, JOB_END - 2\nli t1, 1\nsh t1, 0(t0)\njr t0", "INSTRUCTION FETCH"),
    "cut an instruction": (
        "li t0, JOB_END - 2\nli t1, 3\nsh t1, 0(t0)\njr t0",
        "INSTRUCTION FETCH",
    ),
    "look at the monitor": ("li t0, 0x80000000\nlw t0, 0(t0)", "LOAD FROM OUTSIDE"),
    "look at a device": ("li t0, 0x10010080\nlw t0, 0(t0)", "LOAD FROM OUTSIDE"),
    "odd load": ("lw t0, 1(sp)", "LOAD ADDRESS MISALIGNED"),
    "odd store": ("sw t0, -3(sp)", "STORE ADDRESS MISALIGNED"),
    "breakpoint": ("ebreak", "BREAKPOINT"),
    "all zeros": (".half 0", "ILLEGAL OR PRIVILEGED INSTRUCTION"),
    "wait for ever": ("wfi", "ILLEGAL OR PRIVILEGED INSTRUCTION"),
    "return from a trap": ("mret", "ILLEGAL OR PRIVILEGED INSTRUCTION"),
    "open the fence": ("csrw pmpcfg0, zero", "ILLEGAL OR PRIVILEGED INSTRUCTION"),
    "read the clock": ("rdtime a0", "ILLEGAL OR PRIVILEGED INSTRUCTION"),
    "no stack": ("li sp, 0\nlw t0, 0(sp)", "LOAD FROM OUTSIDE"),
    "call services for ever": ("li a7, TIME\n1: ecall\nj 1b", "TIME LIMIT EXCEEDED"),
}


def test_bad_jobs_end_with_a_dump_and_their_account() -> None:
    texts = papers_of(job(source + "\n1: j 1b") for source, _ in BAD_JOBS.values())
    for what, paper in zip(BAD_JOBS, texts, strict=True):
        message = BAD_JOBS[what][1]
        assert f"\n*** {message}" in paper, what
        assert "STORAGE AROUND PC" in paper, what
        assert "STORAGE AROUND SP" in paper, what
        assert f"ACCOUNT ACCT  {message}" in paper, what


def test_a_dump_shows_the_registers_as_the_job_left_them() -> None:
    odd = [n for n in range(1, 32) if n != 2]
    source = "\n".join(f"li x{n}, 0x{n:02x}0000{n:02x}" for n in odd) + "\nli sp, 1\nebreak"
    paper = paper_of(job(source))
    table = paper[paper.index("ZERO ") : paper.index("STORAGE AROUND PC")]
    values = [int(value, 16) for value in table.split()[1::2]]
    assert values == [0, 1 << 24 | 1, 1, *(n << 24 | n for n in range(3, 32))]


def test_all_registers_survive_a_service() -> None:
    kept = [n for n in range(1, 32) if n not in (5, 10, 11, 17)]
    lines = [f"li x{n}, {n}" for n in kept] + ["li a7, PAGE", "ecall"]
    lines += [f"addi x{n}, x{n}, -{n}\nor a0, a0, x{n}" for n in kept]
    assert "ENDED NORMALLY, CODE 0" in paper_of(job("\n".join(lines) + "\n" + EXIT_WITH_A0))


COUNT_CARDS = """
1:  li a0, JOB_BASE + 0x200
    li a7, READ
    ecall
    bltz a0, 2f
    addi s0, s0, 1
    li t0, 80
    beq a0, t0, 1b
    li s0, 99
2:  li a0, JOB_BASE + 0x200
    ecall                       # asking again does not take the next job's cards
    add a0, a0, s0
    addi a0, a0, 1
    li a7, EXIT
    ecall
"""


@pytest.mark.parametrize(("data", "count"), [((), 0), (("A", "B", ""), 3), (("A", "$RUN", "B"), 1)])
def test_a_job_reads_its_data_cards_and_no_others(data: tuple[str, ...], count: int) -> None:
    paper = paper_of(job(COUNT_CARDS, data))
    assert f"ENDED NORMALLY, CODE {count}\n" in paper
    assert f"CARDS READ {count} " in paper


def test_a_job_without_its_last_card_does_not_read_the_next_job() -> None:
    assert "ENDED NORMALLY, CODE 1\n" in paper_of(job(COUNT_CARDS, ("A",))[:-1])


def test_data_end_with_the_deck() -> None:
    assert "ENDED NORMALLY, CODE 2\n" in run(job(COUNT_CARDS, ("A", "B"))[:-1]).printer.text


def test_a_card_comes_with_all_its_columns() -> None:
    text = "".join(chr(33 + n) for n in range(80)).replace("$", "S")
    source = """
    li a0, JOB_BASE + 0x201
    li a7, READ
    ecall
    mv a1, a0
    li a0, JOB_BASE + 0x201
    li a7, PUNCH
    ecall
    li a7, PRINT
    li a1, 132
    li a0, JOB_BASE + 0x201
    ecall
    li a0, 0
"""
    machine = run(job(source + EXIT_WITH_A0, (text,)))
    assert machine.punch.cards == [text.encode()]
    assert f"\n{text}{'?' * 52}\n" in machine.printer.text


def test_no_bytes_make_an_empty_line_and_a_blank_card() -> None:
    source = "li a0, -1\nli a1, 0\nli a7, PRINT\necall\nli a0, -1\nli a7, PUNCH\necall\n"
    machine = run(job(source + EXIT_WITH_A0))
    assert machine.punch.cards == [b" " * 80]
    assert "LINES 1  PAGES 1  CARDS PUNCHED 1" in machine.printer.text


def test_paper_ends_at_the_page_limit() -> None:
    machine = run(job("li a1, 4\nli a7, PRINT\n1: addi a0, sp, -4\necall\nj 1b"))
    assert "*** PAGE LIMIT EXCEEDED" in machine.printer.text
    assert "LINES 118  PAGES 2 " in machine.printer.text
    assert [len(page.splitlines()) for page in machine.printer.pages[:2]] == [60, 60]


def test_asking_for_pages_wastes_no_paper() -> None:
    source = "li a7, PAGE\nli s0, 9\n1: ecall\naddi s0, s0, -1\nbnez s0, 1b\n"
    machine = run(job(source + EXIT_WITH_A0))
    assert len(machine.printer.pages) == 3  # the header, the account, the summary


def test_time_goes_on_and_is_what_the_account_says() -> None:
    source = """
    li t0, 3000
1:  addi t0, t0, -1
    bnez t0, 1b
    li a7, TIME
    ecall
    mv s0, a0
    ecall
    sub a0, a0, s0
    sltiu a0, a0, 100           # two calls are near to each other
    slli a1, a1, 1
    or a0, a0, a1
    srli s0, s0, 12             # 6000 ticks
    slli s0, s0, 2
    or a0, a0, s0
"""
    paper = paper_of(job(source + EXIT_WITH_A0))
    assert "ENDED NORMALLY, CODE 5\n" in paper
    assert 6000 < int(re.search(r"TIME (\d+) TICKS = 0\.6", paper)[1]) < 6300  # type: ignore[index]
