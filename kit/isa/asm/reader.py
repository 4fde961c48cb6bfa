"""The lines to be assembled: of files, included files, macros and repetitions.

Lines come from a stack of sources, so that macros within macros are no deep recursion here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kit.isa.asm.faults import AssemblyError, Fault, Line
from kit.isa.asm.lexer import lines_of
from kit.isa.asm.macros import Macro, bind, substitute

__all__ = ["LARGEST_FILE", "MOST_LINES_MADE", "Reader"]

LARGEST_FILE = 16 << 20
"""The largest source file, in bytes."""

MOST_LINES_MADE = 250_000
"""The most lines that macros and repetitions may make."""

_DEEPEST_MACRO = 100
_DEEPEST_INCLUDE = 32

_ENDS = {".macro": (".endm", ".endmacro"), ".rept": (".endr",), ".irp": (".endr",)}
_FIRST_WORD = re.compile(r"\s*(?:[\w.$]+\s*:\s*)*([\w.$]+)")


@dataclass
class Reader:
    """Gives the lines one by one; whoever takes them tells it of macros and inclusions."""

    include_paths: Sequence[Path] = ()
    macros: dict[str, Macro] = field(default_factory=dict)
    _stack: list[tuple[str, Iterator[Line]]] = field(default_factory=list)
    _made: int = 0
    _calls: int = 0

    def push(self, kind: str, lines: Iterable[Line]) -> None:
        """These lines come next; `kind` is ``file``, ``macro`` or ``repetition``."""
        self._stack.append((kind, iter(lines)))

    def next(self) -> Line | None:
        """The next line, or None at the end. Raises `AssemblyError` where too many are made."""
        while self._stack:
            line = next(self._stack[-1][1], None)
            if line is not None:
                self._made += line.caller is not None
                if self._made > MOST_LINES_MADE:
                    what = f"macros and repetitions make more than {MOST_LINES_MADE} lines"
                    raise AssemblyError(line, Fault(what))
                return line
            self._stack.pop()
        return None

    def stop(self) -> None:
        """Forgets everything that would come (``.end``)."""
        self._stack.clear()

    def leave_macro(self) -> None:
        """Forgets the rest of the innermost macro (``.exitm``). Raises `Fault`."""
        if all(kind != "macro" for kind, _ in self._stack):
            raise Fault(".exitm stands outside of a macro")
        while self._stack.pop()[0] != "macro":
            pass

    def block(self, opening: Line, word: str, column: int) -> tuple[Line, ...]:
        """The lines up to the one that closes the block which `word` has opened."""
        ends = _ENDS[word]
        body: list[Line] = []
        depth = 1
        while (line := self.next()) is not None:
            found = _FIRST_WORD.match(line.text)
            first = found[1] if found else ""
            if _ENDS.get(first) == ends:
                depth += 1
            elif first in ends:
                depth -= 1
            if depth == 0:
                return tuple(body)
            body.append(line)
        raise AssemblyError(opening, Fault(f"{word} is not closed by {ends[0]}", column))

    def call(self, macro: Macro, text: str, line: Line, column: int) -> None:
        """The body of `macro` comes next, with the arguments of `text`. Raises `Fault`."""
        if line.depth >= _DEEPEST_MACRO:
            raise Fault(f"macro '{macro.name}' is called more than {_DEEPEST_MACRO} deep", column)
        values = bind(macro, text, column)
        body = self._expanded(macro.body, values, line, f"macro '{macro.name}'", self._calls)
        self._calls += 1
        self.push("macro", body)

    def repeat(
        self, opening: Line, word: str, values: Iterable[dict[str, str]], column: int
    ) -> None:
        """The block that follows comes once for each of `values`. Raises `Fault`."""
        if opening.depth >= _DEEPEST_MACRO:
            raise Fault("repetitions are nested too deeply", column)
        body = self.block(opening, word, column)
        if body:
            expanded = (
                line
                for value in values
                for line in self._expanded(body, value, opening, word, self._calls)
            )
            self.push("repetition", expanded)

    def _expanded(
        self, body: Sequence[Line], values: dict[str, str], caller: Line, by: str, call: int
    ) -> Iterator[Line]:
        for line in body:
            text, written = line.text, line.written
            if "\\" in text and (values or by.startswith("macro")):
                try:
                    text = written = substitute(text, values, call)
                except Fault as fault:
                    raise AssemblyError(caller, fault) from None
            yield Line(line.file, line.number, text, written, caller, by)

    def find(self, name: str, line: Line, column: int) -> Path:
        """A file to be included: beside the including one, or in a folder of the include path."""
        for folder in [Path(line.file).parent, *self.include_paths]:
            try:
                if (folder / name).is_file():
                    return folder / name
            except (OSError, ValueError):
                continue
        raise Fault(f"cannot find the file '{name}'", column, "add its folder with -I")

    def read(self, name: str, line: Line, column: int) -> tuple[Path, bytes]:
        """A file to be included, and its bytes. Raises `Fault`."""
        path = self.find(name, line, column)
        try:
            with path.open("rb") as file:
                data = file.read(LARGEST_FILE + 1)
        except OSError as error:
            raise Fault(f"cannot read '{name}': {error.strerror}", column) from None
        if len(data) > LARGEST_FILE:
            raise Fault(f"'{name}' is larger than {LARGEST_FILE >> 20} MiB", column)
        return path, data

    def include(self, name: str, line: Line, column: int) -> None:
        """The lines of a file come next. Raises `Fault`."""
        if sum(kind == "file" for kind, _ in self._stack) > _DEEPEST_INCLUDE:
            raise Fault(f"files include each other more than {_DEEPEST_INCLUDE} deep", column)
        path, data = self.read(name, line, column)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise Fault(f"'{name}' is not text in UTF-8", column) from None
        self.push("file", lines_of(text, str(path)))
