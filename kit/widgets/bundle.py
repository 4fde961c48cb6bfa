"""Puts a view's JavaScript, what it imports and the style sheet into one module.

The sources are plain modules, whose imports and lists of exports are one line each. In a bundle
each of them but the view itself is a function of its own, so that their names do not meet.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

__all__ = ["bundle"]

_FOLDER = Path(__file__).parent
_IMPORT = re.compile(r'^import (\{.*?\}) from "\./([\w/-]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (\{.*\});\n", re.MULTILINE)
_DEFAULT = re.compile(r"^export default (?:.*\n(?=\Z)|\{[\s\S]*)", re.MULTILINE)


@cache
def bundle(name: str, *extra: str) -> str:
    """The module ``name.js`` of this folder, complete, with modules that it uses if they are there.

    Raises OSError where there is no such module.
    """
    order: list[str] = []
    for module in (*extra, name):
        _collect(module, order)
    style = (_FOLDER / "kit.css").read_text(encoding="utf-8")
    parts = [f"const STYLE = {json.dumps(style)};\n"]
    for module in order[:-1]:
        parts.append(_wrapped(module))
        if module in extra:
            parts.append(f"const {_exports(module)} = {_name(module)};\n")
    parts.append(_EXPORT.sub("", _with_names(_text(name))))
    return "".join(parts)


def _text(module: str) -> str:
    return (_FOLDER / f"{module}.js").read_text(encoding="utf-8")


def _collect(module: str, order: list[str]) -> None:
    """Adds a module behind those that it imports."""
    if module in order:
        return
    for _, other in _IMPORT.findall(_text(module)):
        _collect(other, order)
    order.append(module)


def _name(module: str) -> str:
    return "module_" + re.sub(r"\W", "_", module)


def _exports(module: str) -> str:
    found = _EXPORT.search(_text(module))
    return found[1] if found is not None else "{}"


def _with_names(text: str) -> str:
    """A module whose imports are taken from the modules before it."""
    return _IMPORT.sub(lambda found: f"const {found[1]} = {_name(found[2])};\n", text)


def _wrapped(module: str) -> str:
    text = _DEFAULT.sub("", _EXPORT.sub("", _with_names(_text(module))))
    return f"const {_name(module)} = (() => {{\n{text}\nreturn {_exports(module)};\n}})();\n"
