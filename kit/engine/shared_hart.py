"""A hart whose state lies in the memory that generated code works on."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import Any

from kit.engine.layout import Layout
from kit.isa.cpu import ARRAYS, WORDS
from kit.isa.hart import Hart, StorageBus

__all__ = ["shared_hart"]

FLUSH, REGIME = ("satp",), ("mode", "mstatus")
"""Words on which translation depends: those whose change ends what is remembered of it, and those
that choose among what is remembered."""
MXR = 1 << 19


class File:
    """A file of words in shared memory, which acts like a list of ints."""

    __slots__ = ("_changed", "_words")

    def __init__(self, words: memoryview, changed: Callable[[], None] | None) -> None:
        self._words, self._changed = words, changed

    def __len__(self) -> int:
        return len(self._words)

    def __iter__(self) -> Iterator[int]:
        return iter(self._words.tolist())

    def __eq__(self, other: object) -> bool:
        return self._words.tolist() == list(other)  # type: ignore[call-overload, no-any-return]

    def __repr__(self) -> str:
        return repr(self._words.tolist())

    def __getitem__(self, index: Any) -> Any:
        return self._words.tolist()[index] if isinstance(index, slice) else self._words[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            self._words[index] = array("I", value)
        else:
            self._words[index] = value
        if self._changed is not None:
            self._changed()


def shared_hart(layout: Layout, memory: memoryview, bus: StorageBus) -> Hart:
    """A hart of the layout's configuration whose words are those in `memory`."""
    words, doubles = memory.cast("I"), memory.cast("Q")
    at = layout.at
    flush, regime = at["flush"] >> 2, at["regime_changed"] >> 2

    def changed() -> None:
        words[flush] = 1

    def word(name: str) -> property:
        wide = layout.bytes_of(name) == 8
        view, place = (doubles, at[name] >> 3) if wide else (words, at[name] >> 2)

        def read(hart: Hart) -> int:
            return view[place]

        def write(hart: Hart, value: int) -> None:
            view[place] = value

        def write_regime(hart: Hart, value: int) -> None:
            changes = view[place] ^ value
            if changes:
                view[place] = value
                words[regime] = 1
                # MXR changes what may be read, whatever is remembered.
                if name == "mstatus" and changes & MXR:
                    words[flush] = 1

        def write_flush(hart: Hart, value: int) -> None:
            if view[place] != value:
                view[place] = value
                words[flush] = 1

        return property(
            read, write_flush if name in FLUSH else write_regime if name in REGIME else write
        )

    def array(name: str) -> property:
        start = at[name] >> 2
        view = words[start : start + ARRAYS[name][0]]
        file = File(view, None if name == "x" else changed)

        def put(hart: Hart, values: list[int]) -> None:
            file[:] = values

        return property(lambda hart: file, put)

    members: dict[str, Any] = {name: word(name) for name in WORDS}
    members |= {name: array(name) for name in ARRAYS}
    kind: Any = type("SharedHart", (Hart,), {"__slots__": (), **members})
    hart: Hart = kind(layout.config, bus)
    return hart
