"""All views of a run in one: the timeline on top, and one of the others beneath it."""

from __future__ import annotations

from typing import ClassVar

from kit.widgets.view import View

__all__ = ["Overview"]


class Overview(View):
    """The timeline with the machine room, the panel, the memory map, the devices and the charts.

    The option `parts` says which of these there are ("machine_room", "panel", "memory_map",
    "devices", "charts"), `part` which of them is open first; ``near=True`` begins with the events
    around the moment.
    """

    module: ClassVar[str] = "overview"
    prefixes: ClassVar[tuple[str, ...]] = (
        *View.prefixes,
        *("timeline", "panel", "memory_map", "devices", "machine_room", "charts", "room", "owner"),
        *("walk", "shadow", "pmp", "change", "map"),
    )
