"""Sections and their fragments; where each comes to stand.

A section is a list of fragments. Most are plain bytes; the others (alignment, space, a branch that
may need a longer form) have a size that depends on addresses. The layout is repeated until no size
changes; a branch only ever grows, so it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from kit.isa.asm.expressions import Node, Unknown, evaluate
from kit.isa.asm.faults import AssemblyError, Fault, Line, nearest
from kit.isa.asm.symbols import Place, Symbols, is_local, shown
from kit.isa.asm.words import Word

__all__ = ["LARGEST", "Align", "Bytes", "Choice", "Fragment", "Gap", "Section", "arrange", "number"]

LARGEST = 64 << 20
"""The most bytes that a program may have: larger ones are mistakes or attacks."""

_MOST_ROUNDS = 200
_LEAST_ALIGNMENT = 4


class Fragment:
    """A part of a section. `address` and `size` are in bytes; `line` is the source line."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.address = 0
        self.size = 0

    def measure(self, symbols: Symbols, section: Section) -> None:
        """Sets `size`, now that `address` is known."""

    def content(self, symbols: Symbols, lows: dict[int, int]) -> bytes:
        """The bytes; `lows` has the target of each ``%pcrel_hi``, by address."""
        raise NotImplementedError


class Bytes(Fragment):
    """Bytes that are known, except for what is patched in at the end."""

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self.data = bytearray()

    def measure(self, symbols: Symbols, section: Section) -> None:
        """As many as there are."""
        self.size = len(self.data)

    def content(self, symbols: Symbols, lows: dict[int, int]) -> bytes:
        """The bytes."""
        return bytes(self.data)


class Align(Fragment):
    """Padding to a multiple of `boundary`, unless that takes more than `most` bytes.

    Code is padded with no-operations (`fill` None), the rest with the byte `fill`.
    """

    def __init__(self, line: Line, boundary: int, fill: int | None, most: int) -> None:
        super().__init__(line)
        self.boundary, self.fill, self.most = boundary, fill, most

    def measure(self, symbols: Symbols, section: Section) -> None:
        """The distance to the boundary."""
        size = -self.address % self.boundary
        self.size = size if size <= self.most else 0

    def content(self, symbols: Symbols, lows: dict[int, int]) -> bytes:
        """The padding: at most one byte, then at most one c.nop, then nops."""
        if self.fill is not None:
            return bytes([self.fill]) * self.size
        odd, half, words = self.size & 1, self.size >> 1 & 1, self.size >> 2
        return bytes(odd) + b"\x01\x00" * half + b"\x13\x00\x00\x00" * words


