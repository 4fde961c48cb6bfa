"""Images of disks for guests. The guest's own script says how its file system lies on a disk.

The script is run as ``python MAKER OUT SIZE NAME=FILE ...`` and writes OUT, with SIZE bytes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kit.errors import KitError
from kit.toolchain.messages import shown
from kit.toolchain.recipe import Disk

__all__ = ["make_disk"]


def make_disk(disk: Disk, contents: Mapping[str, bytes]) -> bytes:
    """The image of a disk with these files on it. Raises `KitError` where its maker fails."""
    if disk.maker is None:
        return bytes(disk.size)
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name), Path(name, "disk.img")
        command = [sys.executable, str(disk.maker), str(out), str(disk.size)]
        for number, (called, data) in enumerate(contents.items()):
            (folder / f"{number}").write_bytes(data)
            command.append(f"{called}={folder / str(number)}")
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)
        words = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"]
        if done.returncode:
            raise KitError(f"{shown(disk.maker)}: ended with {done.returncode}: {words[-1]}")
        data = out.read_bytes() if out.is_file() else b""
        if len(data) != disk.size:
            raise KitError(f"{shown(disk.maker)}: made {len(data)} bytes instead of {disk.size}")
        return data
