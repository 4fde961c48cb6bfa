"""The programs in guests/hostile, for tests."""

from __future__ import annotations

import functools

from kit.resources import guests_dir
from kit.toolchain.decks import object_cards
from tests.guests.batch import BATCH

__all__ = ["JOBS", "MACHINE_PROGRAMS", "hostile_job"]

_FOLDER = guests_dir() / "hostile"
JOBS = sorted(path.stem for path in (_FOLDER / "jobs").glob("*.s"))
MACHINE_PROGRAMS = sorted((_FOLDER / "machine").glob("*.s"))


@functools.cache
def _object(name: str) -> tuple[str, ...]:
    return tuple(object_cards(_FOLDER / "jobs" / f"{name}.s", include=[BATCH]))


def hostile_job(name: str, limits: str = "1,2,9") -> list[str]:
    """The cards of a hostile job, with two data cards."""
    head = [f"$JOB {name.upper()},ENEMY,{limits}", "$LOAD", *_object(name), "$RUN"]
    return [*head, "FIRST", "SECOND", "$EOJ"]
