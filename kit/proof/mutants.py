"""The proof is tested: it must refute each bug that is seeded into the kernel.

Of each mutant, only goals are decided that depend on what it changes, those first that are most
likely to be wrong, until one is. A mutant that none refutes survives; some do so rightly, since
they are no bugs (`EQUIVALENT`).
"""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from kit.errors import KitError
from kit.isa.config import Config
from kit.proof.mutant import Mutant
from kit.proof.mutants_by_hand import BY_HAND, NEEDS_FAULTS
from kit.proof.mutants_equivalent import EQUIVALENT
from kit.proof.mutants_generated import generated
from kit.proof.remembered import Remembered
from kit.proof.results import PROVED, REFUTED, VACUOUS
from kit.proof.sources import module_files, pieces_of
from kit.proof.verify import GoalName, Kernel, Worker, WrongKernelError, cores, goal_key, verify

__all__ = ["Fate", "MutantReport", "all_mutants", "verify_mutants"]

EQUIVALENT_VERDICT, SURVIVES = "equivalent", "survives"
PATIENCE = 60.0
SLOWER = 10
"""Seconds after which deciding a goal about a mutant counts as endless; or, if that is longer, so
many times what it takes for the kernel itself."""
ORDER = {
    "csr": "emulation", "interpreters": "emulation", "traps": "reflection",
    "translation": "walk", "protection": "protection", "access": "access", "kernel": "dispatch",
    "shadow": "tables", "allocator": "storage",
}  # fmt: skip
"""Which lemma most likely refutes a bug of a module,"""
FAVOUR = 4.0
"""and how much more time its goals get than another's."""


@dataclass(frozen=True)
class Fate:
    """What became of a mutant: refuted (by which goal, or how else), equivalent (why), or not."""

    name: str
    verdict: str
    by: str = ""
    seconds: float = 0.0
    goals: int = 0

    def numbers(self) -> dict[str, object]:
        """It as JSON has it."""
        return {
            "name": self.name, "verdict": self.verdict, "by": self.by, "goals": self.goals,
            "seconds": round(self.seconds, 3),
        }  # fmt: skip


@dataclass
class MutantReport:
    """The fates of mutants, and the seconds that it took to find them out."""

    fates: list[Fate] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def surviving(self) -> list[Fate]:
        """Those that should have been refuted."""
        return [fate for fate in self.fates if fate.verdict not in (REFUTED, EQUIVALENT_VERDICT)]


def all_mutants() -> dict[str, Mutant]:
    """The bugs written by hand, then those made by rule."""
    return {**BY_HAND, **generated()}


def verify_mutants(
    names: Iterable[str] = (),
    *,
    config: Config | None = None,
    jobs: int | None = None,
    listener: Callable[[int, int, Fate], None] = lambda done, of, fate: None,
) -> MutantReport:
    """Tries mutants, by name; all, where none is named. Raises `KitError` for unknown names.

    Only goals that are proved of the kernel itself are tried, so those are proved first, if no
    earlier run has done so.
    """
    started = time.perf_counter()
    every = all_mutants()
    wanted = list(names) or list(every)
    for name in wanted:
        if name not in every:
            raise KitError(f"there is no mutant {name!r}; see kit.proof.mutants_by_hand")
    proved = verify(config=config, jobs=jobs).results
    goals = [(result.lemma, result.instruction) for result in proved if result.verdict == PROVED]
    trial = _Trial(config or Config(), goals)
    found: dict[str, Fate] = {}
    try:
        for fate in trial.fates({name: every[name] for name in wanted}, jobs or cores()):
            found[fate.name] = fate
            listener(len(found), len(wanted), fate)
    finally:
        trial.known.keep()
    return MutantReport([found[name] for name in wanted], time.perf_counter() - started)


