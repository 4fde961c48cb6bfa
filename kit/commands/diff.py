"""`kit diff`: where two recorded runs part."""

from __future__ import annotations

import argparse
from typing import Any

from kit.engine.choice import ENGINES
from kit.errors import KitError
from kit.proof.variant import kernel_of
from kit.trace.difference import first_difference
from kit.trace.tape import Tape

__all__ = ["add_diff"]

DIFFERENT = 1


def add_diff(commands: Any) -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "diff",
        help="find where two recorded runs part",
        description="Finds the first instruction at which two recordings part; or, of one "
        "recording, at which the bare machine and a virtual one part. The exit status is 1 if they "
        "do.",
    )
    parser.add_argument("first", help="what `kit run --record` has written")
    parser.add_argument("second", nargs="?", help="another one; or --vm")
    parser.add_argument("--vm", action="store_true", help="the second run in a virtual machine")
    parser.add_argument(
        "--vmm",
        metavar="FILE",
        help="with --vm: a Python file whose functions replace the VMM kernel's",
    )
    parser.add_argument(
        "--engine", default="auto", choices=ENGINES, help="what executes the instructions"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compares; the exit status is 0 if there is no difference."""
    if args.second is None and not args.vm:
        raise KitError("expected two recordings, or one and --vm")
    if args.vmm is not None and not args.vm:
        raise KitError("--vmm says which kernel the virtual machine has; it needs --vm")
    one = Tape.load(args.first).play(args.engine)
    with kernel_of(args.vmm):
        two = Tape.load(args.second or args.first).play(args.engine, args.vm)
    found = first_difference(one, two)
    if found is None:
        print(f"They are alike, all {one.end:,} steps.")
        return 0
    print(found.text)
    return DIFFERENT
