"""Checking in a process of its own: built from the files, with nothing that a notebook holds.

``python -m kit.classroom.runner FOLDER EXERCISE LANGUAGE`` prints one line of JSON, the report.
`check_exercise` starts it, waits no longer than `SECONDS`, and gives the report.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import kit
from kit.classroom.exercise import Exercise, Report, judge
from kit.classroom.folder import Folder
from kit.classroom.lesson import Lesson, lesson_named
from kit.errors import KitError
from kit.messages import chosen_language, message

__all__ = ["SECONDS", "check_exercise", "exercises_of"]

SECONDS = 10.0
"""How long a check may take."""
_MARK = "kit-report "


def exercises_of(lesson: Lesson) -> dict[str, Exercise]:
    """The exercises of a lesson that have a check, by number."""
    names: dict[str, Any] = {"__name__": f"lesson_{lesson.number}"}
    exec(compile(lesson.checks, str(lesson.source), "exec"), names)
    found = [value for value in names.values() if isinstance(value, Exercise)]
    return {one.number: one for one in sorted(found, key=lambda one: one.number)}


def find_exercise(number: str) -> Exercise:
    """The exercise with a number such as "06.2". Raises `KitError` if there is none."""
    exercises = exercises_of(lesson_named(number))
    if number not in exercises:
        known = ", ".join(exercises) or "none"
        raise KitError(f"exercise {number!r}: there is none with a check; this lesson has {known}")
    return exercises[number]


def check_exercise(folder: Folder, number: str, language: str = "") -> Report:
    """Checks one exercise in a fresh process. Raises `KitError` if there is no such exercise."""
    find_exercise(number)
    language = language or language_of(folder)
    command = [sys.executable, "-m", "kit.classroom.runner", str(folder.path), number, language]
    root = str(Path(kit.__file__).parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8",
        "PYTHONUTF8": "1",
    }  # fmt: skip
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, timeout=SECONDS, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        text = message("check.common.too_long", language, seconds=int(SECONDS))
        return Report(number, problem=text)
    for line in reversed(done.stdout.decode("utf-8", "replace").splitlines()):
        if line.startswith(_MARK):
            report = Report.from_json(json.loads(line.removeprefix(_MARK)))
            points = folder.read_json("points.json")
            folder.write_json("points.json", points | {number: [report.score, report.total]})
            return report
    last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
    raise KitError(f"check {number}: it has ended without a report: {''.join(last)}")


def language_of(folder: Folder) -> str:
    """The language of messages: what ``course.toml`` says, or else the computer's."""
    return str(folder.settings().get("language", "")) or chosen_language()


def main(arguments: list[str]) -> int:
    """Judges one exercise of a folder, and prints the report."""
    path, number, language = arguments
    try:
        report = judge(find_exercise(number), Folder(path), language)
    except KitError as error:
        report = Report(number, problem=str(error))
    print(_MARK + json.dumps(report.to_json()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
