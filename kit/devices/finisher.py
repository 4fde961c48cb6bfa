"""The test finisher: how a program ends the run, with or without an error, or starts it anew.

SiFive's `test0`, as on QEMU's `virt` board.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from kit.devices.device import Device
from kit.devices.saved import Fields, flag, maybe, record, word

__all__ = ["FAIL", "PASS", "RESET", "Finisher", "Result"]

FAIL = 0x3333
PASS = 0x5555
RESET = 0x7777


@dataclass(frozen=True)
class Result:
    """What the program asked for: to halt with an exit code (16 bits), or to `reset`."""

    code: int = 0
    reset: bool = False


class Finisher(Device):
    """`result` is None until a program writes one of the three known values at offset 0."""

    name = "finisher"
    saved: ClassVar[Fields] = {"result": maybe(record({"code": word(16), "reset": flag}))}

    def __init__(self) -> None:
        self.result: Result | None = None

    def accepts(self, offset: int, size: int) -> bool:
        """Half-words and words, as QEMU's."""
        return size in (2, 4) and 0 <= offset < self.size

    def write(self, offset: int, size: int, value: int) -> None:
        """The low half is PASS, FAIL or RESET; the high half is the code of a FAIL."""
        if offset != 0:
            return
        command = value & 0xFFFF
        if command == PASS:
            self.result = Result()
        elif command == FAIL:
            self.result = Result(value >> 16)
        elif command == RESET:
            self.result = Result(reset=True)

    def reset(self) -> None:
        """Forgets the result."""
        self.result = None

    def save(self) -> dict[str, Any]:
        """The result, if there is one."""
        return {"result": None if self.result is None else asdict(self.result)}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes over what `save` made."""
        result = state["result"]
        self.result = None if result is None else Result(**result)
