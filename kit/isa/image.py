"""A program as it is put into storage: what the assembler makes and the loader takes."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Image", "ImageSection", "ListingRow"]

_BYTES_IN_A_ROW = 8
_MOST_ROWS = 4


@dataclass(frozen=True)
class ImageSection:
    """A section: where it stands, its flags (a: takes memory, w, x) and its bytes.

    `size` exceeds the bytes where the rest is zeros that need not be stored (.bss).
    """

    name: str
    address: int
    data: bytes
    size: int
    flags: str
    alignment: int


@dataclass(frozen=True)
class ListingRow:
    """A line of source, and what it made (`address` is None if that is nothing).

    `depth` says in how many macros and repetitions it stands; `is_code`, that it made instructions.
    """

    file: str
    line: int
    source: str
    depth: int = 0
    address: int | None = None
    data: bytes = b""
    size: int = 0
    is_code: bool = False


@dataclass
class Image:
    """A program with its addresses decided.

    `segments` are the bytes to be loaded, by address; `zeroed` the spaces (address, size) to be
    cleared. `symbols` are the labels, `constants` the names of numbers (``.equ``); `lines` has the
    source file and line of each address at which an instruction or datum begins. `isa` is the
    instruction set it was made for. `elf` is the file that it came from, if it was an ELF file.
    """

    entry: int
    segments: list[tuple[int, bytes]]
    symbols: dict[str, int] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)
    lines: dict[int, tuple[str, int]] = field(default_factory=dict)
    zeroed: list[tuple[int, int]] = field(default_factory=list)
    sections: list[ImageSection] = field(default_factory=list)
    rows: list[ListingRow] = field(default_factory=list)
    globals: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    isa: str = "rv32imac"
    elf: bytes = field(default=b"", repr=False)

    @property
    def size(self) -> int:
        """Bytes of memory from the first address to the last, spaces included."""
        ends = [address + len(data) for address, data in self.segments]
        ends += [address + size for address, size in self.zeroed]
        starts = [address for address, _ in [*self.segments, *self.zeroed]]
        return max(ends) - min(starts) if ends else 0

    def to_binary(self) -> bytes:
        """The bytes from the first address on, gaps filled with zeros (a flat binary)."""
        if not self.segments:
            return b""
        start = min(address for address, _ in self.segments)
        end = max(address + len(data) for address, data in self.segments)
        result = bytearray(end - start)
        for address, data in self.segments:
            result[address - start : address - start + len(data)] = data
        return bytes(result)

    def to_elf(self) -> bytes:
        """An ELF executable with symbols. See `kit.isa.elf`."""
        from kit.isa.elf import write_elf

        return write_elf(self)

    def listing(self) -> str:
        """Every source line with the address and bytes of what it made.

        Lines of macros and repetitions are marked with a ``+``. Long data are cut short.
        """
        result: list[str] = []
        file = ""
        for row in self.rows:
            if row.file != file:
                file = row.file
                result.append(f"# {file}")
            result += _row(row)
        return "".join(f"{line.rstrip()}\n" for line in result)


def _row(row: ListingRow) -> list[str]:
    mark = "+" if row.depth else " "
    source = f"{row.line:5}{mark} {row.source}"
    if row.address is None:
        return [f"{'':26}{source}"]
    lines, address = [], row.address
    for piece in _pieces(row)[:_MOST_ROWS]:
        shown = piece[::-1].hex() if row.is_code else piece.hex()
        lines.append(f"{address:08x} {shown:<16} ")
        address += len(piece)
    lines = lines or [f"{row.address:08x} {'':17}"]
    lines[0] += source
    if address < row.address + row.size:
        lines.append(f"{'...':>12}")
    return lines


def _pieces(row: ListingRow) -> list[bytes]:
    """The bytes by instruction, or eight at a time."""
    result, at = [], 0
    while at < len(row.data):
        size = _BYTES_IN_A_ROW
        if row.is_code:
            size = 4 if row.data[at] & 3 == 3 else 2
        result.append(row.data[at : at + size])
        at += size
    return result
