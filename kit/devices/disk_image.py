"""The medium of a disk: bytes in memory, or a file whose sectors are read and written in place."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from errno import EROFS
from os import SEEK_END
from pathlib import Path
from typing import Any, BinaryIO

from kit.errors import KitError

__all__ = ["SECTOR", "DiskImage", "unpacked"]

SECTOR = 512


class DiskImage:
    """A number of 512-byte sectors.

    `DiskImage(data)` is a disk in memory that starts with a copy of `data`; `DiskImage.open(path)`
    is a file. A write is in the file at once. `read_only` says whether writes are refused;
    `sectors` is the capacity.
    """

    def __init__(self, data: bytes | bytearray, *, read_only: bool = False) -> None:
        """Raises KitError if the length is zero, or not a multiple of 512 bytes."""
        self.name = "disk"
        self.read_only = read_only
        self._file: BinaryIO | None = None
        self._data = bytearray(data)
        self.sectors = _sectors(len(data), self.name)

    @classmethod
    def open(cls, path: str | Path, *, read_only: bool = False) -> DiskImage:
        """The disk in a file; read-only where it is asked for, or where the file is.

        Raises KitError if it cannot be read, is empty or has no whole number of sectors.
        """
        image = cls(bytes(SECTOR))
        image.name = str(path)
        try:
            image._file, image.read_only = _opened(path, read_only)
            length = image._file.seek(0, SEEK_END)
        except (OSError, ValueError) as error:
            raise KitError(f"{path}: cannot open the disk image: {_reason(error)}") from None
        try:
            image.sectors = _sectors(length, image.name)
        except KitError:
            image.close()
            raise
        return image

    @property
    def size(self) -> int:
        """Its capacity in bytes."""
        return self.sectors * SECTOR

    def read(self, sector: int, length: int) -> bytes:
        """`length` bytes from the start of `sector` on; the range must lie on the disk.

        Raises OSError if the file cannot be read.
        """
        start = sector * SECTOR
        if self._file is None:
            return bytes(self._data[start : start + length])
        self._file.seek(start)
        data = self._file.read(length)
        if len(data) != length:
            raise OSError(f"{self.name} has become shorter")
        return data

    def write(self, sector: int, data: bytes) -> None:
        """Writes from the start of `sector` on; the range must lie on the disk.

        Raises OSError if the file cannot be written.
        """
        start = sector * SECTOR
        if self._file is None:
            self._data[start : start + len(data)] = data
            return
        self._file.seek(start)
        if self._file.write(data) != len(data):
            raise OSError("the file could not be written completely")

    def close(self) -> None:
        """Closes the file, if there is one."""
        if self._file is not None:
            self._file.close()

    def save(self) -> dict[str, Any]:
        """The contents, compressed. Raises KitError if the file cannot be read."""
        try:
            data = self.read(0, self.size)
        except (OSError, ValueError) as error:
            raise KitError(f"{self.name}: cannot save the disk: {_reason(error)}") from None
        return {"contents": b64encode(zlib.compress(data, 1)).decode("ascii")}

    def check(self, state: Any) -> None:
        """Raises KitError if the saved disk has another size, or differs from a read-only one."""
        for _ in self._changes(state):
            if self.read_only:
                raise KitError(f"{self.name}: differs from the saved disk, and is read-only")

    def restore(self, state: dict[str, Any]) -> None:
        """Makes the contents what they were; a file is changed too, but only where it differs.

        Raises KitError as `check`, or if it cannot be written.
        """
        self.check(state)
        for sector, saved in self._changes(state):
            try:
                self.write(sector, saved)
            except (OSError, ValueError) as error:
                raise KitError(f"{self.name}: cannot restore the disk: {_reason(error)}") from None

    def _changes(self, state: Any) -> Iterator[tuple[int, bytes]]:
        """The sectors that differ from the saved ones, and what those hold."""
        data = unpacked(state, "contents", self.size)
        if len(data) != self.size:
            raise KitError(
                f"{self.name}: the saved disk has {len(data)} bytes, this one {self.size}"
            )
        for sector in range(self.sectors):
            saved = data[sector * SECTOR : (sector + 1) * SECTOR]
            try:
                differs = self.read(sector, SECTOR) != saved
            except (OSError, ValueError) as error:
                raise KitError(f"{self.name}: cannot restore the disk: {_reason(error)}") from None
            if differs:
                yield sector, saved


def unpacked(state: Any, name: str, most: int) -> bytes:
    """The bytes that a field of a saved disk holds, compressed. Raises KitError if it does not.

    More than `most` bytes are cut off, a little later: they are wrong, however many there are.
    """
    try:
        return zlib.decompressobj().decompress(b64decode(state[name], validate=True), most + 1)
    except (LookupError, TypeError, ValueError, zlib.error):
        raise KitError("restore: disk: no machine has this image") from None


def _opened(path: str | Path, read_only: bool) -> tuple[BinaryIO, bool]:
    """The file, unbuffered, and whether it is read-only."""
    if read_only:
        return open(path, "rb", buffering=0), True
    try:
        return open(path, "r+b", buffering=0), False
    except PermissionError:
        return open(path, "rb", buffering=0), True
    except OSError as error:
        if error.errno != EROFS:
            raise
        return open(path, "rb", buffering=0), True


def _sectors(length: int, name: str) -> int:
    if not length:
        raise KitError(f"{name}: an empty disk; make it one or more sectors of {SECTOR} bytes long")
    if length % SECTOR:
        raise KitError(
            f"{name}: {length} bytes are no whole number of {SECTOR}-byte sectors; "
            f"make it {(length // SECTOR + 1) * SECTOR} bytes long"
        )
    return length // SECTOR


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
