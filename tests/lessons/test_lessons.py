"""Every lesson has its parts, runs from its first cell to its last, and checks what it asks for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

jupytext = pytest.importorskip("jupytext", reason="the extra 'lab' is not installed")
nbclient = pytest.importorskip("nbclient", reason="the extra 'dev' is not installed")

import nbformat

from kit.classroom.exercise import FAILS, NOT_REACHED, judge
from kit.classroom.folder import Folder
from kit.classroom.lesson import Lesson, lessons
from kit.classroom.runner import exercises_of
from kit.messages import catalogue

LESSONS = lessons()
_SECTIONS = ["Summary", "What real systems do", "Where to go on"]
_TIMES = re.compile(r"^Reading: .* Practice: .*[Gg]raded work.*$", re.M)
_WORDS = {"00": (500, 3500)}


@pytest.fixture(autouse=True)
def _kit_of_this_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("VMM_KIT_LANGUAGE", "en")


def executed(text: str, folder: Folder) -> list[nbformat.NotebookNode]:
    """The code cells of a lesson, run in a student's folder."""
    notebook = jupytext.reads(text, fmt="md:myst")
    where = {"metadata": {"path": str(folder.path / "lessons")}}
    nbclient.NotebookClient(notebook, timeout=120, resources=where).execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def contents(folder: Folder) -> dict[str, bytes]:
    """All of the student's files."""
    return {name: path.read_bytes() for name, path in folder._students_files()}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.name)
def test_with_its_solutions_a_lesson_runs_and_all_checks_hold(
    lesson: Lesson, tmp_path: Path
) -> None:
    folder = Folder(tmp_path / "Übungen 課題")  # a blank, and letters beyond ASCII
    folder.start()
    folder.adopt(lesson)
    before = contents(folder)
    cells = executed(lesson.notebook(solution=True), folder)
    assert cells
    assert all(cell.execution_count for cell in cells)
    points = folder.read_json("points.json")
    assert set(points) == set(exercises_of(lesson))
    assert all(score == total > 0 for score, total in points.values()), points
    assert contents(folder) == before


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.name)
def test_with_its_skeletons_a_lesson_runs_twice_and_no_check_gives_a_point(
    lesson: Lesson, tmp_path: Path
) -> None:
    folder = Folder(tmp_path / "my os")
    folder.start()
    before = contents(folder)
    for _ in range(2):
        executed(lesson.notebook(), folder)
    assert contents(folder) == before
    assert all(score == 0 for score, _ in folder.read_json("points.json").values())


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.name)
def test_the_unchanged_skeleton_fails_every_check_with_a_message(
    lesson: Lesson, tmp_path: Path
) -> None:
    folder = Folder(tmp_path)
    folder.start()
    for exercise in exercises_of(lesson).values():
        report = judge(exercise, folder, "en")
        assert report.score == 0
        assert not report.holds
        if not report.problem:
            assert report.failure is not None
            assert report.failure.hints
            assert {one.state for one in report.verdicts} & {FAILS, NOT_REACHED}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.name)
def test_every_property_has_its_messages(lesson: Lesson) -> None:
    known = catalogue("en")
    for number, exercise in exercises_of(lesson).items():
        for one in exercise.properties:
            id_ = f"check.{number}.{one.name}"
            assert {f"{id_}.title", f"{id_}.1", f"{id_}.2", f"{id_}.3"} <= known.keys()


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.name)
def test_a_lesson_has_the_parts_of_a_lesson(lesson: Lesson) -> None:
    notebook = jupytext.reads(lesson.notebook(), fmt="md:myst")
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    headings = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert [heading for heading in headings if heading in _SECTIONS] == _SECTIONS
    assert "**Question.**" in text
    assert "**After this lesson**" in text
    assert "Sources:" in text
    assert _TIMES.search(text)
    assert any(heading.startswith("Exercise") for heading in headings)
    low, high = _WORDS.get(lesson.number, (1500, 3500))
    assert low <= len(text.split()) <= high


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.name)
def test_a_students_notebook_holds_no_solution_and_no_check(lesson: Lesson) -> None:
    for text in (lesson.notebook(), lesson.page()):
        assert "SOLUTION" not in text
        assert "kit.classroom.exercise import" not in text
    skeletons, solutions = lesson.files(), lesson.files(solution=True)
    assert skeletons.keys() == solutions.keys()


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.name)
def test_a_lesson_leads_to_lessons_that_are_there(lesson: Lesson) -> None:
    names = {f"{one.name}.ipynb" for one in LESSONS}
    for target in re.findall(r"\]\((\d\d-[^)]*\.ipynb)\)", lesson.text):
        assert target in names
