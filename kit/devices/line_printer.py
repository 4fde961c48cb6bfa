"""The line printer: prints its buffer as one line of 132 columns, and ejects pages.

The line is on the paper as soon as the command is accepted, and the buffer is blank again, so that
a program can fill it while the printer is busy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from kit.devices.deck import printable
from kit.devices.device import trim
from kit.devices.saved import Fields, listed
from kit.devices.unit_record import UnitRecord

__all__ = ["EJECT", "PRINT", "LinePrinter"]

PRINT, EJECT = 1, 2
WIDTH = 132


def _is_printed(value: Any) -> bool:
    """A form feed, or a line without trailing blanks and its newline."""
    if value == "\f" or not isinstance(value, str):
        return isinstance(value, str)
    line = value[:-1].encode("utf-8", "surrogatepass")
    return value[-1:] == "\n" and len(line) <= WIDTH and printable(line).rstrip() == value[:-1]


class LinePrinter(UnitRecord):
    """Registers: see `kit.devices.unit_record`.

    `text` is the paper: each line without trailing blanks and with a newline after it, and a form
    feed for each ejected page. `kept` is how many of them stay in memory at least, twice as many at
    most; older ones are forgotten. None keeps all. The sink gets every one in any case.
    """

    kept: int | None = 1 << 16

    name = "printer"
    irq = 13
    width = WIDTH
    extra: ClassVar[Fields] = {"paper": listed(_is_printed)}

    def __init__(
        self, sink: Callable[[str], None] | None = None, line: int = 200, eject: int = 500
    ) -> None:
        """`sink`, if given, gets each line or form feed printed; durations are in ticks."""
        self.sink = sink
        self.durations = {PRINT: line, EJECT: eject}
        self.paper: list[str] = []
        super().__init__()

    @property
    def text(self) -> str:
        """Everything printed so far, or what is kept of it."""
        return "".join(self.paper)

    @property
    def pages(self) -> list[str]:
        """The paper, cut where it was ejected; the last page may be empty."""
        return self.text.split("\f")

    def begin(self, command: int) -> None:
        """Puts the line, or the eject, on the paper."""
        if command == EJECT:
            self._put("\f")
            return
        self._put(printable(self.buffer).rstrip() + "\n")
        self.count += 1
        self.blank()

    def _put(self, text: str) -> None:
        self.paper.append(text)
        trim(self.paper, self.kept)
        if self.sink is not None:
            self.host.tell(self.sink, text)

    def save(self) -> dict[str, Any]:
        """Registers, buffer and the paper."""
        return super().save() | {"paper": list(self.paper)}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes over what `save` made; nothing goes to the sink again."""
        super().restore(state)
        self.paper = list(state["paper"])
