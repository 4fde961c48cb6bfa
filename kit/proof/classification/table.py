"""The classification of a whole processor, for people and for programs."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kit.errors import KitError
from kit.isa.config import Config
from kit.isa.holes import describe_hole
from kit.proof.classification.instruction import NEVER, OTHERS, Classifier, Subject, Verdict
from kit.proof.classification.theorems import Theorem, sensitivity, theorems
from kit.proof.classification.translated import fetch_witness

__all__ = ["Classification", "classify_processor"]

FETCH = "fetch"
CSR = "csr "
"""What marks the name of a register among names of instructions."""
WIDTH = 100

Progress = Callable[[int, int, str], None]
"""Told how many are done, of how many, and which one comes next."""


@dataclass(frozen=True)
class Classification:
    """The verdicts on the instructions of a processor; `theorems` is empty if only on some."""

    config: Config
    verdicts: tuple[Verdict, ...]
    theorems: tuple[Theorem, ...]

    def of(self, name: str) -> Verdict:
        """The verdict on an instruction, such as "mret" or "csrrs satp". Raises KeyError."""
        return {verdict.name: verdict for verdict in self.verdicts}[name]

    def numbers(self) -> dict[str, Any]:
        """All of it, as JSON can hold it."""
        config = self.config
        return {
            "processor": {
                "isa": config.isa, "modes": config.modes, "pmp": config.pmp, "ad": config.ad,
                "holes": [f"hole.{name}" for name in config.holes],
            },
            "instructions": [verdict.numbers() for verdict in self.verdicts],
            "theorems": [theorem.numbers() for theorem in self.theorems],
        }  # fmt: skip

    def text(self) -> str:
        """The table: groups of instructions alike, then the theorems; or what was asked for."""
        lines = [_processor(self.config), ""]
        if not self.theorems:
            return "\n".join([*lines, *_details(self.verdicts)])
        for heading, rows in _groups(self.verdicts):
            lines += [heading, *rows, ""]
        for theorem in self.theorems:
            lines += _theorem(theorem)
        return "\n".join(lines)


def classify_processor(
    config: Config, names: Sequence[str] = (), progress: Progress = lambda *_: None
) -> Classification:
    """Classifies the instructions of a processor: all of them, or those that `names` mention.

    A name is an instruction's, a CSR's, or "fetch". Raises `KitError` for a name of nothing that
    the processor has, and for a processor without a U-mode, of which the theorems say nothing.
    """
    if not config.has_u:
        raise KitError(f"modes {config.modes}: the theorems are about processors with a user mode")
    classifier = Classifier(config)
    subjects = _chosen(classifier, names)
    verdicts = []
    for number, subject in enumerate(subjects):
        progress(number, len(subjects), subject.name)
        verdicts.append(classifier.classify(subject))
    if not names or FETCH in names:
        verdicts.append(_fetch(classifier))
    return Classification(config, tuple(verdicts), () if names else theorems(verdicts))


def _chosen(classifier: Classifier, names: Sequence[str]) -> list[Subject]:
    subjects, rows = classifier.subjects(), classifier.decoder.by_name
    registers = {subject.register for subject in subjects}
    wanted: set[str] = set()
    for name in names:
        if name not in registers and name not in rows and name != FETCH:
            raise KitError(f"this processor has no instruction or CSR {name!r}")
        row = rows.get(name)
        wanted.add(row.expansion.split()[0] if row is not None and row.expansion else name)
    if not names:
        return subjects
    # Of those that access CSRs, each that was named, on each register that was; or on all.
    accesses = wanted & {subject.row.name for subject in subjects if subject.register}
    of_registers = wanted & registers

    def is_wanted(subject: Subject) -> bool:
        if not subject.register:
            return subject.row.name in wanted
        is_named = subject.row.name in accesses or not accesses
        return (
            bool(accesses | of_registers)
            and is_named
            and (subject.register in of_registers or not of_registers)
        )

    return [subject for subject in subjects if is_wanted(subject)]


def _fetch(classifier: Classifier) -> Verdict:
    """What every instruction has in common: it is fetched."""
    config = classifier.world.config
    return Verdict(
        name=FETCH, instruction=FETCH, register="",
        completes=dict.fromkeys(config.modes[::-1], "sometimes"), closed_by="", s_trapped_by="",
        control=(), behaviour=(), is_timed=False, user=(), is_translated=True,
        witnesses=fetch_witness(config, classifier.decoder),
    )  # fmt: skip


def _processor(config: Config) -> str:
    parts = [config.isa, f"modes {config.modes}", f"{config.pmp} PMP entries"]
    holes = [f"hole.{name}: {describe_hole(name)}" for name in config.holes]
    return "\n".join([", ".join(parts), *holes])


# -- the table -------------------------------------------------------------------------------

BROKEN = "Sensitive, and not privileged"
TIMED = "Not privileged, and show the real time"
PRIVILEGED = "Privileged: complete in M-mode, trap in U-mode"
WHILE = "Privileged while {}: then they trap in U-mode"
REJECTED = "Trap in every mode"
TRANSLATED = "Sensitive to the translation only, which shadow tables take over"
INNOCUOUS = "Innocuous"


@dataclass(frozen=True)
class _Entry:
    """A line's worth: an instruction, or those for CSRs with one register."""

    name: str
    heading: str
    about: str


