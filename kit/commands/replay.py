"""`kit replay`: make a recorded run again, step for step."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from kit.commands.observe import add_trace, observed
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
    add_trace(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parser.set_defaults(run=run)


class _Shown:
    """Shows what a machine puts out; if there are several, line by line after its name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._line = bytearray()
        self.all: dict[str, Any] = {"console": self._sent, "paper": self._printed}

    def _sent(self, data: bytes) -> None:
        if not self._name:
            show_console(data)
            return
        self._line += data
        if data.endswith(b"\n"):
            self.end()

    def _printed(self, text: str) -> None:
        if not self._name:
            show_paper(text)
        else:
            line = "-" * 60 if text.startswith("\f") else text.rstrip("\n")
            print(f"[{self._name} printer] {line}", flush=True)

    def end(self) -> None:
        """Shows the line that has been begun."""
        if self._line:
            text = self._line.decode("utf-8", "replace").rstrip("\r\n")
            harmless = "".join(c if c.isprintable() or c == "\t" else "?" for c in text)
            print(f"[{self._name}] {harmless}", flush=True)
            self._line.clear()


def run(args: argparse.Namespace) -> int:
    """Plays the recording; the exit status is 0 if the state in the end is the recorded one."""
    from kit.machine.names import names_of

    tape = Tape.load(args.recording)
    shows = {name: _Shown(name) for name in tape.machines}
    started = time.perf_counter()
    history = tape.play(args.engine, args.vm, lambda name: {} if args.json else shows[name].all)
    end = history.end
    if args.to is not None and not 0 <= args.to <= end:
        raise KitError(f"--to {args.to}: the recording has {end:,} steps")
    with observed(history.system, args):
        history.play(end if args.to is None else args.to)
    for shown in shows.values():
        shown.end()
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
