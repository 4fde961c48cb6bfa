"""The devices of one machine: card reader, line printer, disk and terminal."""

from __future__ import annotations

from typing import ClassVar

from kit.widgets.view import ALL, View

__all__ = ["Devices"]


class Devices(View):
    """What a machine's devices had read and put out at the moment; of a machine that is driven,
    cards can be fed and the terminal can be typed at."""

    module: ClassVar[str] = "devices"
    extra: ClassVar[tuple[str, ...]] = ALL

    def text(self) -> str:
        """Paper and console up to the moment."""
        machine, moment = int(self.run.machine), self.moment
        rows = [r for r in self.recorded.film.outputs if r[1] == machine and r[0] <= moment]
        paper = "".join(row[3] for row in rows if row[2] == "paper").replace("\f", "- " * 20 + "\n")
        console = "".join(row[3] for row in rows if row[2] == "console")
        shown = console.encode("latin-1", "replace").decode("utf-8", "replace")
        return f"{paper}\n{shown}".strip() or super().text()
