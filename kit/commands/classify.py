"""`kit classify`: which instructions are sensitive and privileged, and what follows from that."""

from __future__ import annotations

import argparse
import json
import sys
import time
from importlib.util import find_spec
from typing import Any

from kit.commands.progress import ProgressLine
from kit.errors import KitError
from kit.isa.config import Config
from kit.isa.holes import describe_hole, hole_names

__all__ = ["add_classify"]

EXAMPLES = """examples:
  kit classify                       every instruction, and the three theorems
  kit classify mret csrrs            some instructions, with witness states
  kit classify satp                  all instructions that access a register
  kit classify --with hole.jrst1     a processor on which theorem 1 fails and theorem 3 holds

holes:
"""


def add_classify(commands: Any) -> None:
    """Adds the command to the command line."""
    holes = "".join(f"  hole.{name:10} {describe_hole(name)}\n" for name in hole_names())
    parser = commands.add_parser(
        "classify",
        help="say which instructions are sensitive and privileged (Popek and Goldberg)",
        description="Decides for each instruction, over all states, whether it is privileged,\n"
        "control-sensitive or behaviour-sensitive, and what the theorems of Popek and\n"
        "Goldberg say of the processor. Every state that it shows has been run.",
        epilog=EXAMPLES + holes,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="*", metavar="INSTRUCTION", help="an instruction, a CSR, or fetch"
    )
    parser.add_argument(
        "--with",
        dest="holes",
        action="append",
        default=[],
        metavar="hole.NAME",
        help="alter the processor so (may be repeated)",
    )
    parser.add_argument("--isa", default="rv32imac", help="instruction sets (default rv32imac)")
    parser.add_argument("--modes", default="MSU", choices=("M", "MU", "MSU"), help="default MSU")
    parser.add_argument("--pmp", type=int, default=16, help="PMP entries, 0 or 16 (default 16)")
    parser.add_argument(
        "--ad", default="update", choices=("update", "fault"), help="who sets A and D bits"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parser.set_defaults(run=run)


class _Shown:
    """Shows how far it is, a few times a second."""

    def __init__(self, line: ProgressLine) -> None:
        self._line, self._next = line, 0.0

    def __call__(self, done: int, of: int, name: str) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._line.PAUSE
            self._line.show(f"{done} of {of}: {name}")


def run(args: argparse.Namespace) -> int:
    """Classifies, and prints."""
    holes = tuple(dict.fromkeys(name.removeprefix("hole.") for name in args.holes))
    config = Config(args.isa, args.modes, args.pmp, args.ad, holes)
    if find_spec("z3") is None:
        raise KitError("z3 is not installed; install it with: pip install 'vmm-kit[proof]'")
    from kit.proof.classification.table import classify_processor

    started = time.perf_counter()
    with ProgressLine(sys.stderr) as line:
        found = classify_processor(config, args.names, _Shown(line))
    seconds = time.perf_counter() - started
    if args.json:
        print(json.dumps(found.numbers() | {"seconds": round(seconds, 3)}))
    else:
        print(found.text())
        print(f"kit: classified in {seconds:.1f} s", file=sys.stderr)
    return 0
