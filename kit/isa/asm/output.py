"""What has been assembled so far: sections, what is to be patched, and where each line went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kit.isa.asm.expressions import Here, Node, Unknown, evaluate
from kit.isa.asm.faults import AssemblyError, Errors, Fault, Line
from kit.isa.asm.layout import (
    LARGEST,
    Align,
    Bytes,
    Choice,
    Fragment,
    Gap,
    Section,
    undefined,
)
from kit.isa.asm.symbols import Place, Symbols
from kit.isa.asm.words import Word

__all__ = ["Datum", "Output", "Patch", "Row"]


@dataclass(frozen=True, slots=True)
class Datum:
    """A number of `size` bytes in the data."""

    node: Node
    size: int

    def encode(self, address: int, symbols: Symbols, lows: dict[int, int]) -> bytes:
        """The bytes, least significant first. Raises `Fault` where the number does not fit."""
        value = evaluate(self.node, symbols, final=True).number
        low, high = -(1 << (8 * self.size - 1)), (1 << 8 * self.size) - 1
        if not low <= value <= high:
            what = f"{value} does not fit in {self.size} byte{'s'[: self.size - 1]}"
            raise Fault(what, self.node.column, f"it must be {low} to {high}")
        return (value & high).to_bytes(self.size, "little")


@dataclass(frozen=True, slots=True)
class Patch:
    """Something to be encoded when every address is known."""

    fragment: Bytes
    offset: int
    item: Word | Datum
    line: Line


@dataclass(frozen=True, slots=True)
class Row:
    """A source line, and the part of a section that it made (`start` is None if it made none).

    `is_code` says that it holds an instruction.
    """

    line: Line
    section: Section | None = None
    start: Place | None = None
    end: Place | None = None
    is_code: bool = False


@dataclass
class Output:
    """Takes what the statements make. `line` is the one at hand; `is_code`, if it holds code."""

    symbols: Symbols
    line: Line
    sections: dict[str, Section] = field(default_factory=dict)
    section: Section = field(init=False)
    patches: list[Patch] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    is_code: bool = False
    _size: int = 0

    def __post_init__(self) -> None:
        self.section = self.enter(".text", "ax", False)

    def enter(self, name: str, flags: str, is_zero: bool) -> Section:
        """Makes `name` the current section; it is made if there is none."""
        if name not in self.sections:
            self.sections[name] = Section(name, flags, is_zero)
        self.section = self.sections[name]
        return self.section

    def here(self) -> Place:
        """The place where the next byte goes."""
        return self.section.here(self.line)

    def add(self, fragment: Fragment) -> None:
        """Adds a fragment to the section."""
        self.section.fragments.append(fragment)

    def align(self, boundary: int, fill: int | None = None, most: int = LARGEST) -> None:
        """Pads to a multiple of `boundary`."""
        if fill is None and "x" not in self.section.flags:
            fill = 0
        self.section.alignment = max(self.section.alignment, boundary)
        self.add(Align(self.line, boundary, fill, most))

    def data(self, data: bytes, column: int = 0) -> None:
        """Adds bytes. Raises `Fault` where they are not allowed."""
        if self.section.is_zero and any(data):
            what = f"section {self.section.name} can only hold zeros"
            raise Fault(what, column, "use .data")
        self._size += len(data)
        if self._size > LARGEST:
            raise Fault(f"the program is larger than {LARGEST >> 20} MiB", column)
        self.section.tail(self.line).data += data

    def item(self, item: Word | Datum, size: int, column: int) -> None:
        """Adds something that takes `size` bytes and will be known later."""
        if self.section.is_zero:
            raise Fault(f"section {self.section.name} can only hold zeros", column, "use .data")
        place = self.here()
        assert isinstance(place.fragment, Bytes)
        self.patches.append(Patch(place.fragment, place.offset, item, self.line))
        self.data(bytes(size))

    def choice(self, forms: list[list[Word]]) -> None:
        """Adds a branch that may need a longer form."""
        self.add(Choice(self.line, forms))

    def patch(self) -> dict[int, int]:
        """Encodes what was left open, once the layout is final; the targets of %pcrel_hi.

        Raises `AssemblyError` for what does not fit where it stands.
        """
        lows = {}
        errors = Errors()
        for patch in self.patches:
            node = patch.item.pcrel_hi if isinstance(patch.item, Word) else None
            if node is not None:
                address = patch.fragment.address + patch.offset
                target = Datum(node.operand, 8)
                lows[address] = int.from_bytes(self._encode(target, address, patch.line), "little")
        for patch in self.patches:
            address = patch.fragment.address + patch.offset
            try:
                data = self._encode(patch.item, address, patch.line, lows)
            except AssemblyError as error:
                errors.add(error)
            else:
                patch.fragment.data[patch.offset : patch.offset + len(data)] = data
        errors.raise_all()
        return lows

    def check_symbols(self) -> None:
        """Raises `AssemblyError` where symbols are used and not defined: each at its first use.

        Without that, the layout would end with the first of them.
        """
        errors, named = Errors(), set()
        for line, node in self._nodes():
            try:
                evaluate(node, self.symbols, final=True)
            except Unknown as unknown:
                if unknown.name not in named:
                    named.add(unknown.name)
                    errors.add(AssemblyError(line, undefined(unknown, self.symbols)))
            except Fault:
                continue  # what makes no sense is said when the addresses are final
        errors.raise_all()

    def _nodes(self) -> Iterator[tuple[Line, Node]]:
        """Every expression that was left open, with its line, in the order of the source."""
        found: list[tuple[Line, Node]] = []
        for patch in self.patches:
            if isinstance(patch.item, Datum):
                found.append((patch.line, patch.item.node))
            else:
                found += [(patch.line, node) for node in patch.item.nodes]
        for section in self.sections.values():
            for part in section.fragments:
                if isinstance(part, Choice):
                    found += [(part.line, node) for node in part.forms[-1][-1].nodes]
                elif isinstance(part, Gap):
                    found.append((part.line, part.length))
        return iter(sorted(found, key=lambda pair: pair[0].origin))

    def content(self, section: Section, lows: dict[int, int]) -> bytes:
        """The bytes of a section, after `patch`."""
        parts = []
        for fragment in section.fragments:
            try:
                parts.append(fragment.content(self.symbols, lows))
            except Fault as fault:
                raise AssemblyError(fragment.line, fault) from None
        return b"".join(parts)

    def _encode(
        self, item: Word | Datum, address: int, line: Line, lows: dict[int, int] | None = None
    ) -> bytes:
        try:
            return item.encode(address, self.symbols, lows or {})
        except Unknown as unknown:
            raise AssemblyError(line, undefined(unknown, self.symbols)) from None
        except Fault as fault:
            raise AssemblyError(line, fault) from None

    def dot(self, column: int) -> Here:
        """The expression ``.``."""
        return Here(column, self.here())
