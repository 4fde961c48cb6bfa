"""`kit replay`: make a recorded run again, step for step."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from kit.commands.run import show_console, show_paper
from kit.control.diagnosis import trap_loop
from kit.engine.choice import ENGINES
from kit.errors import KitError
from kit.trace.tape import Tape

__all__ = ["add_replay"]


def add_replay(commands: Any) -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "replay",
        help="make a recorded run again",
        description="Makes a run again that `kit run --record` has recorded, and checks that it "
        "comes to the same state. Console and paper go to standard output.",
    )
    parser.add_argument("recording", help="what `kit run --record` has written")
    parser.add_argument("--vm", action="store_true", help="in a virtual machine")
    parser.add_argument(
        "--engine", default="auto", choices=ENGINES, help="what executes the instructions"
    )
    parser.add_argument(
        "--to", type=int, metavar="STEP", help="only up to this step, and say where that is"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Plays the recording; the exit status is 0 if the state in the end is the recorded one."""
    from kit.machine.names import names_of

    tape = Tape.load(args.recording)
    listeners = {} if args.json else {"console": show_console, "paper": show_paper}
    started = time.perf_counter()
    history = tape.play(args.engine, args.vm, **listeners)
    end = history.end
    if args.to is not None and not 0 <= args.to <= end:
        raise KitError(f"--to {args.to}: the recording has {end:,} steps")
    history.play(end if args.to is None else args.to)
    if args.to is None:
        tape.verify(history)
    seconds = time.perf_counter() - started
    computer = next(iter(history.computers.values()))
    where = names_of(computer).describe(computer.hart.pc)
    if args.json:
        found = {"steps": history.place, "pc": computer.hart.pc, "where": where}
        found |= {"paper": computer.printer.text, "console": computer.uart.text}
        print(json.dumps(found | {"seconds": round(seconds, 3)}))
        return 0
    made = f"{history.place:,} steps, {seconds:.1f} s"
    state = "the state is the recorded one" if args.to is None else f"pc {where}"
    loop = trap_loop(computer.hart)
    print(f"kit: {args.recording} replayed: {made}; {loop or state}", file=sys.stderr)
    return 0
