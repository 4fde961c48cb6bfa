"""One statement, and the assembly it is part of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kit.isa.asm.conditions import Conditions
from kit.isa.asm.directives import section_kind
from kit.isa.asm.expressions import Node, Parser, constant
from kit.isa.asm.faults import Fault, Line
from kit.isa.asm.instructions import Encoder
from kit.isa.asm.layout import Section
from kit.isa.asm.lexer import Token
from kit.isa.asm.output import Output
from kit.isa.asm.reader import Reader

__all__ = ["Session", "Statement"]


@dataclass
class Session:
    """The state of an assembly that is not output."""

    reader: Reader
    encoder: Encoder
    conditions: Conditions = field(default_factory=Conditions)
    options: list[bool] = field(default_factory=list)
    pushed: list[Section] = field(default_factory=list)
    previous: Section | None = None

    def leave_macro(self, line: Line) -> None:
        """Leaves the innermost macro, where `line` stands, and the conditions that began in it."""
        self.reader.leave_macro()
        inner: Line | None = line
        while inner is not None and not inner.by.startswith("macro"):
            inner = inner.caller
        self.conditions.leave(inner.depth if inner is not None else 0)


@dataclass
class Statement:
    """A directive or instruction: its first `word`, at `column`, and a parser for the rest."""

    word: str
    column: int
    parser: Parser
    line: Line
    session: Session

    @property
    def output(self) -> Output:
        """Where it goes."""
        return self.session.encoder.output

    def finish(self) -> None:
        """Raises `Fault` where something is left."""
        self.parser.finish()

    def drop(self) -> None:
        """Ignores what is left."""
        self.parser.position = len(self.parser.items)

    def string(self) -> bytes:
        """The string that stands here."""
        token = self.parser.next()
        if token.kind != "string":
            raise Fault('expected a string in "…"', token.column)
        return token.data

    def number(self, what: str, low: int, high: int) -> int:
        """A number that must be known now, in a range."""
        column = self.parser.peek().column
        value = constant(self.parser.expression(), self.output.symbols)
        if value is None:
            raise Fault(f"{what} must be known here", column, "define its symbols before")
        if not low <= value <= high:
            raise Fault(f"{what} must be {low} to {high}, not {value}", column)
        return value

    def expressions(self) -> Iterator[Node]:
        """The expressions that stand here, separated by commas.

        Each is read when it is wanted, so that ``.`` is where its value goes.
        """
        if self.parser.peek().kind == "end":
            return
        while True:
            yield self.parser.expression()
            if not self.parser.skip(","):
                self.finish()
                return

    def names(self) -> list[str]:
        """The names that stand here, separated by commas."""
        result = []
        while True:
            token: Token = self.parser.next()
            if token.kind != "name":
                raise Fault("expected the name of a symbol", token.column)
            result.append(token.text)
            if not self.parser.skip(","):
                self.finish()
                return result

    def enter(self, name: str, flags: str | None = None, kind: str | None = None) -> None:
        """Makes a section the current one."""
        old = self.output.section
        found = self.output.sections.get(name)
        own, is_zero = section_kind(name, flags, kind)
        if found is not None:
            own, is_zero = found.flags, found.is_zero
        self.output.enter(name, own, is_zero)
        self.session.previous = old
