"""Runs the definitions on a copy of a hart, and notes how they came to what they did.

Nothing outside changes: writes stay within the copy, devices are not asked. What is noted is a tree
of the calls of `opaque` functions, with what each read from storage and wrote there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from kit.bits import Bits
from kit.isa.cpu import Cpu, Trap
from kit.isa.hart import Hart, HartState, StorageBus

__all__ = ["Call", "Probe"]


@dataclass
class Call:
    """One call of a definition: its arguments, its result or trap, and what it did.

    `reads` and `writes` are (physical address, bytes, value) in the order in which they happened.
    """

    name: str
    args: tuple[Any, ...] = ()
    result: int | None = None
    trap: Trap | None = None
    calls: list[Call] = field(default_factory=list)
    reads: list[tuple[int, int, int]] = field(default_factory=list)
    writes: list[tuple[int, int, int]] = field(default_factory=list)

    def all(self, name: str) -> Iterator[Call]:
        """Every call of that name within this one, in order."""
        for call in self.calls:
            if call.name == name:
                yield call
            yield from call.all(name)


class _Overlay:
    """Storage as it is, with changes that nobody else sees."""

    def __init__(self, real: StorageBus) -> None:
        self._real = real
        self._changed: dict[int, int] = {}

    def is_ram(self, address: int, size: int) -> bool:
        return self._real.is_ram(address, size)

    def reaches(self, address: int, size: int) -> bool:
        return self._real.reaches(address, size)

    def read(self, address: int, size: int) -> int:
        if not self._real.is_ram(address, size):
            return 0
        data = bytearray(self._real.read(address, size).to_bytes(size, "little"))
        for number in range(size):
            data[number] = self._changed.get(address + number, data[number])
        return int.from_bytes(data, "little")

    def write(self, address: int, size: int, value: int) -> None:
        for number in range(size):
            self._changed[address + number] = value >> 8 * number & 0xFF


class Probe(HartState):
    """A copy of `hart` to try things on; `cpu` runs on it, and `tree` has what was called."""

    def __init__(self, hart: Hart) -> None:
        self.hart = Hart(hart.config, _Overlay(hart.bus))
        self.hart.put_back(hart.snapshot())
        super().__init__(self.hart)
        self.cpu = Cpu(hart.config, self)
        self.tree = Call("")
        self._stack = [self.tree]

    def storage(self, operation: str, address: Bits, size: int, value: Bits | None) -> Bits:
        """Asks the copy's storage, and notes it."""
        answer = super().storage(operation, address, size, value)
        if operation == "read":
            self._stack[-1].reads.append((int(address), size, int(answer)))
        elif operation == "write":
            self._stack[-1].writes.append((int(address), size, int(answer)))
        return answer

    def call(self, function: Callable[..., Any], cpu: Cpu, args: tuple[Any, ...]) -> Any:
        """Calls the function as it stands, and notes it."""
        values = tuple(int(arg) if isinstance(arg, Bits) else arg for arg in args)
        note = Call(function.definition.__name__, values)  # type: ignore[attr-defined]
        self._stack[-1].calls.append(note)
        self._stack.append(note)
        try:
            result = super().call(function, cpu, args)
            note.result = None if result is None else int(result)
            return result
        except Trap as trap:
            note.trap = trap
            raise
        finally:
            self._stack.pop()
