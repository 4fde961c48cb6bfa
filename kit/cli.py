"""The command `kit`. Mistakes of its user end with one line on standard error and status 2."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

from kit import __version__
from kit.errors import KitError

__all__ = ["main"]

COMMANDS = {
    "run": "run", "replay": "replay", "view": "view", "diff": "diff", "build": "build",
    "console": "console", "asm": "asm", "disasm": "asm", "deck": "deck", "bench": "bench",
    "classify": "classify", "verify": "verify", "course": "course", "lab": "lab",
    "doctor": "doctor",
}  # fmt: skip
"""The commands, in the order of the help, and the modules of `kit.commands` that hold them."""
USAGE_ERROR = 2
INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and where help is."""

    def error(self, message: str) -> None:  # type: ignore[override]
        print(f"{self.prog}: {message}; try {self.prog} --help", file=sys.stderr)
        raise SystemExit(USAGE_ERROR)


def parser(commands: Iterable[str] = COMMANDS) -> _Parser:
    """The parser of the command line, or of as much of it as concerns some commands."""
    top = _Parser(prog="kit", description="Build operating systems on a machine you can see into.")
    top.add_argument("--version", action="version", version=f"vmm-kit {__version__}")
    group: Any = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in commands:
        module = import_module(f"kit.commands.{COMMANDS[name]}")
        getattr(module, f"add_{name}")(group)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    for stream in (sys.stdout, sys.stderr):
        # Whatever the code page is, what guests print and checks say must not stop the command.
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    words = sys.argv[1:] if arguments is None else list(arguments)
    # A command that comes first need not wait for the modules of the others.
    known = words[:1] if words and words[0] in COMMANDS else COMMANDS
    chosen, surplus = parser(known).parse_known_args(words)
    if surplus:
        print(f"kit {chosen.command}: {_surplus(chosen, surplus[0])}", file=sys.stderr)
        return USAGE_ERROR
    try:
        return int(chosen.run(chosen))
    except KitError as error:
        print(f"kit {chosen.command}: {error}", file=sys.stderr)
        return USAGE_ERROR
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        print(f"kit {chosen.command}: interrupted", file=sys.stderr)
        return INTERRUPTED


def _surplus(chosen: argparse.Namespace, argument: str) -> str:
    """What is wrong with an argument that nothing takes."""
    if argument.startswith("-") and argument != "-":
        return f"there is no option {argument}; try kit {chosen.command} --help"
    advice = getattr(chosen, "surplus", "leave it out")
    return f"one argument too many: {argument!r}; {advice}"


if __name__ == "__main__":
    sys.exit(main())
