"""`kit view`: a recorded run, or the saved trace of a room, as a page in the browser."""

from __future__ import annotations

import argparse
import tempfile
import webbrowser
from pathlib import Path
from typing import Any

from kit.control.vmm import VMM
from kit.engine.choice import ENGINES
from kit.errors import KitError
from kit.files import check_writable
from kit.messages import LANGUAGES
from kit.trace.history import History, Run

__all__ = ["add_view"]


def add_view(commands: Any) -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "view",
        help="look at a recorded run in the browser",
        description="Makes a run again that `kit run --record` has recorded, and opens a page with "
        "its timeline, registers, storage and devices: one file, which needs no network.",
    )
    parser.add_argument("recording", help="what `kit run --record` has written")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write the page there, and open no browser"
    )
    parser.add_argument("--vm", action="store_true", help="in a virtual machine")
    parser.add_argument(
        "--engine", default="auto", choices=ENGINES, help="what executes the instructions"
    )
    parser.add_argument(
        "--events", type=int, default=1_000_000, metavar="N", help="keep so many (default 1000000)"
    )
    languages = ", ".join(LANGUAGES)
    parser.add_argument("--language", default="", metavar="L", help=f"of the page: {languages}")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Makes the run again and writes its page; returns the exit status."""
    from kit.trace.tape import Tape
    from kit.widgets.overview import Overview
    from kit.widgets.run import record

    if args.events < 1:
        raise KitError(f"--events {args.events}: a page shows one event at least")
    if args.output is not None:
        check_writable(args.output)
    history = Tape.load(args.recording).play(args.engine, args.vm)
    system: Any = history.system
    if not isinstance(system, VMM):
        system = next(iter(history.computers.values()))
    name = Path(args.recording).stem
    with record(system, name, events=args.events) as recorded:
        _make_again(history)
    if not len(recorded):
        raise KitError(f"{args.recording}: nothing happened in this run that a view could show")
    view = Overview(recorded, language=args.language)
    path = Path(args.output) if args.output is not None else _temporary(name)
    view.save(path)
    if args.output is None:
        webbrowser.open(path.as_uri())
    print(f"kit: {len(recorded):,} events are in {path}")
    return 0


def _make_again(history: History) -> None:
    """Makes the recorded steps while somebody listens, which `History.play` does not."""
    for entry in list(history.log):
        if isinstance(entry, Run):
            computer = history.computers[entry.who]
            before = -1
            while before < computer.steps < entry.steps:
                before = computer.steps
                computer.run(entry.steps - computer.steps)


def _temporary(name: str) -> Path:
    """A page that stays as long as the browser may want it."""
    folder = Path(tempfile.mkdtemp(prefix="kit-view-"))
    return folder / f"{name}.html"
