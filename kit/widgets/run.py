"""A recorded run: the document that every view is drawn from.

`Run.to_json` is the whole document; `Run.part` is what was added since, for views of a machine that
goes on. Binary columns are bytes, which travel as they are to Jupyter and as base64 into pages.
"""

from __future__ import annotations

import secrets
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any

from kit.control.virtual_machine import VirtualMachine
from kit.control.vmm import VMM
from kit.errors import KitError
from kit.isa.causes import cause_name
from kit.isa.csr import CSRS, NUMBERS
from kit.isa.registers import ABI_NAMES
from kit.machine.computer import Computer
from kit.messages import message
from kit.widgets.events import VMM as BY_VMM
from kit.widgets.film import COLUMNS, CSR_WORDS
from kit.widgets.listing import code_rows, listing
from kit.widgets.maps import pool_of
from kit.widgets.packing import pack, pack_json, pack_words
from kit.widgets.recorder import Recorder

__all__ = ["FORMAT", "Run", "record"]

FORMAT = 2
"""Version of the document."""
_LETTERS = "US?M"
_INTERRUPT = 1 << 31


def record(system: Computer | VMM, title: str = "", exact: bool = True, **limits: int) -> Run:
    """Records a machine, or all virtual machines of a VMM, from now on.

    The run is its own context, too: ``with record(vmm) as run: vmm.run()``. `limits` and
    `exact` are those of `kit.widgets.recorder.Recorder`. Everything that was recorded so far can be
    looked at meanwhile.
    """
    return Run(Recorder(system, exact=exact, **limits), title)


