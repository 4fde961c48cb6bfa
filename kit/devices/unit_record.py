"""What card reader, line printer and card punch have in common.

One register layout (32-bit registers, then a buffer of one card or one line):

    0x00 STATUS   ready | done << 1 | end << 2 | lost << 3
    0x04 COMMAND  starts an operation
    0x08 IE       bit 0: interrupt while DONE
    0x0c COUNT    cards or lines so far
    0x10 ACK      writing 1 clears DONE, END and LOST
    0x80 BUFFER   ASCII, blank is 0x20; bytes, half-words and words

An operation takes a while, in ticks of mtime; meanwhile the device is not READY.
"""

from __future__ import annotations

from typing import Any, ClassVar

from kit.devices.device import Device
from kit.devices.saved import TIME, Fields, among, bits, check_fields, hexadecimal, maybe, word
from kit.errors import KitError

__all__ = ["ACK", "BUFFER", "COMMAND", "COUNT", "DONE", "END", "IE", "LOST", "READY", "STATUS"]
__all__ += ["UnitRecord"]

STATUS, COMMAND, IE, COUNT, ACK, BUFFER = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x80
READY, DONE, END, LOST = 1, 2, 4, 8
BLANK = b" "


class UnitRecord(Device):
    """A device that does one operation at a time on a buffer.

    A subclass sets `width` (bytes of the buffer), `durations` (ticks of each command) and defines
    `begin` and `complete`.
    """

    width: int
    durations: dict[int, int]
    buffer_is_writable = True
    extra: ClassVar[Fields] = {}
    """What a subclass saves besides its registers and buffer."""
    flag_bits = DONE | END | LOST
    enable_bits = 1

    def __init__(self) -> None:
        self.count = 0
        self.buffer = bytearray(BLANK * self.width)
        self.reset()

    def reset(self) -> None:
        """Idle, buffer blank. Cards, paper and COUNT stay."""
        self.interrupt_enable = 0
        self.flags = 0  # DONE, END and LOST, in their places
        self.due: int | None = None  # when the running operation ends
        self.command = 0
        self.blank()

    def begin(self, command: int) -> None:
        """What happens when `command` is accepted."""

    def complete(self, command: int) -> None:
        """What happens when `command` ends, just before DONE."""

    def blank(self) -> None:
        """Fills the buffer with blanks."""
        self.buffer[:] = BLANK * self.width

    def accepts(self, offset: int, size: int) -> bool:
        """Words in the registers, any size in the buffer."""
        if offset < BUFFER:
            return size == 4 and offset >= 0
        return offset + size <= BUFFER + self.width

    def read(self, offset: int, size: int) -> int:
        """A register or a piece of the buffer."""
        if offset >= BUFFER:
            at = offset - BUFFER
            return int.from_bytes(self.buffer[at : at + size], "little")
        if offset == STATUS:
            return self.flags | (READY if self.due is None else 0)
        if offset == IE:
            return self.interrupt_enable
        if offset == COUNT:
            return self.count & 0xFFFFFFFF
        return 0

    def write(self, offset: int, size: int, value: int) -> None:
        """A register or a piece of the buffer."""
        if offset >= BUFFER:
            if self.buffer_is_writable:
                at = offset - BUFFER
                self.buffer[at : at + size] = value.to_bytes(size, "little")
        elif offset == COMMAND:
            self._start(value)
        elif offset == IE:
            self.interrupt_enable = value & self.enable_bits
        elif offset == ACK and value & 1:
            self.flags = 0

    def _start(self, command: int) -> None:
        if command not in self.durations:
            return
        if self.due is not None:
            self.flags |= LOST
            return
        self.flags = 0
        self.command = command
        self.due = self.host.now + self.durations[command]
        self.begin(command)

    def interrupt(self) -> bool:
        """DONE, if enabled."""
        return bool(self.flags & DONE and self.interrupt_enable)

    def next_event(self) -> int | None:
        """When the running operation ends."""
        return self.due

    def advance(self, now: int) -> None:
        """Ends the running operation if its time has come."""
        if self.due is not None and self.due <= now:
            self.complete(self.command)
            self.due = None
            self.flags |= DONE

    def time_moved(self, delta: int) -> None:
        """A running operation takes as long as it would have."""
        if self.due is not None:
            self.due += delta

    def save(self) -> dict[str, Any]:
        """Registers and buffer; subclasses add their cards or paper."""
        return {
            "interrupt_enable": self.interrupt_enable,
            "flags": self.flags,
            "due": self.due,
            "command": self.command,
            "count": self.count,
            "buffer": self.buffer.hex(),
        }

    def check(self, state: Any) -> None:
        """Raises KitError for a state that `save` cannot have made."""
        registers = {
            "interrupt_enable": bits(self.enable_bits),
            "flags": bits(self.flag_bits),
            "due": maybe(TIME),
            "command": among(0, *self.durations),
            "count": word(64),
            "buffer": hexadecimal(self.width, self.width),
        }
        check_fields(self.name, {**registers, **self.extra}, state)
        if state["due"] is not None and not state["command"]:
            raise KitError(f"restore: {self.name}: no machine is busy with nothing")

    def restore(self, state: dict[str, Any]) -> None:
        """Takes over what `save` made."""
        self.interrupt_enable, self.flags = state["interrupt_enable"], state["flags"]
        self.due, self.command, self.count = state["due"], state["command"], state["count"]
        self.buffer = bytearray.fromhex(state["buffer"])
