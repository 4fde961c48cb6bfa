"""The state of one hart in plain ints, and the `State` that lets the definitions run on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from kit.bits import Bits
from kit.isa.config import Config
from kit.isa.cpu import ARRAYS, WORDS, Cpu, M, width_of

__all__ = ["Hart", "HartState", "StorageBus", "cpu_of"]

RESET_PC = 0x8000_0000


class StorageBus(Protocol):
    """What a hart needs of the bus: physical addresses, naturally aligned, sizes in bytes."""

    def is_ram(self, address: int, size: int) -> bool:
        """Whether all the bytes are RAM."""

    def reaches(self, address: int, size: int) -> bool:
        """Whether RAM, or a device that accepts this size, is there."""

    def read(self, address: int, size: int) -> int:
        """Reads RAM or a device."""

    def write(self, address: int, size: int, value: int) -> None:
        """Writes RAM or a device."""


class Hart:
    """Every word of `kit.isa.cpu.WORDS` as an int attribute, every file as a list of ints.

    `bus` is what its loads, stores and fetches go to.
    """

    __slots__ = ("bus", "config", *WORDS, *ARRAYS)

    x: list[int]
    pmpcfg: list[int]
    pmpaddr: list[int]

    def __init__(self, config: Config, bus: StorageBus) -> None:
        self.config = config
        self.bus = bus
        self.reset()

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> int: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    def reset(self) -> None:
        """The state after reset: M-mode, interrupts off, no protection, everything else zero."""
        for name in WORDS:
            setattr(self, name, 0)
        for name, (count, _) in ARRAYS.items():
            setattr(self, name, [0] * count)
        self.mode = M
        self.pc = RESET_PC
        if not self.config.has_u:
            self.mstatus = M << 11

    def snapshot(self) -> dict[str, int | list[int]]:
        """A copy of the whole state, in a form that JSON can hold."""
        state: dict[str, int | list[int]] = {name: getattr(self, name) for name in WORDS}
        for name in ARRAYS:
            state[name] = list(getattr(self, name))
        return state

    def put_back(self, state: dict[str, int | list[int]]) -> None:
        """Takes on a state that `snapshot` returned."""
        for name in WORDS:
            setattr(self, name, state[name])
        for name in ARRAYS:
            setattr(self, name, list(state[name]))  # type: ignore[arg-type]


class HartState:
    """Runs the definitions on a hart's numbers."""

    def __init__(self, hart: Hart) -> None:
        self._hart = hart
        self._width = {name: width_of(name, hart.config) for name in (*WORDS, *ARRAYS)}

    def get(self, name: str) -> Bits:
        """A word."""
        return Bits(self._width[name], getattr(self._hart, name))

    def set(self, name: str, value: Bits) -> None:
        """Changes a word."""
        setattr(self._hart, name, int(value))

    def get_item(self, name: str, index: Bits | int) -> Bits:
        """A word of a file."""
        return Bits(self._width[name], getattr(self._hart, name)[int(index)])

    def set_item(self, name: str, index: Bits | int, value: Bits) -> None:
        """Changes a word of a file."""
        getattr(self._hart, name)[int(index)] = int(value)

    def storage(self, operation: str, address: Bits, size: int, value: Bits | None) -> Bits:
        """Asks the bus."""
        act = getattr(self._hart.bus, operation)
        if value is not None:
            act(int(address), size, int(value))
            return value
        answer = act(int(address), size)
        return Bits(8 * size if operation == "read" else 1, int(answer))

    def call(self, function: Callable[..., Any], cpu: Cpu, args: tuple[Any, ...]) -> Any:
        """Calls the function as it stands."""
        if function.dispatch:  # type: ignore[attr-defined]
            args = (int(args[0]), *args[1:])
        return function.definition(cpu, *args)  # type: ignore[attr-defined]


def cpu_of(hart: Hart) -> Cpu:
    """The processor whose state is in `hart`."""
    return Cpu(hart.config, HartState(hart))
