"""Recordings in files: where a run began, and everything that came in from outside.

That is all it takes to make the run again, step for step, on either engine and on any computer. At
the end of the file is a check sum of the state that the run came to.

A file is a line that says what it is, the CRC-32 and the compressed bytes of: the length of a JSON
text (4 bytes, little-endian), that text, and the saved state of each machine.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.control.vmm import VMM
from kit.devices.channel import Channel
from kit.devices.disk_image import SECTOR, DiskImage
from kit.errors import KitError
from kit.files import read_bounded, replace_file
from kit.machine.computer import Computer
from kit.machine.machine import Machine
from kit.trace.history import History, Input, Run
from kit.trace.snapshot import RECORDS, Journal, take_picture
from kit.trace.tape_check import check_tape
from kit.vmm.shadow import POOL

__all__ = ["Tape", "record_to"]

_NAME, _VERSION = b"vmm-kit recording ", b"2\n"
_HEADER = _NAME + _VERSION
_LIMIT = 1 << 30
"""Bytes of a file, packed and unpacked, at most."""
_SPARE = 1 << 20
"""Bytes of real storage for the VMM beyond its guests' and their tables."""


def record_to(path: str | Path, history: History) -> None:
    """Writes what has been recorded so far to a file. Raises `KitError`.

    The machines go to where history began, and come back.
    """
    tape = Tape.of(history)
    replace_file(path, tape.packed())


@dataclass
class Tape:
    """A recorded run: how its `machines` were built, their saved `states`, the `log` and the `end`.

    `answers` are the decks that readers asked for, `lines` what is known of each program's source.
    `end` has the number of steps, and the check sum.
    """

    machines: dict[str, dict[str, Any]]
    states: dict[str, bytes]
    log: list[Run | Input]
    answers: dict[str, list[bytes]]
    lines: dict[str, list[Any]]
    end: dict[str, Any]

    @classmethod
    def of(cls, history: History) -> Tape:
        """What a history has recorded, from its beginning to the farthest place."""
        with _disks_in_memory(history), history.excursion():
            history.go(history.end)
            end = {"place": history.place, "state": _digest(history.computers)}
            history.rewind()
            states = {name: computer.save() for name, computer in history.computers.items()}
        return cls(
            machines={name: _built(c, history) for name, c in history.computers.items()},
            states=states,
            log=list(history.log),
            answers=history.answers,
            lines={name: _lines(computer) for name, computer in history.computers.items()},
            end=end,
        )

    def packed(self) -> bytes:
        """It all as bytes."""
        rows: list[list[Any]] = []
        for entry in self.log:
            if isinstance(entry, Run):
                rows.append([entry.who, entry.steps, entry.time])
            else:
                rows.append([entry.who, entry.what, entry.data.hex()])
        words = {
            "machines": self.machines,
            "sizes": {name: len(state) for name, state in self.states.items()},
            "log": rows,
            "answers": {n: [data.hex() for data in all_] for n, all_ in self.answers.items()},
            "lines": self.lines,
            "end": self.end,
        }
        text = json.dumps(words).encode()
        body = b"".join([len(text).to_bytes(4, "little"), text, *self.states.values()])
        packed = zlib.compress(body, 9)
        return _HEADER + zlib.crc32(packed).to_bytes(4, "little") + packed

    @classmethod
    def load(cls, path: str | Path) -> Tape:
        """Reads a file. Raises `KitError` where it is damaged, or something else."""
        try:
            with open(path, "rb") as file:
                data = read_bounded(file, str(path), _LIMIT)
        except OSError as error:
            raise KitError(f"{path}: cannot read the recording: {error.strerror}") from None
        if not data.startswith(_NAME):
            raise KitError(f"{path}: this is no recording; `kit run --record FILE` makes one")
        if not data.startswith(_HEADER):
            raise KitError(f"{path}: this recording was made by another version of the kit")
        packed = data[len(_HEADER) + 4 :]
        if data[len(_HEADER) : len(_HEADER) + 4] != zlib.crc32(packed).to_bytes(4, "little"):
            raise KitError(f"{path}: this recording is damaged, or not all of it is there")
        try:
            return cls._unpacked(zlib.decompressobj().decompress(packed, _LIMIT))
        except (ValueError, RecursionError, zlib.error):
            raise KitError(f"{path}: the recording is whole, but makes no sense") from None

    @classmethod
    def _unpacked(cls, body: bytes) -> Tape:
        at = 4 + int.from_bytes(body[:4], "little")
        words = json.loads(body[4:at])
        check_tape(words, len(body))
        states = {}
        for name, size in words["sizes"].items():
            states[name] = body[at : at + size]
            at += size
        log: list[Run | Input] = []
        for who, what, value in words["log"]:
            if isinstance(what, int):
                log.append(Run(who, what, int(value)))
            else:
                log.append(Input(who, str(what), bytes.fromhex(value)))
        answers = {n: [bytes.fromhex(a) for a in all_] for n, all_ in words["answers"].items()}
        return cls(words["machines"], states, log, answers, words["lines"], words["end"])

    # -- playing it --------------------------------------------------------------------------

    def play(
        self,
        engine: str = "auto",
        vm: bool = False,
        listeners: Callable[[str], dict[str, Any]] = lambda name: {},
    ) -> History:
        """The machines at the beginning of the run, with its history before them.

        A machine that was recorded alone, bare or virtual, is played bare, or with `vm` in a
        virtual machine. `listeners` gives, for each machine's name, its ``console`` and ``paper``
        (see `Computer`). `History.go` goes anywhere from there. Raises `KitError`.
        """
        if list(self.machines) == [""]:
            alone = self._alone(engine, vm, listeners(""))
            system: Computer | VMM = alone
            computers: dict[str, Computer] = {"": alone}
        else:
            system = room = self._room(engine, listeners)
            computers = dict(room.machines)
        for name, computer in computers.items():
            computer.restore(self.states[name])
            image = computer.image
            if image is not None:
                image.lines = {address: (file, line) for address, file, line in self.lines[name]}
            for device, count in self.machines[name]["kept"].items():
                if device in computer.devices:
                    computer.devices[device].kept = count  # type: ignore[attr-defined]
        history = History(system)
        history.put_log(self.log, self.answers)
        return history

    def _alone(self, engine: str, vm: bool, listeners: dict[str, Any]) -> Computer:
        built = self.machines[""]
        devices = _devices(built) | listeners
        if not vm:
            return Machine(
                built["isa"], built["modes"], built["pmp"], built["memory"], built["ad"],
                engine, built.get("holes", []), **devices,
            )  # fmt: skip
        return _vmm([built], engine).create("vm", **_guest(built), **devices)

    def _room(self, engine: str, listeners: Callable[[str], dict[str, Any]]) -> VMM:
        vmm = _vmm(list(self.machines.values()), engine)
        for name, built in self.machines.items():
            vmm.create(name, **_guest(built), **_devices(built), **listeners(name))
        for name, built in self.machines.items():
            other = built["joined"]
            if other and vmm.machines[name].channel.other is None:
                Channel.join(vmm.machines[name].channel, vmm.machines[other].channel)
        return vmm

    def verify(self, history: History) -> None:
        """Goes to the end of the run. Raises `KitError` if the state there is not as recorded."""
        history.go(self.end["place"])
        if _digest(history.computers) != self.end["state"]:
            raise KitError("replay: the run came to another state than the recorded one")

    def replay(self, engine: str = "auto", vm: bool = False) -> History:
        """Plays it to the end, and checks the state there. Raises `KitError`."""
        history = self.play(engine, vm)
        self.verify(history)
        return history


