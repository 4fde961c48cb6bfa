"""How far a long run is, on the terminal of who waits for it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TextIO

__all__ = ["ProgressLine"]


class ProgressLine:
    """One line on a terminal that says how far a run is, renewed a few times a second.

    Nothing is written where `stream` is no terminal. Nothing else depends on the host's clock.
    """

    PAUSE = 0.25
    WIDTH = 79

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.active = stream.isatty()
        self._next = time.monotonic() + self.PAUSE
        self._shown = 0

    def __enter__(self) -> ProgressLine:
        """For a ``with``, at whose end the line is taken away."""
        return self

    def __exit__(self, *error: object) -> None:
        """Takes the line away."""
        self.clear()

    def update(self, clock: int, steps: Mapping[str, int]) -> None:
        """Shows the machine's time and the steps of each machine by name, if it is time to."""
        if self.active and time.monotonic() >= self._next:
            made = ", ".join(f"{name} {number:,}" for name, number in steps.items())
            self.show(f"time {clock:,}; steps: {made}")

    def show(self, text: str) -> None:
        """Shows a text at once."""
        if not self.active:
            return
        self._next = time.monotonic() + self.PAUSE
        text = text[: self.WIDTH]
        self.stream.write("\r" + text.ljust(self._shown))
        self.stream.flush()
        self._shown = len(text)

    def clear(self) -> None:
        """Takes the line away, so that something else can be written."""
        if self._shown:
            self.stream.write("\r" + " " * self._shown + "\r")
            self.stream.flush()
            self._shown = 0
