"""What compiler and linker have to say, in the words and with the paths that their user knows."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

__all__ = ["compilers_words", "linkers_words", "shown"]

_PLACE = re.compile(r">>> (?:referenced by|defined at) (?:.*?:(\d+) \(.*\))?")
_OBJECT = re.compile(r">>>\s+(\w+/.+)\.o:\((.*)\)$")


def shown(path: Path) -> str:
    """A path as its user would write it: from the current folder on, where that is shorter."""
    try:
        return min(os.path.relpath(path), str(path), key=len)
    except ValueError:  # on another drive
        return str(path)


def compilers_words(words: str, folders: Iterable[Path]) -> str:
    """The compiler's messages, without its count of them; files in `folders` by short paths."""
    for folder in sorted(folders, key=lambda folder: -len(str(folder))):
        short = shown(folder)
        words = words.replace(f"{folder.as_posix()}/", "" if short == "." else f"{short}{os.sep}")
    counts = re.compile(r"\d+ (error|warning)s?( and \d+ errors?)? generated\.$")
    return "\n".join(line for line in words.splitlines() if not counts.match(line)).strip()


def linkers_words(words: str, sources: Mapping[str, Path]) -> str:
    """The linker's messages, one line each; `sources` are those of the objects, by name."""
    messages = re.split(r"^ld\.lld: (?=error:|warning:)", words, flags=re.M)
    return "\n".join(_one(message, sources) for message in messages if message.strip())


def _one(message: str, sources: Mapping[str, Path]) -> str:
    head, *rest = message.strip().splitlines()
    places = _places(rest, sources)
    what, _, symbol = head.removeprefix("error: ").rpartition(": ")
    if what == "undefined symbol" and places:
        where, function = places[0]
        user = f"; {function} uses it" if function else ""
        return f"{where}: error: nothing defines '{symbol}'{user}"
    if what == "duplicate symbol" and len(places) > 1:
        (first, _), (second, _) = places[:2]
        return f"{second}: error: '{symbol}' is defined already, at {first}"
    return "\n".join([head, *rest])


def _places(lines: list[str], sources: Mapping[str, Path]) -> list[tuple[str, str]]:
    """Source and line of each place that is named, and the function that it is in."""
    found = []
    line = ""
    for text in lines:
        if place := _PLACE.match(text):
            line = f":{place[1]}" if place[1] else ""
        elif (part := _OBJECT.match(text)) and part[1] in sources:
            function = "" if part[2].startswith(".") else part[2]
            found.append((f"{shown(sources[part[1]])}{line}", function))
    return found
