"""The operator's commands: one line in, one text out. A wrong command is a `KitError` of one line.

Commands act between two turns of a room, so they never see a machine in the middle of a step.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kit.control.room import Room
from kit.control.room_plan import EVERYBODY
from kit.control.spool import Spool
from kit.devices.deck import Deck
from kit.errors import KitError
from kit.files import replace_file

__all__ = ["COMMANDS", "Operator"]

WORD = re.compile(r'"([^"]*)"|(\S+)')
PAPER = 60
"""Lines of paper that are shown if no number is given."""
MOST_LINES = 10_000


@dataclass(frozen=True)
class Command:
    """How a command is written, what it does, and the function that does it."""

    usage: str
    purpose: str
    act: Callable[[Operator, list[str]], str]
    least: int
    most: int


class Operator:
    """Carries out commands on a room. Files are looked for in `folder`."""

    def __init__(self, room: Room, folder: str | Path = ".") -> None:
        self.room = room
        self.folder = Path(folder)

    def execute(self, line: str) -> str:
        """Does what a line says; returns what there is to show, without a newline at its end.

        Raises `KitError`, with one line and nothing done, for a wrong command.
        """
        words = [quoted or plain for quoted, plain in WORD.findall(line)]
        if not words:
            return ""
        command = COMMANDS.get(words[0])
        if command is None:
            raise KitError(f"there is no command {_shown(words[0])}; try help")
        if not command.least <= len(words) - 1 <= command.most:
            raise KitError(f"usage: {command.usage}")
        return command.act(self, words[1:]).rstrip("\n")

    # -- commands ----------------------------------------------------------------------------

    def machines(self, words: list[str]) -> str:
        """A line for each machine."""
        rows: list[tuple[str, ...]] = [("NAME", "STATE", "STEPS", "TIME", "CARDS", "LINES")]
        for name, machine in self.room.vmm.machines.items():
            numbers = machine.steps, machine.hart.mtime, len(machine.reader.hopper)
            printed = f"{machine.printer.count:,}"
            rows.append((name, self.room.state(name), *(f"{n:,}" for n in numbers), printed))
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if column < 2 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        )

    def start(self, words: list[str]) -> str:
        """Lets machines go on; of all, those that can."""
        everybody = words[0] == EVERYBODY
        for name in self._names(words[0]):
            if everybody and self.room.scheduler.account(name).ended is not None:
                continue
            self.room.start(name)
        return ""

    def stop(self, words: list[str]) -> str:
        """Gives machines no more turns."""
        for name in self._names(words[0]):
            self.room.stop(name)
        return ""

    def reset(self, words: list[str]) -> str:
        """Switches machines off and on."""
        for name in self._names(words[0]):
            self.room.reset(name)
        return ""

    def attach(self, words: list[str]) -> str:
        """The end of what a console has shown; the rest is the business of who is attached."""
        lines = self.room.machine(words[0]).uart.text.split("\n")
        return "\n".join(lines[-PAPER:])

    def type_line(self, words: list[str]) -> str:
        """Types a line at a console."""
        self.room.type(words[0], (" ".join(words[1:]) + "\n").encode("utf-8", "replace"))
        return ""

    def feed(self, words: list[str]) -> str:
        """Puts a deck behind the cards in the reader, or into its spool."""
        name, machine = words[0], self.room.machine(words[0])
        deck = Deck.read(self.folder / words[1])
        if self.room.spool is not None:
            number = self.room.spool.feed(name, deck)
            return f"{len(deck)} cards are spool file {number}"
        machine.reader.load(deck)
        return f"{len(deck)} cards are in the reader"

    def printer(self, words: list[str]) -> str:
        """The end of the paper."""
        text = self.room.machine(words[0]).printer.text
        lines = text.replace("\f", "-" * 60 + "\n").splitlines()
        return "\n".join(lines[-_number(words[1]) if len(words) > 1 else -PAPER :])

    def spool(self, words: list[str]) -> str:
        """The spool's files, or the contents of one."""
        spool = self._spool()
        if words and words[0].isdecimal():
            return spool.show(_number(words[0])).replace("\f", "-" * 60 + "\n")
        name = words[0] if words else None
        if name is not None:
            self.room.machine(name)
        return "\n".join(
            f"{file.number:5}  {file.vm:<12} {file.device:<8} {file.job or '-':<12} "
            f"{file.state:<8} {file.records:6}" + (f"  {file.damage}" if file.damage else "")
            for file in spool.files(name)
        )

    def save(self, words: list[str]) -> str:
        """Saves the room, or one machine, in a file."""
        room = self.room
        state = room.save_machine(words[1]) if len(words) > 1 else room.save()
        replace_file(self.folder / words[0], state)
        return f"{len(state):,} bytes are in {words[0]}"

    def restore(self, words: list[str]) -> str:
        """Takes on what was saved."""
        try:
            state = (self.folder / words[0]).read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise KitError(f"{words[0]}: cannot read it: {reason}") from None
        try:
            if len(words) > 1:
                self.room.restore_machine(words[1], state)
            else:
                self.room.restore(state)
        except KitError as error:
            raise KitError(f"{words[0]}: {error}") from None
        return ""

    def report(self, words: list[str]) -> str:
        """What virtualisation has cost."""
        return self.room.vmm.report().text()

    def shutdown(self, words: list[str]) -> str:
        """Ends the room after this turn."""
        self.room.closing = True
        return "the room is closed"

    def quit(self, words: list[str]) -> str:
        """Nothing: only the one who asked leaves."""
        return ""

    def help(self, words: list[str]) -> str:
        """All commands."""
        width = max(len(command.usage) for command in COMMANDS.values())
        return "\n".join(f"{c.usage:<{width}}  {c.purpose}" for c in COMMANDS.values())

    # -- words -------------------------------------------------------------------------------

    def _names(self, word: str) -> list[str]:
        if word == EVERYBODY:
            return [*self.room.vmm.machines]
        self.room.machine(word)
        return [word]

    def _spool(self) -> Spool:
        if self.room.spool is None:
            raise KitError("this room has no spool; its plan can name one: spool = FOLDER")
        return self.room.spool


