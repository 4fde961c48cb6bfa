"""Questions about single instructions of a run, drawn from it: for a short quiz, on paper too."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kit.classroom.trial import Place, Trial
from kit.isa.registers import ABI_NAMES
from kit.messages import message

__all__ = ["StepQuestion", "Steps", "same_answer", "same_number", "step_questions"]

MOST = 2_000
"""Steps of a run that are looked at."""
_LOADS = ("lb", "lbu", "lh", "lhu", "lw")


@dataclass(frozen=True)
class StepQuestion:
    """A question, and the number or word that answers it."""

    text: str
    answer: int | str


@dataclass(frozen=True)
class _Step:
    """One step: where it was, registers before and after, and where pc went."""

    place: Place
    before: tuple[int, ...]
    after: tuple[int, ...]
    next: int
    csrs: tuple[tuple[str, int], ...]


class Steps:
    """The steps of a trial that is over, made again one by one."""

    def __init__(self, trial: Trial, first: int = 0) -> None:
        last = min(trial.machine.steps, first + MOST)
        now = trial.machine.steps
        self.trial = trial
        self.rows: list[_Step] = []
        trial.history.go(first)
        for _ in range(first, last):
            self.rows.append(self._step(trial))
        trial.history.go(now)

    def _step(self, trial: Trial) -> _Step:
        machine = trial.machine
        place = trial.place()
        before = tuple(machine.hart.x[n] for n in range(32))
        trial.history.go(machine.steps + 1)
        after = tuple(machine.hart.x[n] for n in range(32))
        csrs = tuple((name, machine.register(name)) for name in ("mepc", "mcause", "mtval"))
        return _Step(place, before, after, machine.hart.pc, csrs)


Maker = Callable[[_Step, random.Random, str], StepQuestion | None]


def step_questions(
    steps: Steps, chance: random.Random, count: int, kinds: Sequence[str], language: str = ""
) -> list[StepQuestion]:
    """`count` questions of these kinds, in turn: "register", "address", "branch", "trap"."""
    found: list[StepQuestion] = []
    rows = [row for row in steps.rows if row.place.instruction]
    chance.shuffle(rows)
    makers = [_MAKERS[kind] for kind in kinds]
    used: set[str] = set()
    for turn in range(count * len(makers)):
        maker = makers[turn % len(makers)]
        for row in rows:
            question = maker(row, chance, language)
            if question is not None and row.place.instruction not in used:
                used.add(row.place.instruction)
                found.append(question)
                break
        if len(found) == count:
            break
    return found


def same_answer(given: object, answer: int | str) -> bool:
    """Is what somebody wrote this number, or this word in whatever case?"""
    if isinstance(answer, str):
        return str(given).strip().casefold() == answer.casefold()
    return same_number(given, answer)


def same_number(given: object, answer: int) -> bool:
    """Is what somebody wrote this number, in whatever notation, with 32 bits?"""
    try:
        number = given if isinstance(given, int) else int(str(given).replace("_", ""), 0)
    except ValueError:
        return False
    return number & 0xFFFFFFFF == answer & 0xFFFFFFFF


def _values(row: _Step) -> dict[str, object]:
    return {"line": row.place.where, "instruction": row.place.instruction,
            "step": row.place.step}  # fmt: skip


def _register(row: _Step, chance: random.Random, language: str) -> StepQuestion | None:
    """What is in a register afterwards?"""
    changed = [n for n in range(1, 32) if row.before[n] != row.after[n]]
    words = row.place.instruction.replace(",", " ").replace("(", " ").replace(")", " ").split()
    sources = [n for n in words[2:] if n in ABI_NAMES and n != "zero"]
    if len(changed) != 1 or not sources or words[0] in _LOADS or words[0].startswith(("j", "csr")):
        return None
    known = ", ".join(f"{name} = {row.before[ABI_NAMES.index(name)]:#x}" for name in sources)
    text = message("quiz.register", language, known=known, register=ABI_NAMES[changed[0]],
                   **_values(row))  # fmt: skip
    return StepQuestion(text, row.after[changed[0]])


def _address(row: _Step, chance: random.Random, language: str) -> StepQuestion | None:
    """Which address does a load or store reach?"""
    name, _, rest = row.place.instruction.partition(" ")
    if name not in (*_LOADS, "sb", "sh", "sw") or "(" not in rest:
        return None
    offset, _, base = rest.rpartition(",")[2].strip().rstrip(")").partition("(")
    if base not in ABI_NAMES:
        return None
    value = row.before[ABI_NAMES.index(base)]
    text = message("quiz.address", language, known=f"{base} = {value:#x}", **_values(row))
    return StepQuestion(text, value + int(offset or "0", 0))


def _branch(row: _Step, chance: random.Random, language: str) -> StepQuestion | None:
    """Where does a branch lead?"""
    words = row.place.instruction.replace(",", " ").split()
    sources = [n for n in words[1:] if n in ABI_NAMES]
    if not words[0].startswith("b") or not sources:
        return None
    known = ", ".join(f"{name} = {row.before[ABI_NAMES.index(name)]:#x}" for name in sources)
    text = message("quiz.branch", language, known=known, pc=f"{row.place.pc:#x}", **_values(row))
    return StepQuestion(text, row.next)


def _trap(row: _Step, chance: random.Random, language: str) -> StepQuestion | None:
    """What is in a CSR after a trap?"""
    values = dict(row.csrs)
    if row.before != row.after or values["mepc"] != row.place.pc or values["mcause"] == 0:
        return None
    if row.next == row.place.pc or abs(row.next - row.place.pc) == 4:
        return None
    name = chance.choice(("mepc", "mcause"))
    text = message("quiz.trap", language, register=name, pc=f"{row.place.pc:#x}",
                   mode=row.place.mode, **_values(row))  # fmt: skip
    return StepQuestion(text, values[name])


_MAKERS: dict[str, Maker] = {
    "register": _register, "address": _address, "branch": _branch, "trap": _trap,
}  # fmt: skip
