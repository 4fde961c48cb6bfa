"""What a machine room consists of, as its operator writes it down in a TOML file.

    [room]
    policy = "shares"
    spool = "spool"

    [vm.batch]
    image = "guests/batch"
    memory = "1M"
    reader = "monday.deck"
    printer = "paper.txt"
    share = 3

`docs/reference/room.md` lists all keys. Files are looked for beside the TOML file. Every mistake is
a `KitError` of one line that names the file and the key.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.control.paging import POLICIES as PAGING
from kit.control.policies import POLICIES, QUANTUM, Policy, Preferred, Priority, RoundRobin, Shares
from kit.errors import KitError
from kit.machine.computer import memory_size

__all__ = ["OUTPUTS", "MachinePlan", "RoomPlan", "read_room"]

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}")
EVERYBODY = "all"
LARGEST = 1 << 40
OUTPUTS = ("printer", "punch", "console")
"""Keys of a machine that name files to be written."""
DEDICATED = ("reader", "printer", "punch", "uart", "disk")
"""Devices of the real machine that one virtual machine can have for itself."""


@dataclass(frozen=True)
class MachinePlan:
    """One virtual machine: `memory` in bytes, `priority` and `share` for the policy.

    With `backing` (a file, or "memory") its pages leave storage when it is short, as `paging` says;
    `fixed` storage lies at the same real addresses.
    `disk` is written to, unless `overlay` is there (a file, or "memory"), which then takes what is
    written. `printer`, `punch` and `console` are files for what comes out; `input` is typed at its
    console from the start. `dedicated` are devices of the real machine, by name, that it gets for
    itself. With `start` = False it waits for its operator.
    """

    name: str
    image: Path
    memory: int = 4 << 20
    modes: str = "MSU"
    pmp: int = 16
    initrd: Path | None = None
    append: str = ""
    reader: Path | None = None
    fixed: bool = False
    backing: Path | str | None = None
    paging: str = "fifo"
    disk: Path | None = None
    overlay: Path | str | None = None
    legacy_virtio: bool = True
    printer: Path | None = None
    punch: Path | None = None
    console: Path | None = None
    input: Path | None = None
    priority: int = 0
    share: int = 1
    start: bool = True
    dedicated: tuple[str, ...] = ()


@dataclass(frozen=True)
class RoomPlan:
    """A room: its machines, the storage of the real machine in bytes (0: what they need), and how
    they share it. `budget` is in steps for each virtual machine; `channels` are pairs of names."""

    file: Path
    machines: tuple[MachinePlan, ...]
    memory: int = 0
    isa: str = "rv32imac"
    ad: str = "update"
    policy: str = "round-robin"
    quantum: int = QUANTUM
    preferred: str = ""
    percent: int = 100
    budget: int | None = None
    spool: Path | None = None
    console: Path | None = None
    channels: tuple[tuple[str, str], ...] = ()

    def make_policy(self) -> Policy:
        """A fresh policy, as planned. Raises `KitError` where its numbers make no sense."""
        if self.policy == "priority":
            return Priority({plan.name: plan.priority for plan in self.machines}, self.quantum)
        if self.policy == "shares":
            return Shares({plan.name: plan.share for plan in self.machines}, self.quantum)
        if self.policy == "preferred":
            return Preferred(self.preferred, self.percent, self.quantum)
        return RoundRobin(self.quantum)


Reading = Callable[[Any, Path], Any]
"""From a value and the folder of its file to what it means; ValueError says what was expected."""


def _text(value: Any, _: Path) -> str:
    if not isinstance(value, str):
        raise ValueError("expected a text")
    return value


def _path(value: Any, folder: Path) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("expected the name of a file")
    return folder / value


def _image(value: Any, folder: Path) -> Path:
    """A file beside the plan, or one of the kit's own guests."""
    path = _path(value, folder)
    own = Path(value)
    return own if not path.exists() and own.parts[:1] == ("guests",) else path


def _memory_or_path(value: Any, folder: Path) -> Path | str:
    return "memory" if value == "memory" else _path(value, folder)


def _flag(value: Any, _: Path) -> bool:
    if not isinstance(value, bool):
        raise ValueError("expected true or false")
    return value


def _size(value: Any, _: Path) -> int:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise ValueError("expected a size such as 16M or 512K")
    size = memory_size(value)
    if size > LARGEST:
        raise ValueError(f"more than {LARGEST} bytes")
    return size


def _number(least: int, most: int = LARGEST) -> Reading:
    def read(value: Any, _: Path) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"expected a whole number from {least} to {most}")
        return value

    return read


def _choice(*choices: str | int) -> Reading:
    def read(value: Any, _: Path) -> str | int:
        if isinstance(value, bool) or value not in choices:
            raise ValueError("expected " + " or ".join(map(str, choices)))
        return value  # type: ignore[no-any-return]

    return read


def _pairs(value: Any, _: Path) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list) or not all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(n, str) for n in pair)
        for pair in value
    ):
        raise ValueError("expected a list of pairs of names")
    return tuple((one, other) for one, other in value)


