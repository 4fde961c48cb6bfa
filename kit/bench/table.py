"""Rows as tables for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from statistics import geometric_mean

from kit.bench.loads import LOADS, SETTINGS, is_virtual
from kit.bench.measure import Row

__all__ = ["tables"]

Results = dict[tuple[str, str, str], Row]
"""Rows by load, engine and setting."""

_TITLES = {
    "bare": "Bare, physical addresses",
    "sv32": "Bare, Sv32",
    "vm": "In a virtual machine, physical addresses",
    "vm-sv32": "In a virtual machine, Sv32",
}
_ON_THE_MACHINE = {"vm": "bare", "vm-sv32": "sv32"}

RUNS_OF_A_LOAD = [load.name for load in LOADS.values() if load.per_round and not load.exit_kind]
WHOLE_RUNS = [load.name for load in LOADS.values() if not load.per_round]
TRAPS = [load.name for load in LOADS.values() if load.exit_kind]


def tables(rows: Iterable[Row], engines: Sequence[str]) -> str:
    """A table for each setting, one of runs that are mostly start-up, and one of single traps."""
    results = {(row.load, row.engine, row.setting): row for row in rows}
    parts = [_loads(results, engines, setting) for setting in SETTINGS]
    parts += [_whole_runs(results, engines), _traps(results, engines)]
    return "\n".join(part for part in parts if part)


def _loads(results: Results, engines: Sequence[str], setting: str) -> str:
    """Seconds, speed and ratio of each load in a setting, and the ratios' geometric means."""
    shown = [name for name in RUNS_OF_A_LOAD if _any(results, [name], engines, [setting])]
    here = [engine for engine in engines if _any(results, shown, [engine], [setting])]
    if not shown:
        return ""
    against = "bare" if is_virtual(setting) else "qemu"
    head = ["seconds"] + [cell for name in here for cell in (name, "M/s", f"/{against}")]
    lines = [head]
    for name in shown:
        line = [name]
        for engine in here:
            row = results.get((name, engine, setting))
            line += ["-", "-", "-"] if row is None else [
                f"{row.seconds:.2f}",
                _short(row.speed / 1e6),
                _optional(_ratio(results, name, engine, setting)),
            ]  # fmt: skip
        lines.append(line)
    means = ["CPU-bound"]
    for engine in here:
        means += ["", "", _optional(_mean(results, engine, setting, _ratio))]
    lines.append(means)
    return f"{_TITLES[setting]}\n{_grid(lines)}{_against_unicorn(results, setting)}"


def _ratio(results: Results, load: str, engine: str, setting: str) -> float | None:
    """Its speed, against QEMU's; in a virtual machine, against the machine itself."""
    if is_virtual(setting):
        return _quotient(results, (load, engine, setting), (load, engine, _ON_THE_MACHINE[setting]))
    return _quotient(results, (load, engine, setting), (load, "qemu", setting))


def _quotient(
    results: Results, one: tuple[str, str, str], other: tuple[str, str, str]
) -> float | None:
    if one not in results or other not in results:
        return None
    return results[one].speed / results[other].speed


def _mean(
    results: Results,
    engine: str,
    setting: str,
    ratio: Callable[[Results, str, str, str], float | None],
) -> float | None:
    """The geometric mean of the ratios of the CPU-bound loads."""
    found = [
        ratio(results, load.name, engine, setting) for load in LOADS.values() if load.cpu_bound
    ]
    values = [value for value in found if value is not None]
    return geometric_mean(values) if values else None


def _against_unicorn(results: Results, setting: str) -> str:
    def ratio(results: Results, load: str, engine: str, setting: str) -> float | None:
        return _quotient(results, (load, engine, setting), (load, "unicorn", setting))

    mean = _mean(results, "wasm", setting, ratio)
    return "" if mean is None else f"CPU-bound, wasm against unicorn: {_short(mean)}\n"


def _whole_runs(results: Results, engines: Sequence[str]) -> str:
    """What a run takes that executes everything once."""
    lines = [["seconds", *engines]]
    for name in WHOLE_RUNS:
        for setting in SETTINGS:
            rows = [results.get((name, engine, setting)) for engine in engines]
            if any(rows):
                where = f"{name}, {setting}" if LOADS[name].settings == SETTINGS else name
                lines.append([where, *(f"{row.seconds:.2f}" if row else "-" for row in rows)])
    return "" if len(lines) == 1 else "Whole runs of short programs\n" + _grid(lines)


def _traps(results: Results, engines: Sequence[str]) -> str:
    """The round trip of a trap through the VMM."""
    shown = [engine for engine in engines if _any(results, TRAPS, [engine], SETTINGS)]
    lines = [["microseconds", *shown]]
    for name in TRAPS:
        for setting in LOADS[name].settings:
            rows = [results.get((name, engine, setting)) for engine in shown]
            if any(rows):
                cells = (_short(row.seconds * 1e6) if row else "-" for row in rows)
                lines.append([f"{name}, {setting}", *cells])
    return "" if len(lines) == 1 else "One trap through the VMM\n" + _grid(lines)


def _any(
    results: Results, loads: Sequence[str], engines: Sequence[str], settings: Sequence[str]
) -> bool:
    return any(key in results for key in product(loads, engines, settings))


def _optional(value: float | None) -> str:
    return "-" if value is None else _short(value)


def _short(value: float) -> str:
    """About three digits, never with an exponent."""
    for least, digits in ((100, 0), (10, 1), (0.1, 2), (0.01, 3)):
        if value >= least:
            return f"{value:,.{digits}f}"
    return f"{value:.5f}"


def _grid(lines: Sequence[Sequence[str]]) -> str:
    """Columns under each other: the first to the left, the others to the right."""
    widths = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    text = ""
    for first, *others in lines:
        cells = [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
        text += "  ".join([f"{first:<{widths[0]}}", *cells]).rstrip() + "\n"
    return text
