"""The schema of checks: what depends on what, what is told, what counts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kit.classroom import exercise as module
from kit.classroom import runner
from kit.classroom.exercise import Bench, Exercise, Finding, Report, judge
from kit.classroom.folder import Folder
from kit.classroom.report import as_html, as_text
from kit.errors import KitError


@pytest.fixture(autouse=True)
def _words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages that are not in the catalogue are shown by their ids."""
    known = module.message

    def said(id_: str, language: str = "", **values: object) -> str:
        return known(id_, language, **values) if id_.startswith("check.common") else id_

    monkeypatch.setattr(module, "message", said)


def states(report: Report) -> dict[str, str]:
    return {one.id.rpartition(".")[2]: one.state for one in report.verdicts}


def made(first: bool, second: bool, safe: bool) -> Exercise:
    """An exercise with two properties of liveness and one of safety."""
    one = Exercise("99.1")
    one.property("first", points=1)(lambda bench: None if first else Finding(way="so"))
    one.property("second", points=2)(lambda bench: None if second else Finding())
    one.property("safe", points=4, safety=True)(lambda bench: None if safe else Finding())
    return one


def test_safety_counts_only_after_liveness(tmp_path: Path) -> None:
    report = judge(made(True, False, True), Folder(tmp_path), "en")
    assert states(report) == {"first": "holds", "second": "fails", "safe": "not reached"}
    assert (report.score, report.total, report.holds) == (1, 7, False)


def test_only_the_first_failure_is_told(tmp_path: Path) -> None:
    report = judge(made(False, False, True), Folder(tmp_path), "en")
    assert [bool(one.text) for one in report.verdicts] == [True, False, False]
    assert report.failure is not None
    assert report.failure.text == "check.99.1.first.1.so"
    assert report.failure.hints == ["check.99.1.first.2", "check.99.1.first.3"]
    text = as_text(report, 1, "en")
    assert "check.99.1.first.2" in text
    assert "check.99.1.first.3" not in text


def test_all_is_well_if_everything_holds(tmp_path: Path) -> None:
    report = judge(made(True, True, True), Folder(tmp_path), "en")
    assert report.holds
    assert Report.from_json(report.to_json()).score == 7


def test_what_cannot_be_judged_is_a_problem_and_gives_no_point(tmp_path: Path) -> None:
    one = Exercise("99.2", "01/sum.s")
    one.property("first", points=1)(lambda bench: bench.trial("01/sum.s") and None)
    report = judge(one, Folder(tmp_path), "en")
    assert "kit course reset lessons/01/sum.s" in report.problem
    assert report.score == 0


def test_an_answer_that_was_not_given_is_asked_for(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write_json("answers.json", {"99.3": {"why": "?"}})
    with pytest.raises(KitError, match="No answer"):
        Bench(folder, Exercise("99.3")).answer("why")


def test_a_property_cannot_need_what_comes_later() -> None:
    with pytest.raises(KitError, match="needs what stands behind it"):
        Exercise("99.4").property("first", needs="second")(lambda bench: None)


def test_text_of_a_guest_cannot_become_markup() -> None:
    assert "<b>x" not in as_html(Report("99.5", problem="<b>x"), "en")


def test_a_check_that_takes_too_long_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*arguments: object, **settings: object) -> None:
        raise subprocess.TimeoutExpired("check", runner.SECONDS)

    monkeypatch.setattr(runner.subprocess, "run", never)
    (tmp_path / "course.toml").touch()
    report = runner.check_exercise(Folder(tmp_path), "01.2", "en")
    assert "longer than 10 seconds" in report.problem
