"""The processor as the definitions see it: named words, register files, and storage.

A `Cpu` has no state of its own: it asks a `State` for every word. There is one `State` for
concrete runs (`kit.isa.hart.HartState`) and one that writes down what a function does
(`kit.engine.paths.TracedState`), so that one definition serves both.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from typing import Any, Protocol, TypeVar

from kit.bits import Bits, select
from kit.isa.config import Config

__all__ = [
    "ARRAYS",
    "STORAGE",
    "WORDS",
    "Cpu",
    "M",
    "S",
    "State",
    "Trap",
    "U",
    "opaque",
    "width_of",
]

U, S, M = 0, 1, 3
"""Privilege modes, as mstatus.MPP holds them."""

WORDS: dict[str, int | str] = {}
"""Every single word of a hart's state (as `Cpu` declares it) and its width: bits, ``xlen`` (a
register) or ``plen`` (a physical address)."""

ARRAYS: dict[str, tuple[int, int | str]] = {
    "x": (32, "xlen"),
    "pmpcfg": (4, 32),
    "pmpaddr": (16, "xlen"),
}
"""Every file of words: its size and width. Byte n of `pmpcfg` configures PMP entry n."""

STORAGE = ("is_ram", "reaches", "read", "write")
"""What a hart asks of the bus."""


def width_of(name: str, config: Config) -> int:
    """The width in bits of a word or of the words of a file."""
    width = WORDS[name] if name in WORDS else ARRAYS[name][1]
    return width if isinstance(width, int) else int(getattr(config, width))


class State(Protocol):
    """Where a `Cpu` finds its words."""

    def get(self, name: str) -> Bits:
        """A word."""

    def set(self, name: str, value: Bits) -> None:
        """Changes a word."""

    def get_item(self, name: str, index: Bits | int) -> Bits:
        """A word of a file."""

    def set_item(self, name: str, index: Bits | int, value: Bits) -> None:
        """Changes a word of a file."""

    def storage(self, operation: str, address: Bits, size: int, value: Bits | None) -> Bits:
        """What the bus answers to an operation (see `STORAGE`)."""

    def call(self, function: Callable[..., Any], cpu: Cpu, args: tuple[Any, ...]) -> Any:
        """Calls an `opaque` function."""


class Trap(Exception):  # noqa: N818 - the field's own word
    """An exception of the instruction being executed: its cause and the value for xtval."""

    def __init__(self, cause: Bits | int, tval: Bits | int) -> None:
        self.cause = cause
        self.tval = tval


class Word:
    """A word of the state, declared with its width as an attribute of `Cpu`."""

    def __init__(self, width: int | str) -> None:
        self._width = width

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name
        WORDS[name] = self._width

    def __get__(self, cpu: Cpu, owner: type | None = None) -> Bits:
        return cpu.state.get(self._name)

    def __set__(self, cpu: Cpu, value: Bits | int) -> None:
        width = width_of(self._name, cpu.config)
        if not isinstance(value, Bits):
            value = Bits(width, value)
        elif value.width != width:
            raise ValueError(f"{self._name} has {width} bits, not {value.width}")
        cpu.state.set(self._name, value)


class Registers:
    """A file of words. Register x0 stays zero, whatever is written to it."""

    def __init__(self, cpu: Cpu, name: str) -> None:
        self._cpu, self._name = cpu, name

    def __getitem__(self, index: Bits | int) -> Bits:
        return self._cpu.state.get_item(self._name, index)

    def __setitem__(self, index: Bits | int, value: Bits) -> None:
        if self._name == "x":
            number = index if isinstance(index, Bits) else Bits(5, index)
            value = select(number == 0, Bits(value.width, 0), value)
        self._cpu.state.set_item(self._name, index, value)


class Cpu:
    """One hart: its words, its files of words, and the storage behind it."""

    pc = Word("xlen")
    # The instruction being executed: where the next one is, and its word.
    next_pc = Word("xlen")
    instruction = Word("xlen")
    # Did the last step complete an instruction? (Else it took a trap.)
    completed = Word(1)
    mode = Word(2)
    waiting = Word(1)
    reservation_valid = Word(1)
    reservation = Word("plen")
    # Interrupts as in mip: those that devices signal, and those that software has set.
    wires = Word("xlen")
    mip = Word("xlen")
    mtime = Word(64)
    mcycle = Word(64)
    minstret = Word(64)
    mstatus = Word("xlen")
    medeleg = Word("xlen")
    mideleg = Word("xlen")
    mie = Word("xlen")
    mtvec = Word("xlen")
    mscratch = Word("xlen")
    mepc = Word("xlen")
    mcause = Word("xlen")
    mtval = Word("xlen")
    mcounteren = Word(32)
    mcountinhibit = Word(32)
    stvec = Word("xlen")
    sscratch = Word("xlen")
    sepc = Word("xlen")
    scause = Word("xlen")
    stval = Word("xlen")
    satp = Word("xlen")
    scounteren = Word(32)

    def __init__(self, config: Config, state: State) -> None:
        self.config = config
        self.state = state
        self.xlen = config.xlen
        self.plen = config.plen
        self.x = Registers(self, "x")
        self.pmpcfg = Registers(self, "pmpcfg")
        self.pmpaddr = Registers(self, "pmpaddr")

    def word(self, value: int) -> Bits:
        """A number as a word of register width."""
        return Bits(self.xlen, value)

    def jump(self, target: Bits) -> None:
        """Continue at `target`; traps where it is not aligned to an instruction."""
        if not self.config.has_c and target[1]:
            raise Trap(0, target)
        self.next_pc = target

    # -- storage, by physical address --------------------------------------------------------

    def is_ram(self, address: Bits, size: int) -> Bits:
        """Is there RAM at these `size` bytes?"""
        return self.state.storage("is_ram", address, size, None)

    def reaches(self, address: Bits, size: int) -> Bits:
        """Is there RAM, or a device that takes an access of this size?"""
        return self.state.storage("reaches", address, size, None)

    def read(self, address: Bits, size: int) -> Bits:
        """The `size` bytes at `address`, little-endian."""
        return self.state.storage("read", address, size, None)

    def write(self, address: Bits, size: int, value: Bits) -> None:
        """Stores the low `size` bytes of `value`."""
        self.state.storage("write", address, size, value)


F = TypeVar("F", bound=Callable[..., Any])


def opaque(
    returns: int | str | None, *, dispatch: Callable[[Config], Collection[int]] | None = None
) -> Callable[[F], F]:
    """Makes a function of the processor one step in the traces of its callers.

    What it does inside, forks included, does not multiply the callers' paths. `returns` is the
    width of its result (bits, ``xlen``, ``plen``, or None for no result). Arguments that are not
    `Bits` are constants of the definition: each combination is traced on its own. With `dispatch`,
    the first argument is a number that selects among functions of the same shape, and `dispatch`
    says which numbers a configuration has; any other gives zero.
    """

    def wrap(function: F) -> F:
        @functools.wraps(function)
        def call(cpu: Cpu, *args: Any) -> Any:
            return cpu.state.call(call, cpu, args)

        call.definition = function  # type: ignore[attr-defined]
        call.returns = returns  # type: ignore[attr-defined]
        call.dispatch = dispatch  # type: ignore[attr-defined]
        return call  # type: ignore[return-value]

    return wrap
