"""Views of machines, runs and proofs for notebooks, web pages and the terminal.

from kit.widgets import MemoryMap, Timeline, record

with record(vmm) as run:
    vmm.run()
Timeline(run)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kit.widgets.charts import Charts as Charts
    from kit.widgets.devices import Devices as Devices
    from kit.widgets.machine_room import MachineRoom as MachineRoom
    from kit.widgets.machine_view import MachineView as MachineView
    from kit.widgets.memory_map import MemoryMap as MemoryMap
    from kit.widgets.overview import Overview as Overview
    from kit.widgets.panel import Panel as Panel
    from kit.widgets.paper import Paper as Paper
    from kit.widgets.proof_view import ProofView as ProofView
    from kit.widgets.run import Run as Run
    from kit.widgets.run import record as record
    from kit.widgets.timeline import Timeline as Timeline

_HOMES = {
    "Charts": "charts",
    "Devices": "devices",
    "MachineRoom": "machine_room",
    "MachineView": "machine_view",
    "MemoryMap": "memory_map",
    "Overview": "overview",
    "Panel": "panel",
    "Paper": "paper",
    "ProofView": "proof_view",
    "Run": "run",
    "Timeline": "timeline",
    "record": "run",
}

__all__ = ["Charts", "Devices", "MachineRoom", "MachineView", "MemoryMap", "Overview", "Panel"]
__all__ += ["Paper", "ProofView", "Run", "Timeline", "record"]


def __getattr__(name: str) -> Any:
    """Loads a view when it is first used: `import kit` costs nothing, and needs no Jupyter."""
    if name not in _HOMES:
        raise AttributeError(f"module 'kit.widgets' has no attribute {name!r}")
    return getattr(importlib.import_module(f"kit.widgets.{_HOMES[name]}"), name)
