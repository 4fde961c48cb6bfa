"""What is wrong with a source text, and how it is shown."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from kit.errors import KitError

__all__ = ["AssemblyError", "Errors", "Fault", "Line", "nearest", "nearest_register"]

MOST_ERRORS = 20
"""The most mistakes that one run reports: those behind them are often made by them."""

_MOST_CALLS_SHOWN = 4
_WIDEST = 400


@dataclass(frozen=True, slots=True)
class Line:
    """A line of source: where it stands, its text without comments, and as it was written.

    `caller` is the line that made it, for a line of a macro's or a repetition's body, and `by`
    says what that was.
    """

    file: str
    number: int
    text: str
    written: str
    caller: Line | None = None
    by: str = ""

    @property
    def depth(self) -> int:
        """How many macros and repetitions this line is inside of."""
        depth, line = 0, self.caller
        while line is not None:
            depth, line = depth + 1, line.caller
        return depth

    @property
    def origin(self) -> tuple[str, int]:
        """File and number of the line, outside of any macro or repetition, that it comes from."""
        line = self
        while line.caller is not None:
            line = line.caller
        return line.file, line.number


class Fault(Exception):  # noqa: N818 - it is the assembly that has the error
    """A mistake in the line at hand: what is wrong, in which column (from 0), and a hint."""

    def __init__(self, what: str, column: int = 0, hint: str = "") -> None:
        super().__init__(what)
        self.what, self.column, self.hint = what, column, hint


class AssemblyError(KitError):
    """A mistake in assembly source.

    The first line of the message is ``file:line:col: what``; the source line with a caret follows,
    and the macro calls that led there. `line` and `column` count from 1. Where one run has found
    several, this is the first, the message has them all, and `others` are the rest.
    """

    def __init__(self, where: Line, fault: Fault) -> None:
        self.file, self.line, self.column = where.file, where.number, fault.column + 1
        what = f"{fault.what}; {fault.hint}" if fault.hint else fault.what
        self.what = _printable(_cut(what, _WIDEST))
        parts = [f"{self.file}:{self.line}:{self.column}: {self.what}"]
        # Of a very long line, the part around the mistake is shown.
        skipped = max(0, fault.column - _WIDEST // 2) if len(where.written) > _WIDEST else 0
        source = _printable(_cut(where.written[skipped:], _WIDEST))
        if source.strip():
            blank = "".join("\t" if c == "\t" else " " for c in source[: fault.column - skipped])
            parts += [f"    {source}", f"    {blank}^"]
        inner = where
        for _ in range(_MOST_CALLS_SHOWN):
            if inner.caller is None:
                break
            parts.append(f"  in {inner.by}, {inner.caller.file}:{inner.caller.number}")
            inner = inner.caller
        self.others: tuple[AssemblyError, ...] = ()
        super().__init__("\n".join(parts))


class Errors:
    """The mistakes found so far in one run, `MOST_ERRORS` at most."""

    def __init__(self) -> None:
        self._found: list[AssemblyError] = []

    @property
    def is_full(self) -> bool:
        """Have so many been found that no more are wanted?"""
        return len(self._found) == MOST_ERRORS

    def add(self, error: AssemblyError) -> None:
        """Keeps a mistake, unless there are enough."""
        if not self.is_full:
            self._found.append(error)

    def raise_all(self) -> None:
        """Raises the mistakes as one `AssemblyError`, if there are any."""
        if not self._found:
            return
        first, *others = self._found
        if others:
            more = ", and perhaps more" if self.is_full else ""
            first.others = tuple(others)
            first.args = (
                "\n".join([*map(str, self._found), f"{len(self._found)} mistakes{more}"]),
            )
        raise first


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}…"


def _printable(text: str) -> str:
    """`text` as it may go to a terminal: control and unpaired characters become a question mark."""
    return "".join(c if c == "\t" or c.isprintable() else "?" for c in text)


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint "did you mean …?" for a misspelt `name`, or the empty text."""
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.7)
    return f"did you mean '{close[0]}'?" if close and len(name) <= 64 else ""


def nearest_register(name: str) -> str:
    """A hint for a name that looks like a register's, or the empty text."""
    found = re.fullmatch(r"([tsax])[0-9]{1,3}", name.lower())
    last = {"t": "t6", "s": "s11", "a": "a7", "x": "x31"}
    return f"did you mean '{last[found[1]]}'?" if found else ""