class Run:
    """A recorded run. Its views are in `kit.widgets`; as a cell's value it shows the overview."""

    def __init__(self, recorder: Recorder, title: str = "") -> None:
        self.recorder = recorder
        self.film = recorder.film
        self.id = f"run-{secrets.token_hex(4)}"
        self.title = title or ", ".join(self.names)
        self._known: tuple[int, ...] = (0, 0, 0, 0, 0)
        self._packed: tuple[tuple[int, ...], dict[str, Any]] | None = None

    @property
    def names(self) -> dict[str, int]:
        """The numbers of the machines in the film, by name."""
        return self.recorder._names

    @property
    def machines(self) -> dict[str, Computer]:
        """The machines that were recorded, by name."""
        return {name: self.recorder.machines[n] for name, n in self.names.items()}

    def close(self) -> None:
        """Records no more."""
        self.recorder.close()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self.film)

    # -- looking for moments -----------------------------------------------------------------

    def find(self, kind: str, start: int = 0, vm: str | None = None) -> int:
        """The number of the first event of `kind`, such as "trap", from number `start` on.

        Raises `KitError` if there is none.
        """
        wanted = {n for k, n in self.film.kinds.items() if kind in (k.id, k.name)}
        machine = None if vm is None else self.names.get(vm, -1)
        kinds, machines = self.film.columns["kind"], self.film.columns["vm"]
        for index in range(start, len(kinds)):
            if kinds[index] in wanted and machine in (None, machines[index]):
                return index
        raise KitError(f"the run has no event of kind {kind!r} from event {start} on")

    def moment(self, event: int) -> int:
        """The clock of the run when an event begins; events count from 0, or from -1 at the end.

        Raises `KitError` where there is no such event.
        """
        times = self.film.columns["t"]
        if not -len(times) <= event < len(times):
            raise KitError(f"there is no event {event}; the run has {len(times)}")
        return int(times[event])

    def machine_of(self, event: int) -> int:
        """The number of the machine that an event is of."""
        return int(self.film.columns["vm"][event])

    def moment_of(self, machine: Computer) -> int:
        """The clock of the run where a machine is now, as far as its own steps tell."""
        return self.recorder.moment_of(machine)

    # -- the document ------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """The whole run, for a view."""
        if self._packed is None or self._packed[0] != (*self._counts(), self.film.end):
            rows = self._rows(0, 0, 0, 0, 0) | {"listing": pack_json(self._listings())}
            self._packed = (*self._counts(), self.film.end), rows
        return self._header() | self._packed[1]

    def part(self) -> dict[str, Any]:
        """What was recorded since `part` was called the last time."""
        known = tuple(min(one, now) for one, now in zip(self._known, self._counts(), strict=True))
        rows = self._header() | self._rows(*known)
        self._known = self._counts()
        return rows

    def _counts(self) -> tuple[int, ...]:
        film = self.film
        known = film, film.strings, film.parts, film.outputs, film.codes
        return tuple(len(one) for one in known)

    def _header(self) -> dict[str, Any]:
        return {
            "version": FORMAT,
            "id": self.id,
            "title": self.title,
            "machines": self._machine_rows(),
            "kinds": [
                {"id": k.id, "name": k.name, "handler": k.handler, "cost": k.cost, "step": k.step}
                for k in self.film.kinds
            ],
            "causes": _causes(),
            "registers": list(ABI_NAMES[1:]),
            "csrs": [_csr(name) for name in CSR_WORDS],
            "real": self._real(),
            "end": self.film.end,
            "lost": self.film.lost,
            "ends": self._ends(),
        }

    def _machine_rows(self) -> list[dict[str, Any]]:
        rows = zip(self.names.items(), self.recorder.machines, strict=True)
        return [self._machine(name, number, machine) for (name, number), machine in rows]

    def _machine(self, name: str, number: int, machine: Computer) -> dict[str, Any]:
        steps, time = self.recorder.bases[number]
        virtual = isinstance(machine, VirtualMachine)
        base, size = machine.ram
        disk = machine.disk.image.sectors if machine.disk is not None else 0
        return {
            "name": name, "virtual": virtual, "modes": machine.config.modes, "base": base,
            "memory": size, "steps": steps, "time": time, "disk": disk,
            "hopper": len(machine.reader.hopper) if "reader" in machine.devices else 0,
            "initial": self.recorder.initial[number],
            "pool": pool_of(machine) if isinstance(machine, VirtualMachine) else [],
        }  # fmt: skip

    def _real(self) -> dict[str, int] | None:
        """The storage of the machine beneath, if the run is one of virtual machines."""
        for machine in self.recorder.machines:
            if isinstance(machine, VirtualMachine):
                base, size = machine.kernel.machine.ram
                return {"base": base, "memory": size}
        return None

    def _ends(self) -> list[list[Any]]:
        """Which machines have ended, when and how: [clock of the run, machine, reason, code]."""
        rows = []
        for number, machine in enumerate(self.recorder.machines):
            result = machine.finisher.result if "finisher" in machine.devices else None
            failure = getattr(machine, "failure", "")
            at = self.recorder.last_event(number)
            if failure:
                rows.append([at, number, "failed", failure])
            elif result is not None:
                rows.append([at, number, "halted", result.code])
        return rows

    def _rows(
        self, first: int, strings: int, parts: int, outputs: int, codes: int
    ) -> dict[str, Any]:
        film = self.film
        frames = sorted(number for number in film.frames if number >= first)
        return {
            "first": first,
            "count": len(film),
            "columns": {
                name: pack(film.columns[name][first:], delta=name == "t") for name in COLUMNS
            },
            "codes": pack_json([code_rows(*key) for key in list(film.codes)[codes:]]),
            "firstCode": codes,
            "strings": [list(key) for key in list(film.strings)[strings:]],
            "firstString": strings,
            "frameEvents": pack(frames, delta=True),
            "frames": pack_words(list(self._changes(frames))),
            "frameWords": 32 + len(CSR_WORDS),
            "parts": pack_json(film.parts[parts:]),
            "firstPart": parts,
            "maps": pack_json(film.maps),  # all of them: older ones may have become fewer
            "firstMap": 0,
            "outputs": pack_json(film.outputs[outputs:]),
            "firstOutput": outputs,
        }

    def _changes(self, frames: list[int]) -> Iterator[Any]:
        """Each frame with what its machine's frame before had taken out: mostly zeros."""
        before: dict[int, Any] = {}
        machines = self.film.columns["vm"]
        for event in frames:
            frame, machine = self.film.frames[event], machines[event]
            known = before.get(machine)
            before[machine] = frame
            if known is None:
                yield frame
            else:
                words = zip(frame, known, strict=True)
                yield type(frame)("I", (one ^ other for one, other in words))

    def _listings(self) -> list[dict[str, Any]]:
        """The program of each machine around the places of its events."""
        places: list[set[int]] = [set() for _ in self.recorder.machines]
        for number, pc in zip(self.film.columns["vm"], self.film.columns["pc"], strict=True):
            places[number].add(pc)
        for event, frame in self.film.frames.items():
            places[self.film.columns["vm"][event]].add(frame[31])
        return [
            listing(machine, list(here)[:1500])
            for machine, here in zip(self.recorder.machines, places, strict=True)
        ]

    # -- without JavaScript ------------------------------------------------------------------

    def text(self, first: int = 0, count: int = 24) -> str:
        """The timeline of `count` events drawn with characters, one event a line."""
        film = self.film
        if not len(film):
            return "No events were recorded."
        lines = [f"{'cycles':>14}  {'machine':<8} user kernel VMM  what happens"]
        lines += [self._line(event) for event in range(first, min(len(film), first + count))]
        more = len(film) - first - count
        if more > 0:
            lines.append(f"… and {more:,} more events")
        return "\n".join(lines)

    def _line(self, event: int) -> str:
        row = {name: column[event] for name, column in self.film.columns.items()}
        kind = list(self.film.kinds)[row["kind"]]
        begin, end = (0 if not row["mode"] >> at & 3 else 1 for at in (0, 2))
        lanes = ["·", "·"]
        lanes[begin] = "o"
        lanes[end] = "@" if begin == end else ">"
        visit = "#" if kind.cost else " "
        name = list(self.names)[row["vm"]]
        where = f"{row['t']:>14,}  {name:<8.8}"
        return f"{where}  {lanes[0]}     {lanes[1]}     {visit}   {self.words(event)}"

    def words(self, event: int, language: str = "en") -> str:
        """What an event was, in a few words."""
        columns = self.film.columns
        id_, argument = list(self.film.strings)[columns["text"][event]]
        if id_ in ("event.trap", "event.interrupt"):
            argument = cause_name(int(argument))
        kind = list(self.film.kinds)[columns["kind"][event]]
        text = message(
            id_, language, it=argument, value=f"{columns['value'][event]:#010x}",
            data=f"{columns['data'][event]:#x}",
        )  # fmt: skip
        return f"{message(f'kind.{kind.id}', language)}: {text}"

    def around(self, moment: int) -> int:
        """The number of the event that is under way at a moment, or was the last one before."""
        return max(0, bisect_right(self.film.columns["t"], moment) - 1)

    def between(self, first: int, last: int) -> range:
        """The numbers of the events that begin from one moment up to another."""
        times = self.film.columns["t"]
        return range(bisect_left(times, first), bisect_right(times, last))

    def by_vmm(self) -> bool:
        """Is it a run of virtual machines?"""
        return any(kind.handler == BY_VMM for kind in self.film.kinds)


def _causes() -> dict[str, str]:
    numbers = [*range(16), *(_INTERRUPT | n for n in range(12))]
    return {str(n): cause_name(n) for n in numbers}


def _csr(name: str) -> dict[str, Any]:
    row = CSRS[NUMBERS[name]]
    fields = [[f.name, f.high, f.low] for f in row.fields]
    return {"name": name, "text": row.description, "fields": fields}
