"""`kit run --config`: a machine room, and how far it is."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from kit.commands.observe import observed, serve_gdb
from kit.commands.progress import ProgressLine
from kit.control.console import Server
from kit.control.room import Room
from kit.control.room_plan import read_room
from kit.errors import KitError
from kit.machine.protocol import Stop

__all__ = ["NOT_ENDED", "run_room"]

NOT_ENDED = 3
"""Exit status where a machine did not switch itself off."""


def run_room(args: argparse.Namespace) -> int:
    """Runs the room that `args.config` describes; returns the exit status.

    That is 0 where every machine halted without an error, the first error code otherwise, or
    `NOT_ENDED`. Raises `KitError` for a wrong plan, and where outputs could not be written.
    """
    plan = read_room(args.config)
    if args.budget is not None:
        plan = replace(plan, budget=args.budget)
    line = ProgressLine(sys.stderr)

    def show(text: str) -> None:
        line.clear()
        print(text, flush=True)

    room = Room(plan, (lambda text: None) if args.json else show)
    try:
        with observed(room.vmm, args):
            if args.gdb is not None:
                held = tuple(machine.name for machine in plan.machines if not machine.start)
                room.closing = serve_gdb(room.vmm, args.gdb, plan.make_policy(), held) != "detached"
            return _run(room, args, line)
    finally:
        room.close()


def _run(room: Room, args: argparse.Namespace, line: ProgressLine) -> int:
    """Runs it, with its operator's console, until everybody has ended, or it is closing."""
    killed = room.closing
    port_file = Path(args.console) if args.console is not None else room.plan.console
    server = None if port_file is None else Server(room, port_file)
    if server is not None:
        room.show(f"[room] operate it with: kit console {port_file}")
    try:
        stops = room.run(server, lambda now: line.update(now.clock, now.steps))
    finally:
        line.clear()
        if server is not None:
            server.close()
    status = _tell(room, stops, args.json)
    return 0 if killed else status


def _tell(room: Room, stops: dict[str, Stop], as_json: bool) -> int:
    if as_json:
        print(json.dumps(_summary(room, stops)))
    elif room.problems:
        raise KitError("; ".join(room.problems))
    return _status(stops)


def _summary(room: Room, stops: dict[str, Stop]) -> dict[str, object]:
    machines = {
        name: {
            "reason": stop.reason,
            "code": stop.code,
            "steps": stop.steps,
            "failure": room.machine(name).failure,
            "console": room.machine(name).uart.text,
            "paper": room.machine(name).printer.text,
            "punched": room.machine(name).punch.deck.lines(),
        }
        for name, stop in stops.items()
    }
    report = json.loads(room.vmm.report().to_json())
    return {"machines": machines, "report": report, "problems": room.problems}


def _status(stops: dict[str, Stop]) -> int:
    codes = [min(stop.code, 255) if stop.reason == "halt" else NOT_ENDED for stop in stops.values()]
    return next((code for code in codes if code), 0)
