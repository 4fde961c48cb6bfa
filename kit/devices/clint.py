"""The core-local interruptor: the clock, its comparator, and the software interrupt.

Registers as in SiFive's CLINT and QEMU's `virt` board, for one hart. The time itself lives in the
hart; this device shows it and lets a program set it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from kit.devices.device import Device
from kit.devices.saved import Fields, word

__all__ = ["Clint"]

MSIP = 0x0000
MTIMECMP = 0x4000
MTIME = 0xBFF8
END = 0xC000
"""Nothing answers in the rest of the window."""

NEVER = 1 << 63
"""Programs switch the timer off by a comparator of all ones, or of all ones in its upper half.
What lies this many ticks ahead (29,000 years) is therefore not an event."""


class Clint(Device):
    """Drives the wires MSIP and MTIP of the hart. Privileged Architecture 3.2.1."""

    name = "clint"
    size = 0x10000
    saved: ClassVar[Fields] = {"msip": word(1), "mtimecmp": word(64)}

    def __init__(self) -> None:
        self.msip = 0
        self.mtimecmp = 0

    def accepts(self, offset: int, size: int) -> bool:
        """Words only, as QEMU's."""
        return size == 4 and 0 <= offset < END

    def read(self, offset: int, size: int) -> int:
        """msip, or half of mtimecmp or mtime."""
        if offset == MSIP:
            return self.msip
        if offset in (MTIMECMP, MTIMECMP + 4):
            return _half(self.mtimecmp, offset)
        if offset in (MTIME, MTIME + 4):
            return _half(self.host.now, offset)
        return 0

    def write(self, offset: int, size: int, value: int) -> None:
        """Sets msip (bit 0), or half of mtimecmp or mtime."""
        if offset == MSIP:
            self.msip = value & 1
        elif offset in (MTIMECMP, MTIMECMP + 4):
            self.mtimecmp = _with_half(self.mtimecmp, offset, value)
        elif offset in (MTIME, MTIME + 4):
            self.host.set_time(_with_half(self.host.now, offset, value))

    def software_interrupt(self) -> bool:
        """The level of the wire MSIP."""
        return bool(self.msip)

    def timer_interrupt(self) -> bool:
        """The level of the wire MTIP: whether mtime has reached mtimecmp."""
        return self.host.now >= self.mtimecmp

    def interrupt(self) -> bool:
        """Whether it drives any of its two wires; it is not connected to the PLIC."""
        return self.software_interrupt() or self.timer_interrupt()

    def next_event(self) -> int | None:
        """The comparator's time, while that lies ahead, but not for ever ahead."""
        return self.mtimecmp if 0 < self.mtimecmp - self.host.now < NEVER else None

    def reset(self) -> None:
        """mtimecmp becomes 0, so MTIP is pending at once, as on QEMU's board and on Spike."""
        self.msip = 0
        self.mtimecmp = 0

    def save(self) -> dict[str, Any]:
        """msip and mtimecmp; mtime belongs to the hart's state."""
        return {"msip": self.msip, "mtimecmp": self.mtimecmp}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes over what `save` made."""
        self.msip, self.mtimecmp = state["msip"], state["mtimecmp"]


def _half(value: int, offset: int) -> int:
    return (value >> (8 * (offset & 4))) & 0xFFFFFFFF


def _with_half(value: int, offset: int, half: int) -> int:
    shift = 8 * (offset & 4)
    return (value & ~(0xFFFFFFFF << shift)) | half << shift
