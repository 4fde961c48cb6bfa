"""Has the lemmas decided, goal by goal, by as many processes as there are cores.

A goal whose sources are as they were when it was proved is not decided again, and of the others
only those queries are made that no earlier run has proved.
"""

from __future__ import annotations

import difflib
import json
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kit.errors import KitError
from kit.isa.config import Config
from kit.proof.remembered import Remembered
from kit.proof.results import PROVED, REFUTED, UNKNOWN, Result
from kit.proof.sources import Sources
from kit.proof.variant import functions_in, kernel_functions

__all__ = ["Kernel", "Report", "Worker", "WrongKernelError", "cores", "touched", "verify"]

PATIENCE = 300.0
"""Seconds after which a goal that does not end is given up."""
KEEP_EVERY = 20.0
"""Seconds after which what is new is kept, so that a run that is broken off is not lost."""
NAMES_SHOWN = 4

GoalName = tuple[str, str]
"""A lemma's name, and that of one of its goals."""
Listener = Callable[[int, int, Result], None]
"""Is told how many goals are decided, of how many, and the newest result."""


@dataclass
class Report:
    """What a run found: the results, in the order of the lemmas, and the seconds that it took."""

    results: list[Result] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def is_proved(self) -> bool:
        """Is every goal proved?"""
        return all(result.verdict == PROVED for result in self.results)

    @property
    def refuted(self) -> list[Result]:
        """The goals that are wrong, each with a counterexample."""
        return [result for result in self.results if result.verdict == REFUTED]


def cores() -> int:
    """How many processes can run at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


@dataclass(frozen=True)
class Kernel:
    """Which kernel is meant: the kit's own, but for modules with a `changed` text and for the
    functions in the file `vmm`. `learns` has the workers find out what each goal depends on, and
    `explains` make programs of counterexamples."""

    config: Config = field(default_factory=Config)
    changed: Mapping[str, str] = field(default_factory=dict)
    vmm: Path | None = None
    learns: bool = False
    fresh: bool = False
    explains: bool = False

    def setup(self) -> str:
        """It as the first line that a worker reads."""
        config = {key: value for key, value in asdict(self.config).items() if key != "holes"}
        vmm = None if self.vmm is None else str(self.vmm)
        return json.dumps({
            "config": config, "changed": dict(self.changed), "vmm": vmm,
            "learns": self.learns, "fresh": self.fresh, "explains": self.explains,
        })  # fmt: skip


class WrongKernelError(KitError):
    """A kernel cannot be loaded."""


class Worker:
    """A process that decides goals of one kernel. Raises `WrongKernelError`."""

    def __init__(self, kernel: Kernel) -> None:
        root = Path(__file__).parents[2]
        path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "kit.proof.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            text=True,
            encoding="utf-8",
        )
        self.listing = self._ask(kernel.setup(), PATIENCE)
        if self.listing is None:
            raise KitError("a process of the proof did not start")
        if "wrong" in self.listing:
            self.close()
            raise WrongKernelError(self.listing["wrong"])

    def goals(self) -> list[GoalName]:
        """All goals, in the order of the lemmas."""
        assert self.listing is not None
        return [(name, goal) for name, goals in self.listing["goals"].items() for goal in goals]

    def decide(self, goal: GoalName, patience: float = PATIENCE) -> dict[str, Any] | None:
        """The answer about a goal, or None where there is none within `patience` seconds."""
        return self._ask(json.dumps({"lemma": goal[0], "instruction": goal[1]}), patience)

    def _ask(self, line: str, patience: float) -> dict[str, Any] | None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        limit = threading.Timer(patience, self._process.kill)
        limit.start()
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except (OSError, ValueError):
            return None
        finally:
            limit.cancel()
        return json.loads(answer) if answer else None

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        self._process.wait()


def goal_key(config: Config, goal: GoalName) -> str:
    """A goal's name among what is remembered."""
    return " | ".join((repr(config), *goal))


def check_solver() -> None:
    """Raises `KitError` where z3 is not installed."""
    if find_spec("z3") is None:
        raise KitError("z3 is not installed; install it with: pip install 'vmm-kit[proof]'")


# -- which goals ---------------------------------------------------------------------------------


def _words(text: str) -> set[str]:
    return set(re.split(r"[ ,]+", text.lower()))


