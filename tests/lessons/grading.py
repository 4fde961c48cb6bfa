"""Grading in tests: a student's folder with some files changed, judged in this process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kit.classroom.exercise import Report, judge
from kit.classroom.folder import Folder
from kit.classroom.lesson import lesson_named
from kit.classroom.runner import exercises_of


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Puts files of lessons into a folder."""
    for name, text in files.items():
        path = folder / ("lessons" if name[0].isdigit() else ".") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def grade(
    tmp_path: Path, number: str, files: Mapping[str, str] = {}, answers: Mapping[str, Any] = {}
) -> Report:
    """The report on an exercise, with these files and answers; everything else is the skeleton."""
    lesson = lesson_named(number)
    write(tmp_path, {**lesson.files(), **files})
    (tmp_path / "course.toml").touch()
    folder = Folder(tmp_path)
    folder.write_json("answers.json", {number: dict(answers)})
    return judge(exercises_of(lesson)[number], folder, "en")


def solved(number: str) -> dict[str, str]:
    """The files of a lesson with the published solution."""
    return lesson_named(number).files(solution=True)


def told(report: Report) -> str:
    """What kind of failure a report tells: "" if all is well, "problem" if nothing was judged."""
    if report.problem:
        return "problem"
    return report.failure.kind if report.failure is not None else ""
