"""How much of a machine's output stays in the host's memory.

A device forgets the oldest of what it has put out, so that no guest can fill the memory of its host
(`kept` of the device: at most twice that stays). What is still to be written to a file must not be
forgotten: `keep` lets it grow up to a limit, and who runs the machine asks for `excess` now and
then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from kit.machine.computer import Computer

__all__ = ["LIMITS", "excess", "keep"]

LIMITS = {
    "uart": (1 << 26, "bytes of console output"),
    "printer": (1 << 19, "lines of paper"),
    "punch": (1 << 19, "punched cards"),
}
"""The most that is kept for a file, by the device's name, and what it is."""

_LENGTHS: dict[str, Callable[[Computer], int]] = {
    "uart": lambda machine: len(machine.uart.output),
    "printer": lambda machine: len(machine.printer.paper),
    "punch": lambda machine: len(machine.punch.cards),
}


def keep(machine: Computer, devices: Collection[str]) -> None:
    """From now on these devices of a machine forget nothing."""
    if "uart" in devices:
        machine.uart.kept = None
    if "printer" in devices:
        machine.printer.kept = None
    if "punch" in devices:
        machine.punch.kept = None


def excess(machine: Computer, devices: Collection[str]) -> str:
    """What of these devices' output is more than its limit, in words; nothing if none is."""
    for name in devices:
        most, what = LIMITS[name]
        if _LENGTHS[name](machine) > most:
            return f"it has put out more than {most:,} {what}, the most that is kept for a file"
    return ""
