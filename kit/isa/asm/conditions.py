"""Conditional assembly: which lines count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from kit.isa.asm.faults import AssemblyError, Fault, Line

__all__ = ["OPENING", "Conditions"]

OPENING = (".if", ".ifdef", ".ifndef", ".ifb", ".ifnb", ".ifeq", ".ifne", ".ifc", ".ifnc")
"""The directives that begin a condition."""


_DEEPEST = 100


@dataclass(slots=True)
class _Branch:
    line: Line
    column: int
    is_taken: bool  # the lines at hand count
    is_done: bool  # no further branch may be taken


@dataclass
class Conditions:
    """The conditions that are open, the innermost last."""

    _open: list[_Branch] = field(default_factory=list)

    @property
    def is_taken(self) -> bool:
        """Do the lines at hand count?"""
        return all(branch.is_taken for branch in self._open)

    def handle(self, word: str, line: Line, column: int, test: Callable[[], bool]) -> bool:
        """Acts on `word` if it is about conditions; whether it was. Raises `Fault`."""
        if word in OPENING:
            if len(self._open) >= _DEEPEST:
                raise Fault("conditions are nested too deeply", column)
            taken = self.is_taken and test()
            self._open.append(_Branch(line, column, taken, taken or not self.is_taken))
            return True
        if word not in (".else", ".elseif", ".endif"):
            return False
        if not self._open:
            raise Fault(f"{word} without .if", column)
        branch = self._open[-1]
        if word == ".endif":
            self._open.pop()
        else:
            branch.is_taken = not branch.is_done and (word == ".else" or test())
            branch.is_done = branch.is_done or branch.is_taken
        return True

    def leave(self, depth: int) -> None:
        """Forgets the conditions that began in lines at `depth` or deeper."""
        while self._open and self._open[-1].line.depth >= depth:
            self._open.pop()

    def finish(self) -> None:
        """Raises `AssemblyError` where a condition is still open."""
        if self._open:
            branch = self._open[-1]
            raise AssemblyError(branch.line, Fault(".if is not closed by .endif", branch.column))
