"""A recorded run: what the VMM was called for, in which mode, and who owns which storage.

A `Recording` is plain data. Views are drawn from `Recording.to_json`; `Recording.text` draws the
timeline with characters, for terminals and for pages without JavaScript.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from kit.errors import KitError

__all__ = ["KINDS", "Event", "Frame", "Recording", "Region"]

KINDS: dict[str, tuple[str, str]] = {
    "ecall": ("guest", "a program's request for a service of its operating system"),
    "trap": ("guest", "an attempt at something that the guest's own rules forbid"),
    "interrupt": ("guest", "a device's request for attention"),
    "return": ("VMM", "the kernel's return to its program"),
    "emulate": ("VMM", "a privileged instruction"),
    "wait": ("VMM", "a wait for an interrupt"),
    "device": ("VMM", "an access to a device register"),
    "page": ("VMM", "the first use of a page that the VMM had not mapped yet"),
    "cut page": ("VMM", "an access to a page that a PMP boundary cuts"),
    "turn": ("VMM", "the end of the virtual machine's turn"),
    "stop": ("VMM", "a failure, after which the VMM does not run the guest any more"),
}
"""The kinds of events: who handles one (the guest's operating system, or the VMM), and a phrase."""

_MODES = ("U", "S", "M")


@dataclass(frozen=True, slots=True)
class Event:
    """One entry into the VMM, from the trap that caused it to the return to the guest.

    `step` counts the real machine's steps (an instruction completed or a trap taken), `time` the
    virtual machine's own. `kind` is a key of `KINDS`. `before` and `after` are the virtual modes
    ("M", "S" or "U") in which virtual machine `vm` was interrupted and goes on. `pc` is the virtual
    address of the instruction. `cause` says why hardware called the VMM, `text` what was done.
    """

    step: int
    vm: str
    kind: str
    before: str
    after: str
    pc: int = 0
    cause: str = ""
    text: str = ""
    time: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of event {self.kind!r}")
        if self.before not in _MODES or self.after not in _MODES:
            raise ValueError(f"virtual modes are M, S and U, not {self.before!r}, {self.after!r}")

    @property
    def handler(self) -> str:
        """Who handles it in the end: "guest" or "VMM"."""
        return KINDS[self.kind][0]


@dataclass(frozen=True, slots=True)
class Region:
    """A run of guest-physical storage of virtual machine `vm`, in bytes.

    `owner` is "kernel", "program", "device" or "free". `rights` are what the guest's own PMP allows
    its U-mode, such as "rw-", or empty where none are set.
    """

    vm: str
    name: str
    start: int
    size: int
    owner: str
    rights: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """A run of guest-physical storage, and the real address at which the allocator put it."""

    vm: str
    start: int
    size: int
    real: int


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded run. `events` are in order; `dropped` counts earlier ones that were not kept."""

    events: tuple[Event, ...] = ()
    regions: tuple[Region, ...] = ()
    frames: tuple[Frame, ...] = ()
    dropped: int = 0
    vms: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.vms:
            names = [
                item.vm for items in (self.events, self.regions, self.frames) for item in items
            ]
            object.__setattr__(self, "vms", tuple(dict.fromkeys(names)))

    def find(self, kind: str, start: int = 0) -> int:
        """The index of the first event of `kind`, from index `start` on.

        Raises `KitError` if there is none.
        """
        for index in range(start, len(self.events)):
            if self.events[index].kind == kind:
                return index
        raise KitError(f"the recording has no event of kind {kind!r} from event {start} on")

    def condensed(self) -> Recording:
        """The recording with one event for each run of device accesses and waits of one guest.

        The last of a run stands for it; its text says how many there were.
        """
        events: list[Event] = []
        merged = 1
        for event in self.events:
            if events and _is_idle(event) and _is_idle(events[-1]) and event.vm == events[-1].vm:
                merged += 1
                text = f"{merged} accesses to devices and waits, the last: {event.text}"
                events[-1] = replace(event, kind="device", text=text)
                continue
            merged = 1
            events.append(event)
        return replace(self, events=tuple(events))

    def to_json(self) -> dict[str, Any]:
        """The recording as data for a view.

        Events are rows of numbers, which keeps pages small: see ``columns``. The strings they
        refer to stand in ``strings``.
        """
        strings: dict[str, int] = {}

        def number(text: str) -> int:
            return strings.setdefault(text, len(strings))

        rows = [
            [
                e.step, self.vms.index(e.vm), number(e.kind), _MODES.index(e.before),
                _MODES.index(e.after), e.pc, number(e.cause), number(e.text), e.time,
            ]
            for e in self.events
        ]  # fmt: skip
        return {
            "version": 1,
            "vms": list(self.vms),
            "kinds": {kind: list(row) for kind, row in KINDS.items()},
            "modes": list(_MODES),
            "columns": "step vm kind before after pc cause text time".split(),
            "events": rows,
            "strings": list(strings),
            "regions": [asdict(region) for region in self.regions],
            "frames": [asdict(frame) for frame in self.frames],
            "dropped": self.dropped,
        }

    def text(self, first: int = 0, count: int = 24) -> str:
        """The timeline of `count` events drawn with characters, one event a line."""
        if not self.events:
            return "No events were recorded."
        shown = self.events[first : first + count]
        lines = [f"{'step':>12}  {'VM':<8} user kernel VMM  what happens"]
        lines += [_line(event) for event in shown]
        more = len(self.events) - first - len(shown)
        if more > 0:
            lines.append(f"… and {more:,} more events")
        return "\n".join(lines)


def _is_idle(event: Event) -> bool:
    """Is it one of the many events by which a kernel works its devices?"""
    return event.kind in ("device", "wait") and event.before == event.after


def _line(event: Event) -> str:
    """One event: ``o`` where the VM was interrupted, ``>`` where it goes on, ``@`` where both."""
    begin, end = (0 if mode == "U" else 1 for mode in (event.before, event.after))
    lanes = ["·", "·"]
    lanes[begin] = "o"
    lanes[end] = "@" if begin == end else ">"
    what = event.text or event.cause or KINDS[event.kind][1]
    where = f"{event.step:>12,}  {event.vm:<8.8}"
    return f"{where}  {lanes[0]}     {lanes[1]}     #   {event.kind}: {what}"
