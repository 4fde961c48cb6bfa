"""Where two runs part: the first step after which their registers or their storage differ."""

from __future__ import annotations

from dataclasses import dataclass

from kit.errors import KitError
from kit.isa.disassembler import disassemble
from kit.isa.registers import REGISTERS
from kit.machine.board import RAM_BASE
from kit.machine.bus import PAGE
from kit.machine.computer import Computer
from kit.machine.names import names_of
from kit.trace.debugger import physical_address
from kit.trace.history import History
from kit.trace.snapshot import Picture, lasting, take_picture

__all__ = ["Difference", "first_difference"]

PIECE = 20_000
"""Steps between two places at which the runs are compared."""
_SHOWN = 12


@dataclass(frozen=True)
class Difference:
    """After `place` steps the runs differ, and not before. `where` is the instruction between.

    `what` has, of each register and word of storage, its name and its two values; some of them.
    At place 0 they begin differently. `ended` says which of them, 0 or 1, ends there, if one does.
    """

    place: int
    where: str = ""
    what: tuple[tuple[str, int, int], ...] = ()
    ended: int | None = None

    @property
    def text(self) -> str:
        """It in words."""
        if self.ended is not None:
            which = ("first", "second")[self.ended]
            return f"The {which} ends after {self.place:,} steps; up to there they are alike."
        if self.place == 0:
            lines = ["They begin in different states:"]
        else:
            lines = [f"They part in step {self.place:,}, {self.where}:"]
        lines += [f"  {name:<12} {one:#010x}  {two:#010x}" for name, one, two in self.what]
        return "\n".join(lines)


def first_difference(one: History, two: History, piece: int = PIECE) -> Difference | None:
    """Where two recorded runs part, or None if they are alike to the end.

    They are compared every `piece` steps; a difference that has healed by then is not seen. Clocks
    count as registers. Raises `KitError` for runs of different numbers of machines.
    """
    if list(one.computers) != list(two.computers):
        raise KitError("diff: these are runs of different machines; compare those of the same ones")
    low, end = 0, min(one.end, two.end)
    if not _alike(one, two, 0):
        return Difference(0, "", _differences(one, two))
    while low < end:
        high = min(low + piece, end)
        if not _alike(one, two, high):
            return _between(one, two, low, high)
        low = high
    if one.end != two.end:
        return Difference(end, ended=0 if one.end < two.end else 1)
    return None


def _between(one: History, two: History, low: int, high: int) -> Difference:
    """Alike at `low`, and not at `high`: where that begins."""
    while high - low > 1:
        middle = (low + high) // 2
        if _alike(one, two, middle):
            low = middle
        else:
            high = middle
    one.go(low)
    before = {name: computer.steps for name, computer in one.computers.items()}
    places = {name: _instruction(computer) for name, computer in one.computers.items()}
    one.go(high)
    two.go(high)
    moved = [name for name, computer in one.computers.items() if computer.steps != before[name]]
    name = moved[0] if moved else next(iter(places))
    where = f"{name}: {places[name]}" if name else places[name]
    return Difference(high, where, _differences(one, two))


def _alike(one: History, two: History, place: int) -> bool:
    one.go(place)
    two.go(place)
    return all(
        _state(take_picture(a)) == _state(take_picture(b))
        for a, b in zip(one.computers.values(), two.computers.values(), strict=True)
    )


def _state(picture: Picture) -> tuple[object, object]:
    return lasting(picture.hart), picture.storage


def _instruction(machine: Computer) -> str:
    """The instruction at pc, and where that is."""
    where = names_of(machine).describe(machine.hart.pc)
    physical = physical_address(machine, machine.hart.pc)
    if physical is None or not machine.bus.is_ram(physical, 4):
        return where
    word = int.from_bytes(machine.read_memory(physical, 4), "little")
    word = word if word & 3 == 3 else word & 0xFFFF
    return f"{disassemble(word, machine.hart.pc, xlen=machine.config.xlen)} at {where}"


def _differences(one: History, two: History) -> tuple[tuple[str, int, int], ...]:
    found: list[tuple[str, int, int]] = []
    names = {number: name for name, number in REGISTERS.items() if name != f"x{number}"}
    for a, b in zip(one.computers.values(), two.computers.values(), strict=True):
        seconds = lasting(b.hart.snapshot())
        for key, first in lasting(a.hart.snapshot()).items():
            second = seconds[key]
            if first == second:
                continue
            if isinstance(first, int) and isinstance(second, int):
                found.append((key, first, second))
            elif isinstance(first, list) and isinstance(second, list):
                called = names if key == "x" else {}
                found += [
                    (called.get(n, f"{key}{n}"), x, y)
                    for n, (x, y) in enumerate(zip(first, second, strict=True))
                    if x != y
                ]
        found += _words(a, b)
    return tuple(found[:_SHOWN])


def _words(one: Computer, two: Computer) -> list[tuple[str, int, int]]:
    """Words of storage that differ, of the first page in which some do."""
    if one.memory != two.memory:
        return [("storage", one.memory, two.memory)]
    for start in range(RAM_BASE, RAM_BASE + one.memory, PAGE):
        first, second = one.read_memory(start, PAGE), two.read_memory(start, PAGE)
        if first != second:
            a, b = memoryview(first).cast("I"), memoryview(second).cast("I")
            return [
                (f"{start + 4 * n:#010x}", a[n], b[n]) for n in range(PAGE // 4) if a[n] != b[n]
            ]
    return []
