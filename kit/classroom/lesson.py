"""A lesson's one source: the text, the files that a student gets, their solutions, the checks.

A lesson is a MyST notebook. Some of its code cells are not for the student's notebook, as their
tags say:

``file``
    A file for the student's folder. Its first line is ``%%file PATH``. What stands between
    ``BEGIN SOLUTION`` and ``END SOLUTION`` is the solution; the student gets what follows a line
    with ``SKELETON`` in there, or nothing.
``stage``
    Like ``file``, but for a folder of the kit's guests: a table (TOML) that says which folder goes
    where, and which functions of it are left to the student.
``check``
    What checks the exercises, in Python; see `kit.classroom.exercise`.

In other cells, too, the solution is taken out, and the skeleton is put there as comments.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from kit.classroom.stage import Stage, stage_of
from kit.errors import KitError
from kit.resources import lessons_dir

__all__ = ["Cell", "Lesson", "lesson_named", "lessons"]

_CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(?P<body>.*?)^```[ \t]*\n", re.M | re.S)
_TAGS = re.compile(r"^:tags:\s*\[(.*)\]\s*$")
_ASKS = re.compile(r"^(check|answer|questions)\(", re.M)
_TO_LESSON = re.compile(r"\]\((\d\d-[\w-]+)\.ipynb\)")
_TO_FILE = re.compile(r"(?<!!)\[([^\]]*)\]\((?:\d\d|\.\./batch|\.\./multi)/[^)]*\)")
"""Links to lessons, and to files of the student's."""
_LANGUAGES = {".c": "c", ".h": "c", ".toml": "toml"}
"""How files are coloured on pages. Not assembly: what colours that does not know `1:`."""


@dataclass(frozen=True)
class Cell:
    """A code cell: its tags, its source, the line of the lesson on which the source begins."""

    tags: frozenset[str]
    source: str
    line: int

    @property
    def hidden(self) -> bool:
        """Is it something else than a cell of the student's notebook?"""
        return bool(self.tags & {"file", "stage", "check"})


@dataclass(frozen=True)
class Lesson:
    """A lesson of the course; `source` is the file it is read from."""

    source: Path
    text: str = field(repr=False)

    @property
    def number(self) -> str:
        """Such as "06"."""
        return self.source.name[:2]

    @property
    def name(self) -> str:
        """Such as "06-protection": what its notebook is called."""
        return self.source.stem

    @cached_property
    def title(self) -> str:
        """Its first heading."""
        found = re.search(r"^# (.*)$", self.text, re.M)
        return found[1] if found else self.name

    @cached_property
    def cells(self) -> list[Cell]:
        """All code cells, in order."""
        return [_cell(self.text, found) for found in _CELL.finditer(self.text)]

    @cached_property
    def stages(self) -> list[Stage]:
        """The folders of C sources that it gives to the student."""
        tables = [tomllib.loads(cell.source) for cell in self.cells if "stage" in cell.tags]
        return [stage_of(table, self.name) for table in tables]

    def files(self, solution: bool = False) -> dict[str, str]:
        """The files of the student's folder that it gives, by path: skeletons, or solutions."""
        found = self.pictures()
        for cell in self.cells:
            if "file" in cell.tags:
                path, text = _file(cell, self)
                found[path] = _chosen(text, solution)
        for stage in self.stages:
            found |= stage.files(solution)
        return found

    def pictures(self) -> dict[str, str]:
        """The pictures (SVG) in the folder beside the lesson, by path."""
        folder = self.source.parent / self.number
        return {
            f"{self.number}/{path.name}": path.read_text(encoding="utf-8")
            for path in sorted(folder.glob("*.svg"))
        }

    @property
    def checks(self) -> str:
        """What checks its exercises, as Python; lines are those of the lesson."""
        text = ""
        for cell in self.cells:
            if "check" in cell.tags:
                text += "\n" * (cell.line - 1 - text.count("\n")) + cell.source
        return text

    def notebook(self, solution: bool = False) -> str:
        """The lesson as MyST for the student, without what is not for a notebook."""
        return _CELL.sub(lambda found: self._shown(found, solution, False), self.text)

    def page(self) -> str:
        """The lesson for the documentation: files are shown, checks are not made."""
        text = _CELL.sub(lambda found: self._shown(found, False, True), self.text)
        return _TO_FILE.sub(r"`\1`", _TO_LESSON.sub(r"](\1.md)", text))

    def _shown(self, found: re.Match[str], solution: bool, page: bool) -> str:
        cell = _cell(self.text, found)
        if "file" in cell.tags and page:
            path, text = _file(cell, self)
            language = _LANGUAGES.get(Path(path).suffix, "text")
            return f"```{{code-block}} {language}\n:caption: {path}\n{_chosen(text, False)}```\n"
        if cell.hidden:
            return ""
        whole = found[0]
        if page and _ASKS.search(cell.source):
            whole = _with_tag(whole, "skip-execution")
        return _chosen(whole, solution, comment="# ")


def lessons() -> list[Lesson]:
    """All lessons, by number. Raises `KitError` where the installation lacks them."""
    files = sorted(lessons_dir().glob("[0-9][0-9]-*.md"))
    return [Lesson(file, file.read_text(encoding="utf-8")) for file in files]


def lesson_named(number: str) -> Lesson:
    """The lesson with a number, such as "06" or "6". Raises `KitError` if there is none."""
    wanted = re.split(r"[./-]", number)[0].zfill(2)
    every = lessons()
    for lesson in every:
        if lesson.number == wanted or lesson.name == number:
            return lesson
    known = ", ".join(lesson.number for lesson in every)
    raise KitError(f"lesson {number!r}: there is none; there are {known}")


def _cell(text: str, found: re.Match[str]) -> Cell:
    lines = found["body"].splitlines(keepends=True)
    line = text.count("\n", 0, found.start("body")) + 1
    tags: frozenset[str] = frozenset()
    if lines and (match := _TAGS.match(lines[0])):
        tags = frozenset(tag.strip() for tag in match[1].split(","))
        lines, line = lines[1:], line + 1
    while lines and not lines[0].strip():
        lines, line = lines[1:], line + 1
    return Cell(tags, "".join(lines), line)


def _file(cell: Cell, lesson: Lesson) -> tuple[str, str]:
    first, _, rest = cell.source.partition("\n")
    if not first.startswith("%%file "):
        raise KitError(f"{lesson.source}:{cell.line}: a file begins with %%file PATH")
    return first.removeprefix("%%file ").strip(), rest


def _chosen(text: str, solution: bool, comment: str = "") -> str:
    """A text with its solutions, or with its skeletons in their place."""
    return "".join(_lines(text, solution, comment))


def _lines(text: str, solution: bool, comment: str) -> Iterator[str]:
    part = ""
    for line in text.splitlines(keepends=True):
        if "BEGIN SOLUTION" in line:
            part = "solution"
        elif "END SOLUTION" in line:
            part = ""
        elif part and line.strip(" #/\n") == "SKELETON":
            part = "skeleton"
        elif not part or (part == "solution") == solution:
            yield comment + line if part == "skeleton" else line


def _with_tag(cell: str, tag: str) -> str:
    first, _, rest = cell.partition("\n")
    if rest.startswith(":tags:"):
        return f"{first}\n{rest.replace('[', f'[{tag}, ', 1)}"
    return f"{first}\n:tags: [{tag}]\n\n{rest}"
