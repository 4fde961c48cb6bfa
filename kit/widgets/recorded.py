"""A `kit.trace.Recording` as a run, so that every view can show it.

It has no registers, and storage as it was when the recording was asked for. A step of the real
machine is a cycle, to which the VMM's work is added as the cost table has it.
"""

from __future__ import annotations

import secrets
from typing import Any

from kit.control.costs import cost_of
from kit.isa.causes import cause_name
from kit.trace.recording import KINDS, Event, Recording
from kit.widgets.events import GUEST, VMM, EventKind
from kit.widgets.film import NO_CAUSE, Film
from kit.widgets.run import Run

__all__ = ["RecordedRun"]

_EXITS = {
    "ecall": ("ecall", "reflect"),
    "trap": ("trap", "reflect"),
    "interrupt": ("interrupt", "interrupt"),
    "return": ("return", "emulate mret"),
    "emulate": ("emulate", "emulate csr"),
    "wait": ("wait", "emulate wfi"),
    "device": ("device", "device"),
    "page": ("page", "refill"),
    "cut page": ("cut", "cut page"),
    "turn": ("turn", "timer"),
    "stop": ("stop", "failure"),
}
"""What each kind of a recording's events is called here, and by the VMM."""
_LETTERS = {"U": 0, "S": 1, "M": 3}
_CAUSES = {cause_name(n | top): n | top >> 24 for top in (0, 1 << 31) for n in range(16)}


class RecordedRun(Run):
    """A run that shows what a recording holds."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.film = Film()
        self.id = f"run-{secrets.token_hex(4)}"
        self.title = ", ".join(recording.vms)
        self._known = (0, 0, 0, 0, 0)
        self._packed = None
        before = recording.events[0].step if recording.events else 0
        for event in recording.events:
            self._add(event, max(0, event.step - before))
            before = event.step
        for name in recording.vms:
            self._add_map(name)
        self.film.lost = recording.dropped

    def _add(self, event: Event, run: int) -> None:
        film = self.film
        id_, exit_ = _EXITS[event.kind]
        handler = GUEST if KINDS[event.kind][0] == "guest" else VMM
        kind = EventKind(id_, exit_, handler, cost_of(exit_), exit_ not in ("refill", "timer"))
        number = film.kinds.setdefault(kind, len(film.kinds))
        mode = _LETTERS[event.before] | _LETTERS[event.after] << 2
        text = film.string("event.plain", event.text or event.cause or KINDS[event.kind][1])
        cause = _CAUSES.get(event.cause, NO_CAUSE)
        t = film.end + run
        machine = self.names[event.vm]
        film.add((t, run, machine, number, mode, event.pc, text, 0, 0, 0, cause, 0))
        film.end = t + kind.cost

    def _add_map(self, name: str) -> None:
        """Storage of one machine, as the recording has it."""
        regions = [region for region in self.recording.regions if region.vm == name]
        frames = [frame for frame in self.recording.frames if frame.vm == name]
        storage = [
            [
                r.start,
                r.size,
                r.owner,
                _rights(r.rights),
                r.name if r.owner == "device" else r.owner,
            ]
            for r in sorted(regions, key=lambda region: region.start)
        ]
        guest = {"satp": 0, "paged": False, "mapped": [], "tables": [], "pmp": None}
        parts = self.film.parts
        parts += [guest | {"storage": storage}, [[f.start, f.real, f.size] for f in frames], []]
        at = len(parts)
        self.film.maps.append([0, self.names[name], at - 3, at - 2, at - 1])

    @property
    def names(self) -> dict[str, int]:
        """The numbers of the machines, by name."""
        return {name: number for number, name in enumerate(self.recording.vms)}

    def close(self) -> None:
        """Nothing is recorded any more."""

    def text(self, first: int = 0, count: int = 24) -> str:
        """The timeline of `count` events drawn with characters, one event a line."""
        return self.recording.text(first, count)

    def _machine_rows(self) -> list[dict[str, Any]]:
        sizes = {name: sum(f.size for f in self.recording.frames if f.vm == name)
                 for name in self.names}  # fmt: skip
        return [
            {
                "name": name, "virtual": True, "modes": "MSU", "base": 0x8000_0000,
                "memory": size, "steps": 0, "time": 0, "disk": 0, "hopper": 0, "pool": [],
            }
            for name, size in sizes.items()
        ]  # fmt: skip

    def _real(self) -> dict[str, int] | None:
        """As much of real storage as its frames show."""
        frames = self.recording.frames
        if not frames:
            return None
        return {"base": 0x8000_0000, "memory": max(f.real + f.size for f in frames) - 0x8000_0000}

    def _ends(self) -> list[list[Any]]:
        return []

    def _listings(self) -> list[dict[str, Any]]:
        return [{"rows": [], "source": {}} for _ in self.names]


def _rights(letters: str) -> str:
    """Such as "rw-"; nothing where nothing is allowed."""
    return letters if letters.strip("-") else ""
