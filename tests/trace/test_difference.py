"""Where two runs part."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit import Machine, assemble
from kit.cli import main
from kit.trace.difference import first_difference
from kit.trace.history import History
from kit.trace.tape import Tape, record_to
from tests.trace.programs import ECHO


def recorded(path: Path, at: int, source: str = ECHO, steps: int = 50_000) -> Tape:
    machine = Machine(memory="256K")
    machine.load(assemble(source))
    history = History(machine)
    machine.run(at)
    machine.uart.feed(b"x")
    machine.run(steps - at)
    record_to(path, history)
    return Tape.load(path)


def test_an_interrupt_that_comes_later_is_where_they_part(tmp_path: Path) -> None:
    one = recorded(tmp_path / "one", 30_000).play()
    two = recorded(tmp_path / "two", 30_007).play("reference")
    found = first_difference(one, two)
    assert found is not None
    assert found.place == 30_001
    assert "pc" in [name for name, _, _ in found.what]
    assert "loop" in found.where


def test_alike_to_the_end_and_one_longer(tmp_path: Path) -> None:
    one, two = (recorded(tmp_path / name, 100) for name in ("one", "two"))
    assert first_difference(one.play(), two.play("reference", vm=True)) is None
    longer = recorded(tmp_path / "longer", 100, steps=50_010)
    found = first_difference(longer.play(), one.play())
    assert found is not None
    assert (found.place, found.ended) == (50_000, 1)
    assert "second ends after 50,000 steps" in found.text


def test_different_programs_begin_differently(tmp_path: Path) -> None:
    one = recorded(tmp_path / "one", 10, steps=20)
    two = recorded(tmp_path / "two", 10, "1: j 1b", steps=20)
    found = first_difference(one.play(), two.play())
    assert found is not None
    assert found.place == 0
    assert "0x80000000" in found.text


def test_kit_diff(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(tmp_path / "one", 300, steps=2_000)
    recorded(tmp_path / "two", 330, steps=2_000)
    assert main(["diff", str(tmp_path / "one"), "--vm"]) == 0
    assert "alike, all 2,000 steps" in capsys.readouterr().out
    assert main(["diff", str(tmp_path / "one"), str(tmp_path / "two")]) == 1
    assert "They part in step 301" in capsys.readouterr().out
    assert main(["diff", str(tmp_path / "one")]) == 2
