"""Writing files so that what was there is only lost when what replaces it is complete."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from kit.errors import KitError

__all__ = ["replace_file"]


def replace_file(path: str | Path, data: str | bytes) -> None:
    """Writes a file as a whole, or leaves the old one. Text is written as UTF-8.

    Devices such as /dev/stdout are written to. Raises `KitError` where it cannot be written.
    """
    target = Path(path)
    content = data.encode() if isinstance(data, str) else data
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(content)
            return
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            file.write(content)
        os.chmod(file.name, 0o644)
        os.replace(file.name, target)
    except OSError as error:
        raise KitError(f"{path}: cannot write it: {error.strerror}") from None
