"""`kit console`: the operator's terminal of a machine room that runs elsewhere."""

from __future__ import annotations

import argparse
import queue
import sys
import threading
from typing import TYPE_CHECKING, Any

from kit.errors import KitError

if TYPE_CHECKING:
    from kit.control.console import Client

__all__ = ["add_console", "run"]

DETACH = "~."
PORT_FILE = "room.port"


def add_console(commands: Any) -> None:
    """Adds the command and its arguments."""
    parser = commands.add_parser(
        "console",
        help="operate a machine room that is running",
        description="Attaches to a room started by `kit run --config ROOM.toml --console FILE`. "
        "Commands come from standard input, one a line; `help` lists them.",
    )
    parser.add_argument(
        "port_file", nargs="?", default=PORT_FILE, help=f"the room's port file ({PORT_FILE})"
    )
    parser.add_argument(
        "-c",
        "--command",
        dest="lines",
        action="append",
        metavar="LINE",
        help="only do this; can be repeated",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Does what the arguments, or the lines of standard input, say; returns the exit status.

    Raises `KitError` where no room answers, for a wrong command of `-c`, and when the room closes
    the connection.
    """
    from kit.control.console import Client  # other commands start without it

    client = Client(args.port_file, _output)
    try:
        if args.lines is None:
            return _Dialogue(client).hold()
        for line in args.lines:
            _show(client.command(line))
        return 0
    finally:
        client.close()


def _output(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _show(text: str) -> None:
    if text:
        print(text, flush=True)


class _Dialogue:
    """Lines from standard input to the room, answers and a machine's console back.

    What the room sends is read by a thread, since no system lets one wait for both.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.attached = ""
        self.answers: queue.SimpleQueue[dict[str, str]] = queue.SimpleQueue()
        self.is_terminal = sys.stdin.isatty()

    def hold(self) -> int:
        """Until quit, the end of the input, or the end of the room."""
        threading.Thread(target=self._listen, daemon=True).start()
        self._prompt()
        for line in sys.stdin:
            if self.attached:
                self._pass_on(line)
            elif line.split()[:1] == ["quit"] or not self._command(line):
                break
            self._prompt()
        return 0

    def _listen(self) -> None:
        try:
            while True:
                message = self.client.receive()
                if "output" not in message:
                    self.answers.put(message)
        except KitError as error:
            self.answers.put({"end": str(error)})

    def _prompt(self) -> None:
        if self.is_terminal and not self.attached:
            print("room> ", end="", flush=True)

    def _pass_on(self, line: str) -> None:
        """A line for the attached machine, or the end of being attached."""
        if line.strip() != DETACH:
            self.client.send({"input": line})
            return
        self.client.send({"detach": True})
        self.answers.get()
        self.attached = ""

    def _command(self, line: str) -> bool:
        """Does one command; False where the room has closed the connection."""
        self.client.command_line(line)
        answer = self.answers.get()
        words = line.split()
        if "error" in answer:
            print(answer["error"], file=sys.stderr, flush=True)
        elif "end" in answer:
            print(answer["end"], file=sys.stderr, flush=True)
            return False
        else:
            if words[:1] == ["attach"]:
                self.attached = words[1]
                _show(f"attached to {words[1]}; a line {DETACH} ends that")
            _show(answer["text"])
        return True
