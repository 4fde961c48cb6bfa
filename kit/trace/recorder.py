"""The recorder: keeps the latest events of a run in bounded storage.

A VMM without a recorder pays one test of an attribute for each event. The kernel does not import
this module; it calls whatever object stands in its attribute ``recorder``.
"""

from __future__ import annotations

from collections import deque

from kit.trace.recording import Event, Frame, Recording, Region

__all__ = ["Recorder"]


class Recorder:
    """Keeps the latest `capacity` events, and the regions and frames it was last told of."""

    def __init__(self, capacity: int = 4000) -> None:
        if capacity < 1:
            raise ValueError("a recorder keeps at least one event")
        self._events: deque[Event] = deque(maxlen=capacity)
        self._regions: dict[str, tuple[Region, ...]] = {}
        self._frames: dict[str, tuple[Frame, ...]] = {}
        self._vms: dict[str, None] = {}
        self.seen = 0
        """Events so far, the forgotten ones included."""

    def event(
        self,
        kind: str,
        *,
        step: int,
        vm: str,
        before: str,
        after: str,
        pc: int = 0,
        cause: str = "",
        text: str = "",
        time: int = 0,
        cycles: int = 0,
    ) -> None:
        """Keeps one event; the arguments are those of `Event`."""
        self._vms.setdefault(vm)
        self._events.append(Event(step, vm, kind, before, after, pc, cause, text, time, cycles))
        self.seen += 1

    def storage(
        self, vm: str, regions: tuple[Region, ...] = (), frames: tuple[Frame, ...] = ()
    ) -> None:
        """Notes how the storage of `vm` is divided now; the latest note is the one that counts."""
        self._vms.setdefault(vm)
        self._regions[vm], self._frames[vm] = regions, frames

    def recording(self) -> Recording:
        """What has been kept so far."""
        return Recording(
            events=tuple(self._events),
            regions=tuple(region for rows in self._regions.values() for region in rows),
            frames=tuple(frame for rows in self._frames.values() for frame in rows),
            dropped=self.seen - len(self._events),
            vms=tuple(self._vms),
        )
