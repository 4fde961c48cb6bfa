"""What the tests of the batch monitors share: decks made in place, and papers taken apart."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any

from kit.devices.deck import Deck
from kit.isa.assembler import assemble
from kit.isa.image import Image
from kit.machine.computer import Computer
from kit.machine.loader import read_image
from kit.machine.machine import Machine
from kit.resources import guests_dir
from kit.toolchain.decks import JOB_BASE
from kit.toolchain.hexfile import write_hex

__all__ = ["BATCH", "BUDGET", "EXIT_WITH_A0", "MONDAY", "SURVIVOR", "as_deck", "code_of", "job"]
__all__ += ["number", "paper_of", "papers", "papers_of", "program", "run", "stage"]

BATCH = guests_dir() / "batch"
MONDAY = BATCH / "jobs" / "monday.deck"
BUDGET = 20_000_000
EXIT_WITH_A0 = "li a7, EXIT\necall\n"


@functools.cache
def stage(name: str = "") -> Image:
    """The monitor of a stage, such as "06"; the one that `guests/batch` stands for without."""
    return read_image(BATCH / name)


def as_deck(cards: Iterable[str]) -> Deck:
    """The deck of these cards, which may hold any bytes."""
    return Deck([line.encode("latin-1") for line in cards])


def run(deck: Deck | list[str], of: Image | None = None, **machine: Any) -> Machine:
    """The machine, after the batch; the monitor must have come to its end."""
    deck = as_deck(deck) if isinstance(deck, list) else deck
    bare = Machine(reader=deck, **{"memory": "1M", **machine})
    bare.load(of or stage())
    stop = bare.run(BUDGET)
    assert (stop.reason, stop.code) == ("halt", 0), bare.printer.text[-2000:]
    return bare


@functools.cache
def program(source: str) -> tuple[str, ...]:
    """The object cards of a program that may name what interface.s names."""
    text = f'.include "{BATCH.as_posix()}/interface.s"\n.globl _start\n_start:\n{source}\n'
    image = assemble(text, base=JOB_BASE)
    return tuple(write_hex(image.segments, image.entry).splitlines())


def job(
    source: str, data: tuple[str, ...] = (), name: str = "TEST", limits: str = "1,2"
) -> list[str]:
    """The cards of a job."""
    head = [f"$JOB {name},ACCT,{limits}", "$LOAD", *program(source), "$RUN"]
    return [*head, *data, "$EOJ"]


SURVIVOR = job(
    """
    la a0, 1f
    li a1, 5
    li a7, PRINT
    ecall
    li a0, 0
    li a7, EXIT
    ecall
1:  .ascii "ALIVE"
""",
    name="SURVIVOR",
)


def papers(machine: Computer) -> list[str]:
    """The paper of each job, without page breaks; the last one is the summary."""
    text = machine.printer.text.replace("\f", "")
    return re.split(r"^(?=JOB \d|-+\nEND OF BATCH)", text, flags=re.M)[1:]


def number(pattern: str, text: str) -> int:
    """The number that the group of a pattern fits."""
    found = re.search(pattern, text)
    assert found, (pattern, text)
    return int(found[1])


def code_of(machine: Computer, of: Image) -> bytes:
    """What is now in storage where the monitor's code and constants are."""
    start = of.symbols["image_start"]
    return machine.read_memory(start, of.symbols["text_end"] - start)


def _as_loaded(of: Image) -> bytes:
    machine = Machine(memory="1M", engine="reference")
    machine.load(of)
    return code_of(machine, of)


def paper_of(cards: list[str], of: Image | None = None, **machine: Any) -> str:
    """What a job (or half of one) printed. The job after it must not have noticed anything."""
    of = of or stage()
    after = run([*cards, *SURVIVOR], of, **machine)
    *before, last, _summary = papers(after)
    assert "\nALIVE\n" in last
    assert "ENDED NORMALLY, CODE 0" in last
    assert code_of(after, of) == _as_loaded(of)
    return "".join(before)


def papers_of(jobs: Iterable[list[str]], of: Image | None = None, **machine: Any) -> list[str]:
    """As `paper_of`, for many jobs (or halves of them) in one deck."""
    together = paper_of([card for cards in jobs for card in cards], of, **machine)
    return re.split(r"^(?=JOB \d)", together, flags=re.M)[1:]