COMMANDS = {
    command.usage.split()[0]: command
    for command in (
        Command("list", "the machines, and what they do", Operator.machines, 0, 0),
        Command("start NAME|all", "lets a machine go on", Operator.start, 1, 1),
        Command("stop NAME|all", "gives a machine no more turns", Operator.stop, 1, 1),
        Command("reset NAME|all", "switches a machine off and on", Operator.reset, 1, 1),
        Command(
            "attach NAME", "this terminal becomes its console; ~. ends that", Operator.attach, 1, 1
        ),
        Command("type NAME TEXT", "types a line at its console", Operator.type_line, 2, 1000),
        Command("feed NAME DECK", "puts a deck into its reader", Operator.feed, 2, 2),
        Command("printer NAME [LINES]", "shows the end of its paper", Operator.printer, 1, 2),
        Command("spool [NAME|NUMBER]", "lists spool files, or shows one", Operator.spool, 0, 1),
        Command("save FILE [NAME]", "saves the room, or a machine", Operator.save, 1, 2),
        Command("restore FILE [NAME]", "takes on what was saved", Operator.restore, 1, 2),
        Command("report", "what virtualisation has cost", Operator.report, 0, 0),
        Command("shutdown", "ends the room", Operator.shutdown, 0, 0),
        Command("quit", "leaves; the room goes on", Operator.quit, 0, 0),
        Command("help", "this list", Operator.help, 0, 0),
    )
}


def _number(word: str) -> int:
    if not word.isascii() or not word.isdecimal() or not 1 <= int(word[:9]) <= MOST_LINES:
        raise KitError(f"{_shown(word)} is no number from 1 to {MOST_LINES}")
    return int(word[:9])


def _shown(word: str) -> str:
    text = "".join(c if c.isprintable() else "?" for c in word)
    return repr(text if len(text) <= 40 else text[:37] + "...")