def chosen(
    goals: Sequence[GoalName], lemmas: Iterable[str], instructions: Iterable[str]
) -> list[GoalName]:
    """The goals of these lemmas (of all, if none is named) about any of these instructions.

    An instruction's name may be followed by what else is in a goal's, as in ``csrrw mstatus``.
    Raises `KitError` for names that mean nothing.
    """
    known = list(dict.fromkeys(lemma for lemma, _ in goals))
    for name in lemmas:
        if name not in known:
            raise KitError(f"there is no lemma {name!r}; there are {', '.join(known)}")
    wanted = list(lemmas)
    found = [goal for goal in goals if not wanted or goal[0] in wanted]
    asked = list(instructions)
    for name in asked:
        if not any(_words(name) <= _words(goal) for _, goal in found):
            raise KitError(_unknown(name, found))
    if not asked:
        return found
    return [goal for goal in found if any(_words(name) <= _words(goal[1]) for name in asked)]


def _unknown(name: str, goals: Sequence[GoalName]) -> str:
    names = sorted({word for _, goal in goals for word in _words(goal) if word})
    near = difflib.get_close_matches(name.lower(), names, NAMES_SHOWN)
    advice = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"no goal is about {name!r}{advice}"


def replaced(file: Path) -> set[str]:
    """The pieces of the kernel that a file replaces. Raises `KitError` if there are none."""
    own = functions_in(file)
    known = kernel_functions()
    found = {piece for name in own & known.keys() for piece in known[name]}
    if not found:
        raise KitError(
            f"{file}: it defines no function of the kernel, such as emulate_mret or guest_rights"
        )
    return found


def touched(
    goals: Sequence[GoalName], pieces: set[str], known: Remembered, key: Callable[[GoalName], str]
) -> list[GoalName]:
    """The goals that depend on some pieces.

    Of a goal that was never decided, it is not known what it depends on; an interpreter is then
    taken to matter to the goals of *emulation* about its instruction, and anything else to all.
    """
    names = {piece.rpartition(":")[2] for piece in pieces}
    rows = {name.removeprefix("emulate_").replace("_", ".") for name in names}
    are_interpreters = all(name.startswith("emulate_") for name in names)

    def depends(goal: GoalName) -> bool:
        own = known.pieces_of(key(goal))
        if own is not None:
            return bool(own & pieces)
        about = re.split(r"[ ,]", goal[1])[0]
        return not are_interpreters or (goal[0] == "emulation" and about in rows)

    return [goal for goal in goals if depends(goal)]


# -- deciding them -------------------------------------------------------------------------------


class _Run:
    """One run: takes goals from a queue, and answers to the results."""

    def __init__(self, kernel: Kernel, jobs: int, first: Worker) -> None:
        self._kernel, self._jobs = kernel, jobs
        self._spare = [first]
        self._workers: list[Worker] = []
        self._lock = threading.Lock()
        self._ended = False

    def answers(self, goals: Sequence[GoalName]) -> Iterator[tuple[GoalName, dict[str, Any]]]:
        """The answers, as they come. What starts the processes is what ends them."""
        waiting: queue.SimpleQueue[GoalName] = queue.SimpleQueue()
        for goal in goals:
            waiting.put(goal)
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        threads = [
            threading.Thread(target=self._work, args=(waiting, done), daemon=True)
            for _ in range(min(self._jobs, len(goals)))
        ]
        for thread in threads:
            thread.start()
        try:
            for _ in goals:
                answer = _next(done)
                if isinstance(answer, BaseException):
                    raise answer
                yield answer
        finally:
            self.close()

    def _work(self, waiting: queue.SimpleQueue[GoalName], done: queue.SimpleQueue[Any]) -> None:
        worker: Worker | None = None
        try:
            while not self._ended:
                goal = waiting.get_nowait()
                worker = worker or self._start()
                answer = worker.decide(goal)
                if answer is None:
                    worker.close()
                    worker = None
                    answer = {"error": f"no answer within {PATIENCE:.0f} s"}
                done.put((goal, answer))
        except queue.Empty:
            pass
        except BaseException as error:  # to be raised where the answers are waited for
            done.put(error)

    def _start(self) -> Worker:
        with self._lock:
            worker = self._spare.pop() if self._spare else None
        worker = worker or Worker(self._kernel)
        with self._lock:
            self._workers.append(worker)
        if self._ended:
            worker.close()
        return worker

    def close(self) -> None:
        """Ends all processes."""
        self._ended = True
        with self._lock:
            for worker in (*self._workers, *self._spare):
                worker.close()


