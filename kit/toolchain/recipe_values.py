"""The values that keys of `build.toml` can have: each is read by a function that checks it.

It gets the value, where it stands (for messages) and the folder that file names start from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from kit.errors import KitError
from kit.machine.computer import memory_size

__all__ = ["DISK_KEYS", "PROGRAM_KEYS", "RUN_KEYS", "check_keys", "files", "matching", "name"]
__all__ += ["read", "texts"]

Reading = Callable[[Any, str, Path], Any]

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
FORMATS = ("elf", "binary")
LARGEST_DISK = 1 << 28


def read(table: Any, keys: Mapping[str, Reading], where: str, folder: Path) -> dict[str, Any]:
    """The values of a table, read as `keys` say. Raises `KitError`."""
    if not isinstance(table, dict):
        raise KitError(f"{where}: expected a table")
    check_keys(table, keys, where)
    return {key: keys[key](value, f"{where}: {key}", folder) for key, value in table.items()}


def check_keys(table: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    """Raises `KitError` for a key that is not known."""
    for key in table:
        if key not in known:
            raise KitError(f"{where}: {key}: there is no such key; expected {', '.join(known)}")


def texts(value: Any, where: str, _: Path | None = None) -> list[str]:
    """A list of texts; one text alone will do."""
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(text, str) and text for text in found):
        raise KitError(f"{where}: expected a list of texts")
    return found


def name(value: Any, where: str, _: Path) -> str:
    """The name of a program or disk, which becomes that of a file."""
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise KitError(f"{where}: expected letters, digits and _ . - in a name, not {value!r}")
    return value


def files(value: Any, where: str, folder: Path) -> tuple[Path, ...]:
    """The files that patterns name, in the patterns' order, those of each pattern by name."""
    found: dict[Path, None] = {}
    for pattern in texts(value, where):
        these = matching(folder, pattern)
        if not these:
            raise KitError(f"{where}: there is no file {folder / pattern}")
        found.update(dict.fromkeys(these))
    return tuple(found)


def matching(folder: Path, pattern: str) -> tuple[Path, ...]:
    """The files that a pattern fits, by name."""
    while pattern.startswith("../"):  # glob does not climb
        folder, pattern = folder.resolve().parent, pattern[3:]
    try:
        return tuple(sorted(path.resolve() for path in folder.glob(pattern) if path.is_file()))
    except (ValueError, NotImplementedError):
        return ()


def _names(value: Any, where: str, folder: Path) -> tuple[str, ...]:
    return tuple(name(text, where, folder) for text in texts(value, where))


def _address(value: Any, where: str, _: Path) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 32:
        raise KitError(f"{where}: expected an address, such as 0x80000000")
    return value


def _folders(value: Any, where: str, folder: Path) -> tuple[Path, ...]:
    found = tuple((folder / text).resolve() for text in texts(value, where))
    for path in found:
        if not path.is_dir():
            raise KitError(f"{where}: there is no folder {path}")
    return found


def _file(value: Any, where: str, folder: Path) -> Path:
    path = (folder / _text(value, where, folder)).resolve()
    if not path.is_file():
        raise KitError(f"{where}: there is no file {path}")
    return path


def _text(value: Any, where: str, _: Path) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise KitError(f"{where}: expected a text")
    return value


def _define(value: Any, where: str, _: Path) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict) or not all(isinstance(v, str | int) for v in value.values()):
        raise KitError(f"{where}: expected macros, such as {{ QUANTUM = 1000 }}")
    for macro in value:
        if not re.fullmatch(r"[A-Za-z_]\w*", macro, re.ASCII):
            raise KitError(f"{where}: {macro!r} is no name of a macro")
    return tuple((k, str(int(v) if isinstance(v, bool) else v)) for k, v in value.items())


def _format(value: Any, where: str, _: Path) -> str:
    if value not in FORMATS:
        raise KitError(f"{where}: expected {' or '.join(FORMATS)}")
    return str(value)


def _disk_size(value: Any, where: str, _: Path) -> int:
    try:
        size = memory_size(value)
    except KitError as error:
        raise KitError(f"{where}: {error}") from None
    if size > LARGEST_DISK or size % 512:
        raise KitError(f"{where}: expected whole sectors of 512 bytes, {LARGEST_DISK >> 20}M most")
    return size


def _path_or_name(value: Any, where: str, folder: Path) -> Path | str:
    """A file, or the name of a `[[disk]]`."""
    text = _text(value, where, folder)
    return folder / text if (folder / text).is_file() else text


PROGRAM_KEYS: dict[str, Reading] = {
    "base": _address,
    "include": _folders,
    "define": _define,
    "script": _file,
    "embed": _names,
    "format": _format,
}
"""Keys of a `[[program]]`, beside name, each and sources."""

DISK_KEYS: dict[str, Reading] = {
    "name": name,
    "size": _disk_size,
    "maker": _file,
    "programs": _names,
    "files": files,
}
"""Keys of a `[[disk]]`."""

RUN_KEYS: dict[str, Reading] = {
    "program": name,
    "reader": _file,
    "disk": _path_or_name,
    "initrd": _file,
    "memory": _text,
    "modes": _text,
    "append": _text,
}
"""Keys of `[run]`: the options of `kit run` of the same names, where the user gives none."""
