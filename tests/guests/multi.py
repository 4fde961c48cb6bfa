"""What tests of the multiprogramming kernel share: its stages, bare and in a virtual machine."""

from __future__ import annotations

import bisect
import functools
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kit import VMM, Machine
from kit.devices.clint import MTIME
from kit.devices.disk_image import DiskImage
from kit.machine.loader import BUILD_FILE
from kit.resources import guests_dir
from kit.toolchain.build import run_settings

__all__ = [
    "BUDGET",
    "GREETING",
    "STAGES",
    "console",
    "disk",
    "folder",
    "kernel",
    "let_time_pass",
    "own",
    "started",
]
__all__ += ["virtual", "window"]

BUDGET = 400_000_000

GREETING = 'multi: processes, paging, files. "help" tells what there is, "exit" is the end.\n'
"""What the last stage begins with."""

STAGES = {
    stage: tomllib.loads((guests_dir() / "multi" / stage / BUILD_FILE).read_text())
    for stage in ("09", "10", "11", "12", "13", "14")
}
"""What each stage's recipe says."""


def folder(stage: str) -> Path:
    return guests_dir() / "multi" / stage


def kernel(stage: str) -> Path:
    return folder(stage) / "built" / "kernel.elf"


@functools.cache
def _settings(stage: str) -> dict[str, Any]:
    settings = run_settings(folder(stage))
    settings.pop("append", None)  # tests say themselves what is to be started
    image = settings.get("disk")
    return settings | ({"disk": image.read(0, image.size)} if image is not None else {})


def disk(stage: str) -> bytes:
    """The disk that the stage comes with."""
    return _settings(stage)["disk"]  # type: ignore[no-any-return]


def _complete(stage: str, settings: dict[str, Any]) -> dict[str, Any]:
    settings = _settings(stage) | settings
    if isinstance(settings.get("disk"), bytes):
        settings["disk"] = DiskImage(settings["disk"])
    return settings


def started(stage: str, append: str = "", typed: str = "", **settings: Any) -> Machine:
    """A bare machine with the stage's kernel, at its first instruction."""
    machine = Machine(**_complete(stage, settings))
    machine.load(folder(stage), append=append)
    machine.uart.feed(typed.encode())
    machine.board.refresh()
    return machine


def console(stage: str, append: str = "", typed: str = "", code: int = 0, **settings: Any) -> str:
    """What a stage prints on the bare machine, up to its end."""
    machine = started(stage, append, typed, **settings)
    stop = machine.run(BUDGET)
    assert (stop.reason, stop.code) == ("halt", code), machine.uart.text
    return machine.uart.text


def virtual(stage: str, append: str = "", typed: str = "", **settings: Any) -> str:
    """What it prints in a virtual machine, up to its end."""
    vmm = VMM(Machine(memory="8M"))
    machine = vmm.create("multi", **_complete(stage, settings))
    machine.load(folder(stage), append=append)
    machine.uart.feed(typed.encode())
    machine.board.refresh()
    assert vmm.run(BUDGET)["multi"].reason == "halt", machine.uart.text
    return machine.uart.text


def own(text: str, name: str) -> list[str]:
    """The lines of one program: those of several come in an order that depends on the clock."""
    return [line for line in text.splitlines() if line.startswith(name)]


def let_time_pass(machine: Machine) -> None:
    """The clock jumps to the next alarm: its interrupt is up before the next instruction."""
    clint: Any = machine.devices["clint"]
    when = clint.mtimecmp
    if machine.hart.mtime < when < 1 << 63:
        clint.write(MTIME, 4, when & 0xFFFFFFFF)
        clint.write(MTIME + 4, 4, when >> 32)
    machine.board.refresh()


def window(machine: Machine, names: tuple[str, ...], after: int, most: int) -> Iterator[bytes]:
    """The states of a machine before each instruction of the named functions.

    The search begins `after` steps from power-on, and goes on until `most` states are found, each
    at another address. The machine is left somewhere.
    """
    addresses = sorted(set(machine.symbols.values()))
    ends = {name: bisect.bisect(addresses, machine.symbols[name]) for name in names}
    inside = {at for name in names for at in range(machine.symbols[name], addresses[ends[name]], 2)}
    seen: set[int] = set()
    machine.run(after)
    while len(seen) < most:
        if machine.hart.pc in inside - seen:
            seen.add(machine.hart.pc)
            yield machine.save()
        if machine.run(1).reason != "budget":
            return
