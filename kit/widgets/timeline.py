"""The trap timeline: who executes at each moment, and every trap as an arrow."""

from __future__ import annotations

from typing import ClassVar

from kit.widgets.view import View

__all__ = ["Timeline"]


class Timeline(View):
    """Swim-lanes of a run: programs and kernels of each machine, and the VMM.

    The option ``near=True`` begins with the events around the moment, and not with the whole run.
    """

    module: ClassVar[str] = "timeline"
