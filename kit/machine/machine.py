"""The bare machine: a hart, storage, and the devices of the board, run by an engine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from kit.engine.choice import chosen_engine, fast_engine
from kit.engine.reference import ReferenceEngine
from kit.errors import expect
from kit.isa.config import Config
from kit.isa.cpu import M
from kit.isa.hart import Hart
from kit.machine.board import RAM_BASE
from kit.machine.bus import Bus, Storage
from kit.machine.computer import Computer, memory_size

__all__ = ["Machine"]


class Engine(Protocol):
    """What executes the hart's instructions; see `kit.engine.reference.ReferenceEngine`."""

    on_trap: Callable[[int], bool] | None

    def run(self, limit: int, breakpoints: Collection[int] = ()) -> int:
        """Makes up to `limit` steps and returns how many were made."""


class Machine(Computer):
    """A bare machine, laid out like QEMU's `virt` board.

    `isa`, `modes`, `pmp` and `ad` are those of `kit.isa.config.Config`. `memory` is the RAM from
    0x80000000 on, in bytes or as "16M"; `devices` are the settings of
    `kit.machine.computer.Computer`: reader, disk, legacy_virtio, console, paper.
    `engine` is "wasm", "reference", or "auto": what `kit.engine.choice.chosen_engine` says.
    `holes` are alterations of the processor, by the names in `kit.isa.holes`, on which only the
    reference engine runs.

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
        engine: str = "auto",
        holes: Sequence[str] = (),
        **devices: Any,
    ) -> None:
        expect("holes", holes, "a list of names", list, tuple)
        config, size = Config(isa, modes, pmp, ad, tuple(holes)), memory_size(memory)
        self.engine: Engine
        if chosen_engine(engine, bool(holes)) == "wasm":
            fast = fast_engine(config, RAM_BASE, size)
            bus = Bus(Storage(size, RAM_BASE, fast.ram))
            hart = fast.hart(bus)
            bus.guards = fast
            fast.listens = self._listens
            self.engine = fast
        else:
            bus = Bus(Storage(size, RAM_BASE))
            hart = Hart(config, bus)
            self.engine = ReferenceEngine(hart)
        super().__init__(hart, bus, size, **devices)
        self.storage = bus.storage
        self.engine.on_trap = self.trapped
        self.on_trap: Callable[[int], None] | None = None
        self._raised: BaseException | None = None
        self.reset()

    def _execute(self, steps: int) -> int:
        made = self.engine.run(steps, self.breakpoints)
        error, self._raised = self._raised, None
        if error is not None:
            self.steps += made
            raise error
        return made

    def _listens(self) -> int:
        """Which traps `trapped` wants to see: see `kit.engine.fast.FastEngine`."""
        return 2 if self.on_trap is not None else int(self.monitor is not None)

    def trapped(self, cause: int) -> bool:
        """Called by the engine after each trap entry; True makes it return.

        What a listener raises waits until the engine has, and the steps are counted.
        """
        try:
            if self.on_trap is not None:
                self.on_trap(cause)
            return self.hart.mode == M and self._monitored(cause)
        except BaseException as error:
            self._raised = error
            return True

    def _monitored(self, cause: int) -> bool:
        """Calls the monitor, if there is one; True if `run` must look at what it has done."""
        before = self.hart.mtime
        if not self._call_monitor(cause):
            return False
        return self._stopping or bool(self.breakpoints) or self.hart.mtime != before
