"""The machine room: all machines with their state, their share of the time, and their output."""

from __future__ import annotations

from typing import ClassVar

from kit.control.vmm import VMM
from kit.widgets.view import View

__all__ = ["MachineRoom"]


class MachineRoom(View):
    """Every machine of a run at the moment. Of a VMM that was given, and not a run, machines can be
    run, stopped and started one by one."""

    module: ClassVar[str] = "machine_room"
    prefixes: ClassVar[tuple[str, ...]] = (*View.prefixes, "room", "panel", "devices")

    def text(self) -> str:
        """The report on what the machines have cost, if a VMM runs them."""
        system = self.recorded.recorder.system
        if not isinstance(system, VMM):
            return super().text()
        return system.report().text()
