"""Puts a view's JavaScript, what it imports and the style sheet into one module.

The sources are plain modules, whose imports and lists of exports are one line each. In a bundle all
of them have one scope, so no name is used twice.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

__all__ = ["bundle"]

_FOLDER = Path(__file__).parent
_IMPORT = re.compile(r'^import\s.*?from\s+"\./([\w/.-]+)";\n', re.MULTILINE)
_DEFAULT = re.compile(r"^export (default .*|\{.*\};)\n", re.MULTILINE)


@cache
def bundle(name: str) -> str:
    """The module ``name.js`` of this folder, complete."""
    pieces: dict[str, str] = {}
    _collect(f"{name}.js", pieces)
    main = pieces.pop(f"{name}.js")
    others = "".join(_DEFAULT.sub("", text) for text in pieces.values())
    style = (_FOLDER / "kit.css").read_text(encoding="utf-8")
    return f"const STYLE = {json.dumps(style)};\n{others}{main}"


def _collect(file: str, pieces: dict[str, str]) -> None:
    """Adds a file's text behind those that it imports."""
    if file in pieces:
        return
    text = (_FOLDER / file).read_text(encoding="utf-8")
    for other in _IMPORT.findall(text):
        _collect(other, pieces)
    pieces[file] = _IMPORT.sub("", text)
