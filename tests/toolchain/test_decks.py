"""Decks of jobs: from programs and lists to cards, and what is said where that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.errors import KitError
from kit.isa.assembler import assemble
from kit.toolchain.decks import JOB_BASE, Job, jobs_deck, object_cards, parse_job, read_jobs
from kit.toolchain.hexfile import read_hex_file, write_hex

SOURCE = "start: nop\n.globl _start\n_start: la a0, start\nebreak\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "one.s"
    path.write_text(SOURCE)
    return path


def test_a_job_is_job_load_object_run_data_and_end(source: Path) -> None:
    deck = jobs_deck([Job("ONE", "ACCT", 3, 2, source, ("1 APPLE", "2"))])
    lines = deck.lines()
    assert lines[:2] == ["$JOB ONE,ACCT,3,2", "$LOAD"]
    assert lines[-4:] == ["$RUN", "1 APPLE", "2", "$EOJ"]
    assert lines[2:-4] == object_cards(source)


def test_source_elf_hex_and_binary_give_the_same_cards(source: Path, tmp_path: Path) -> None:
    image = assemble(SOURCE, base=JOB_BASE)
    (tmp_path / "one.elf").write_bytes(image.to_elf())
    (tmp_path / "one.hex").write_text(write_hex(image.segments, image.entry))
    (tmp_path / "one.bin").write_bytes(image.to_binary())
    expected = object_cards(source)
    assert object_cards(tmp_path / "one.elf") == expected
    assert object_cards(tmp_path / "one.hex") == expected
    found = read_hex_file("\n".join(object_cards(tmp_path / "one.bin")))
    assert found.segments == image.segments
    assert found.start == JOB_BASE


def test_the_object_cards_say_where_to_start(source: Path) -> None:
    found = read_hex_file("\n".join(object_cards(source, base=0x80400000)))
    assert found.start == 0x80400000 + 4
    assert found.segments[0][0] == 0x80400000


def test_hex_records_that_are_too_long_for_a_card_are_cut_anew(tmp_path: Path) -> None:
    body = bytes([64, 0, 0, 0]) + bytes(range(64))
    path = tmp_path / "long.hex"
    path.write_text(f":{body.hex()}{-sum(body) & 255:02x}\n:00000001FF\n")
    cards = object_cards(path)
    assert max(map(len, cards)) <= 80
    assert read_hex_file("\n".join(cards)).segments == [(0, bytes(range(64)))]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SUM", "expected name,account,seconds,pages"),
        ("SUM,A,1", "expected name,account,seconds,pages"),
        ("SUM,A,x,1", "expected name,account,seconds,pages"),
        ("SUM,A,-1,1", "expected name,account,seconds,pages"),
        ("SUM,A,1,99999", "numbers from 1 to 9999"),
        ("SUM,A,0,1", "seconds 0"),
        ("SUM,A,1,0", "pages 0"),
        (",A,1,1", "name ''"),
        ("SUMMATION,A,1,1", "name 'SUMMATION'"),
        ("SUM,TWO WORDS,1,1", "account 'TWO WORDS'"),
        ("SÜM,A,1,1", "name 'SÜM'"),
        ("SUM,A,1,1,0", "punched 0"),
        ("SUM,A,1,1,", "expected name,account,seconds,pages"),
        ("SUM,A,1,1,1,1", "expected name,account,seconds,pages"),
        ("SUM,A," + "9" * 5000 + ",1", "numbers from 1 to 9999"),
    ],
)
def test_a_job_that_the_monitor_would_refuse_is_not_made(text: str, message: str) -> None:
    with pytest.raises(KitError, match=message):
        parse_job(text, "one.s")


@pytest.mark.parametrize(
    ("card", "message"),
    [("$EOJ", "begins with"), ("x" * 81, "81 columns"), ("a\tb", "a tab"), ("é", "ASCII")],
)
def test_what_cannot_be_a_data_card_is_not_one(card: str, message: str) -> None:
    with pytest.raises(KitError, match=f"data card 2: .*{message}"):
        Job("A", "B", 1, 1, Path("one.s"), ("fine", card))


def test_a_list_names_files_beside_itself(source: Path, tmp_path: Path) -> None:
    (tmp_path / "numbers").write_text("1\n2\n")
    path = tmp_path / "jobs.toml"
    path.write_text(
        '[[job]]\nname = "A"\naccount = "B"\nseconds = 1\npages = 2\nprogram = "one.s"\n'
        'data = "numbers"\ncards = ["3"]\n'
        '[[job]]\nname = "C"\naccount = "D"\nseconds = 3\npages = 4\nprogram = "one.s"\n'
    )
    assert read_jobs(path) == [
        Job("A", "B", 1, 2, source, ("1", "2", "3")),
        Job("C", "D", 3, 4, source),
    ]


def test_the_job_card_may_limit_what_is_punched_and_bear_a_remark(tmp_path: Path) -> None:
    path = tmp_path / "jobs.toml"
    path.write_text(GOOD + 'punched = 40\nremark = "TO MR SMITH, PLEASE"\n')
    (job,) = read_jobs(path)
    assert job.job_card == "$JOB A,B,1,2,40 TO MR SMITH, PLEASE"
    assert parse_job("A,B,1,2,40", "one.s").job_card == "$JOB A,B,1,2,40"
    assert Job("A", "B", 1, 2, Path("one.s"), remark="HELLO").job_card == "$JOB A,B,1,2 HELLO"


GOOD = '[[job]]\nname = "A"\naccount = "B"\nseconds = 1\npages = 2\nprogram = "one.s"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a table"),
        ("job = 1", "expected a table"),
        ("[job]", "expected a table"),
        ("job = [1]", "expected a table"),
        ("x = 1\n" + GOOD, "expected a table"),
        ("[[job]\n", "jobs.toml:1: this is not TOML"),
        (GOOD + "size 3\n", "jobs.toml:7: this is not TOML"),
        ("x = " + "[" * 5000, "jobs.toml: "),
        (GOOD + '[[job]]\nname = "A"', "jobs.toml:7: 'account' is missing"),
        (GOOD + "\n" + GOOD.replace("1", '"1"'), "jobs.toml:8: 'seconds' must be a number"),
        (GOOD.replace("1", "true"), "jobs.toml:1: 'seconds' must be a number"),
        (GOOD.replace("1", "0"), "jobs.toml:1: seconds 0"),
        (GOOD.replace('"A"', "5"), "jobs.toml:1: 'name' must be a text"),
        (GOOD + "punched = 10000\n", "jobs.toml:1: punched 10000: use a number from 1 to 9999"),
        (GOOD + "remark = 1\n", "jobs.toml:1: 'remark' must be a text"),
        (GOOD + f'remark = "{"x" * 80}"\n', "jobs.toml:1: .JOB card: .*columns"),
        (GOOD + "priority = 1\n", "jobs.toml:1: unknown key 'priority'"),
        (GOOD + "cards = [1]\n", "jobs.toml:1: 'cards' must be a list of texts"),
        (GOOD + 'cards = ["$JOB"]\n', "jobs.toml:1: data card 1: begins with"),
        (GOOD + 'data = "nothing"\n', "jobs.toml:1: .*nothing: cannot read the deck"),
    ],
)
def test_a_bad_list_is_named_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "jobs.toml"
    path.write_text(text)
    with pytest.raises(KitError, match=message):
        read_jobs(path)


def test_a_list_that_is_no_text_or_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KitError, match=r"none\.toml: cannot read the list of jobs"):
        read_jobs(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(KitError, match=r"bytes\.toml: is not text in UTF-8"):
        read_jobs(tmp_path / "bytes.toml")


def test_a_program_with_an_error_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.s"
    path.write_text("nop\nfrob a0\n")
    with pytest.raises(KitError, match=r"bad\.s:2:1: "):
        object_cards(path)
    (tmp_path / "bad.hex").write_text(":00000001FE\n")
    with pytest.raises(KitError, match=r"bad\.hex:1: "):
        object_cards(tmp_path / "bad.hex")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no /dev/zero")
def test_a_list_without_end_is_refused() -> None:
    with pytest.raises(KitError, match="larger than 16 MiB: is it a list of jobs"):
        read_jobs("/dev/zero")
