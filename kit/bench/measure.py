"""Measuring: which runs there are, in which order, and the rows that come out.

Every run is a process of its own, timed from its start to its end. All cells have their first run,
then all have their second: a disturbance hits every engine alike, and the median leaves it out.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kit.bench.engines import Engine, Outcome
from kit.bench.loads import LOADS, Load, is_paged

__all__ = [
    "QUICK_SECONDS",
    "SECONDS",
    "Cell",
    "Plan",
    "Results",
    "Row",
    "measure",
    "plan",
    "warm_up",
]

SECONDS = {"qemu": 6.0, "wasm": 6.0, "unicorn": 6.0, "spike": 2.0, "reference": 1.0}
"""How long a run is meant to take, by engine, on a computer like the one of the loads' table."""
QUICK_SECONDS = {"qemu": 1.0, "wasm": 1.0, "unicorn": 1.0, "spike": 0.3, "reference": 0.2}

PATIENCE = 600.0
"""Seconds after which a run is given up."""

START_UP = LOADS["start-up"]


@dataclass(frozen=True)
class Row:
    """The result of a cell: the median of the seconds of `runs` runs of `instructions` each.

    Where a load measures a trap, the seconds are those of one trap, and there is one instruction.
    """

    load: str
    engine: str
    setting: str
    seconds: float
    instructions: int
    runs: int

    @property
    def speed(self) -> float:
        """Instructions in a second."""
        return self.instructions / self.seconds

    def numbers(self) -> dict[str, Any]:
        """The row as JSON has it."""
        return asdict(self)


@dataclass(frozen=True)
class Cell:
    """A load, so many rounds of it, on an engine in a setting."""

    load: Load
    engine: Engine
    setting: str
    rounds: int

    @property
    def image(self) -> str:
        """A name for the file with its image."""
        kind = "sv32" if is_paged(self.setting) else "bare"
        return f"{self.load.name}-{self.rounds}-{kind}.elf"

    def __str__(self) -> str:
        return f"{self.load.name}, {self.setting}, on {self.engine.name}"

    def build(self, folder: Path) -> Path:
        """Its image, written into a folder unless it is there."""
        path = folder / self.image
        if not path.exists():
            path.write_bytes(self.load.elf(self.rounds, is_paged(self.setting)))
        return path


@dataclass(frozen=True)
class Plan:
    """The cells, in the order of the tables, and how often each is run."""

    cells: tuple[Cell, ...]
    runs: int

    def without(self, engine: Engine) -> Plan:
        """The same for the other engines."""
        return Plan(tuple(cell for cell in self.cells if cell.engine is not engine), self.runs)

    def order(self) -> Iterator[Cell]:
        """The cells in the order of their runs: there and back again."""
        for run in range(self.runs):
            yield from reversed(self.cells) if run % 2 else self.cells


@dataclass
class Results:
    """Rows, and what went wrong, a line for each cell that has no row."""

    rows: list[Row] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class _FailedError(Exception):
    """A run that did not come to its end, or did not do what the others did."""


def plan(
    loads: Sequence[Load],
    engines: Sequence[Engine],
    settings: Sequence[str],
    runs: int,
    seconds: dict[str, float],
) -> Plan:
    """All that can be measured of these. Start-up is always part of it."""
    every = [START_UP, *(load for load in loads if load is not START_UP)]
    cells = tuple(
        Cell(load, engine, setting, load.rounds(engine.name, setting, seconds[engine.name]))
        for load in every
        for setting in settings
        for engine in engines
        if engine.runs(load, setting)
    )
    return Plan(cells, runs)


def warm_up(plan: Plan, folder: Path) -> tuple[Plan, list[str]]:
    """Starts each engine once in each setting: what it has to prepare for ever, it has then.

    Returns the plan without the engines that cannot be started, and a line on each of them.
    """
    complaints = []
    for cell in plan.cells:
        if cell.load is START_UP and cell in plan.cells:
            try:
                _run(cell, folder)
            except _FailedError as error:
                complaints.append(f"{cell.engine.name} is left out: {error}")
                plan = plan.without(cell.engine)
    return plan, complaints


def measure(
    plan: Plan, folder: Path, progress: Callable[[str], None] = lambda text: None
) -> Results:
    """Runs everything, with images in `folder`. `progress` is called before each run with a text.

    What a run printed, and the steps that it counted, must be what they are everywhere.
    """
    times: dict[Cell, list[float]] = {cell: [] for cell in plan.cells}
    printed: dict[tuple[Load, int], str] = {}
    results = Results()
    failed = set[Cell]()
    for number, cell in enumerate(plan.order(), 1):
        if cell in failed:
            continue
        progress(f"{number} of {len(plan.cells) * plan.runs}: {cell}")
        try:
            seconds, outcome = _run(cell, folder)
            times[cell].append(_sample(cell, seconds, outcome))
            _check(cell, outcome, printed)
        except _FailedError as error:
            failed.add(cell)
            results.failures.append(f"{cell}: {error}")
    for cell in plan.cells:
        if cell not in failed:
            results.rows.append(_row(cell, times[cell]))
    return results


def _run(cell: Cell, folder: Path) -> tuple[float, Outcome]:
    """The wall time of one process, and what it said."""
    command = cell.engine.command(cell.build(folder), cell.setting)
    with tempfile.TemporaryDirectory() as empty:
        cache = {"VMM_KIT_CACHE": empty} if cell.load.empty_cache else {}
        begin = time.perf_counter()
        try:
            result = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env={**os.environ, **cache},
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _FailedError(f"given up after {PATIENCE:.0f} seconds") from None
        seconds = time.perf_counter() - begin
    if result.returncode:
        said = (result.stderr or result.stdout).decode(errors="replace").strip()
        last = said.splitlines()[-1] if said else "it said nothing"
        raise _FailedError(f"ended with status {result.returncode}: {last}")
    try:
        return seconds, cell.engine.outcome(result.stdout.decode(errors="replace"))
    except (ValueError, KeyError) as error:
        raise _FailedError(f"its output makes no sense: {error!r}") from None


def _sample(cell: Cell, seconds: float, outcome: Outcome) -> float:
    """What is measured of a run: the whole process, or each of its traps."""
    kind = cell.load.exit_kind
    if not kind:
        return seconds
    if not outcome.exits.get(kind):
        raise _FailedError(f"there was no exit to the VMM of the kind {kind!r}")
    return outcome.seconds / outcome.exits[kind]


def _check(cell: Cell, outcome: Outcome, printed: dict[tuple[Load, int], str]) -> None:
    expected = printed.setdefault((cell.load, cell.rounds), outcome.printed)
    if outcome.printed != expected:
        raise _FailedError(f"printed {outcome.printed!r}, and {expected!r} elsewhere")
    steps = cell.load.steps(cell.rounds, is_paged(cell.setting))
    if outcome.steps not in (None, steps):
        raise _FailedError(f"made {outcome.steps:,} steps, and not {steps:,}")


def _row(cell: Cell, times: list[float]) -> Row:
    steps = cell.load.steps(cell.rounds, is_paged(cell.setting))
    return Row(
        cell.load.name,
        cell.engine.name,
        cell.setting,
        statistics.median(times),
        1 if cell.load.exit_kind else steps,
        len(times),
    )
