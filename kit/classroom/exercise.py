"""Checks: properties of what a student's machine does, judged one after the other.

A lesson's checks are Python in its cells with the tag ``check``::

    exercise = Exercise("01.2", "01/sum.s")

    @exercise.property("value", points=6, needs="returns")
    def _(bench):
        trial = bench.trial("01/sum.s")
        ...
        return None                              # it holds
        return Finding(trial, expected=6, got=7) # it does not, here, as the values say

The schema, for each property:

=============  ================================================================================
id             exercise and name, such as ``01.2.value``
points         what it is worth; liveness that a do-nothing solution has as well is worth nothing
needs          names of properties without which it says nothing
safety         counts only after all that is not safety, whether it says so or not
messages       in the catalogue, under ``check.01.2.value``: ``.title``; ``.1`` what happened and
               what was expected (more than one way to fail: the finding's `way`, ``.1.way``);
               ``.2`` the idea behind it; ``.3`` the register or function
place          step, pc, line, mode, and the recorded run, which can be opened
=============  ================================================================================

Only the first failure is told, for it may be the root of the others. What depends on a property
that fails is *not reached*. An accident (`kit.classroom.trial`) takes the place of the message of
the property in whose run it happened.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kit.classroom.folder import Folder
from kit.classroom.step_quiz import StepQuestion, same_answer
from kit.classroom.trial import Place, Trial
from kit.errors import KitError
from kit.isa.image import Image
from kit.messages import message
from kit.trace.tape import record_to

__all__ = ["Bench", "Exercise", "Finding", "Property", "Report", "Verdict", "judge"]

HOLDS, FAILS, NOT_REACHED = "holds", "fails", "not reached"


class Finding:
    """Why a property does not hold: in which run, at which step, and the values of the message.

    Without a `step` it is the last instruction of the run, or the place of its accident.
    """

    def __init__(
        self, trial: Trial | None = None, step: int | None = None, way: str = "", **values: Any
    ) -> None:
        self.trial, self.way = trial, way
        self.values = {name: _shown(value) for name, value in values.items()}
        self.accident = trial.accident if trial is not None else None
        self.place: Place | None = None
        if self.accident is not None:
            self.place = self.accident.place
        elif trial is not None:
            self.place = trial.place(trial.machine.steps - 1 if step is None else step)


Judge = Callable[["Bench"], Finding | None]


@dataclass(frozen=True)
class Property:
    """One property of an exercise; see the schema above."""

    name: str
    points: int
    needs: tuple[str, ...]
    safety: bool
    judge: Judge = field(compare=False)


class Exercise:
    """An exercise: its number, the student's files that it looks at, its properties in order."""

    def __init__(self, number: str, *files: str) -> None:
        self.number, self.files = number, files
        self.properties: list[Property] = []
        self.questions: Callable[[Bench], Sequence[StepQuestion]] | None = None

    def property(
        self, name: str, points: int = 0, needs: str = "", safety: bool = False
    ) -> Callable[[Judge], Judge]:
        """Adds what is decorated as a property; `needs` are names with blanks between them."""

        def add(judge: Judge) -> Judge:
            wanted = needs.split()
            if safety:
                wanted += [one.name for one in self.properties if not one.safety]
            known = {one.name for one in self.properties}
            if not set(wanted) <= known:
                raise KitError(f"check {self.number}.{name}: needs what stands behind it: {needs}")
            self.properties.append(Property(name, points, tuple(wanted), safety, judge))
            return judge

        return add

    def multiple_choice(self, name: str, right: str, points: int, needs: str = "") -> None:
        """A property that holds if the answer of this name is the right one."""

        def judge(bench: Bench) -> Finding | None:
            given = str(bench.answer(name)).strip().lower()
            return None if given == right else Finding(given=given)

        self.property(name, points, needs)(judge)

    def quiz(self, make: Callable[[Bench], Sequence[StepQuestion]]) -> None:
        """Questions drawn from a run, as a property "answers"; the answers are q1, q2 and so on.
        Three points for all, and none for less, so that nobody guesses one after the other."""
        self.questions = make

        def judge(bench: Bench) -> Finding | None:
            asked = make(bench)
            given = [bench.answer(f"q{number}") for number in range(1, len(asked) + 1)]
            right = [same_answer(g, q.answer) for g, q in zip(given, asked, strict=True)]
            if all(right):
                return None
            wrong = ", ".join(f"q{n}" for n, one in enumerate(right, 1) if not one)
            return Finding(wrong=wrong, right=sum(right), asked=len(asked))

        self.property("answers", 3)(judge)