class _Trial:
    def __init__(self, config: Config, goals: list[GoalName]) -> None:
        self.config, self.goals = config, goals
        self.known = Remembered()
        files = module_files()
        self.texts = {name: file.read_text(encoding="utf-8") for name, file in files.items()}
        self._ended = False
        self._workers: set[Worker] = set()

    def fates(self, mutants: Mapping[str, Mutant], jobs: int) -> Iterator[Fate]:
        """The fates of mutants, as they are found out."""
        waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        for name in mutants:
            waiting.put(name)
        done: queue.SimpleQueue[Fate | BaseException] = queue.SimpleQueue()

        def work() -> None:
            try:
                while not self._ended:
                    name = waiting.get_nowait()
                    done.put(self._fate(name, mutants[name]))
            except queue.Empty:
                pass
            except BaseException as error:  # to be raised where the fates are waited for
                done.put(error)

        for _ in range(min(jobs, len(mutants))):
            threading.Thread(target=work, daemon=True).start()
        try:
            for _ in mutants:
                yield _next(done)
        finally:
            self._ended = True
            for worker in list(self._workers):
                worker.close()

    def _fate(self, name: str, mutant: Mutant) -> Fate:
        started = time.perf_counter()
        if name in EQUIVALENT:
            return Fate(name, EQUIVALENT_VERDICT, EQUIVALENT[name])
        source = mutant.source()
        config = replace(self.config, ad="fault") if name in NEEDS_FAULTS else self.config
        kernel = Kernel(config, {mutant.module: source})
        try:
            worker = Worker(kernel)
        except WrongKernelError as error:
            return Fate(name, REFUTED, f"loading it: {error}", time.perf_counter() - started)
        self._workers.add(worker)
        try:
            by, goals, unsure = self._refuter(name, mutant, source, worker)
        finally:
            self._workers.discard(worker)
            worker.close()
        seconds = time.perf_counter() - started
        if by:
            return Fate(name, REFUTED, by, seconds, goals)
        return Fate(name, "unknown" if unsure else SURVIVES, unsure, seconds, goals)

    def _refuter(
        self, name: str, mutant: Mutant, source: str, worker: Worker
    ) -> tuple[str, int, str]:
        """What refutes a mutant, after how many goals; and what could not be decided."""
        unsure = ""
        goals = self._in_order(name, mutant, source)
        for number, goal in enumerate(goals, 1):
            usual = self.known.seconds(goal_key(self.config, goal))
            answer = worker.decide(goal, max(PATIENCE, SLOWER * usual))
            if self._ended:
                break
            if answer is None:
                return f"{': '.join(goal)} does not end", number, unsure
            if "error" in answer:
                return f"{': '.join(goal)} raises {answer['error']}", number, unsure
            verdict = answer["result"]["verdict"]
            if verdict in (REFUTED, VACUOUS):
                self.known.note_refuter(name, list(goal))
                return ": ".join(goal), number, unsure
            if verdict != PROVED:
                unsure = ": ".join(goal)
        return "", len(goals), unsure

    def _in_order(self, name: str, mutant: Mutant, source: str) -> list[GoalName]:
        """The goals that depend on what is changed, the likeliest to be wrong first."""
        old = self.texts[mutant.module]
        before, after = pieces_of(mutant.module, old), pieces_of(mutant.module, source)
        changed = {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)}
        near = _words_near(old, source)
        refuter = self.known.refuters.get(name)
        keys = {goal: goal_key(self.config, goal) for goal in self.goals}

        def likelihood(goal: GoalName) -> tuple[float, float]:
            return -len(_words(goal[1]) & near), self.known.seconds(keys[goal])

        touched = [g for g, key in keys.items() if (self.known.pieces_of(key) or set()) & changed]
        touched.sort(key=likelihood)
        # Each lemma gets the same share of the time, the likeliest one more.
        spent: dict[str, float] = {}
        due: dict[GoalName, float] = {}
        for goal in touched:
            share = FAVOUR if goal[0] == ORDER[mutant.file] else 1.0
            spent[goal[0]] = spent.get(goal[0], 0.0) + self.known.seconds(keys[goal]) / share
            due[goal] = 0.0 if list(goal) == refuter else spent[goal[0]]
        return sorted(touched, key=due.__getitem__)


def _next(done: queue.SimpleQueue[Fate | BaseException]) -> Fate:
    """The next fate. In pieces, so that control-C gets through on every system."""
    while True:
        try:
            found = done.get(timeout=0.5)
        except queue.Empty:
            continue
        if isinstance(found, BaseException):
            raise found
        return found


def _words(text: str) -> set[str]:
    return {word for word in re.split(r"[^a-z0-9.]+", text.lower()) if word}


def _words_near(old: str, new: str) -> set[str]:
    """The words of the lines that are changed, and of the name of the function they are in."""
    lines = old.splitlines()
    same = 0
    for one, two in zip(lines, new.splitlines(), strict=False):
        if one != two:
            break
        same += 1
    here = lines[same : same + 3]
    above = [line for line in lines[: same + 1] if re.match(r" *def ", line)][-1:]
    text = " ".join([*here, *above])
    found = _words(text) | _words(text.replace("_", " ").replace("emulate_sfence_", "sfence."))
    names = {"READ": "read", "WRITE": "write", "EXECUTE": "execute"}
    return found | {word for name, word in names.items() if name in text}
