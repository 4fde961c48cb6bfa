"""Decks of jobs for a batch monitor: from programs and data to cards.

A job is a $JOB card with its name, account, seconds, pages and, as one likes, cards to be punched;
$LOAD and the program as object cards (Intel HEX); $RUN and the data cards; and $EOJ.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.devices.deck import Deck, card
from kit.errors import KitError
from kit.isa.assembler import assemble_file
from kit.machine.loader import read_image, read_source
from kit.toolchain.hexfile import read_hex_file, write_hex

__all__ = ["JOB_BASE", "Job", "jobs_deck", "object_cards", "parse_job", "read_jobs"]

JOB_BASE = 0x80010000
"""Where a job's storage begins, as `guests/batch/interface.s` says."""

_SOURCE = (".s", ".S", ".asm")
_HEX = (".hex", ".ihex", ".ihx")
_LONGEST_NAME = 8
_NAME = re.compile(r"[!-+\--~]+")  # anything that prints, but blanks and commas
_MOST = 9999


@dataclass(frozen=True)
class Job:
    """What the cards of a job are made from.

    `program` is the file of the program: assembly source, ELF, Intel HEX or a flat binary. `data`
    are the texts of the data cards. `punched` is how many cards it may punch, None as many as the
    monitor usually allows; `remark` comes behind a blank on the $JOB card. Raises KitError if the
    monitor would refuse the job.
    """

    name: str
    account: str
    seconds: int
    pages: int
    program: Path
    data: tuple[str, ...] = ()
    punched: int | None = None
    remark: str = ""

    def __post_init__(self) -> None:
        for what, text in (("name", self.name), ("account", self.account)):
            if len(text) > _LONGEST_NAME or not _NAME.fullmatch(text):
                raise KitError(
                    f"{what} {text!r}: use 1 to {_LONGEST_NAME} printable ASCII characters, "
                    f"without blanks and commas"
                )
        limits = {"seconds": self.seconds, "pages": self.pages, "punched": self.punched}
        for what, limit in limits.items():
            if limit is not None and not 1 <= limit <= _MOST:
                raise KitError(f"{what} {limit}: use a number from 1 to {_MOST}")
        card(self.job_card.encode("utf-8", "surrogatepass"), "$JOB card")
        for number, line in enumerate(self.data, 1):
            card(line.encode("utf-8", "surrogatepass"), f"data card {number}")
            if line.startswith("$"):
                raise KitError(
                    f"data card {number}: begins with '$' and would be taken for a control card"
                )

    @property
    def job_card(self) -> str:
        """The job's first card."""
        limits = [self.seconds, self.pages, *([] if self.punched is None else [self.punched])]
        fields = ",".join([self.name, self.account, *map(str, limits)])
        return f"$JOB {fields} {self.remark}".rstrip()

    def cards(self, base: int = JOB_BASE, include: Sequence[str | Path] = ()) -> list[str]:
        """The job's cards; a program that is not linked yet comes to the address `base`."""
        return [
            self.job_card,
            "$LOAD",
            *object_cards(self.program, base, include),
            "$RUN",
            *self.data,
            "$EOJ",
        ]


def jobs_deck(
    jobs: Iterable[Job], base: int = JOB_BASE, include: Sequence[str | Path] = ()
) -> Deck:
    """The deck with the cards of all jobs, in order. Raises KitError if a program has errors."""
    cards = [line.encode("ascii") for job in jobs for line in job.cards(base, include)]
    return Deck(cards, "jobs")


def object_cards(
    program: str | Path, base: int = JOB_BASE, include: Sequence[str | Path] = ()
) -> list[str]:
    """A program as Intel HEX records, each fit for a card.

    Assembly source is assembled for, and a flat binary is put to, the address `base`. Raises
    KitError if the program cannot be read or has errors.
    """
    path = Path(program)
    if path.suffix.lower() in _HEX:
        data, name = read_source(path, "program")
        found = read_hex_file(data.decode("latin-1"), name)
        return write_hex(found.segments, found.start).splitlines()
    if path.suffix in _SOURCE:
        image = assemble_file(path, base=base, include_paths=include)
    else:
        image = read_image(path, base, include)
    return write_hex(image.segments, image.entry).splitlines()


