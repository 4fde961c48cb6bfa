"""The platform-level interrupt controller: it picks one of many device lines for the hart.

The layout is SiFive's, as on QEMU's `virt` board: priorities at 0x0, pending bits at 0x1000,
enable bits of context c at 0x2000 + 0x80 c, threshold and claim/complete of context c at
0x200000 + 0x1000 c. Context 0 is the hart's M-mode, context 1 its S-mode.

Sources are levels. A line that is up makes its source pending, unless it is claimed and not yet
completed; pending it stays until claimed, even if the line goes down. Completing a claim while the
line is up makes the source pending again. (PLIC Specification 1.0, chapters 1.2 and 8.)
"""

from __future__ import annotations

from typing import Any, ClassVar

from kit.devices.device import Device
from kit.devices.saved import Fields, bits, items, number

__all__ = ["CONTEXTS", "MACHINE", "SOURCES", "SUPERVISOR", "Plic"]

SOURCES = 96
"""Source numbers are 1 to 95; 0 means "none"."""
CONTEXTS = 2
MACHINE, SUPERVISOR = 0, 1
PRIORITY_MASK = 7

PENDING = 0x1000
ENABLE, ENABLE_STRIDE = 0x2000, 0x80
CONTEXT, CONTEXT_STRIDE = 0x200000, 0x1000
SOURCE_MASK = (1 << SOURCES) - 2


class Plic(Device):
    """Drives the wires MEIP and SEIP.

    `lines`, `pending` and `claimed` have a bit for each source.
    """

    name = "plic"
    size = 0x600000
    saved: ClassVar[Fields] = {
        **dict.fromkeys(("lines", "pending", "claimed"), bits(SOURCE_MASK)),
        "priority": items(number(0, 0), *[bits(PRIORITY_MASK)] * (SOURCES - 1)),
        "enable": items(*[bits(SOURCE_MASK)] * CONTEXTS),
        "threshold": items(*[bits(PRIORITY_MASK)] * CONTEXTS),
    }

    def __init__(self) -> None:
        self.lines = 0
        self.reset()

    def reset(self) -> None:
        """All priorities, enables and thresholds are zero, nothing is claimed."""
        self.pending = self.claimed = 0
        self.priority = [0] * SOURCES
        self.enable = [0] * CONTEXTS
        self.threshold = [0] * CONTEXTS

    def set_lines(self, lines: int) -> None:
        """The board tells the levels of all lines, after each access to any device."""
        self.lines = lines & SOURCE_MASK
        self.pending |= self.lines & ~self.claimed

    def best(self, context: int) -> int:
        """The source that a claim would get: highest priority, then lowest number; 0 is none."""
        candidates = self.pending & self.enable[context]
        best, best_priority = 0, self.threshold[context]
        while candidates:
            source = (candidates & -candidates).bit_length() - 1
            candidates &= candidates - 1
            if self.priority[source] > best_priority:
                best, best_priority = source, self.priority[source]
        return best

    def external_interrupt(self, context: int) -> bool:
        """The level of the wire MEIP (context 0) or SEIP (context 1)."""
        return self.best(context) != 0

    def interrupt(self) -> bool:
        """Whether it drives any of its two wires."""
        return any(self.external_interrupt(context) for context in range(CONTEXTS))

    def read(self, offset: int, size: int) -> int:
        """A register; reading claim/complete claims the best source."""
        if offset < 4 * SOURCES:
            return self.priority[offset >> 2]
        if PENDING <= offset < ENABLE:
            return _word(self.pending, (offset - PENDING) >> 2)
        if ENABLE <= offset < ENABLE + CONTEXTS * ENABLE_STRIDE:
            context, register = divmod(offset - ENABLE, ENABLE_STRIDE)
            return _word(self.enable[context], register >> 2)
        if CONTEXT <= offset < CONTEXT + CONTEXTS * CONTEXT_STRIDE:
            context, register = divmod(offset - CONTEXT, CONTEXT_STRIDE)
            if register == 0:
                return self.threshold[context]
            if register == 4:
                return self._claim(context)
        return 0

    def write(self, offset: int, size: int, value: int) -> None:
        """A register; writing claim/complete completes the source of that number."""
        if 4 <= offset < 4 * SOURCES:
            self.priority[offset >> 2] = value & PRIORITY_MASK
        elif ENABLE <= offset < ENABLE + CONTEXTS * ENABLE_STRIDE:
            context, register = divmod(offset - ENABLE, ENABLE_STRIDE)
            shift = 8 * register
            kept = self.enable[context] & ~(0xFFFFFFFF << shift)
            self.enable[context] = (kept | value << shift) & SOURCE_MASK
        elif CONTEXT <= offset < CONTEXT + CONTEXTS * CONTEXT_STRIDE:
            context, register = divmod(offset - CONTEXT, CONTEXT_STRIDE)
            if register == 0:
                self.threshold[context] = value & PRIORITY_MASK
            elif register == 4 and value < SOURCES:
                self.claimed &= ~(1 << value)

    def _claim(self, context: int) -> int:
        source = self.best(context)
        if source:
            self.claimed |= 1 << source
            self.pending &= ~(1 << source)
        return source

    def save(self) -> dict[str, Any]:
        """Every register, the claims and the lines."""
        return {
            "lines": self.lines,
            "pending": self.pending,
            "claimed": self.claimed,
            "priority": list(self.priority),
            "enable": list(self.enable),
            "threshold": list(self.threshold),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes over what `save` made."""
        self.lines = state["lines"]
        self.pending, self.claimed = state["pending"], state["claimed"]
        self.priority = list(state["priority"])
        self.enable = list(state["enable"])
        self.threshold = list(state["threshold"])


def _word(bits: int, index: int) -> int:
    return (bits >> (32 * index)) & 0xFFFFFFFF
