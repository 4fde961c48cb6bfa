"""Writing files so that what was there is only lost when what replaces it is complete."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import BinaryIO

from kit.errors import KitError

__all__ = ["check_writable", "read_bounded", "replace_file"]


def replace_file(path: str | Path, data: str | bytes) -> None:
    """Writes a file as a whole, or leaves the old one. Text is written as UTF-8.

    A link stays a link, and a file keeps its rights. Devices and what else is in /dev and /proc are
    written to and never replaced: /dev/stdout may be a link to an ordinary file. Raises `KitError`
    where it cannot be written.
    """
    content = data.encode() if isinstance(data, str) else data
    try:
        if _is_device(Path(path)):
            with open(path, "ab") as device:
                device.write(content)
        else:
            _replace(Path(os.path.realpath(path)), content)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise KitError(f"{path}: cannot write it: {reason}") from None


def check_writable(path: str | Path) -> None:
    """Raises `KitError` where `replace_file` would: before a long run, rather than after it."""
    target = Path(path)
    folder = Path(os.path.realpath(target)).parent
    if not str(path) or target.is_dir():
        raise KitError(f"{str(path)!r}: this names no file; name one to be written")
    if not target.exists() and not folder.is_dir():
        raise KitError(f"{path}: cannot write it: there is no folder {folder}")
    if not os.access(target if _is_device(target) else folder, os.W_OK):
        raise KitError(f"{path}: cannot write it: permission denied")


def read_bounded(file: BinaryIO, name: str, limit: int) -> bytes:
    """The rest of a file, which must not have more than `limit` bytes. Raises `KitError`."""
    data = file.read(limit + 1)
    if len(data) > limit:
        raise KitError(f"{name}: more than {limit >> 20} MiB; this cannot be right")
    return data


def _is_device(path: Path) -> bool:
    where = path.absolute().parts[1:3]
    special = where[:1] in (("dev",), ("proc",)) and where != ("dev", "shm")
    return special or (path.exists() and not path.is_file())


def _replace(target: Path, content: bytes) -> None:
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        try:
            file.write(content)
            file.close()
            os.chmod(file.name, mode)
            os.replace(file.name, target)
        except BaseException:
            file.close()
            os.unlink(file.name)
            raise
