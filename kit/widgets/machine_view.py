"""The machine view: mode lamps, trap timeline and memory map in one, for lessons."""

from __future__ import annotations

from typing import Any

from kit.control.vmm import VMM
from kit.machine.computer import Computer
from kit.trace.recording import Recording
from kit.widgets.overview import Overview
from kit.widgets.run import Run

__all__ = ["MachineView"]


class MachineView(Overview):
    """The overview with the memory map as its only other part, and with the timeline near to the
    moment."""

    def __init__(self, what: Run | Recording | Computer | VMM, **options: Any) -> None:
        settings: dict[str, Any] = {"parts": ["memory_map"], "near": True} | options
        super().__init__(what, **settings)
