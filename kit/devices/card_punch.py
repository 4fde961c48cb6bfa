"""The card punch: punches its buffer as one card.

Unlike on paper, every byte stays as it is. The card is punched as soon as the command is accepted,
and the buffer is blank again, so that a program can fill it while the punch is busy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from kit.devices.deck import COLUMNS, Deck
from kit.devices.device import trim
from kit.devices.saved import Fields, hexadecimal, listed
from kit.devices.unit_record import UnitRecord

__all__ = ["PUNCH", "CardPunch"]

PUNCH = 1


class CardPunch(UnitRecord):
    """Registers: see `kit.devices.unit_record`. `cards` are the punched cards, 80 bytes each.

    `kept` is how many of them stay in memory at least, twice as many at most; older ones are
    forgotten. None keeps all. The sink gets every card in any case.
    """

    kept: int | None = 1 << 16

    name = "punch"
    irq = 14
    width = COLUMNS
    extra: ClassVar[Fields] = {"cards": listed(hexadecimal(COLUMNS, COLUMNS))}

    def __init__(self, punch: int = 400, sink: Callable[[bytes], None] | None = None) -> None:
        """A PUNCH takes `punch` ticks; `sink`, if given, gets each card punched."""
        self.sink = sink
        self.durations = {PUNCH: punch}
        self.cards: list[bytes] = []
        super().__init__()

    @property
    def deck(self) -> Deck:
        """The punched cards as a deck."""
        return Deck(self.cards, "punch")

    def begin(self, command: int) -> None:
        """Punches the card."""
        card = bytes(self.buffer)
        self.cards.append(card)
        trim(self.cards, self.kept)
        self.count += 1
        self.blank()
        if self.sink is not None:
            self.host.tell(self.sink, card)

    def save(self) -> dict[str, Any]:
        """Registers, buffer and the punched cards."""
        return super().save() | {"cards": [card.hex() for card in self.cards]}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes over what `save` made; nothing goes to the sink again."""
        super().restore(state)
        self.cards = [bytes.fromhex(card) for card in state["cards"]]
