"""What a bare machine is, real or virtual.

Loader, debugger, tracer, widgets, checks and VMMs are written against `BareMachine` and work on
both `Machine` and `VirtualMachine`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from kit.devices.card_punch import CardPunch
from kit.devices.card_reader import CardReader
from kit.devices.device import Device
from kit.devices.line_printer import LinePrinter
from kit.devices.uart import Uart
from kit.devices.virtio_block import VirtioBlock

if TYPE_CHECKING:
    from kit.isa.image import Image

__all__ = ["REASONS", "BareMachine", "Stop"]

REASONS = ("budget", "halt", "reset", "breakpoint", "idle", "waiting", "stopped")


@dataclass(frozen=True)
class Stop:
    """Why a run came to an end.

    `reason` is one of `REASONS`: "budget" (that many steps are done), "halt" (the finisher was
    told pass or fail; `code` is the exit code), "reset" (it was told reset), "breakpoint" (`pc` is
    at one), "idle" (waiting for an interrupt that nothing will raise), "waiting" (for one that
    comes after the time up to which it was to run) or "stopped" (from outside).
    `steps` counts the steps of this run; `pc` is the address of the next instruction.
    """

    reason: str
    code: int = 0
    steps: int = 0
    pc: int = 0


@runtime_checkable
class BareMachine(Protocol):
    """A machine to load, run, look into and put back.

    Addresses are guest-physical; user mistakes raise KitError.
    """

    breakpoints: set[int]
    symbols: dict[str, int]

    @property
    def steps(self) -> int:
        """Steps since power-on: instructions completed and traps taken."""

    @property
    def devices(self) -> Mapping[str, Device]:
        """The devices by name."""

    @property
    def reader(self) -> CardReader:
        """The card reader."""

    @property
    def printer(self) -> LinePrinter:
        """The line printer."""

    @property
    def punch(self) -> CardPunch:
        """The card punch."""

    @property
    def uart(self) -> Uart:
        """The serial port."""

    @property
    def disk(self) -> VirtioBlock | None:
        """The disk, if there is one."""

    def load(
        self,
        image: str | Path | bytes | Image,
        *,
        initrd: str | Path | bytes | None = None,
        append: str = "",
    ) -> None:
        """Puts a program into storage, with a device tree, and gets ready to start it."""

    def run(self, budget: int | None = None) -> Stop:
        """Runs up to `budget` steps, or until something else ends the run."""

    def step(self) -> Stop:
        """Runs one step."""

    def reset(self) -> None:
        """Back to power-on, with the loaded program in storage again."""

    def register(self, name: str) -> int:
        """A register by name: x0 to x31, ABI names, pc, mode, or any CSR."""

    def set_register(self, name: str, value: int) -> None:
        """Changes a register."""

    def read_memory(self, address: int, length: int) -> bytes:
        """`length` bytes of storage."""

    def write_memory(self, address: int, data: bytes) -> None:
        """Changes storage."""

    def save(self) -> bytes:
        """The whole state."""

    def restore(self, state: bytes) -> None:
        """Takes over a state that `save` made."""
