"""Machines, VMMs and runs as the last value of a notebook's cell: each shows its view by itself.

Nothing below the widgets knows of them: IPython is told by the names of the classes, and the views
are loaded when one is shown. Where `ipywidgets` or `anywidget` is missing, IPython does as always.
"""

from __future__ import annotations

import sys
from typing import Any

from kit.errors import KitError

__all__ = ["register"]

_SHOWN = {
    ("kit.machine.machine", "Machine"): "panel.Panel",
    ("kit.control.virtual_machine", "VirtualMachine"): "panel.Panel",
    ("kit.control.vmm", "VMM"): "machine_room.MachineRoom",
    ("kit.widgets.run", "Run"): "overview.Overview",
    ("kit.trace.recording", "Recording"): "machine_view.MachineView",
}
"""Which view shows an object of which class."""


def register() -> None:
    """Tells IPython, if it is running, which view shows what."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return
    formatter = shell.display_formatter.mimebundle_formatter
    for (module, name), view in _SHOWN.items():
        formatter.for_type_by_name(module, name, _shower(view))


def _shower(view: str) -> Any:
    from importlib import import_module

    module, name = view.split(".")

    def show(shown: Any, include: Any = None, exclude: Any = None) -> Any:
        try:
            made = getattr(import_module(f"kit.widgets.{module}"), name)(shown)
        except KitError:
            return None
        return made._repr_mimebundle_(include=include, exclude=exclude)

    return show
