"""The programs in guests/hostile, for tests."""

from __future__ import annotations

import functools

from kit import Machine
from kit.devices.disk_image import DiskImage
from kit.machine.loader import BUILD_FILE
from kit.resources import guests_dir
from kit.toolchain.decks import object_cards
from tests.guests.batch import BATCH

__all__ = ["ATTACKERS", "ENDLESS", "JOBS", "MACHINE_PROGRAMS", "Seat", "hostile_job"]

_FOLDER = guests_dir() / "hostile"
JOBS = sorted(path.stem for path in (_FOLDER / "jobs").glob("*.s"))
MACHINE_PROGRAMS = sorted((_FOLDER / "machine").glob("*.s"))

ENDLESS = ("bomb", "eater", "full", "locker", "loop", "secret", "storm", "tables")
"""Programs in hostile/multi that go on until somebody ends them."""

ATTACKERS = sorted({path.stem for path in (_FOLDER / "multi").glob("*.c")} - {*ENDLESS})
"""The others there."""


@functools.cache
def _object(name: str) -> tuple[str, ...]:
    return tuple(object_cards(_FOLDER / "jobs" / f"{name}.s", include=[BATCH]))


def hostile_job(name: str, limits: str = "1,2,9") -> list[str]:
    """The cards of a hostile job, with two data cards."""
    head = [f"$JOB {name.upper()},ENEMY,{limits}", "$LOAD", *_object(name), "$RUN"]
    return [*head, "FIRST", "SECOND", "$EOJ"]


PROMPT = "\n$ "
_SLICE, _PATIENCE = 50_000, 200_000_000


class Seat:
    """Somebody at the terminal of a kernel whose disk has the hostile programs on it."""

    def __init__(self, kernel: str = "multi/14", append: str = "", memory: str = "4M") -> None:
        disk = (_FOLDER / "multi" / "built" / "hostile.img").read_bytes()
        self.machine = Machine(memory=memory, disk=DiskImage(disk))
        assert (guests_dir() / kernel / BUILD_FILE).is_file()
        self.machine.load(guests_dir() / kernel, append=append)
        self.seen = 0
        self.await_prompt()

    def type(self, keys: str) -> None:
        self.machine.uart.feed(keys.encode())
        self.machine.board.refresh()

    def await_prompt(self) -> str:
        """What has been printed since the last time, up to a prompt, or to the machine's end."""
        for _ in range(_PATIENCE // _SLICE):
            stop = self.machine.run(_SLICE)
            found = self.machine.uart.text[self.seen :]
            if found.endswith(PROMPT) or stop.reason != "budget":
                self.seen += len(found)
                return found
        raise AssertionError(f"no prompt: {self.machine.uart.text[self.seen :]}")

    def do(self, command: str) -> list[str]:
        """What a command prints."""
        self.type(command + "\n")
        return self.await_prompt().removeprefix(command).removesuffix(PROMPT).strip().splitlines()