def _groups(verdicts: Sequence[Verdict]) -> list[tuple[str, list[str]]]:
    """The table's parts: a heading, and the lines below it."""
    entries = [_entry([verdict]) for verdict in verdicts if not verdict.register]
    registers = dict.fromkeys(verdict.register for verdict in verdicts if verdict.register)
    for register in registers:
        entries.append(_entry([v for v in verdicts if v.register == register]))
    found: dict[str, dict[str, list[str]]] = {}
    for entry in entries:
        found.setdefault(entry.heading, {}).setdefault(entry.about, []).append(entry.name)
    order = [BROKEN, TIMED, PRIVILEGED, WHILE, REJECTED, TRANSLATED, INNOCUOUS]

    def place(heading: str) -> int:
        return next(n for n, known in enumerate(order) if heading[:16] == known[:16])

    headings = sorted(found, key=place)
    return [(f"{h}:" if ":" not in h else h, _lines(found[h])) for h in headings]


def _entry(verdicts: list[Verdict]) -> _Entry:
    """What is said in one place: of a CSR, all that some instruction does with it."""
    broken = [v for v in verdicts if v.breaks_theorem_1]
    timed = [v for v in verdicts if v.leaks_time]
    register = verdicts[0].register
    name = CSR + register if register else verdicts[0].name
    if broken or timed:
        name = ", ".join(v.name for v in broken or timed)
        about = "; ".join(dict.fromkeys(sensitivity(v) for v in broken))
        return _Entry(name, BROKEN if broken else TIMED, about)
    active = [v for v in verdicts if any(when != NEVER for when in v.completes.values())]
    if not active:
        return _Entry(name, REJECTED, "")
    first = active[0]
    if first.closed_by:
        return _Entry(name, WHILE.format(first.closed_by), _about(active))
    if all(v.is_privileged for v in active):
        return _Entry(name, PRIVILEGED, _about(active))
    return _Entry(name, TRANSLATED if first.is_translated else INNOCUOUS, "")


def _about(verdicts: Sequence[Verdict]) -> str:
    """What some instructions do between them, in words."""
    control = _union(v.control for v in verdicts)
    shown = _union((*v.behaviour, *(["clocks"] if v.is_timed else [])) for v in verdicts)
    parts = [f"change {', '.join(control)}"] if control else []
    parts += [f"show {', '.join(shown)}"] if shown else []
    bits = [v.s_trapped_by for v in verdicts if v.s_trapped_by]
    where = {v.completes.get("S", NEVER) for v in verdicts}
    if bits:
        parts.append(f"trap in S-mode while {bits[0]}")
    elif where != {NEVER}:
        parts.append("complete in S-mode")
    return "; ".join(parts) or "not sensitive"


def _union(parts: Iterable[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(part for some in parts for part in some))


def _lines(groups: dict[str, list[str]]) -> list[str]:
    lines = []
    for about, names in groups.items():
        if about:
            lines.append(f"  {about}")
        indent = "      " if about else "  "
        plain = [name for name in names if not name.startswith(CSR)]
        accessed = [name.removeprefix(CSR) for name in names if name.startswith(CSR)]
        for some, start in ((plain, ""), (accessed, "CSR instructions on ")):
            if some:
                text = start + ", ".join(_ranges(some))
                lines += textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)
    return lines


def _ranges(names: Sequence[str]) -> list[str]:
    """The names, with runs such as pmpaddr0, pmpaddr1, ... joined."""
    runs: list[list[str]] = []
    last: tuple[str, int, str] | None = None
    for name in sorted(names, key=_key):
        stem, number, tail = _key(name)
        if last == (stem, number - 1, tail) and number > 0:
            runs[-1].append(name)
        else:
            runs.append([name])
        last = stem, number, tail
    return [run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]


def _key(name: str) -> tuple[str, int, str]:
    found = re.fullmatch(r"(pmp\D+|mhpm\D+|tdata)(\d+)(h?)", name)
    return (found[1] + found[3], int(found[2]), found[3]) if found else (name, 0, "")


def _theorem(theorem: Theorem) -> list[str]:
    verdict = "holds" if theorem.holds else "fails"
    lines = _wrapped(f"Theorem {theorem.number} {verdict}. {theorem.statement}", "")
    if theorem.holds and theorem.provided:
        lines.append(f"    With {', '.join(theorem.provided)} clear.")
    for name, why in theorem.broken_by:
        lines += _wrapped(f"{name}: {why}", "    ")
    return lines


def _details(verdicts: Sequence[Verdict]) -> list[str]:
    """What was asked for: each verdict in words, and its witnesses."""
    lines = []
    for verdict in verdicts:
        lines += [verdict.name, *_wrapped(_sentence(verdict), "  ")]
        for witness in verdict.witnesses:
            lines += [*_wrapped(witness.shows, "  - "), *_wrapped(witness.text, "      ")]
        lines.append("")
    return lines[:-1]


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=" " * len(indent),
        break_on_hyphens=False,
    )  # fmt: skip


def _sentence(verdict: Verdict) -> str:
    completes = ", ".join(f"{mode} {when}" for mode, when in verdict.completes.items())
    entry = _entry([verdict])
    heading = entry.heading.split(":")[0]
    about = f"; {entry.about}" if entry.about and entry.heading != BROKEN else ""
    why = f": {entry.about}" if entry.heading == BROKEN else ""
    name = f" ({OTHERS})" if verdict.register == OTHERS else ""
    return f"{heading}{name}{why}{about}. Completes in: {completes}."
