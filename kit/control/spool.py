"""Spooling: reader, printer and punch of many machines, backed by files in one directory.

A deck that is fed waits in a file until the machine's reader has no more cards. What printer and
punch put out is in files at once, line by line and card by card, one file for each job. Where one
job ends and the next begins is found without knowing the guest:

- a card fed that begins with "$JOB" begins a job, named by the word after it; a FEED that finds no
  card ends it;
- a page belongs to one job: the printer's file changes where a page begins, at once if the paper
  is at the top of a page, otherwise at the next eject;
- the punch's file changes at once;
- the operator can end both files at any time (`Spool.close`).

`kit.control.spool_file` says what is in a file. There is no index that could be lost: files are
known by their numbers, and each says whose it is.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path

from kit.control.spool_file import (
    Appender,
    Contents,
    mark_read,
    read_contents,
    reason_of,
    record_line,
    spool_numbers,
    spool_path,
)
from kit.control.virtual_machine import VirtualMachine
from kit.devices.deck import Deck, printable
from kit.errors import KitError
from kit.machine.computer import Computer

__all__ = ["KEPT", "LIMIT", "Spool", "SpoolFile"]

KEPT = 1000
"""Lines of paper, and punched cards, that stay in memory where output is spooled."""
LIMIT = 64 << 20
"""Bytes that an output file may have; a machine that wants to put out more is stopped."""
LONGEST_JOB = 32


@dataclass(frozen=True)
class SpoolFile:
    """What the operator sees of a spool file.

    `device` is "reader", "printer" or "punch" of machine `vm`; `job` is the job's name, or the
    deck's. `state` is "waiting" or "read" for decks, "open" or "closed" for output. `records` are
    its lines or cards, a form feed counted as one. `damage` is one line about what is damaged, or
    nothing.
    """

    number: int
    vm: str
    device: str
    job: str
    state: str
    records: int
    damage: str = ""


class Spool:
    """The spool files in a directory, and the machines that use them.

    `problems` are one-line reports of what went wrong while machines ran: decks that could not be
    read, output that could not be stored. A virtual machine whose output cannot be stored is
    stopped with that reason; the others run on. A bare machine goes on, and what this device puts
    out is not stored until `close`. Whatever a guest does, nothing is raised in its run.
    """

    def __init__(self, directory: str | Path, *, limit: int = LIMIT) -> None:
        """Uses a directory, made if there is none. `limit` is in bytes for each output file.

        Decks that wait there are fed when their machines are attached. Raises KitError if the
        directory cannot be made or read.
        """
        self.folder = Path(directory)
        self.limit = limit
        self.problems: list[str] = []
        self._stations: dict[str, _Station] = {}
        self._waiting: dict[str, deque[int]] = {}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:
            raise KitError(f"{directory}: cannot make the spool: {reason_of(error)}") from None
        for file in self.files():
            if file.state == "waiting" and not file.damage:
                self._waiting.setdefault(file.vm, deque()).append(file.number)

    # -- machines ----------------------------------------------------------------------------

    def attach(self, name: str, machine: Computer) -> None:
        """From now on the machine's reader, printer and punch use the spool, by this name.

        Cards in the reader's hopper come before the decks in the spool; what gets the printer's
        lines already still does. The devices themselves keep only the newest `KEPT` lines and cards
        at least. Raises KitError if the name is in use, or a device is missing.
        """
        if name in self._stations:
            raise KitError(f"spool: there is a machine {name!r} already; detach it first")
        self._stations[name] = _Station(self, name, machine)

    def detach(self, name: str) -> None:
        """The machine's devices leave the spool; its files stay. Raises KitError if unknown."""
        self._station(name).leave()
        del self._stations[name]

    def close(self, name: str) -> None:
        """Ends the machine's output files; more output goes into new ones of the same job.

        Raises KitError if no such machine is attached.
        """
        self._station(name).close()

    # -- files -------------------------------------------------------------------------------

    def feed(self, name: str, deck: Deck) -> int:
        """Queues a deck for a machine's reader; returns its number.

        The machine need not be attached yet. Raises KitError if the deck cannot be stored.
        """
        cards = (record_line("card", card.decode("latin-1")) for card in deck)
        try:
            file = Appender(self.folder, name, "reader", deck.name, *cards, record_line("end"))
        except OSError as error:
            raise KitError(f"{self.folder}: cannot store the deck: {reason_of(error)}") from None
        file.close()
        self._waiting.setdefault(name, deque()).append(file.number)
        return file.number

    def files(self, name: str | None = None) -> list[SpoolFile]:
        """All files, or those of one machine, in order of their numbers.

        A damaged one is listed, with the damage. Raises KitError if the directory is unreadable.
        """
        found = [self._listed(number) for number in spool_numbers(self.folder)]
        return [file for file in found if name is None or file.vm == name]

    def show(self, number: int, *, salvage: bool = False) -> str:
        """The text of a file: paper with its form feeds, or cards one a line.

        Raises KitError if there is no such file or it is damaged; with `salvage`, what is damaged
        is left out instead.
        """
        return self._contents(number, salvage).text

    def deck(self, number: int, *, salvage: bool = False) -> Deck:
        """The cards of a deck, or of what was punched, ready to be fed. Raises as `show` does."""
        contents = self._contents(number, salvage)
        if contents.device == "printer":
            raise KitError(f"spool: file {number} is paper, not cards")
        return contents.deck

    def delete(self, number: int) -> None:
        """Deletes a file; a deck that waits is not fed any more.

        Output that goes into it goes into a new file from now on. Raises KitError if there is no
        such file, or it cannot be deleted.
        """
        for station in self._stations.values():
            station.close(number)
        try:
            spool_path(self.folder, self._known(number)).unlink()
        except OSError as error:
            raise KitError(f"spool: cannot delete file {number}: {reason_of(error)}") from None
        for queue in self._waiting.values():
            if number in queue:
                queue.remove(number)

    # -- what stations ask for ---------------------------------------------------------------

    def next_deck(self, name: str) -> Deck | None:
        """The next deck that waits for a machine, which is taken to be read from now on."""
        queue = self._waiting.get(name, deque())
        while queue:
            number = queue.popleft()
            try:
                deck = self.deck(number)
                mark_read(spool_path(self.folder, number))
                return deck
            except (KitError, OSError) as error:
                self.problems.append(f"{name}: deck {number} was not read: {reason_of(error)}")
        return None

    def _station(self, name: str) -> _Station:
        station = self._stations.get(name)
        if station is None:
            raise KitError(f"spool: there is no machine {name!r}")
        return station

    def _known(self, number: int) -> int:
        if number not in spool_numbers(self.folder):
            raise KitError(f"spool: there is no file {number}")
        return number

    def _contents(self, number: int, salvage: bool) -> Contents:
        contents = read_contents(spool_path(self.folder, self._known(number)))
        if contents.damage and not salvage:
            raise KitError(contents.damage)
        return contents

    def _listed(self, number: int) -> SpoolFile:
        try:
            found = read_contents(spool_path(self.folder, number))
        except KitError as error:
            found = Contents(damage=str(error))
        if found.device == "reader":
            state = "read" if found.read else "waiting"
        else:
            is_open = any(number in station.numbers for station in self._stations.values())
            state = "open" if is_open else "closed"
        records = len(found.texts)
        return SpoolFile(number, found.vm, found.device, found.job, state, records, found.damage)


