"""Intel HEX: programs as text, one record a line, as object decks carry them.

A record is ``:LLAAAATT<data>CC``: the number of data bytes, a 16-bit address, a type, and a
checksum that makes the sum of all bytes zero. Types: 00 data, 01 end of file, 02 extended segment
address, 03 start segment address (read, and ignored), 04 extended linear address, 05 start linear
address. Intel, Hexadecimal Object File Format Specification, revision A (1988).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kit.errors import KitError

__all__ = ["HexFile", "read_hex", "read_hex_file", "write_hex"]

_DATA, _END, _SEGMENT, _START_SEGMENT, _LINEAR, _START = range(6)
_LENGTHS = {_END: 0, _SEGMENT: 2, _START_SEGMENT: 4, _LINEAR: 2, _START: 4}
_BYTES_IN_A_RECORD = 16  # 43 columns: a record fits on a card


@dataclass(frozen=True)
class HexFile:
    """What an Intel HEX file holds: bytes by address, and where to start (None if not said)."""

    segments: list[tuple[int, bytes]]
    start: int | None


def read_hex(text: str, name: str = "<hex>") -> list[tuple[int, bytes]]:
    """The segments (address, bytes) of an Intel HEX file, in the order of addresses.

    Segments that touch are joined. Raises `KitError`, naming `name` and the line.
    """
    return read_hex_file(text, name).segments


def read_hex_file(text: str, name: str = "<hex>") -> HexFile:
    """The segments and the start address of an Intel HEX file. Raises `KitError`."""
    upper, start = 0, None
    pieces: list[tuple[int, bytes, int]] = []
    number = 1
    for number, line in _records(text):
        kind, offset, data = _record(line, f"{name}:{number}")
        if kind == _END:
            _nothing_after(text, number, name)
            return HexFile(_joined(pieces, name), start)
        if kind == _DATA:
            pieces += ((at, part, number) for at, part in _placed(upper, offset, data))
        elif kind == _LINEAR:
            upper = int.from_bytes(data, "big") << 16
        elif kind == _SEGMENT:
            upper = int.from_bytes(data, "big") << 4
        elif kind == _START:
            start = int.from_bytes(data, "big")
    raise KitError(
        f"{name}:{number}: the end record (:00000001FF) is missing: is the file cut off?"
    )


def _records(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line.strip()


def _nothing_after(text: str, end: int, name: str) -> None:
    for number, _ in _records(text):
        if number > end:
            raise KitError(f"{name}:{number}: something stands behind the end record")


def _record(line: str, where: str) -> tuple[int, int, bytes]:
    """Type, address and data of a record."""
    if not line.startswith(":"):
        raise KitError(f"{where}: a record begins with ':', not {line[0]!a}")
    try:
        body = bytes.fromhex(line[1:])
    except ValueError:
        raise KitError(f"{where}: a record is pairs of hexadecimal digits") from None
    if " " in line or "\t" in line:
        raise KitError(f"{where}: a record has no blanks in it")
    if len(body) < 5:
        raise KitError(f"{where}: the record is cut off: it has {len(body)} bytes of at least 5")
    length, kind = body[0], body[3]
    if len(body) != length + 5:
        what = f"the record says {length} data bytes and has {len(body) - 5}"
        raise KitError(f"{where}: {what}: is it cut off?")
    if sum(body) & 255:
        right = -sum(body[:-1]) & 255
        raise KitError(f"{where}: the checksum is {body[-1]:02X} and should be {right:02X}")
    if kind > _START:
        raise KitError(f"{where}: unknown record type {kind:02X}: there are 00 to 05")
    if kind != _DATA and length != _LENGTHS[kind]:
        what = f"a record of type {kind:02X} has {_LENGTHS[kind]} data bytes, not {length}"
        raise KitError(f"{where}: {what}")
    return kind, int.from_bytes(body[1:3], "big"), body[4:-1]


def _placed(upper: int, offset: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    """Where data go: the 16-bit offset of a record wraps round."""
    room = 0x10000 - offset
    for at, part in ((offset, data[:room]), (0, data[room:])):
        if part:
            yield upper + at, part


def _joined(pieces: list[tuple[int, bytes, int]], name: str) -> list[tuple[int, bytes]]:
    """The pieces in order, those that touch joined. Raises `KitError` where two overlap."""
    result: list[tuple[int, bytearray]] = []
    for address, data, number in sorted(pieces, key=lambda piece: piece[0]):
        end = result[-1][0] + len(result[-1][1]) if result else -1
        if address < end:
            what = f"the data at {address:#010x} overlap those of another record"
            raise KitError(f"{name}:{number}: {what}")
        if address == end:
            result[-1][1].extend(data)
        else:
            result.append((address, bytearray(data)))
    return [(address, bytes(data)) for address, data in result]


def write_hex(segments: Iterable[tuple[int, bytes]], start: int | None = None) -> str:
    """An Intel HEX file of `segments` (address, bytes), and of the address to start at.

    Records hold 16 bytes, so that each fits on a card of 80 columns. Raises `KitError` for
    addresses that do not fit in 32 bits.
    """
    lines: list[str] = []
    upper = 0
    for address, data in segments:
        if not 0 <= address <= address + len(data) <= 1 << 32:
            raise KitError(f"{len(data)} bytes at {address:#x} do not fit in 32 bits of address")
        position = 0
        while position < len(data):
            here = address + position
            if here >> 16 != upper:
                upper = here >> 16
                lines.append(_line(0, _LINEAR, upper.to_bytes(2, "big")))
            size = min(_BYTES_IN_A_RECORD, 0x10000 - (here & 0xFFFF))
            lines.append(_line(here & 0xFFFF, _DATA, data[position : position + size]))
            position += size
    if start is not None:
        if not 0 <= start < 1 << 32:
            raise KitError(f"the start address {start:#x} does not fit in 32 bits")
        lines.append(_line(0, _START, start.to_bytes(4, "big")))
    lines.append(_line(0, _END, b""))
    return "".join(f"{line}\n" for line in lines)


def _line(offset: int, kind: int, data: bytes) -> str:
    body = bytes([len(data)]) + offset.to_bytes(2, "big") + bytes([kind]) + data
    return f":{body.hex().upper()}{-sum(body) & 255:02X}"
