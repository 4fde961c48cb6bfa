"""The bare machine: a hart, storage, and the devices of the board, run by an engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kit.engine.reference import ReferenceEngine
from kit.isa.config import Config
from kit.isa.cpu import M
from kit.isa.hart import Hart
from kit.machine.board import RAM_BASE
from kit.machine.bus import Bus, Storage
from kit.machine.computer import Computer, memory_size

__all__ = ["Machine"]


class Machine(Computer):
    """A bare machine, laid out like QEMU's `virt` board.

    `isa`, `modes`, `pmp` and `ad` are those of `kit.isa.config.Config`. `memory` is the RAM from
    0x80000000 on, in bytes or as "16M"; `devices` are the settings of
    `kit.machine.computer.Computer`: reader, disk, legacy_virtio, console, paper.

    The attribute `on_trap`, when set, is called with the cause after each trap whatever its mode.

    Raises `KitError` for what cannot be built.
    """

    bus: Bus

    def __init__(
        self,
        isa: str = "rv32imac",
        modes: str = "MSU",
        pmp: int = 16,
        memory: str | int = "16M",
        ad: str = "update",
        **devices: Any,
    ) -> None:
        storage = Storage(memory_size(memory), RAM_BASE)
        bus = Bus(storage)
        super().__init__(Hart(Config(isa, modes, pmp, ad), bus), bus, storage.size, **devices)
        self.storage = storage
        self.engine = ReferenceEngine(self.hart)
        self.engine.on_trap = self._trapped
        self.on_trap: Callable[[int], None] | None = None
        self.reset()

    def _execute(self, steps: int) -> int:
        return self.engine.run(steps, self.breakpoints)

    def _trapped(self, cause: int) -> bool:
        """Called by the engine after each trap entry; True makes it return."""
        if self.on_trap is not None:
            self.on_trap(cause)
        return self.hart.mode == M and self._call_monitor(cause)