def _next(done: queue.SimpleQueue[Any]) -> Any:
    """The next answer. In pieces, so that control-C gets through on every system."""
    while True:
        try:
            return done.get(timeout=0.5)
        except queue.Empty:
            continue


def verify(
    lemmas: Iterable[str] = (),
    instructions: Iterable[str] = (),
    vmm: str | Path | None = None,
    *,
    config: Config | None = None,
    fresh: bool = False,
    jobs: int | None = None,
    listener: Listener = lambda done, of, result: None,
) -> Report:
    """Has the goals of some lemmas about some instructions decided; of all, where none is named.

    `vmm` is a Python file whose functions replace those of the kernel that have the same names;
    then only goals that depend on them are decided. `fresh` ignores what earlier runs have proved.
    Raises `KitError` for names and files that are wrong, and where z3 is missing.
    """
    started = time.perf_counter()
    check_solver()
    whole = _Verification(config or Config(), vmm, fresh, jobs or cores(), listener)
    return whole.report(list(lemmas), list(instructions), started)


class _Verification:
    """The goals of one kernel, and what is known of them."""

    def __init__(
        self, config: Config, vmm: str | Path | None, fresh: bool, jobs: int, listener: Listener
    ) -> None:
        self.file = None if vmm is None else Path(vmm).absolute()
        self.pieces = None if self.file is None else replaced(self.file)
        self.known = Remembered(fresh)
        self.sources = Sources()
        self.setting = f"{version('z3-solver')} {config!r}"
        self.config, self.jobs, self.listener = config, jobs, listener
        self.kernel = Kernel(config, {}, self.file, self.file is None, fresh, explains=True)

    def key(self, goal: GoalName) -> str:
        """A goal's name in the memory."""
        return goal_key(self.config, goal)

    def report(self, lemmas: list[str], instructions: list[str], started: float) -> Report:
        """Decides the goals that are asked for."""
        first = Worker(self.kernel)
        run = _Run(self.kernel, self.jobs, first)
        try:
            picked = chosen(first.goals(), lemmas, instructions)
            if self.pieces is not None:
                picked = touched(picked, self.pieces, self.known, self.key)
            results = self._results(picked, run)
        finally:
            run.close()
            self.known.keep()
        return Report([results[goal] for goal in picked], time.perf_counter() - started)

    def _results(self, goals: list[GoalName], run: _Run) -> dict[GoalName, Result]:
        results: dict[GoalName, Result] = {}
        left = []
        for goal in goals:
            found = self._remembered(goal)
            if found is None:
                left.append(goal)
            else:
                results[goal] = found
        # The longest first: so no process has a long one left when the others are done.
        left.sort(key=lambda goal: -self.known.seconds(self.key(goal)))
        kept = time.monotonic()
        for goal, answer in run.answers(left):
            results[goal] = self._result(goal, answer)
            if time.monotonic() > kept + KEEP_EVERY:
                self.known.keep()
                kept = time.monotonic()
            self.listener(len(results), len(goals), results[goal])
        return results

    def _remembered(self, goal: GoalName) -> Result | None:
        """What an earlier run has proved. (Of a student's kernel only queries are remembered.)"""
        if self.file is not None:
            return None
        entry = self.known.proof(self.key(goal), self.sources.digests, self.setting)
        if entry is None:
            return None
        numbers = {name: entry[name] for name in ("seconds", "query", "queries")}
        return Result(*goal, PROVED, **numbers, is_remembered=True)

    def _result(self, goal: GoalName, answer: dict[str, Any]) -> Result:
        if answer.get("where"):
            raise KitError(answer["where"])
        if "error" in answer:
            return Result(*goal, UNKNOWN, failed=[answer["error"]])
        result = Result(**answer["result"])
        self.known.note_queries(answer["queries"])
        if result.verdict == PROVED and "functions" in answer:
            pieces = self.sources.closure(answer["functions"])
            numbers = {name: getattr(result, name) for name in ("seconds", "query", "queries")}
            self.known.note(self.key(goal), pieces, self.sources.digests, self.setting, **numbers)
        return result