class Gap(Fragment):
    """Space for `length` times `fill`; or (``.org``) up to an offset in the section or an address.

    `kind` is ``space``, ``offset`` or ``address``.
    """

    def __init__(
        self, line: Line, length: Node, column: int, fill: bytes, kind: str = "space"
    ) -> None:
        super().__init__(line)
        self.length, self.column, self.fill, self.kind = length, column, fill, kind
        self._wanted = 0

    def measure(self, symbols: Symbols, section: Section) -> None:
        """What the expression says now; it may be nonsense as long as the layout is not final."""
        length = number(self.length, symbols, self.line)
        self._wanted = length * len(self.fill)
        if self.kind != "space":
            self._wanted = length - self.address
        if self.kind == "offset":
            self._wanted += section.address
        self.size = self._wanted if 0 <= self._wanted <= LARGEST else 0

    def content(self, symbols: Symbols, lows: dict[int, int]) -> bytes:
        """The fill, over and over. Raises `Fault` where the size is out of bounds."""
        if self._wanted < 0 and self.kind != "space":
            raise Fault(".org cannot go backwards", self.column)
        if self.size != self._wanted:
            what = f"a space of {self._wanted} bytes is outside 0 to {LARGEST}"
            raise Fault(what, self.column)
        return (self.fill * (self.size // len(self.fill) + 1))[: self.size]


class Choice(Fragment):
    """Instructions in several forms, the shortest first: takes the first that reaches."""

    def __init__(self, line: Line, forms: list[list[Word]]) -> None:
        super().__init__(line)
        self.forms = forms

    def measure(self, symbols: Symbols, section: Section) -> None:
        """The first form that reaches; never back to a shorter one."""
        while len(self.forms) > 1:
            try:
                self.content(symbols, {})
                break
            except Fault:
                self.forms.pop(0)
            except Unknown as unknown:
                raise AssemblyError(self.line, undefined(unknown, symbols)) from None
        self.size = sum(word.row.length for word in self.forms[0])

    def content(self, symbols: Symbols, lows: dict[int, int]) -> bytes:
        """The instructions. Raises `Fault`."""
        result = b""
        for word in self.forms[0]:
            result += word.encode(self.address + len(result), symbols, lows)
        return result


@dataclass
class Section:
    """A section: `flags` as ``.section`` gives them (a, w, x); `is_zero` for .bss."""

    name: str
    flags: str
    is_zero: bool
    address: int = 0
    alignment: int = 1
    fragments: list[Fragment] = field(default_factory=list)
    size: int = 0

    def tail(self, line: Line) -> Bytes:
        """The fragment to which bytes are added."""
        if self.fragments and isinstance(self.fragments[-1], Bytes):
            return self.fragments[-1]
        fragment = Bytes(line)
        self.fragments.append(fragment)
        return fragment

    def here(self, line: Line) -> Place:
        """The place behind everything so far."""
        fragment = self.tail(line)
        return Place(fragment, len(fragment.data))

    @property
    def rank(self) -> tuple[bool, int, bool]:
        """Sections stand in this order: code, constants, data, zeros; ``.init`` before the rest."""
        kind = 3 if self.is_zero else 2 if "w" in self.flags else 0 if "x" in self.flags else 1
        return "a" not in self.flags, kind, not self.name.endswith(".init")


def number(node: Node, symbols: Symbols, line: Line) -> int:
    """The value of an expression at the end. Raises `AssemblyError`."""
    try:
        return evaluate(node, symbols, final=True).number
    except Unknown as unknown:
        raise AssemblyError(line, undefined(unknown, symbols)) from None
    except Fault as fault:
        raise AssemblyError(line, fault) from None


def undefined(unknown: Unknown, symbols: Symbols) -> Fault:
    """The mistake that a symbol is used and not defined."""
    name = unknown.name
    if name[:1].isdigit():
        return Fault(f"no label '{shown(name)[:-1]}:' follows", unknown.column)
    known = [other for other in symbols.definitions if not is_local(other)]
    return Fault(f"undefined symbol '{name}'", unknown.column, nearest(name, known))


def arrange(sections: Iterable[Section], base: int, symbols: Symbols) -> list[Section]:
    """Gives every section and fragment its address, from `base` upwards; returns them in order.

    Sections that take no memory (no flag ``a``) begin at 0. Raises `AssemblyError`.
    """
    order = sorted(sections, key=lambda section: section.rank)
    # Labels need some address before the first expression is looked at.
    _round(order, base, _measure_bytes(symbols))
    for _ in range(_MOST_ROUNDS):
        before = [fragment.address for section in order for fragment in section.fragments]
        sizes = [section.size for section in order]
        _round(order, base, lambda fragment, section: fragment.measure(symbols, section))
        after = [fragment.address for section in order for fragment in section.fragments]
        if before == after and sizes == [section.size for section in order]:
            return order
    line = next(part.line for section in order for part in section.fragments)
    raise AssemblyError(line, Fault("the sizes of this program depend on each other in a circle"))


def _measure_bytes(symbols: Symbols) -> Callable[[Fragment, Section], None]:
    def measure(fragment: Fragment, section: Section) -> None:
        if isinstance(fragment, Bytes):
            fragment.measure(symbols, section)

    return measure


def _round(order: list[Section], base: int, measure: Callable[[Fragment, Section], None]) -> None:
    address, total = base, 0
    for section in order:
        if "a" not in section.flags:
            address = 0
        address += -address % _LEAST_ALIGNMENT
        address = -(-address // section.alignment) * section.alignment
        section.address = address
        for fragment in section.fragments:
            fragment.address = address
            measure(fragment, section)
            address += fragment.size
            total += fragment.size
            _check(fragment, address, total)
        section.size = address - section.address


def _check(fragment: Fragment, address: int, total: int) -> None:
    if total > LARGEST:
        what = f"the program is larger than {LARGEST >> 20} MiB"
        raise AssemblyError(fragment.line, Fault(what))
    if address > 1 << 32:
        what = "the program reaches beyond the last address, 0xffffffff"
        raise AssemblyError(fragment.line, Fault(what))
