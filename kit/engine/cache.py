"""A cache of generated code between runs: versioned by content, safe to delete, safe to damage."""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import CodeType

__all__ = ["cache_directory", "cached_bytes", "cached_code", "source_digest"]

_MAGIC = b"vmm-kit code\n"
LARGEST = 256 << 20
"""Bytes that the cache may hold; of more, what has not been used for longest is deleted."""


def cache_directory() -> Path | None:
    """Where generated code is kept: ``$VMM_KIT_CACHE``, or the user's cache directory.

    None where there is neither: for a user without a home.
    """
    named = os.environ.get("VMM_KIT_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME")
    if base:
        return Path(base) / "vmm-kit"
    own = ("AppData", "Local") if sys.platform == "win32" else (".cache",)
    try:
        return Path.home().joinpath(*own, "vmm-kit")
    except RuntimeError:
        return None


def source_digest(files: Iterable[Path], *more: str) -> str:
    """A name for what code generated from these files, with these settings, must be."""
    digest = hashlib.sha256(repr((sys.version_info, more)).encode())
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:24]


def cached_code(name: str, make: Callable[[], str]) -> CodeType:
    """The compiled form of the source that `make` returns, kept in the cache under `name`.

    A file that is missing or damaged is made again; where none can be kept, none is.
    """

    def dump() -> bytes:
        return marshal.dumps(compile(make(), f"<{name}>", "exec"))

    code = marshal.loads(cached_bytes(name, dump))
    assert isinstance(code, CodeType)
    return code


def cached_bytes(name: str, make: Callable[[], bytes]) -> bytes:
    """What `make` returns, kept in the cache under `name`, and read from there if it is whole."""
    directory = cache_directory()
    if directory is None:
        return make()
    path = directory / f"{name}.code"
    body = _read(path)
    if body is None:
        body = make()
        _keep(path, body)
    return body


def _head(path: Path, body: bytes) -> bytes:
    """What a file begins with: its name is part of it, so that none is taken for another."""
    return _MAGIC + hashlib.sha256(path.name.encode() + body).digest()


def _read(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    head, body = data[: len(_MAGIC) + 32], data[len(_MAGIC) + 32 :]
    if head != _head(path, body):
        return None
    with suppress(OSError):
        os.utime(path)  # used just now
    return body


def _keep(path: Path, body: bytes) -> None:
    written = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            written = file.name
            file.write(_head(path, body) + body)
        os.replace(written, path)
        # Looking at every file takes a while; one time in sixteen is often enough.
        if _head(path, body)[-1] % 16 == 0:
            _trim(path.parent)
    except OSError:
        if written:
            Path(written).unlink(missing_ok=True)


def _trim(directory: Path) -> None:
    """Deletes what was used longest ago, as far as the cache is too large."""
    files = [entry for entry in os.scandir(directory) if entry.is_file()]
    rows = sorted((row.stat().st_mtime, row.stat().st_size, row.path) for row in files)
    excess = sum(size for _, size, _ in rows) - LARGEST
    for _, size, name in rows:
        if excess <= 0:
            break
        os.unlink(name)
        excess -= size
