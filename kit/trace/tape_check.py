"""Whether a recording are such as `kit.trace.tape` writes; a file may come from anywhere."""

from __future__ import annotations

from typing import Any

from kit.devices.saved import Check, flag, hexadecimal, items, listed, maybe, number, record, word
from kit.trace.snapshot import RECORDS

__all__ = ["check_tape"]

LARGEST_DISK = 1 << 21
"""Sectors."""


def check_tape(words: Any, size: int) -> None:
    """Raises ValueError unless these can be the words of a recording of `size` bytes."""
    names = words.get("machines") if isinstance(words, dict) else None
    if not isinstance(names, dict) or not names:
        raise ValueError("it has no machines")
    is_name = names.__contains__
    run = items(_is_text, word(64), word(64))
    came_in = items(_is_text, _is_text, hexadecimal(0))
    fields = {
        "machines": _of_each(names, lambda built: _is_built(built, names)),
        "sizes": _of_each(names, number(0, size)),
        "log": listed(lambda row: (run(row) or came_in(row)) and is_name(row[0])),
        "answers": _of_each(names, listed(hexadecimal(0))),
        "lines": _of_each(names, listed(items(word(32), _is_text, number(0, 1 << 31)))),
        "end": record({"place": word(64), "state": hexadecimal(32, 32)}),
    }
    if not record(fields)(words):
        raise ValueError("it was not written by the kit")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _of_each(names: dict[str, Any], check: Check) -> Check:
    return record(dict.fromkeys(names, check))


def _is_built(built: Any, names: dict[str, Any]) -> bool:
    """Is it what describes how a machine is built? What is in it, `Config` and others check."""
    if not isinstance(built, dict) or not isinstance(built.get("kept"), dict):
        return False
    fields: dict[str, Check] = {
        "isa": _is_text,
        "modes": _is_text,
        "pmp": number(0, 16),
        "ad": _is_text,
        "holes": listed(_is_text),
        "memory": number(0, 1 << 31),
        "disk": maybe(items(number(0, LARGEST_DISK), flag)),
        "legacy": flag,
        "channel": flag,
        "joined": lambda name: name == "" or (_is_text(name) and name in names),
        "kept": record(dict.fromkeys(RECORDS.keys() & built["kept"], maybe(number(0, 1 << 32)))),
    }
    return record(fields)({"holes": [], **built})
