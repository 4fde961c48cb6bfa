"""The card reader: takes cards from its hopper into its buffer, one for each FEED."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar

from kit.devices.deck import COLUMNS, Deck
from kit.devices.saved import Fields, hexadecimal, listed
from kit.devices.unit_record import END, UnitRecord

__all__ = ["FEED", "CardReader"]

FEED = 1


class CardReader(UnitRecord):
    """Registers: see `kit.devices.unit_record`. The buffer shows the last card and is read-only.

    `source`, if set, is asked for a deck when a FEED finds the hopper empty, and again if the deck
    is; it returns None if there is no more. `watch`, if set, is shown each card that was fed.
    """

    name = "reader"
    irq = 12
    width = COLUMNS
    buffer_is_writable = False
    extra: ClassVar[Fields] = {"hopper": listed(hexadecimal(COLUMNS, COLUMNS))}

    def __init__(self, deck: Deck | None = None, feed: int = 200) -> None:
        """`deck` lies in the hopper from the start; a FEED takes `feed` ticks."""
        self.hopper: deque[bytes] = deque()
        self.source: Callable[[], Deck | None] | None = None
        self.watch: Callable[[bytes], None] | None = None
        self.durations = {FEED: feed}
        super().__init__()
        if deck is not None:
            self.load(deck)

    def load(self, deck: Deck) -> None:
        """The operator puts a deck behind the cards that are still in the hopper."""
        self.hopper.extend(deck)
        self.came_in(b"".join(deck))

    def take(self, data: bytes) -> None:
        """Loads the cards that were loaded in a recorded run."""
        self.load(Deck([data[at : at + COLUMNS] for at in range(0, len(data), COLUMNS)], "deck"))

    def complete(self, command: int) -> None:
        """The next card is in the buffer; or END, with a blank buffer."""
        self._refill()
        if not self.hopper:
            self.blank()
            self.flags |= END
            return
        self.buffer[:] = self.hopper.popleft()
        self.count += 1
        if self.watch is not None:
            self.host.tell(self.watch, bytes(self.buffer))

    def _refill(self) -> None:
        while not self.hopper and self.source is not None:
            deck = self.source()
            if deck is None:
                return
            self.hopper.extend(deck)

    def save(self) -> dict[str, Any]:
        """Registers, buffer and the cards in the hopper."""
        return super().save() | {"hopper": [card.hex() for card in self.hopper]}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes over what `save` made."""
        super().restore(state)
        self.hopper = deque(bytes.fromhex(card) for card in state["hopper"])
