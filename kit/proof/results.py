"""What deciding a goal comes to. (Without z3, which only the processes that decide need.)"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["PROVED", "REFUTED", "UNKNOWN", "VACUOUS", "Result", "Verdict"]

Verdict = str
PROVED, REFUTED, UNKNOWN, VACUOUS = "proved", "refuted", "unknown", "vacuous"
"""What the solver says: `VACUOUS` where no state satisfies the hypotheses."""


@dataclass
class Result:
    """The verdict on one goal, and the time it took.

    `failed` are the claims that a counterexample breaks, `values` what it consists of, by the names
    of the obligation's terms, and `query` the slowest single query, in seconds. `shown` is it as a
    program, perhaps (`kit.proof.counterexample`). `is_remembered` says that an earlier run has
    proved it, whose times these are.
    """

    lemma: str
    instruction: str
    verdict: Verdict
    seconds: float = 0.0
    query: float = 0.0
    queries: int = 0
    failed: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)
    is_remembered: bool = False

    def numbers(self) -> dict[str, Any]:
        """All of it, as JSON can hold it."""
        return asdict(self)
