"""A private overlay over a disk that several machines share: copy on write.

What is written goes into the overlay, sector by sector; what was never written is read from the
base, which nobody writes any more. An overlay is kept in memory or in a file::

    header    "vmm-kit overlay1", sectors of the base (8 bytes), CRC-32 of the base (4),
              CRC-32 of this header so far (4); numbers are little-endian
    record    number of a sector (4), CRC-32 of this number and the data (4), 512 bytes of data

and so on, one record for each sector that differs, in any order. Each write of a record is one
write to the file. An incomplete record at the end is one whose write was cut off; it counts as
never written.
"""

from __future__ import annotations

import base64
import io
import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from kit.devices.disk_image import SECTOR, DiskImage, unpacked
from kit.errors import KitError

__all__ = ["Overlay"]

MAGIC = b"vmm-kit overlay1"
HEADER = struct.Struct("<16sQII")
RECORD = struct.Struct(f"<II{SECTOR}s")
SAVED = struct.Struct(f"<I{SECTOR}s")
PIECE = 2048
"""Sectors of the base that are read at once, to compute its checksum."""


class Overlay(DiskImage):
    """A disk with the contents of `base`, and everything that was written to it since.

    Usable wherever a `DiskImage` is. Several overlays share one base; making one makes the base
    read-only. Without a `path` what is written is kept in memory, and gone with the overlay.
    """

    def __init__(self, base: DiskImage, path: str | Path | None = None) -> None:
        """Opens the overlay in the file `path`, or starts one there if there is no such file.

        Raises KitError if the file cannot be opened, is damaged, or belongs to another base, or
        if the base cannot be read.
        """
        super().__init__(bytes(SECTOR))
        base.read_only = True
        self.base = base
        self.name = base.name if path is None else str(path)
        self.sectors = base.sectors
        self._slots: dict[int, int] = {}  # which record holds a sector
        self._base_check = _checksum(base)
        self._own: BinaryIO = io.BytesIO() if path is None else _opened(path)
        try:
            self._start()
        except KitError:
            self._own.close()
            raise

    @property
    def changed(self) -> int:
        """How many sectors the overlay holds."""
        return len(self._slots)

    def read(self, sector: int, length: int) -> bytes:
        """`length` bytes from the start of `sector` on; the range must lie on the disk.

        Raises OSError if a file cannot be read, or if the overlay has been damaged.
        """
        data = bytearray(self.base.read(sector, length))
        for at in range(0, length, SECTOR):
            slot = self._slots.get(sector + at // SECTOR)
            if slot is not None:
                data[at : at + SECTOR] = self._record(slot)[1]
        return bytes(data[:length])

    def write(self, sector: int, data: bytes) -> None:
        """Writes whole sectors from `sector` on; the range must lie on the disk.

        Raises OSError if the file cannot be written; then some of them may be written.
        """
        for at in range(0, len(data), SECTOR):
            self._put(sector + at // SECTOR, data[at : at + SECTOR])

    def close(self) -> None:
        """Closes the overlay's file. The base stays open: others may use it."""
        self._own.close()

    def save(self) -> dict[str, Any]:
        """The sectors that the overlay holds, compressed, and which base they belong to.

        Raises KitError if the file cannot be read.
        """
        try:
            records = b"".join(
                SAVED.pack(sector, self._record(slot)[1])
                for sector, slot in sorted(self._slots.items())
            )
        except (OSError, ValueError) as error:
            raise KitError(f"{self.name}: cannot save the disk: {_reason(error)}") from None
        packed = base64.b64encode(zlib.compress(records, 1)).decode("ascii")
        return {"base": self._base_check, "overlay": packed}

    def check(self, state: Any) -> None:
        """Raises KitError if the saved disk had another base, or sectors that this one has not."""
        self._saved(state)

    def _saved(self, state: Any) -> dict[int, bytes]:
        """The saved sectors, by number."""
        if not isinstance(state, dict) or state.get("base") != self._base_check:
            raise KitError(f"{self.name}: the saved disk was an overlay over another base")
        records = unpacked(state, "overlay", self.sectors * SAVED.size)
        if len(records) % SAVED.size:
            raise KitError(f"{self.name}: the saved disk has no whole number of sectors")
        saved = dict(SAVED.iter_unpack(records))
        if len(saved) * SAVED.size != len(records) or any(n >= self.sectors for n in saved):
            raise KitError(f"{self.name}: the saved disk has a sector twice, or beyond its end")
        return saved

    def restore(self, state: dict[str, Any]) -> None:
        """Makes the contents what they were. Sectors written since then hold the base's again.

        Raises KitError if the saved disk had another base, or a file cannot be read or written.
        """
        saved = self._saved(state)
        try:
            for sector in sorted(saved.keys() | self._slots.keys()):
                data = saved.get(sector) or self.base.read(sector, SECTOR)
                if self.read(sector, SECTOR) != data:
                    self._put(sector, data)
        except (OSError, ValueError) as error:
            raise KitError(f"{self.name}: cannot restore the disk: {_reason(error)}") from None

    # -- the file ----------------------------------------------------------------------------

    def _start(self) -> None:
        """Writes the header of an empty file, or checks everything in one that is not."""
        try:
            length = self._own.seek(0, io.SEEK_END)
            if length == 0:
                self._own.write(self._header())
                return
            self._own.seek(0)
            self._check_header(self._own.read(HEADER.size))
            for slot in range((length - HEADER.size) // RECORD.size):
                self._check_record(slot)
        except OSError as error:
            raise KitError(f"{self.name}: cannot use the overlay: {_reason(error)}") from None

    def _header(self) -> bytes:
        head = struct.pack("<16sQI", MAGIC, self.sectors, self._base_check)
        return head + zlib.crc32(head).to_bytes(4, "little")

    def _check_header(self, header: bytes) -> None:
        if len(header) < HEADER.size or not header.startswith(MAGIC):
            raise KitError(f"{self.name}: this is no overlay of this version of the kit")
        if zlib.crc32(header[:-4]) != HEADER.unpack(header)[3]:
            raise KitError(f"{self.name}: the overlay's header is damaged")
        if header != self._header():
            raise KitError(
                f"{self.name}: the overlay was made over another disk than {self.base.name}, "
                f"or that has changed since; use the base that it was made over"
            )

    def _check_record(self, slot: int) -> None:
        sector, _ = self._record(slot)
        if sector >= self.sectors or sector in self._slots:
            raise KitError(f"{self.name}: record {slot} of the overlay is for a wrong sector")
        self._slots[sector] = slot

    def _record(self, slot: int) -> tuple[int, bytes]:
        """The sector's number and the data in a record. Raises OSError if it is damaged."""
        self._own.seek(HEADER.size + slot * RECORD.size)
        record = self._own.read(RECORD.size)
        if len(record) == RECORD.size:
            sector, check, data = RECORD.unpack(record)
            if check == _record_check(sector, data):
                return sector, data
        raise OSError(f"record {slot} of the overlay is damaged")

    def _put(self, sector: int, data: bytes) -> None:
        slot = self._slots.get(sector, len(self._slots))
        self._own.seek(HEADER.size + slot * RECORD.size)
        record = RECORD.pack(sector, _record_check(sector, data), data)
        if self._own.write(record) != len(record):
            raise OSError("the file could not be written completely")
        self._slots[sector] = slot


def _record_check(sector: int, data: bytes) -> int:
    return zlib.crc32(data, zlib.crc32(sector.to_bytes(4, "little")))


def _checksum(base: DiskImage) -> int:
    check = 0
    try:
        for sector in range(0, base.sectors, PIECE):
            count = min(PIECE, base.sectors - sector)
            check = zlib.crc32(base.read(sector, count * SECTOR), check)
    except (OSError, ValueError) as error:
        raise KitError(f"{base.name}: cannot read the base disk: {_reason(error)}") from None
    return check


def _opened(path: str | Path) -> BinaryIO:
    """The file, unbuffered, made if there is none."""
    try:
        try:
            return open(path, "r+b", buffering=0)
        except FileNotFoundError:
            return open(path, "x+b", buffering=0)
    except (OSError, ValueError) as error:
        raise KitError(f"{path}: cannot open the overlay: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
