"""What a device is, and what it may ask of the machine around it.

The error contract, once for all devices: a device never raises because of what a guest does. It
is only asked to read or write where `Device.accepts` said yes; a register that does not exist in
its window reads as zero and ignores writes; a transfer to or from storage that the guest has asked
for wrongly ends in the device's own error status. Devices are little-endian.

What a device calls outside the machine may raise whatever it likes: listeners are called by `tell`,
between two steps, and what else is asked for outside is asked before the device changes anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from kit.devices.saved import Fields, check_fields
from kit.errors import KitError

__all__ = ["BusError", "Device", "Host", "trim"]


class BusError(KitError):
    """An access to guest-physical addresses that are not storage."""


class Host(Protocol):
    """The machine, real or virtual, as its devices see it."""

    @property
    def now(self) -> int:
        """The machine's time: the value of mtime."""

    def set_time(self, time: int) -> None:
        """Sets mtime; devices are told how far it moved by `Device.time_moved`."""

    def read_bytes(self, address: int, length: int) -> bytes:
        """`length` bytes of guest storage; raises `BusError` where there is none."""

    def write_bytes(self, address: int, data: bytes) -> None:
        """Writes guest storage; raises `BusError`, and writes nothing, where there is none."""

    def came_in(self, name: str, data: bytes) -> None:
        """Something from outside has come into the device `name`: the door that is recorded.

        The machine looks at its interrupt lines again.
        """

    def tell(self, listener: Callable[[Any], object], what: Any) -> None:
        """Calls a listener outside the machine when the step under way is complete.

        So whatever it raises, control-C included, leaves a machine that can go on.
        """


def trim(record: list[Any] | bytearray, kept: int | None) -> None:
    """Forgets the oldest of what a device has put out: `kept` items, at most twice that, stay.

    None keeps everything. Without a bound a guest can fill the memory of the host.
    """
    if kept is not None and len(record) > 2 * kept:
        del record[: len(record) - kept]


class Device:
    """A device behind a window of addresses.

    A subclass sets `name`, `size` (bytes of its window) and, if it interrupts, `irq` (its source
    number at the PLIC; 0 is none), and overrides what it needs. `saved` says what `save` returns.
    `host` is set when the device is put on a board.
    """

    name: str = "device"
    size: int = 0x1000
    irq: int = 0
    host: Host
    saved: ClassVar[Fields] = {}

    def accepts(self, offset: int, size: int) -> bool:
        """Whether an access of `size` bytes (1, 2 or 4) at `offset` reaches this device.

        Where it does not, the hart takes an access fault.
        """
        return size == 4 and 0 <= offset < self.size

    def came_in(self, data: bytes) -> None:
        """To be called for all that has come from outside (keys, cards): it may be recorded."""
        host = getattr(self, "host", None)
        if host is not None:
            host.came_in(self.name, data)

    def take(self, data: bytes) -> None:
        """Takes once more what came from outside in a recorded run."""

    def read(self, offset: int, size: int) -> int:
        """The value of a register; may have side effects, as the device's page says."""
        return 0

    def write(self, offset: int, size: int, value: int) -> None:
        """Writes a register. `value` is unsigned and has `size` bytes."""

    def interrupt(self) -> bool:
        """The level of its interrupt line now."""
        return False

    def next_event(self) -> int | None:
        """The time (mtime) of the next thing it does by itself, or None."""
        return None

    def advance(self, now: int) -> None:
        """Does everything that is due at or before `now`."""

    def time_moved(self, delta: int) -> None:
        """The guest has set mtime, by `delta` ticks: what was due later is due as much later."""

    def reset(self) -> None:
        """Back to the state after power-on. Paper, cards and disk contents stay as they are."""

    def save(self) -> dict[str, Any]:
        """Its whole state, as what JSON can hold; `restore` of it is the identity."""
        return {}

    def check(self, state: Any) -> None:
        """Raises KitError for a state that `save` cannot have made."""
        check_fields(self.name, self.saved, state)

    def restore(self, state: dict[str, Any]) -> None:
        """Takes over a state that `save` made, or that has passed `check`."""
