"""Card decks: text files of one card a line.

A card has 80 columns of printable ASCII; a shorter line is filled with blanks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from kit.errors import KitError

__all__ = ["COLUMNS", "Deck", "card"]

COLUMNS = 80

MOST = 1 << 26
"""Bytes of a deck's file at most, some 800,000 full cards."""


class Deck:
    """A deck of cards, in order; each card is 80 bytes.

    >>> deck = Deck.from_text("HELLO\\nWORLD\\n")
    >>> len(deck), deck.lines()
    (2, ['HELLO', 'WORLD'])
    """

    def __init__(self, cards: Iterable[bytes] = (), name: str = "deck") -> None:
        """`cards` are filled up to 80 bytes; `name` is for messages. Raises KitError if longer."""
        self.name = name
        self.cards = [_filled(one, f"{name}: card {n}") for n, one in enumerate(cards, 1)]

    @classmethod
    def from_text(cls, text: str | bytes, name: str = "deck") -> Deck:
        """The deck that a text stands for. Raises KitError naming the line that is no card."""
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        lines = data.split(b"\n")
        if not lines[-1]:
            lines.pop()
        cards = (line.removesuffix(b"\r") for line in lines)
        return cls((card(line, f"{name}:{n}") for n, line in enumerate(cards, 1)), name)

    @classmethod
    def read(cls, path: str | Path) -> Deck:
        """The deck in a file. Raises KitError if it cannot be read or a line is no card."""
        try:
            with open(path, "rb") as file:
                data = file.read(MOST + 1)
        except (OSError, ValueError) as error:
            raise KitError(f"{path}: cannot read the deck: {_reason(error)}") from None
        if len(data) > MOST:
            raise KitError(f"{path}: larger than {MOST >> 20} MiB: is it a deck?")
        return cls.from_text(data, str(path))

    def lines(self) -> list[str]:
        """The cards as text without trailing blanks; a byte that is not printable is "?"."""
        return [printable(one).rstrip() for one in self.cards]

    @property
    def text(self) -> str:
        """The deck as the text of a file."""
        return "".join(line + "\n" for line in self.lines())

    def write(self, path: str | Path) -> None:
        """Writes the deck's text to a file. Raises KitError if that fails."""
        try:
            Path(path).write_text(self.text, encoding="ascii", newline="\n")
        except (OSError, ValueError) as error:
            raise KitError(f"{path}: cannot write the deck: {_reason(error)}") from None

    def __add__(self, other: Deck) -> Deck:
        """Both decks, one on top of the other."""
        return Deck([*self.cards, *other.cards], self.name)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.cards)

    def __len__(self) -> int:
        return len(self.cards)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Deck) and self.cards == other.cards


def card(line: bytes, where: str = "card") -> bytes:
    """The 80 bytes of one line. Raises KitError, starting with `where`, if it is no card."""
    line = _filled(line, where)
    for column, byte in enumerate(line, 1):
        if not 0x20 <= byte <= 0x7E:
            raise KitError(
                f"{where}: column {column} holds {_name(byte)}; cards take printable ASCII only"
            )
    return line


def printable(data: bytes | bytearray) -> str:
    """Bytes as a line printer shows them: printable ASCII, anything else as "?"."""
    return data.translate(_PRINTED).decode("ascii")


_PRINTED = bytes(byte if 0x20 <= byte <= 0x7E else ord("?") for byte in range(256))


def _filled(line: bytes, where: str) -> bytes:
    if len(line) > COLUMNS:
        raise KitError(f"{where}: {len(line)} columns, but a card has {COLUMNS}; split the line")
    return bytes(line).ljust(COLUMNS)


def _name(byte: int) -> str:
    return "a tab" if byte == 9 else f"byte {byte:#04x}"


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
