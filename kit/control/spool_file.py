"""One spool file: a deck for a machine's reader, or what its printer or punch has put out.

A line of text for each record: the CRC-32 of the record as 8 hexadecimal digits, a blank, and the
record as a JSON list in ASCII. The first record says whose file it is::

    ["vmm-kit spool 1", name of the machine, device, job or name of the deck]
    ["line", text]      a printed line with its newline, or a form feed
    ["card", text]      a card of 80 columns; each byte is the character with its number
    ["end"]             the deck is complete
    ["read"]            the deck has gone into the reader

Records are only ever appended, each by one write. An incomplete line at the end is one whose write
was cut off; everything before it stands.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kit.devices.deck import COLUMNS, Deck
from kit.errors import KitError

__all__ = ["Appender", "Contents", "mark_read", "read_contents", "reason_of", "record_line"]
__all__ += ["spool_numbers", "spool_path"]

MAGIC = "vmm-kit spool 1"
DEVICES = ("reader", "printer", "punch")
_NAME = re.compile(r"(\d{6,12})\.spool")


def spool_path(folder: Path, number: int) -> Path:
    """The file with this number. Nothing that a guest or an operator names is part of a path."""
    return folder / f"{number:06}.spool"


def spool_numbers(folder: Path) -> list[int]:
    """The numbers of all spool files in a folder, in order. Raises KitError if it is unreadable."""
    try:
        found = [_NAME.fullmatch(path.name) for path in folder.iterdir()]
    except OSError as error:
        raise KitError(f"{folder}: cannot read the spool: {reason_of(error)}") from None
    numbers = {int(match[1]) for match in found if match}
    return sorted(number for number in numbers if spool_path(folder, number).is_file())


@dataclass
class Contents:
    """What a spool file holds: whose it is, and its lines or cards as texts, in order.

    `complete` and `read` tell about decks. `damage` is one line about the first record that is
    damaged, or nothing; all others are there nevertheless.
    """

    vm: str = "?"
    device: str = "?"
    job: str = ""
    texts: list[str] = field(default_factory=list)
    complete: bool = False
    read: bool = False
    damage: str = ""

    @property
    def deck(self) -> Deck:
        """The cards as a deck."""
        return Deck((text.encode("latin-1") for text in self.texts), self.job or self.device)

    @property
    def text(self) -> str:
        """The paper, or the cards one a line."""
        return "".join(self.texts) if self.device == "printer" else self.deck.text


def read_contents(path: Path) -> Contents:
    """Reads a spool file. What is damaged is told in the result.

    Raises KitError if the file cannot be read.
    """
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise KitError(f"{path}: cannot read the spool file: {reason_of(error)}") from None
    contents = Contents()
    for number, record in _records(data):
        good = record is not None and _take(contents, number, record)
        if not good and not contents.damage:
            contents.damage = f"{path}:{number}: the spool file is damaged in this line"
    if contents.device == "?" and not contents.damage:
        contents.damage = f"{path}: the spool file is damaged: its first line is incomplete"
    if contents.device == "reader" and not contents.complete and not contents.damage:
        contents.damage = f"{path}: the deck is incomplete; feed it again"
    return contents


def mark_read(path: Path) -> None:
    """Notes in a deck's file that the deck has gone into the reader. Raises OSError if it fails."""
    with open(path, "r+b", buffering=0) as file:
        whole = file.read().rfind(b"\n") + 1
        file.seek(whole)  # over what is left of a mark whose write was cut off
        file.truncate()
        file.write(record_line("read"))


def record_line(*record: str) -> bytes:
    """The line of a record."""
    text = json.dumps(record).encode("ascii")
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _records(data: bytes) -> Iterator[tuple[int, list[str] | None]]:
    """Each record with its line number; None for one that is damaged."""
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        yield number, _record(line)


def _record(line: bytes) -> list[str] | None:
    text = line[9:]
    if line[:9] != b"%08x " % zlib.crc32(text):
        return None
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, list) or not all(isinstance(part, str) for part in record):
        return None
    return record


def _take(contents: Contents, number: int, record: list[str]) -> bool:
    """Adds a record to the contents; False if it does not belong where it is."""
    if number == 1:
        if len(record) != 4 or record[0] != MAGIC or record[2] not in DEVICES:
            return False
        _, contents.vm, contents.device, contents.job = record
        return True
    if record == ["end"]:
        contents.complete = True
    elif record == ["read"]:
        contents.read = True
    elif len(record) == 2 and (record[0] == "line" or (record[0] == "card" and _fits(record[1]))):
        contents.texts.append(record[1])
    else:
        return False
    if record[0] != "line":
        return True
    if contents.device == "?":
        contents.device = "printer"  # its first line is damaged, but this tells
    return contents.device == "printer"


def _fits(text: str) -> bool:
    return len(text) <= COLUMNS and all(ord(character) < 256 for character in text)


class Appender:
    """A new spool file, open for records to be appended.

    `size` is its length in bytes. Everything appended is handed to the operating system at once.
    """

    def __init__(self, folder: Path, vm: str, device: str, job: str, *records: bytes) -> None:
        """Makes the file with the next number, with its first record and the lines `records`.

        Raises OSError if that fails.
        """
        self.number = max(spool_numbers(folder), default=0) + 1
        while True:
            try:
                path = spool_path(folder, self.number)
                self._file = open(path, "xb", buffering=0)  # noqa: SIM115 - it stays open
                break
            except FileExistsError:
                self.number += 1
        self.size = 0
        try:
            self.append(record_line(MAGIC, vm, device, job), *records)
        except OSError:
            self.close()
            raise

    def append(self, *lines: bytes) -> None:
        """Appends lines as made by `record_line`, by one write. Raises OSError if that fails."""
        data = b"".join(lines)
        if self._file.write(data) != len(data):
            raise OSError("the file could not be written completely")
        self.size += len(data)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def reason_of(error: Exception) -> str:
    """An operating system's error as a few words."""
    return getattr(error, "strerror", None) or str(error)
