"""A stage of a guest in C for the student's folder: the kit's own, with some functions left open.

The kit's guests are the answers. A lesson names the folder, and the functions that are the
student's, with the lines that take the place of their bodies:

    from = "batch/06"
    shared = ["batch/include", "batch/interface.s"]

    [[yours]]
    file = "batch/06/protection.c"
    function = "check_buffer"
    body = "  return 0;"
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.errors import KitError
from kit.resources import guests_dir

__all__ = ["Stage", "stage_of", "without_body"]

_LEFT_OUT = ("built",)


@dataclass(frozen=True)
class Stage:
    """Which folders a lesson gives, and which functions of them are open (file, function, body)."""

    folders: tuple[str, ...]
    yours: tuple[tuple[str, str, str], ...]

    def files(self, solution: bool) -> dict[str, str]:
        """The files by their paths in the student's folder. Raises `KitError`."""
        found = {}
        for folder in self.folders:
            for path in _sources(guests_dir() / folder):
                name = path.relative_to(guests_dir()).as_posix()
                found[name] = path.read_text(encoding="utf-8")
        if not solution:
            for name, function, body in self.yours:
                found[name] = without_body(found[name], function, body, name)
        return found


def stage_of(table: dict[str, Any], lesson: str) -> Stage:
    """What a lesson's table says. Raises `KitError` where it is incomplete."""
    try:
        folders = (table["from"], *table.get("shared", []))
        yours = tuple((o["file"], o["function"], o["body"]) for o in table.get("yours", []))
    except KeyError as missing:
        raise KitError(f"lesson {lesson}: a stage needs {missing}") from None
    return Stage(folders, yours)


def without_body(text: str, function: str, body: str, name: str) -> str:
    """A C source in which a function has another body. Raises `KitError` if it is not there.

    Functions are written as everywhere in the guests: the name begins a line, the braces stand in
    the first column.
    """
    head = rf"^{re.escape(function)}\([^;{{]*\)\n\{{\n"
    found = re.search(rf"({head})(.*?)(^\}}\n)", text, re.M | re.S)
    if found is None:
        raise KitError(f"{name}: there is no function {function} to be left open")
    return f"{text[: found.end(1)]}{body.rstrip()}\n{text[found.start(3) :]}"


def _sources(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise KitError(f"{path}: there is no such folder of guests")
    return sorted(
        file
        for file in path.rglob("*")
        if file.is_file() and not set(file.relative_to(path).parts) & set(_LEFT_OUT)
    )
