"""The panel: registers, program and control registers of a machine, and buttons to drive it."""

from __future__ import annotations

from typing import ClassVar

from kit.isa.registers import ABI_NAMES
from kit.widgets.film import CSR_WORDS
from kit.widgets.view import View

__all__ = ["Panel"]


class Panel(View):
    """The state of one machine. Of a machine or VMM that was given, and not a run, it can make
    steps, take them back, run, and run to a symbol, line or address."""

    module: ClassVar[str] = "panel"

    def text(self) -> str:
        """Registers and control registers of the chosen machine after the event of the moment."""
        film = self.recorded.film
        event, machine = self.recorded.around(self.moment), self.run.machine
        kept = [n for n in film.frames if n <= event and film.columns["vm"][n] == machine]
        if not kept:
            return super().text()
        frame = film.frames[max(kept)]
        names = (*ABI_NAMES[1:], "pc", *CSR_WORDS)
        cells = [f"{n:>8} {word:#010x}" for n, word in zip(names, frame, strict=True)]
        lines = [" ".join(cells[at : at + 4]) for at in range(0, len(cells), 4)]
        return "\n".join([self.recorded.text(event, 1), *lines])