def _devices(value: Any, _: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(name in DEDICATED for name in value):
        raise ValueError("expected a list of devices: " + ", ".join(DEDICATED))
    return tuple(dict.fromkeys(value))


ROOM_KEYS: dict[str, Reading] = {
    "memory": _size,
    "isa": _text,
    "ad": _choice("update", "fault"),
    "policy": _choice(*POLICIES),
    "quantum": _number(1),
    "preferred": _text,
    "percent": _number(1, 100),
    "budget": _number(1),
    "spool": _path,
    "console": _path,
    "channels": _pairs,
}

MACHINE_KEYS: dict[str, Reading] = {
    "image": _image,
    "memory": _size,
    "modes": _choice("M", "MU", "MSU"),
    "pmp": _choice(0, 16),
    "initrd": _path,
    "append": _text,
    "reader": _path,
    "fixed": _flag,
    "backing": _memory_or_path,
    "paging": _choice(*PAGING),
    "disk": _path,
    "overlay": _memory_or_path,
    "legacy_virtio": _flag,
    "printer": _path,
    "punch": _path,
    "console": _path,
    "input": _path,
    "priority": _number(-LARGEST),
    "share": _number(1),
    "start": _flag,
    "dedicated": _devices,
}


def read_room(path: str | Path) -> RoomPlan:
    """The plan in a TOML file. Raises `KitError` naming the file and the key that is wrong."""
    file = Path(path)
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise KitError(f"{path}: cannot read the room: {error.strerror}") from None
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise KitError(f"{path}: no room in TOML: {' '.join(str(error).split())}") from None
    _known(document, ("room", "vm"), f"{path}:")
    settings = _section(document.get("room", {}), ROOM_KEYS, f"{path}: room", file.parent)
    machines = document.get("vm", {})
    if not isinstance(machines, dict) or not machines:
        raise KitError(f"{path}: vm: expected at least one virtual machine, as in [vm.batch]")
    plans = tuple(_machine(name, table, file) for name, table in machines.items())
    plan = RoomPlan(file, plans, **settings)
    _check(plan)
    return plan


def _machine(name: str, table: Any, file: Path) -> MachinePlan:
    where = f"{file}: vm.{_shown(name)}"
    if not NAME.fullmatch(name) or name == EVERYBODY:
        raise KitError(f"{where}: a name has letters, digits and _ . -, and is not {EVERYBODY!r}")
    settings = _section(table, MACHINE_KEYS, where, file.parent)
    if "image" not in settings:
        raise KitError(f"{where}.image: is missing; it names what the machine is to run")
    if settings.get("fixed") and "backing" in settings:
        raise KitError(f"{where}.backing: fixed storage has no use for it; leave one of them out")
    if "overlay" in settings and "disk" not in settings:
        raise KitError(f"{where}.overlay: needs a disk to lie over")
    if "disk" in settings.get("dedicated", ()) and "disk" not in settings:
        raise KitError(f"{where}.disk: is missing; it is the image of the dedicated disk")
    return MachinePlan(name, **settings)


def _section(table: Any, keys: Mapping[str, Reading], where: str, folder: Path) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise KitError(f"{where}: expected a table")
    _known(table, keys, f"{where}.")
    settings = {}
    for key, value in table.items():
        try:
            settings[key] = keys[key](value, folder)
        except (ValueError, OSError, KitError) as error:
            raise KitError(f"{where}.{key}: {error}; it is {_shown(value)}") from None
    return settings


def _known(table: Mapping[str, Any], keys: Mapping[str, Any] | tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in keys:
            space = "" if where.endswith(".") else " "
            raise KitError(
                f"{where}{space}{_shown(key)}: there is no such key; expected {', '.join(keys)}"
            )


def _check(plan: RoomPlan) -> None:
    """What only the whole plan shows: names that are not there, files that are written twice."""
    names = [machine.name for machine in plan.machines]
    if plan.policy == "preferred" and plan.preferred not in names:
        raise KitError(f"{plan.file}: room.preferred: expected one of {', '.join(names)}")
    joined = [name for pair in plan.channels for name in pair]
    for name in joined:
        if name not in names or joined.count(name) > 1:
            wrong = "has two channels" if name in names else "is no virtual machine"
            raise KitError(f"{plan.file}: room.channels: {_shown(name)} {wrong}")
    given = [device for machine in plan.machines for device in machine.dedicated]
    for device in given:
        if given.count(device) > 1:
            raise KitError(f"{plan.file}: the real machine has one {device}; dedicate it once")
    written: dict[str, str] = {}
    for machine in plan.machines:
        shared = () if machine.overlay is not None else ("disk",)
        for key in (*OUTPUTS, *shared, "overlay", "backing"):
            _claim(written, getattr(machine, key), f"vm.{machine.name}.{key}", plan.file)


def _claim(written: dict[str, str], path: Path | str | None, key: str, file: Path) -> None:
    if not isinstance(path, Path):
        return
    other = written.setdefault(os.path.normcase(os.path.abspath(path)), key)
    if other != key:
        raise KitError(f"{file}: {key}: {path} is what {other} writes already; use another file")


def _shown(value: Any) -> str:
    """A value as a short, printable text."""
    text = repr(value) if not isinstance(value, str) else value
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= 40 else text[:37] + "..."
