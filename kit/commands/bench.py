"""`kit bench`: how fast the engines are, measured on the loads of guests/bench."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from kit.bench.engines import ENGINES
from kit.bench.loads import LOADS, QUICK, SETTINGS
from kit.commands.progress import ProgressLine
from kit.errors import KitError

__all__ = ["add_bench"]

FAILED = 1
"""Exit status where a run failed."""

RUNS = 3
MOST_RUNS = 1000


def add_bench(commands: Any) -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "bench",
        help="measure how fast the engines are",
        description="Runs the loads of `guests/bench` on the kit's engines, and on QEMU, Spike and "
        "Unicorn where they are installed, and shows how long each run took.",
    )
    parser.add_argument("loads", nargs="*", metavar="LOAD", help="loads (default: all of them)")
    parser.add_argument(
        "--engines", metavar="LIST", help=f"of {','.join(ENGINES)} (default: all of them)"
    )
    parser.add_argument(
        "--settings", metavar="LIST", help=f"of {','.join(SETTINGS)} (default: all of them)"
    )
    parser.add_argument(
        "--runs", type=_runs, metavar="N", help=f"runs of each (default {RUNS}; 1 with --quick)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a few loads for one second each: about a minute"
    )
    parser.add_argument("--keep", metavar="DIR", help="keep the images (ELF files) there")
    parser.add_argument("--json", action="store_true", help="print the rows as a JSON list instead")
    parser.set_defaults(run=run)


def _runs(text: str) -> int:
    value = int(text)
    if not 1 <= value <= MOST_RUNS:
        raise ValueError(text)
    return value


_runs.__name__ = f"number of runs, 1 to {MOST_RUNS},"


def run(args: argparse.Namespace) -> int:
    """Measures what the arguments ask for; returns the exit status. Raises `KitError`."""
    loads = _chosen(args.loads, "load", LOADS, QUICK if args.quick else tuple(LOADS))
    engines = _chosen(_split(args.engines), "engine", ENGINES, tuple(ENGINES))
    settings = _chosen(_split(args.settings), "setting", SETTINGS, SETTINGS)
    runs = args.runs or (1 if args.quick else RUNS)
    with _folder(args.keep) as folder, ProgressLine(sys.stderr) as line:
        return _measure(args, (loads, engines, settings), runs, Path(folder), line)


def _measure(
    args: argparse.Namespace,
    chosen: tuple[Sequence[str], Sequence[str], Sequence[str]],
    runs: int,
    folder: Path,
    line: ProgressLine,
) -> int:
    # Every other command starts without these.
    from kit.bench.measure import QUICK_SECONDS, SECONDS, measure, plan, warm_up
    from kit.bench.table import tables

    loads, engines, settings = chosen
    installed = []
    for name in engines:
        if ENGINES[name].program() is None:
            _say(f"{name} is left out: it is not installed; {ENGINES[name].advice}")
        else:
            installed.append(ENGINES[name])
    seconds = QUICK_SECONDS if args.quick else SECONDS
    made = plan([LOADS[name] for name in loads], installed, settings, runs, seconds)
    if not made.cells:
        raise KitError("nothing to measure: none of these engines has any of these settings")
    made, complaints = warm_up(made, folder)
    results = measure(made, folder, line.show)
    line.clear()
    for complaint in complaints + results.failures:
        _say(complaint)
    if args.json:
        print(json.dumps([row.numbers() for row in results.rows], indent=2))
    else:
        measured = {row.engine for row in results.rows}
        print(tables(results.rows, [name for name in engines if name in measured]), end="")
    return FAILED if complaints or results.failures else 0


def _say(text: str) -> None:
    print(f"kit bench: {text}", file=sys.stderr)


def _split(text: str | None) -> list[str]:
    return [] if text is None else text.split(",")


def _chosen(
    given: Sequence[str], what: str, known: Collection[str], usual: Sequence[str]
) -> Sequence[str]:
    """The names that were given, in the order of those there are; or else the usual ones."""
    for name in given:
        if name not in known:
            raise KitError(f"there is no {what} {name!r}; choose of {', '.join(known)}")
    return [name for name in known if name in given] if given else usual


def _folder(keep: str | None) -> Any:
    """The folder for images: one that stays, or one that is deleted afterwards."""
    if keep is None:
        return tempfile.TemporaryDirectory()
    try:
        Path(keep).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KitError(f"{keep}: cannot keep images there: {error.strerror}") from None
    return nullcontext(keep)