@contextmanager
def _disks_in_memory(history: History) -> Iterator[None]:
    """While this lasts, going back changes no disk's file: what if the program ended just then?"""
    journals = [c.disk.image for c in history.computers.values() if c.disk is not None]
    files = [(one, one.inner) for one in journals if isinstance(one, Journal)]
    for journal, _ in files:
        journal.inner = DiskImage(b"".join(journal.pieces()))
    try:
        yield
    finally:
        for journal, inner in files:
            journal.inner = inner


def _digest(computers: dict[str, Computer]) -> str:
    found = hashlib.sha256()
    for name, computer in computers.items():
        found.update(f"{name} {take_picture(computer).digest()}\n".encode())
    return found.hexdigest()


def _built(computer: Computer, history: History) -> dict[str, Any]:
    """How to build a machine like this one."""
    config = computer.config
    built: dict[str, Any] = {
        "isa": config.isa, "modes": config.modes, "pmp": config.pmp, "ad": config.ad,
        "holes": list(config.holes), "memory": computer.memory, "disk": None, "legacy": True,
        "channel": False, "joined": "",
    }  # fmt: skip
    built["kept"] = {
        name: computer.devices[name].kept  # type: ignore[attr-defined]
        for name in RECORDS
        if name in computer.devices
    }
    disk = computer.disk
    if disk is not None:
        built |= {"disk": [disk.image.sectors, disk.image.read_only], "legacy": disk.legacy}
    else:
        built["legacy"] = getattr(computer.devices["virtio0"], "legacy", True)
    channel = computer.devices.get("channel")
    if isinstance(channel, Channel):
        others = history.computers.items()
        built["channel"] = True
        built["joined"] = next(
            (n for n, c in others if c.devices.get("channel") is channel.other), ""
        )
    return built


def _devices(built: dict[str, Any]) -> dict[str, Any]:
    devices = {"legacy_virtio": built["legacy"], "channel": built["channel"]}
    if built["disk"] is not None:
        sectors, read_only = built["disk"]
        devices["disk"] = DiskImage(bytes(sectors * SECTOR), read_only=read_only)
    return devices


def _guest(built: dict[str, Any]) -> dict[str, Any]:
    return {name: built[name] for name in ("memory", "modes", "pmp")}


def _vmm(guests: list[dict[str, Any]], engine: str) -> VMM:
    memory = _SPARE + sum(built["memory"] + 4096 * POOL for built in guests)
    first = guests[0]
    holes = first.get("holes", [])
    return VMM(Machine(first["isa"], "MSU", 16, memory, first["ad"], engine, holes))


def _lines(computer: Computer) -> list[Any]:
    from kit.machine.names import names_of

    return [[address, file, line] for address, (file, line) in names_of(computer).lines.items()]