class _Station:
    """What the spool does for one machine."""

    def __init__(self, spool: Spool, name: str, machine: Computer) -> None:
        self.spool = spool
        self.name = name
        self.machine = machine
        self.reader, self.printer, self.punch = machine.reader, machine.printer, machine.punch
        self.former = self.printer.sink, self.punch.sink
        self.kept = self.printer.kept, self.punch.kept
        self.outputs: dict[str, Appender] = {}
        self.refused: set[str] = set()  # devices of a bare machine whose output is not stored
        self.job = ""  # whose cards are being read
        self.paper_job = ""  # whose page is being printed
        self.is_top = True  # the paper is at the top of a page
        self.page_pending = False  # a job has begun since this page was begun
        self.reader.source, self.reader.watch = self.next_deck, self.card_fed
        self.printer.sink, self.punch.sink = self.printed, self.punched
        self.printer.kept = self.punch.kept = KEPT

    @property
    def numbers(self) -> list[int]:
        """The numbers of the files that are open."""
        return [output.number for output in self.outputs.values()]

    def leave(self) -> None:
        """Takes the hands off the devices."""
        self.reader.source = self.reader.watch = None
        self.printer.sink, self.punch.sink = self.former
        self.printer.kept, self.punch.kept = self.kept
        self.close()

    def close(self, number: int | None = None) -> None:
        """Ends the output files, or the one with this number."""
        self.refused.clear()
        for device, output in list(self.outputs.items()):
            if number in (None, output.number):
                output.close()
                del self.outputs[device]

    def next_deck(self) -> Deck | None:
        """What the reader asks for when its hopper is empty."""
        deck = self.spool.next_deck(self.name)
        if deck is None and self.job:
            self._begin_job("")
        return deck

    def card_fed(self, card: bytes) -> None:
        """The reader has fed a card."""
        if card.startswith(b"$JOB "):
            words = printable(card[5:]).replace(",", " ").split()
            self._begin_job(words[0][:LONGEST_JOB] if words else "")

    def _begin_job(self, job: str) -> None:
        self.job = job
        self._end_file("punch")
        self.page_pending = True
        if self.is_top:
            self._begin_page()

    def _begin_page(self) -> None:
        if self.page_pending:
            self._end_file("printer")
            self.paper_job, self.page_pending = self.job, False

    def _end_file(self, device: str) -> None:
        output = self.outputs.pop(device, None)
        if output is not None:
            output.close()

    def printed(self, text: str) -> None:
        """A line, or a form feed, is on the paper."""
        if self.former[0] is not None:
            self.former[0](text)
        self._store("printer", self.paper_job, record_line("line", text))
        self.is_top = text == "\f"
        if self.is_top:
            self._begin_page()

    def punched(self, card: bytes) -> None:
        """A card has been punched."""
        if self.former[1] is not None:
            self.former[1](card)
        self._store("punch", self.job, record_line("card", card.decode("latin-1")))

    def _store(self, device: str, job: str, line: bytes) -> None:
        if device in self.refused:
            return
        try:
            output = self.outputs.get(device)
            if output is None:
                output = Appender(self.spool.folder, self.name, device, job)
                self.outputs[device] = output
            if output.size + len(line) > self.spool.limit:
                raise KitError(f"file {output.number} may have {self.spool.limit} bytes at most")
            output.append(line)
        except (KitError, OSError) as error:
            self._end_file(device)
            self._fail(device, f"spool: output of the {device} is not stored: {reason_of(error)}")

    def _fail(self, device: str, reason: str) -> None:
        self.spool.problems.append(f"{self.name}: {reason}")
        if isinstance(self.machine, VirtualMachine):
            self.machine.vcpu.failure = reason
        else:
            self.refused.add(device)
