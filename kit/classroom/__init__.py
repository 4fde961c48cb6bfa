"""Lessons in a student's folder: notebooks, exercises, checks, and questions about a run.

What notebooks use: `check` judges an exercise, `answer` keeps an answer and judges it, `questions`
shows those of a quiz, `your_file` is the path of a file of a lesson.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from kit.classroom.report import Sheet, Shown

__all__ = ["answer", "check", "questions", "your_file"]


def check(number: str, hints: int = 0) -> Shown:
    """Judges an exercise such as "01.2" from the files on disk, as `kit course check` does.

    `hints` of two hints are told with the failure. What cannot be judged is said in its place.
    """
    from kit.classroom.exercise import Report
    from kit.classroom.folder import find_folder
    from kit.classroom.report import Shown
    from kit.classroom.runner import check_exercise, language_of
    from kit.errors import KitError

    try:
        folder = find_folder()
        language = language_of(folder)
        return Shown(check_exercise(folder, number, language), language, hints)
    except KitError as error:
        return Shown(Report(number, problem=str(error)))


def answer(number: str, **answers: Any) -> Shown:
    """Keeps answers to an exercise in the student's folder, and judges them."""
    from kit.classroom.folder import find_folder
    from kit.errors import KitError

    try:
        folder = find_folder()
    except KitError:
        return check(number)  # which says so
    kept = folder.read_json("answers.json")
    folder.write_json("answers.json", kept | {number: _plain(answers)})
    return check(number)


def questions(number: str) -> Sheet:
    """The questions of a quiz, drawn from a run of the student's own program; or why not."""
    from kit.classroom.exercise import Bench
    from kit.classroom.folder import find_folder
    from kit.classroom.report import Sheet
    from kit.classroom.runner import find_exercise
    from kit.errors import KitError

    try:
        exercise = find_exercise(number)
        if exercise.questions is None:
            raise KitError(f"exercise {number} asks no questions; see check({number!r})")
        return Sheet([one.text for one in exercise.questions(Bench(find_folder(), exercise))])
    except KitError as error:
        return Sheet([], str(error))


def your_file(name: str) -> Path:
    """A file of a lesson, such as "00/job.s", in the student's folder.

    Outside of a folder it is the file as students get it, so that a lesson can be run anywhere.
    """
    import tempfile
    from pathlib import Path

    from kit.classroom.folder import find_folder
    from kit.classroom.lesson import lesson_named
    from kit.errors import KitError

    try:
        return find_folder().path / "lessons" / name
    except KitError:
        path = Path(tempfile.mkdtemp(prefix="kit-lesson-")) / Path(name).name
        path.write_text(lesson_named(name).files()[name], encoding="utf-8")
        return path


def _plain(value: Any) -> Any:
    """A value as it can be kept: sets as sorted lists."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, set | frozenset | list | tuple):
        found = [_plain(one) for one in value]
        return sorted(found, key=str) if isinstance(value, set | frozenset) else found
    return value if isinstance(value, int | float | bool) else str(value)
