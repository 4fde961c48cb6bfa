"""What was recorded of a run, in columns of plain numbers."""

from __future__ import annotations

from array import array
from typing import Any

from kit.isa.hart import Hart
from kit.widgets.events import EventKind

__all__ = ["COLUMNS", "CSR_WORDS", "NO_CAUSE", "Film", "registers"]

COLUMNS = ("t", "run", "vm", "kind", "mode", "pc", "text", "value", "data", "jump", "cause", "code")
"""What is kept of each event; see `Film`."""

CSR_WORDS = (
    *("mstatus", "mie", "mip", "mtvec", "mepc", "mcause", "mtval", "mscratch", "medeleg"),
    *("mideleg", "stvec", "sepc", "scause", "stval", "sscratch", "satp"),
)
"""The words of a frame behind x1 to x31 and pc. In mip are the wires of devices, too."""

NO_CAUSE = 255
"""In the column `cause`: hardware has not called the VMM."""


class Film:
    """What was recorded, in columns of plain numbers.

    Of each event: `t` the clock of the run when it begins; `run` the steps that hardware ran the
    machine directly before it; `vm` and `kind` numbers in `machines` and `kinds`; `mode` the mode
    before (bits 1:0) and after (bits 3:2), and whether the machine waits then (bit 4); `pc`;
    `text` a number in `strings`, with its `value` and `data`; `jump` by how much the machine's own
    clock is farther than steps explain (see `kit.widgets.packing.zigzag`); `cause` why hardware
    called the VMM (bit 7 for interrupts), or `NO_CAUSE`; `code` a number in `codes`: the program
    around pc then (pc, bytes before it, and all bytes), of programs of the guest's; 0 is none.

    `frames` are registers by the number of the event after which they were so; `maps` and
    `outputs` are rows that begin with the clock of the run.
    """

    def __init__(self) -> None:
        self.columns: dict[str, array[int]] = {
            name: array("B" if name in ("vm", "mode", "cause") else "H" if name == "kind" else "Q")
            for name in COLUMNS
        }
        self.kinds: dict[EventKind, int] = {}
        self.strings: dict[tuple[str, str], int] = {}
        self.codes: dict[tuple[int, int, bytes], int] = {(0, 0, b""): 0}
        self.frames: dict[int, array[int]] = {}
        self.parts: list[Any] = []
        self.maps: list[list[Any]] = []
        self.outputs: list[list[Any]] = []
        self.lost = 0
        self.end = 0

    def __len__(self) -> int:
        return len(self.columns["t"])

    def string(self, id_: str, argument: str = "") -> int:
        """The number of a message with its argument."""
        return self.strings.setdefault((id_, argument), len(self.strings))

    def add(self, row: tuple[int, ...]) -> None:
        """An event, in the order of `COLUMNS`."""
        for column, value in zip(self.columns.values(), row, strict=True):
            column.append(value)

    def cut(self, count: int) -> None:
        """Forgets all events from number `count` on, with what came with them."""
        if count >= len(self):
            return
        end = self.columns["t"][count] - self.columns["run"][count]
        for column in self.columns.values():
            del column[count:]
        self.frames = {number: frame for number, frame in self.frames.items() if number < count}
        self.maps = [row for row in self.maps if row[0] <= end]
        self.outputs = [row for row in self.outputs if row[0] <= end]
        self.end = end


def registers(hart: Hart) -> array[int]:
    """A frame: x1 to x31, pc, and the words of `CSR_WORDS`."""
    words = array("I", hart.x[1:])
    words.append(hart.pc & 0xFFFF_FFFF)
    words.extend(getattr(hart, name) & 0xFFFF_FFFF for name in CSR_WORDS)
    words[34] |= hart.wires & 0xFFFF_FFFF
    return words