class Bench:
    """What a judge works with: the student's files and answers, and chance that is always alike."""

    def __init__(self, folder: Folder, exercise: Exercise) -> None:
        self.folder, self.exercise = folder, exercise
        self.random = random.Random(exercise.number)
        self._kept: dict[str, Any] = {}

    def path(self, name: str) -> Path:
        """A file of the student's. Raises `KitError` where it is missing."""
        parts = ("lessons", name) if name[0].isdigit() else (name,)
        path = self.folder.path.joinpath(*parts)
        if not path.exists():
            raise KitError(f"{path}: it is missing; `kit course reset {'/'.join(parts)}` brings it")
        return path

    def image(self, name: str, before: str = "", after: str = "") -> Image:
        """A student's assembly file as a program, with texts of the check's around it.

        Raises `KitError`, at the student's own lines, where it has mistakes.
        """
        from kit.isa.assembler import assemble

        path = self.path(name)
        source = f'{before}\n.include "{path.name}"\n{after}\n'
        return assemble(source, name="the check", include_paths=[path.parent])

    def trial(self, name: str, before: str = "", after: str = "", **settings: Any) -> Trial:
        """A run of a student's assembly file that has not begun yet."""
        return Trial(self.image(name, before, after), **settings)

    def answer(self, name: str) -> Any:
        """An answer to this exercise. Raises `KitError` where none was given."""
        answers = self.folder.read_json("answers.json").get(self.exercise.number, {})
        if answers.get(name) in (None, "", "?"):
            raise KitError(message("check.common.no_answer", name=name, id=self.exercise.number))
        return answers[name]

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What several properties look at, made when it is first wanted."""
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]


@dataclass
class Verdict:
    """What was found of one property. `text` is the first stage of its message, `hints` the next
    two; they are empty unless this is the failure to be told."""

    id: str
    title: str
    points: int
    state: str
    text: str = ""
    hints: list[str] = field(default_factory=list)
    place: dict[str, Any] = field(default_factory=dict)
    tape: str = ""
    kind: str = ""


@dataclass
class Report:
    """What a check has found. `problem` says why nothing could be judged, if so."""

    exercise: str
    verdicts: list[Verdict] = field(default_factory=list)
    problem: str = ""

    @property
    def score(self) -> int:
        """The points of what holds."""
        return sum(one.points for one in self.verdicts if one.state == HOLDS)

    @property
    def total(self) -> int:
        """The points that there are."""
        return sum(one.points for one in self.verdicts)

    @property
    def holds(self) -> bool:
        """Is all well?"""
        return not self.problem and all(one.state == HOLDS for one in self.verdicts)

    @property
    def failure(self) -> Verdict | None:
        """The failure that is told."""
        return next((one for one in self.verdicts if one.text), None)

    def to_json(self) -> dict[str, Any]:
        """It as plain values."""
        return asdict(self) | {"score": self.score, "total": self.total}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Report:
        """What `to_json` made."""
        verdicts = [Verdict(**one) for one in value["verdicts"]]
        return cls(value["exercise"], verdicts, value["problem"])


def judge(exercise: Exercise, folder: Folder, language: str = "") -> Report:
    """Judges all properties of an exercise; runs that fail are put into ``.kit/runs``."""
    bench, report = Bench(folder, exercise), Report(exercise.number)
    held: set[str] = set()
    for one in exercise.properties:
        id_ = f"{exercise.number}.{one.name}"
        verdict = Verdict(id_, message(f"check.{id_}.title", language), one.points, NOT_REACHED)
        report.verdicts.append(verdict)
        if report.problem or not held.issuperset(one.needs):
            continue
        try:
            finding = one.judge(bench)
        except KitError as error:
            report.problem = str(error)
            continue
        verdict.state = HOLDS if finding is None else FAILS
        if finding is None:
            held.add(one.name)
        elif report.failure is None:
            _tell(verdict, finding, folder, language)
    return report


def _tell(verdict: Verdict, finding: Finding, folder: Folder, language: str) -> None:
    """Puts the message of a finding into a verdict, and its run where it can be opened."""
    key, way = f"check.{verdict.id}", f".{finding.way}" if finding.way else ""
    values = finding.values
    if finding.accident is not None:
        key, way = f"check.accident.{finding.accident.id}", ""
        values = values | finding.accident.values
    verdict.kind = key.removeprefix("check.") + way
    place = finding.place
    if place is not None:
        verdict.place = asdict(place)
        values = values | {
            "where": place.where, "step": f"{place.step:,}", "mode": place.mode,
            "instruction": place.instruction,
        }  # fmt: skip
    verdict.text = message(f"{key}.1{way}", language, **values)
    if place is not None:
        verdict.text += "\n" + message("check.common.place", language, **values)
    verdict.hints = [message(f"{key}.{stage}", language, **values) for stage in (2, 3)]
    if finding.trial is not None:
        tape = folder.kit / "runs" / f"{verdict.id}.tape"
        tape.parent.mkdir(parents=True, exist_ok=True)
        record_to(tape, finding.trial.history)
        verdict.tape = str(tape)


def _shown(value: Any) -> str:
    """A value in a message: addresses and patterns in hexadecimal, counts as they are."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0xFFFF:
        return f"{value:#x}"
    return str(value)
