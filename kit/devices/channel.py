"""The channel: joins two machines, so that programs of two operating systems can be one service.

Each machine has one end. Registers as of the unit-record devices (`kit.devices.unit_record`), and::

    0x00 STATUS   also full << 4 | waiting << 5 | room << 6 | joined << 7
    0x08 IE       bit 0: interrupt while DONE, bit 1: while WAITING, bit 2: while ROOM
    0x14 LENGTH   bytes of the message in the buffer, 0 to 256

SEND sends the buffer's first LENGTH bytes; RECEIVE puts the next message into the buffer. Both act
at their end, just before DONE.

The two machines have clocks of their own. A message that is sent becomes visible to the receiver
`TRANSIT` ticks of the *receiver's* clock after the time that this clock shows at that moment: never
before it was sent, in the order of sending, and at a time that depends on nothing but the turns
that the two machines have.
"""

from __future__ import annotations

from collections import deque
from typing import Any, ClassVar

from kit.devices.saved import TIME, Fields, flag, hexadecimal, items, listed, maybe, number
from kit.devices.unit_record import DONE, END, LOST, STATUS, UnitRecord
from kit.errors import KitError

__all__ = ["FULL", "JOINED", "LENGTH", "QUEUE", "RECEIVE", "ROOM", "SEND", "TRANSIT", "WAITING"]
__all__ += ["Channel"]

SEND, RECEIVE = 1, 2
FULL, WAITING, ROOM, JOINED = 1 << 4, 1 << 5, 1 << 6, 1 << 7
WHEN_DONE, WHEN_WAITING, WHEN_ROOM = 1, 2, 4
"""Bits of IE."""
LENGTH = 0x14
LONGEST = 256
"""Bytes of a message at most."""
QUEUE = 16
"""How many messages can be on their way to an end, or wait there."""
TRANSIT = 100
"""How long a message, or the word that there is room again, is on its way, in ticks."""


