"""Code that works on the words of a layout: those of the hart, and the engine's own."""

from __future__ import annotations

from collections.abc import Callable

from kit.engine.layout import Layout
from kit.engine.wasm import I32, I64, Code

__all__ = ["StateCode"]


class StateCode(Code):
    """The body of a function that reads and writes words of the state."""

    def __init__(self, layout: Layout, params: int = 0) -> None:
        super().__init__(params)
        self.layout = layout

    def load(self, name: str) -> None:
        """Pushes a word of the state."""
        self.const(I32, 0)
        self.access("i64.load" if self._is_wide(name) else "i32.load", self.layout.at[name])

    def store(self, name: str, push: Callable[[], None]) -> None:
        """Stores what `push` pushes in a word of the state."""
        self.const(I32, 0)
        push()
        self.access("i64.store" if self._is_wide(name) else "i32.store", self.layout.at[name])

    def put(self, name: str, value: int) -> None:
        """Stores a number in a word of the state."""
        kind = I64 if self._is_wide(name) else I32
        self.store(name, lambda: self.const(kind, value))

    def increment(self, name: str, by: int = 1) -> None:
        """Adds a number to a word of 32 bits."""

        def push() -> None:
            self.load(name)
            self.const(I32, by)
            self.op("i32.add")

        self.store(name, push)

    def _is_wide(self, name: str) -> bool:
        return self.layout.bytes_of(name) == 8
