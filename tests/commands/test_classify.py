"""`kit classify` on the command line."""

from __future__ import annotations

import json

import pytest

from kit.cli import main

pytest.importorskip("z3", reason="z3 is not installed (extra proof)")


def test_an_instruction_is_shown_with_its_witnesses(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classify", "wfi"]) == 0
    output = capsys.readouterr().out
    assert "trap in S-mode while mstatus.TW = 1" in output
    assert "control-sensitive: it changes whether the processor waits" in output
    assert "mode = M: waiting = 0x1; mode = U: traps (illegal instruction)" in output


def test_json_has_the_verdict_and_the_states(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classify", "rdmode", "--with", "hole.rdmode", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["processor"]["holes"] == ["hole.rdmode"]
    (verdict,) = found["instructions"]
    assert (verdict["name"], verdict["privileged"]) == ("rdmode", False)
    assert verdict["behaviour_sensitive"] == ["mode"]
    (witness,) = verdict["witnesses"]
    modes = [step["before"]["mode"] for step in witness["steps"]]
    assert len(set(modes)) == 2
    assert found["seconds"] > 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["mrett"], "this processor has no instruction or CSR 'mrett'"),
        (["--with", "hole.x"], "there is no hole 'x'; there are jrst1"),
        (["--with", "hole.time", "--with", "hole.mstatus"], "both alter csrrs"),
        (["--modes", "M"], "a user mode"),
        (["--isa", "rv32x"], "expected rv32i"),
    ],
)
def test_mistakes_end_with_one_line_and_status_2(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classify", *arguments]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1


def test_help_has_examples_and_the_holes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["classify", "--help"])
    output = capsys.readouterr().out
    assert "kit classify --with hole.jrst1" in output
    assert "hole.sfence" in output