class Channel(UnitRecord):
    """One end of a channel; `other` is the other end, once `join` has put them together."""

    name = "channel"
    irq = 15
    width = LONGEST
    flag_bits = DONE | END | LOST | FULL | ROOM
    enable_bits = WHEN_DONE | WHEN_WAITING | WHEN_ROOM
    extra: ClassVar[Fields] = {
        "length": number(0, LONGEST),
        "coming": listed(items(TIME, hexadecimal(0, LONGEST))),
        "inbox": listed(hexadecimal(0, LONGEST)),
        "wants_room": flag,
        "room_due": maybe(TIME),
    }

    def __init__(self, duration: int = 100) -> None:
        """SEND and RECEIVE take `duration` ticks each."""
        self.durations = {SEND: duration, RECEIVE: duration}
        self.other: Channel | None = None
        super().__init__()

    @staticmethod
    def join(one: Channel, two: Channel) -> None:
        """Makes two ends one channel.

        Raises KitError if they are one and the same, joined already, or not on their machines yet.
        """
        if one is two:
            raise KitError("channel: an end cannot be joined to itself; take two machines' ends")
        for end in (one, two):
            if end.other is not None:
                raise KitError("channel: this end is joined already; part it first")
            if not hasattr(end, "host"):
                raise KitError("channel: this end is on no machine yet; attach it first")
        one.other, two.other = two, one
        one._tell_room()
        two._tell_room()

    def part(self) -> None:
        """Ends the connection. Messages that were sent before still arrive."""
        if self.other is not None:
            self.other.other = None
            self.other = None

    def reset(self) -> None:
        """As after power-on: the messages that wait here are lost; the other end stays joined."""
        super().reset()
        self.length = 0
        self.coming: deque[tuple[int, bytes]] = deque()  # when they arrive, and what
        self.inbox: deque[bytes] = deque()
        self.wants_room = False  # the last SEND was refused
        self.room_due: int | None = None  # when the word of room arrives
        if self.other is not None:
            self.other._tell_room()

    def blank(self) -> None:
        """Fills the buffer with zeros."""
        self.buffer[:] = bytes(self.width)

    def read(self, offset: int, size: int) -> int:
        """A register or a piece of the buffer."""
        if offset == LENGTH:
            return self.length
        value = super().read(offset, size)
        if offset == STATUS:
            value |= WAITING if self.inbox else 0
            value |= JOINED if self.other is not None else 0
        return value

    def write(self, offset: int, size: int, value: int) -> None:
        """A register or a piece of the buffer. A LENGTH of more than 256 becomes 256."""
        if offset == LENGTH:
            self.length = min(value, self.width)
        else:
            super().write(offset, size, value)

    def complete(self, command: int) -> None:
        """The message is on its way, or FULL; or the next one is in the buffer, or END."""
        if command == SEND:
            self._send()
        else:
            self._receive()

    def _send(self) -> None:
        self.room_due = None
        other = self.other
        self.wants_room = other is None or other._is_full()
        if other is None or self.wants_room:
            self.flags |= FULL
            return
        other.coming.append((other.host.now + TRANSIT, bytes(self.buffer[: self.length])))
        self.count += 1

    def _receive(self) -> None:
        if not self.inbox:
            self.flags |= END
            return
        message = self.inbox.popleft()
        self.length = len(message)
        self.buffer[:] = message.ljust(self.width, b"\0")
        self.count += 1
        if self.other is not None:
            self.other._tell_room()

    def _is_full(self) -> bool:
        return len(self.coming) + len(self.inbox) >= QUEUE

    def _tell_room(self) -> None:
        """The other end has room: this one learns of it, if it was refused, a little later."""
        if self.wants_room:
            self.wants_room = False
            self.room_due = self.host.now + TRANSIT

    def interrupt(self) -> bool:
        """DONE, WAITING or ROOM, as far as they are enabled."""
        causes = WHEN_DONE if self.flags & DONE else 0
        causes |= WHEN_ROOM if self.flags & ROOM else 0
        causes |= WHEN_WAITING if self.inbox else 0
        return bool(causes & self.interrupt_enable)

    def next_event(self) -> int | None:
        """When the running operation ends, a message arrives, or the word of room does."""
        times = [time for time in (self.due, self.room_due) if time is not None]
        times += [self.coming[0][0]] if self.coming else []
        return min(times, default=None)

    def advance(self, now: int) -> None:
        """Takes what has arrived, then ends the running operation if its time has come."""
        while self.coming and self.coming[0][0] <= now:
            self.inbox.append(self.coming.popleft()[1])
        if self.room_due is not None and self.room_due <= now:
            self.room_due = None
            self.flags |= ROOM
        super().advance(now)

    def time_moved(self, delta: int) -> None:
        """Everything is on its way as long as it would have been."""
        super().time_moved(delta)
        self.coming = deque((due + delta, message) for due, message in self.coming)
        if self.room_due is not None:
            self.room_due += delta

    def save(self) -> dict[str, Any]:
        """Registers, buffer and messages; not which end this one is joined to."""
        return super().save() | {
            "length": self.length,
            "coming": [[due, message.hex()] for due, message in self.coming],
            "inbox": [message.hex() for message in self.inbox],
            "wants_room": self.wants_room,
            "room_due": self.room_due,
        }

    def check(self, state: Any) -> None:
        """Raises KitError for a state that `save` cannot have made."""
        super().check(state)
        if len(state["coming"]) + len(state["inbox"]) > QUEUE:
            raise KitError(f"restore: channel: no more than {QUEUE} messages can be on their way")

    def restore(self, state: dict[str, Any]) -> None:
        """Takes over what `save` made. It stays joined as it is."""
        super().restore(state)
        self.length = state["length"]
        self.coming = deque((due, bytes.fromhex(message)) for due, message in state["coming"])
        self.inbox = deque(bytes.fromhex(message) for message in state["inbox"])
        self.wants_room, self.room_due = state["wants_room"], state["room_due"]
