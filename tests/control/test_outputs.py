"""How much output stays in the host's memory, and that nothing which a file gets is forgotten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kit import Machine
from kit.cli import main
from kit.control import outputs
from kit.control.room import Room
from kit.control.room_plan import read_room
from kit.devices.card_punch import CardPunch
from kit.devices.line_printer import LinePrinter
from kit.devices.uart import Uart
from kit.isa.assembler import assemble
from tests.control.guests import HALT, PRINTER, UART

LINES = 40
CHATTERER = f"""
        li s0, {LINES}
        li s1, {PRINTER}
        li s2, {PRINTER} + 0x1000 # the punch
        li s3, {UART}
    1:  andi t0, s0, 15
        addi t0, t0, 'a'
        sb t0, 0(s3)
        sb t0, 0x80(s1)
        sb t0, 0x80(s2)
        li t1, 1
        sw t1, 4(s1)
        sw t1, 4(s2)
    2:  lw t1, 0(s2)
        andi t1, t1, 1
        beqz t1, 2b
        addi s0, s0, -1
        bnez s0, 1b
        {HALT}
"""
"""Sends a letter, prints it and punches it, 40 times; the punch takes longest."""

EXPECTED = [chr(ord("a") + (number & 15)) for number in range(LINES, 0, -1)]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Devices that forget soon."""
    for kind in (Uart, LinePrinter, CardPunch):
        assert kind.kept is not None
        monkeypatch.setattr(kind, "kept", 5)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "chatterer.s"
    path.write_text(CHATTERER)
    return path


def room(folder: Path, files: str) -> Room:
    (folder / "room.toml").write_text(f'[vm.one]\nimage = "chatterer.s"\nmemory = "64K"\n{files}')
    return Room(read_room(folder / "room.toml"))


def test_a_machine_keeps_the_newest_output_and_its_listeners_hear_all_of_it() -> None:
    heard: list[str] = []
    machine = Machine(memory="64K", paper=heard.append)
    machine.load(assemble(CHATTERER))
    assert machine.run(100_000).reason == "halt"
    assert [line.rstrip("\n") for line in heard] == EXPECTED
    for newest in (
        list(machine.uart.text),
        machine.printer.text.split(),
        machine.punch.deck.lines(),
    ):
        assert 5 <= len(newest) <= 10
        assert newest == EXPECTED[-len(newest) :]


def test_files_that_kit_run_writes_have_everything(program: Path, tmp_path: Path) -> None:
    paper, cards = tmp_path / "paper", tmp_path / "cards"
    assert main(["run", str(program), "--printer", str(paper), "--punch", str(cards)]) == 0
    assert paper.read_text().split() == cards.read_text().split() == EXPECTED


def test_what_kit_run_shows_has_everything(
    program: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["run", str(program)]) == 0
    shown = capfdbinary.readouterr().out.decode()
    assert sorted(shown.replace("\n", "")) == sorted(2 * EXPECTED)


def test_json_has_everything(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(program), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["paper"].split() == summary["punched"] == list(summary["console"]) == EXPECTED


def test_a_guest_that_puts_out_more_than_a_file_may_have_is_stopped(
    program: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(outputs.LIMITS, "printer", (20, "lines of paper"))
    monkeypatch.setattr("kit.commands.run.SLICE", 100)
    monkeypatch.setattr("kit.commands.run.LONG_SLICE", 100)
    paper = tmp_path / "paper"
    assert main(["run", str(program), "--printer", str(paper)]) == 2
    assert "it has put out more than 20 lines of paper" in capsys.readouterr().err
    assert paper.read_text().split() == EXPECTED[:21]
    with_file = room(tmp_path, 'printer = "paper2"\n')
    with_file.scheduler.policy.quantum = 100  # type: ignore[attr-defined]
    assert with_file.run()["one"].reason == "stopped"
    assert with_file.state("one").startswith("failed: it has put out more than 20 lines of paper")
    assert (tmp_path / "paper2").read_text().split() == EXPECTED[:21]


@pytest.mark.parametrize("spool", ["", '[room]\nspool = "spool"\n'])
def test_files_of_a_room_have_everything(program: Path, tmp_path: Path, spool: str) -> None:
    files = 'printer = "paper"\npunch = "cards"\nconsole = "sent"\n'
    assert room(tmp_path, files + spool).run()["one"].reason == "halt"
    for name in ("paper", "cards", "sent"):
        assert list((tmp_path / name).read_text().replace("\n", "")) == EXPECTED
