"""Results as a table: lemma by lemma, and instructions that belong together in one line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from kit.isa.encoding import INSTRUCTIONS
from kit.proof.mutants import Fate
from kit.proof.results import PROVED, REFUTED, UNKNOWN, VACUOUS, Result

__all__ = ["counterexample_text", "fates_text", "goals_text", "group_of", "table_text"]

VERDICTS = (REFUTED, VACUOUS, UNKNOWN, PROVED)
"""The worst first."""
CLASSES = {
    "jumps and branches": "jal jalr beq bne blt bge bltu bgeu".split(),
    "loads": "lb lh lw lbu lhu".split(),
    "stores": "sb sh sw".split(),
    "fences": "fence fence.i".split(),
    "system": "ecall ebreak mret sret wfi sfence.vma".split(),
}
EXTENSIONS = {"I": "integer", "M": "multiply and divide", "A": "atomic", "C": "compressed"}

_CLASS_OF = {row.name: EXTENSIONS.get(row.extension, "") for row in INSTRUCTIONS}
_CLASS_OF |= {name: group for group, names in CLASSES.items() for name in names}


def group_of(instruction: str) -> str:
    """What a goal is about, roughly: a class of instructions, or the words before a number."""
    first = re.split(r"[ ,]", instruction)[0]
    if first in _CLASS_OF:
        return _CLASS_OF[first] or first
    return re.split(r" \d|,", instruction)[0]


def table_text(results: Sequence[Result]) -> str:
    """A line for each lemma and class of instructions; then whatever is not proved."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.lemma, group_of(result.instruction)), []).append(result)
    rows: list[Sequence[str]] = [("lemma", "about", "goals", "verdict", "time", "slowest query")]
    before = ""
    for (lemma, about), own in groups.items():
        rows.append(_row("" if lemma == before else lemma, about, own))
        before = lemma
    text = _aligned(rows)
    wrong = [result for result in results if result.verdict != PROVED]
    return "\n\n".join([text, *([goals_text(wrong)] if wrong else [])])


def _row(lemma: str, about: str, results: Sequence[Result]) -> Sequence[str]:
    counts = {v: sum(result.verdict == v for result in results) for v in VERDICTS}
    told = [f"{count} {verdict}" for verdict, count in counts.items() if count]
    verdict = told[0].split(" ")[1] if len(told) == 1 else ", ".join(told)
    seconds, query = sum(r.seconds for r in results), max(r.query for r in results)
    return lemma, about, str(len(results)), verdict, f"{seconds:.1f} s", f"{query:.1f} s"


def goals_text(results: Sequence[Result]) -> str:
    """A line for each goal, and below it what a counterexample breaks."""
    rows = [("lemma", "about", "verdict", "time")]
    rows += [(r.lemma, r.instruction, r.verdict, f"{r.seconds:.2f} s") for r in results]
    lines = _aligned(rows).splitlines()
    told = [lines[0]]
    for line, result in zip(lines[1:], results, strict=True):
        told.append(line)
        if result.failed:
            told.append(f"    wrong: {', '.join(result.failed)}")
    return "\n".join(told)


def counterexample_text(result: Result) -> str:
    """A refuted goal's counterexample: in words, the program, and what it leaves on either side."""
    shown = result.shown
    lines = [f"{result.lemma}, {result.instruction}: {shown['text']}.", ""]
    if not shown["program"]:
        lines += [
            f"  ({shown['reason'].capitalize()}.)",
            "  The state, as far as it is not zero:",
            "",
        ]
        lines += [f"    {name:<16} {value:#x}" for name, value in shown["before"].items()]
        return "\n".join(lines)
    lines += [f"    {line}" for line in shown["program"].splitlines()]
    lines += ["", f"  Run, the two part in step {shown['place']}:", ""]
    rows = [("    register", "before", "bare", "kernel")]
    rows += [
        (f"    {name}", f"{shown['before'].get(name, 0):#x}", f"{one:#x}", f"{two:#x}")
        for name, one, two in shown["after"]
    ]
    return "\n".join([*lines, _aligned(rows)])


def fates_text(fates: Sequence[Fate]) -> str:
    """A line for each mutant: what became of it, and by which goal, or why it is no bug."""
    rows = [("verdict", "time", "mutant", "by")]
    rows += [(f.verdict, f"{f.seconds:.1f} s", f.name, f.by) for f in fates]
    return _aligned(rows)


def _aligned(rows: Iterable[Sequence[str]]) -> str:
    cells = list(rows)
    widths = [max(len(row[n]) for row in cells) for n in range(len(cells[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )
