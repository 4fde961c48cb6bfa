"""The three theorems of Popek and Goldberg, for the processor at hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kit.proof.classification.instruction import Verdict

__all__ = ["Theorem", "theorems"]

STATEMENTS = (
    "A VMM can be built if every sensitive instruction is privileged.",
    "Recursively, one on the other, if besides no program in U-mode sees the real time.",
    "A hybrid VMM can be built if every instruction that is sensitive in U-mode is privileged.",
)


@dataclass(frozen=True)
class Theorem:
    """What a theorem says of the processor.

    `broken_by` are the instructions because of which it does not apply, each with the reason;
    `provided` are the bits that the control program must keep clear for it.
    """

    number: int
    statement: str
    broken_by: tuple[tuple[str, str], ...]
    provided: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Does it apply?"""
        return not self.broken_by

    def numbers(self) -> dict[str, Any]:
        """The same as JSON can hold it."""
        broken = [{"instruction": name, "why": why} for name, why in self.broken_by]
        return {
            "theorem": self.number,
            "statement": self.statement,
            "holds": self.holds,
            "provided_clear": list(self.provided),
            "broken_by": broken,
        }


def theorems(verdicts: Sequence[Verdict]) -> tuple[Theorem, Theorem, Theorem]:
    """The theorems, from the verdicts on all instructions."""

    def broken(does: Callable[[Verdict], bool], why: Callable[[Verdict], str]) -> Broken:
        return tuple((verdict.name, why(verdict)) for verdict in verdicts if does(verdict))

    first = broken(lambda v: v.breaks_theorem_1, lambda v: sensitivity(v))
    timed = broken(lambda v: v.leaks_time, lambda v: "it shows the real time in U-mode")
    third = broken(lambda v: v.breaks_theorem_3, lambda v: f"in U-mode, {_parts(v.user)}")
    for_1, for_2, for_3 = (
        tuple(sorted({v.closed_by.split()[0] for v in verdicts if v.closed_by and needs(v)}))
        for needs in (
            lambda v: v.is_sensitive, lambda v: v.is_sensitive or v.is_timed, lambda v: bool(v.user)
        )
    )  # fmt: skip
    return (
        Theorem(1, STATEMENTS[0], first, for_1),
        Theorem(2, STATEMENTS[1], (*first, *timed), for_2),
        Theorem(3, STATEMENTS[2], third, for_3),
    )


Broken = tuple[tuple[str, str], ...]

_PHRASES = {
    "mode": "the mode",
    "relocation": "the translation",
    "registers": "control registers",
    "processor": "whether the processor waits",
    "clocks": "the clocks",
}


def _parts(parts: Sequence[str]) -> str:
    return "it changes or shows " + " and ".join(_PHRASES[part] for part in parts)


def sensitivity(verdict: Verdict) -> str:
    """Why an instruction is sensitive, in words."""
    reasons = []
    if verdict.control:
        reasons.append("it changes " + " and ".join(_PHRASES[part] for part in verdict.control))
    shown = [part for part in verdict.behaviour if part != "trap"]
    if shown:
        reasons.append("its result depends on " + " and ".join(_PHRASES[part] for part in shown))
    if "trap" in verdict.behaviour:
        reasons.append("it completes in U-mode where it traps in a more privileged one")
    return "; ".join(reasons)
