"""`kit deck`."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from kit.commands.deck import add_deck, run
from kit.devices.deck import Deck
from kit.errors import KitError
from kit.resources import guests_dir

JOBS = guests_dir() / "batch" / "jobs"


def command(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    add_deck(parser.add_subparsers())
    return run(parser.parse_args(["deck", *map(str, arguments)]))


def test_it_makes_the_sample_deck(tmp_path: Path) -> None:
    out = tmp_path / "out.deck"
    assert command(JOBS / "monday.toml", "-o", out) == 0
    assert out.read_bytes() == (JOBS / "monday.deck").read_bytes()


def test_it_makes_a_deck_of_one_job(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "numbers"
    data.write_text("1\n2\n")
    assert command("--job", "SUM,A,1,1", "--program", JOBS / "sum.s", "--data", data) == 0
    deck = Deck.from_text(capsys.readouterr().out)
    assert deck.lines()[0] == "$JOB SUM,A,1,1"
    assert deck.lines()[-4:] == ["$RUN", "1", "2", "$EOJ"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give a list of jobs"),
        (("--job", "A,B,1,1"), "both --job and --program"),
        (("--program", "x.s"), "both --job and --program"),
        (("x.toml", "--data", "y"), "but not both"),
        (("x.toml", "--base", "zero"), "base 'zero'"),
        (("x.toml", "--base=-4"), "base .-4."),
        (("--job", "A,B,1,1", "--program", "no.s"), "no.s"),
        (("no.toml",), "no.toml: cannot read"),
    ],
)
def test_bad_arguments_are_one_clear_line(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(KitError, match=message) as caught:
        command(*arguments)
    assert "\n" not in str(caught.value)


def test_an_error_leaves_the_old_deck_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out.deck"
    out.write_text("OLD\n")
    with pytest.raises(KitError):
        command("--job", "A,B,1,1", "--program", tmp_path / "no.s", "-o", out)
    assert out.read_text() == "OLD\n"


def test_programs_of_jobs_include_from_folders_that_are_named(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "loop.s").write_text("1: j 1b\n")
    program, deck = tmp_path / "main.s", tmp_path / "deck"
    program.write_text('.include "loop.s"\n')
    job = ("--job", "A,B,1,1", "--program", program, "-o", deck)
    with pytest.raises(KitError, match="add its folder with -I"):
        command(*job)
    assert command(*job, "-I", tmp_path / "parts") == 0
    assert deck.read_text().startswith("$JOB A,B,1,1\n$LOAD\n:")
