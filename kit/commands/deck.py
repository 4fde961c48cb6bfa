"""`kit deck`: makes decks of jobs for a batch monitor."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from kit.errors import KitError
from kit.files import replace_file

if TYPE_CHECKING:
    from kit.devices.deck import Deck

__all__ = ["add_deck", "run"]


def add_deck(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command and its arguments."""
    parser = subparsers.add_parser(
        "deck",
        help="make a deck of jobs for the card reader",
        description="Makes a deck: the jobs that a TOML file lists, or one job.",
    )
    parser.add_argument("jobs", nargs="?", metavar="JOBS.toml", help="a list of jobs")
    parser.add_argument(
        "--job", metavar="NAME,ACCOUNT,SECONDS,PAGES[,PUNCHED]", help="the job card"
    )
    parser.add_argument("--program", metavar="FILE", help="assembly source, ELF, HEX or binary")
    parser.add_argument(
        "--data", metavar="FILE", action="append", default=[], help="data cards, one a line"
    )
    parser.add_argument(
        "--base", metavar="ADDRESS", help="where programs are assembled for (0x80010000)"
    )
    parser.add_argument(
        "-I",
        dest="include",
        action="append",
        default=[],
        metavar="DIR",
        help="a folder for .include of assembly source (may be repeated)",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="the deck (default: standard output)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Makes the deck that `args` ask for. Returns 0; raises KitError."""
    deck = _deck(args)
    if args.output is None:
        sys.stdout.write(deck.text)
    else:
        replace_file(args.output, deck.text)
    return 0


def _deck(args: argparse.Namespace) -> Deck:
    from kit.toolchain.decks import JOB_BASE, jobs_deck, parse_job, read_jobs

    base = JOB_BASE if args.base is None else _address(args.base)
    single = args.job is not None or args.program is not None or bool(args.data)
    if args.jobs is not None:
        if single:
            raise KitError("give a list of jobs, or --job and --program, but not both")
        return jobs_deck(read_jobs(args.jobs), base, args.include)
    if args.job is None or args.program is None:
        raise KitError("give a list of jobs (JOBS.toml), or both --job and --program")
    return jobs_deck([parse_job(args.job, args.program, args.data)], base, args.include)


def _address(text: str) -> int:
    try:
        value = int(text, 0)
    except ValueError:
        value = -1
    if not 0 <= value < 1 << 32 or len(text) > 32:
        raise KitError(f"base {text!r}: expected an address, such as 0x80010000")
    return value
