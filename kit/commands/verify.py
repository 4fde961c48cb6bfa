"""`kit verify`: the proof that the kernel does what the bare machine does."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from kit.commands.progress import ProgressLine
from kit.errors import KitError
from kit.isa.config import Config
from kit.proof import Report, verify
from kit.proof.counterexample import save
from kit.proof.mutants import Fate, verify_mutants
from kit.proof.results import PROVED, Result
from kit.proof.table import counterexample_text, fates_text, goals_text, table_text

__all__ = ["add_verify"]

WRONG = 1
SHOWN = 3
"""Counterexamples that are printed."""

EXAMPLES = """examples:
  kit verify                                    everything; then only what has changed
  kit verify --instruction mret                 all that there is to prove about mret
  kit verify --lemma emulation --instruction "csrrw mstatus"
  kit verify --vmm my_vmm.py --instruction mret
                                                your own emulate_mret in place of the kernel's
"""


def add_verify(commands: Any) -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "verify",
        help="prove that the VMM kernel does what the bare machine does",
        description="Decides, over all states, whether the lemmas hold of the VMM kernel: for each "
        "instruction, trap and page-table entry. What it has proved, it remembers until the "
        "sources change that it depends on. The exit status is 1 if something is not proved.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--lemma", action="append", nargs="+", default=[], metavar="NAME", help="only these lemmas"
    )
    parser.add_argument(
        "--instruction",
        action="append",
        nargs="+",
        default=[],
        metavar="NAME",
        help="only goals about these instructions, one line for each goal",
    )
    parser.add_argument(
        "--vmm",
        metavar="FILE",
        help="a Python file whose functions replace the kernel's of the same names",
    )
    parser.add_argument(
        "--save",
        metavar="FOLDER",
        help="write each counterexample there: program (.s) and recording (.rec), for kit replay "
        "--to and kit diff --vm",
    )
    parser.add_argument(
        "--ad", default="update", choices=("update", "fault"), help="who sets A and D bits"
    )
    parser.add_argument("--fresh", action="store_true", help="prove again what was proved before")
    parser.add_argument("--jobs", type=int, metavar="N", help="so many processes (default: cores)")
    parser.add_argument(
        "--mutants",
        nargs="*",
        metavar="NAME",
        help="have the proof refute bugs that are seeded into the kernel: these, or all",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parser.set_defaults(run=run)


class _Shown:
    """Shows how far it is, a few times a second, and how long it may still take."""

    def __init__(self, line: ProgressLine) -> None:
        self._line, self._next = line, 0.0

    def __call__(self, done: int, of: int, result: Result) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._line.PAUSE
            self._line.show(f"{done} of {of} goals; {result.lemma}: {result.instruction}")


def run(args: argparse.Namespace) -> int:
    """Verifies, and prints a table; the exit status is 0 if everything is proved."""
    if args.jobs is not None and args.jobs < 1:
        raise KitError(f"--jobs {args.jobs}: expected 1 or more")
    if args.mutants is not None:
        return _try_mutants(args)
    lemmas = [name for names in args.lemma for name in names]
    instructions = [name for names in args.instruction for name in names]
    with ProgressLine(sys.stderr) as line:
        report = verify(
            lemmas,
            instructions,
            args.vmm,
            config=Config(ad=args.ad),
            fresh=args.fresh,
            jobs=args.jobs,
            listener=_Shown(line),
        )
    if args.json:
        print(json.dumps(_numbers(report)))
    else:
        print(goals_text(report.results) if instructions else table_text(report.results))
        for result in report.refuted[:SHOWN]:
            print(f"\n{counterexample_text(result)}")
        if len(report.refuted) > SHOWN:
            print(f"\n({len(report.refuted) - SHOWN} more are refuted.)")
        print(f"kit: {_summary(report)}", file=sys.stderr)
    if args.save is not None:
        for result in report.refuted:
            for path in save(result, Path(args.save)):
                print(f"kit: {path} written", file=sys.stderr)
    return 0 if report.is_proved else WRONG


def _numbers(report: Report) -> dict[str, Any]:
    return {
        "results": [result.numbers() for result in report.results],
        "seconds": round(report.seconds, 3),
        "mutants": [],
    }


def _try_mutants(args: argparse.Namespace) -> int:
    """Has the proof refute mutants; the exit status is 0 if it does, but for equivalent ones."""
    if args.lemma or args.instruction or args.vmm or args.save or args.fresh:
        raise KitError("--mutants takes no other options than --jobs and --json")
    with ProgressLine(sys.stderr) as line:
        shown = _ShownFates(line)
        report = verify_mutants(args.mutants, jobs=args.jobs, listener=shown)
    if args.json:
        mutants = [fate.numbers() for fate in report.fates]
        seconds = round(report.seconds, 3)
        print(json.dumps({"results": [], "seconds": seconds, "mutants": mutants}))
    else:
        print(fates_text(report.fates))
    left = len(report.surviving)
    found = f"{len(report.fates) - left:,} of {len(report.fates):,} mutants"
    print(f"kit: {found} refuted or equivalent; {report.seconds:.1f} s", file=sys.stderr)
    return WRONG if left else 0


class _ShownFates:
    """Shows how many mutants have been tried."""

    def __init__(self, line: ProgressLine) -> None:
        self._line = line

    def __call__(self, done: int, of: int, fate: Fate) -> None:
        self._line.show(f"{done} of {of} mutants; {fate.name}: {fate.verdict}")


def _summary(report: Report) -> str:
    proved = sum(result.verdict == PROVED for result in report.results)
    remembered = sum(result.is_remembered for result in report.results)
    earlier = f", {remembered:,} of them by an earlier run" if remembered else ""
    total = len(report.results)
    return f"{proved:,} of {total:,} goals proved{earlier}; {report.seconds:.1f} s"
