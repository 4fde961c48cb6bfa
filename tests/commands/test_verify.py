"""`kit verify`: what it prints, its exit statuses, and mistakes of its user."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("z3")

from kit.cli import main
from kit.commands import verify


@pytest.fixture(autouse=True)
def own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMM_KIT_CACHE", str(tmp_path / "cache"))


def test_goals_about_an_instruction_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--instruction", "mret"]) == 0
    out, err = capsys.readouterr()
    assert "emulation  mret   proved" in out
    assert "goals proved" in err


def test_lemmas_are_shown_by_classes_of_instructions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--lemma", "reflection"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:4] == ["reflection", "exception", "14", "proved"]


def test_json_has_results_seconds_and_mutants(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--instruction", "mret", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.keys() == {"results", "seconds", "mutants"}
    assert {"lemma", "instruction", "verdict", "seconds"} <= found["results"][0].keys()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--lemma", "nothing"], "there is no lemma 'nothing'"),
        (["--instruction", "mrte"], "did you mean mret"),
        (["--jobs", "0"], "expected 1 or more"),
        (["--vmm", "nowhere.py"], "cannot read it"),
        (["--mutants", "nobody"], "there is no mutant 'nobody'"),
        (["--mutants", "--fresh"], "--mutants takes no other options"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_without_z3_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runner = sys.modules["kit.proof.verify"]  # its name in the package is the function's
    monkeypatch.setattr(runner, "find_spec", lambda name: None)
    assert main(["verify"]) == 2
    assert "pip install 'vmm-kit[proof]'" in capsys.readouterr().err


def test_a_kernel_of_ones_own_for_diff_needs_a_virtual_machine(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["diff", "a.rec", "b.rec", "--vmm", "my_vmm.py"]) == 2
    assert "it needs --vm" in capsys.readouterr().err


def test_the_summary_counts_what_was_known() -> None:
    from kit.proof import Report
    from kit.proof.results import Result

    results = [Result("a", "b", "proved", is_remembered=True), Result("a", "c", "refuted")]
    assert verify._summary(Report(results, 1.0)).startswith("1 of 2 goals proved, 1 of them by")
