"""Symbols: labels, local labels, and names for values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from kit.isa.asm.faults import Fault, Line
from kit.isa.asm.lexer import Token
from kit.isa.registers import REGISTERS

__all__ = ["Definition", "Place", "Symbols", "is_local"]

_MARK = "\x02"  # stands in no source text's names: it makes the names of local labels


class Addressed(Protocol):
    """What a `Place` is inside of: a fragment, once it has its address."""

    address: int


@dataclass(frozen=True, slots=True)
class Place:
    """`offset` bytes into a fragment."""

    fragment: Addressed
    offset: int

    @property
    def address(self) -> int:
        """The address, once the layout is final."""
        return self.fragment.address + self.offset


@dataclass(slots=True)
class Definition:
    """What a name means: a place, a number, or an expression; and where that was said."""

    meaning: object
    line: Line
    is_final: bool  # a label or .equiv: must not be defined again


@dataclass
class Symbols:
    """All symbols of an assembly."""

    definitions: dict[str, Definition] = field(default_factory=dict)
    globals: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    _counts: dict[int, int] = field(default_factory=dict)

    def label(self, name: str, place: Place, line: Line, column: int) -> None:
        """Defines a label. Raises `Fault` if the name is taken."""
        if name[0] in "0123456789":
            number = int(name)
            self._counts[number] = self._counts.get(number, 0) + 1
            name = f"{number}{_MARK}{self._counts[number]}"
        self.define(name, place, line, column, final=True)

    def define(
        self, name: str, meaning: object, line: Line, column: int, final: bool = False
    ) -> None:
        """Gives `name` a meaning. Raises `Fault` where it has one that must not change."""
        if name in REGISTERS:
            raise Fault(f"'{name}' is a register and cannot be a symbol", column)
        old = self.definitions.get(name)
        if old is not None and (old.is_final or final):
            where = f"{old.line.file}:{old.line.number}"
            raise Fault(f"'{name}' is already defined, in {where}", column)
        self.definitions[name] = Definition(meaning, line, final)

    def meaning(self, name: str) -> object:
        """A place, a number, an expression, or None."""
        found = self.definitions.get(name)
        return None if found is None else found.meaning

    def constant(self, name: str) -> int | None:
        """The number that `name` stands for at this point of the source, or None."""
        meaning = self.meaning(name)
        return meaning if isinstance(meaning, int) else None

    def local(self, token: Token) -> str:
        """The internal name of the local label that ``1b`` or ``1f`` refers to."""
        number, direction = int(token.text[:-1]), token.text[-1]
        count = self._counts.get(number, 0)
        if direction == "b" and count == 0:
            raise Fault(f"no label '{number}:' stands before this", token.column)
        return f"{number}{_MARK}{count + (direction == 'f')}"


def is_local(name: str) -> bool:
    """Is the name one that no symbol table shows?"""
    return _MARK in name or name.startswith(".L")


def shown(name: str) -> str:
    """A name as the user knows it."""
    return f"{name.partition(_MARK)[0]}f" if _MARK in name else name
