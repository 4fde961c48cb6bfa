"""Questions drawn from the reader's own run: who handled it?"""

from __future__ import annotations

import random
from dataclasses import dataclass
from html import escape

from kit.errors import KitError
from kit.trace.recording import KINDS, Recording

__all__ = ["HANDLERS", "Question", "Quiz"]

HANDLERS = ("hardware", "guest", "VMM")
"""The possible answers, in the order in which a question names them."""


@dataclass(frozen=True)
class Question:
    """What happened, as a sentence; who handled it; and why that is so."""

    text: str
    answer: str
    reason: str


class Quiz:
    """Up to `count` questions about `recording`; the same `seed` draws the same ones.

    One of them is about a stretch in which no trap happened; each other one is about an event of
    another kind.
    """

    def __init__(self, recording: Recording, count: int = 5, seed: int = 0) -> None:
        chance = random.Random(seed)
        kinds = sorted({event.kind for event in recording.events})
        chance.shuffle(kinds)
        self.questions = [_about(recording, kind, chance) for kind in kinds[: count - 1]]
        stretch = _stretch(recording)
        if stretch is not None:
            self.questions.insert(chance.randrange(len(self.questions) + 1), stretch)

    def check(self, *answers: str) -> str:
        """What is right and what is not, and why; `answers` are in the order of the questions.

        Raises `KitError` where there are too few or too many, or one is not of `HANDLERS`.
        """
        if len(answers) != len(self.questions):
            raise KitError(
                f"{len(self.questions)} answers are needed, but {len(answers)} were given"
            )
        known = {name.lower(): name for name in HANDLERS}
        lines = []
        for number, (given, question) in enumerate(zip(answers, self.questions, strict=True), 1):
            if given.lower() not in known:
                raise KitError(
                    f"answer {number} is {given!r}; please choose from {', '.join(HANDLERS)}"
                )
            right = known[given.lower()] == question.answer
            verdict = "right" if right else f"no, the {question.answer}"
            lines.append(f"{number}. {verdict}: {question.reason}")
        return "\n".join(lines)

    def __str__(self) -> str:
        lines = [f"{number}. {question.text}" for number, question in enumerate(self.questions, 1)]
        return "\n".join([*lines, f"Who handled it: {', '.join(HANDLERS[:-1])} or {HANDLERS[-1]}?"])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{escape(question.text)}</li>" for question in self.questions)
        return f"<ol>{items}</ol><p>Who handled it: hardware, guest or VMM?</p>"


def _about(recording: Recording, kind: str, chance: random.Random) -> Question:
    event = chance.choice([event for event in recording.events if event.kind == kind])
    phrase = KINDS[kind][1]
    did = f" ({event.text})" if event.text else ""
    text = f"Step {event.step:,}, {event.vm}, virtual mode {event.before}: {phrase}{did}."
    if event.handler == "guest":
        reason = f"{phrase} is the guest's own affair; the VMM only hands it to the kernel."
    else:
        reason = f"{phrase} would touch the real machine, so the VMM does it on the virtual one."
    return Question(text, event.handler, reason)


def _stretch(recording: Recording) -> Question | None:
    """The longest time without a trap; None where nothing ran between two events."""
    pairs = list(zip(recording.events, recording.events[1:], strict=False))
    if not pairs:
        return None
    before, after = max(pairs, key=lambda pair: pair[1].step - pair[0].step)
    return Question(
        f"Steps {before.step + 1:,} to {after.step:,}, {after.vm}, virtual mode {after.before}:"
        " ordinary instructions, such as additions and jumps.",
        "hardware",
        "nothing trapped, so neither kernel nor VMM was asked.",
    )