def parse_job(text: str, program: str | Path, data: Iterable[str | Path] = ()) -> Job:
    """A job from "name,account,seconds,pages", its program and its files of data cards.

    Behind the pages may follow, after a comma, how many cards it may punch.
    """
    fields = [field.strip() for field in text.split(",")]
    limits = fields[2:]
    if len(limits) not in (2, 3) or not all(n.isascii() and n.isdigit() for n in limits):
        raise KitError(
            f"job {text!r}: expected name,account,seconds,pages, as in SUM,SALES,5,1; "
            f"and as you like, after a comma, cards to be punched"
        )
    if any(len(limit) > len(str(_MOST)) for limit in limits):
        raise KitError(f"job {text!r}: seconds, pages and cards are numbers from 1 to {_MOST}")
    cards = tuple(line for file in data for line in Deck.read(file).lines())
    seconds, pages, *punched = map(int, limits)
    limit = punched[0] if punched else None
    return Job(fields[0], fields[1], seconds, pages, Path(program), cards, limit)


def read_jobs(path: str | Path) -> list[Job]:
    """The jobs that a TOML file lists, each as a table ``[[job]]``.

    Its keys are name, account, seconds, pages, program (a file); if wanted, punched and remark; and
    data cards: `data` (a file) or `cards` (a list of texts). Files are looked for beside the TOML
    file. Raises KitError, with the line of the table, for whatever is wrong.
    """
    path = Path(path)
    text = _read_text(path)
    tables = _tables(text, path)
    headers = [n for n, line in enumerate(text.split("\n"), 1) if _HEADER.match(line)]
    jobs = []
    for number, table in enumerate(tables):
        where = f"{path}:{headers[number]}" if number < len(headers) else f"{path}"
        try:
            jobs.append(_job(table, path.parent))
        except KitError as error:
            raise KitError(f"{where}: {error}") from None
    return jobs


_MOST_BYTES = 1 << 24

_HEADER = re.compile(r"\s*\[\[\s*job\s*\]\]")
_KEYS: dict[str, type] = {
    "name": str,
    "account": str,
    "seconds": int,
    "pages": int,
    "program": str,
    "punched": int,
    "remark": str,
    "data": str,
    "cards": list,
}
_OPTIONAL = ("punched", "remark", "data", "cards")


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise KitError(f"{path}: larger than {_MOST_BYTES >> 20} MiB: is it a list of jobs?")
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise KitError(f"{path}: is not text in UTF-8; a list of jobs is a TOML file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise KitError(f"{path}: cannot read the list of jobs: {reason}") from None


def _tables(text: str, path: Path) -> list[Mapping[str, Any]]:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r" \(at line (\d+), column \d+\)$", str(error))
        line = f":{found[1]}" if found else ""
        what = str(error)[: found.start()] if found else str(error)
        raise KitError(f"{path}{line}: this is not TOML: {what}") from None
    except RecursionError:
        raise KitError(f"{path}: this is not a list of jobs: it is nested too deeply") from None
    tables = content.get("job")
    others = sorted(content.keys() - {"job"})
    if others or not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        raise KitError(f"{path}: expected a table [[job]] for each job, and nothing else")
    return tables


def _job(table: Mapping[str, Any], folder: Path) -> Job:
    for key in table.keys() - _KEYS.keys():
        raise KitError(f"unknown key {key!r}; a job has {', '.join(_KEYS)}")
    for key, kind in _KEYS.items():
        value = table.get(key)
        if value is None and key in _OPTIONAL:
            continue
        if not isinstance(value, kind) or isinstance(value, bool):
            expected = {str: "a text", int: "a number", list: "a list of texts"}[kind]
            missing = "is missing; it is" if value is None else "must be"
            raise KitError(f"{key!r} {missing} {expected}")
    cards = table.get("cards", [])
    if not all(isinstance(text, str) for text in cards):
        raise KitError("'cards' must be a list of texts")
    if "data" in table:
        cards = [*Deck.read(folder / table["data"]).lines(), *cards]
    return Job(
        table["name"],
        table["account"],
        table["seconds"],
        table["pages"],
        folder / table["program"],
        tuple(cards),
        table.get("punched"),
        table.get("remark", ""),
    )
