"""A process that decides goals: it reads requests from standard input, and writes answers.

`python -m kit.proof.worker` is started by `kit.proof.verify`, with which it talks in lines of JSON.
The first says which kernel is meant. Whatever else is written to standard output is dropped.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from kit.errors import KitError
from kit.proof.remembered import Remembered
from kit.proof.results import REFUTED, Result
from kit.proof.variant import Notes, install, replace, where_in

__all__ = ["main"]

DEEP = 20_000
"""Python's limit of recursion: terms are nested as deep as paths are long."""


class _Queries(dict[str, str]):
    """Digests of queries that were proved; those of this process are `new`."""

    def __init__(self, known: dict[str, None]) -> None:
        super().__init__()
        self._old = known
        self.new: list[str] = []

    def get(self, digest: str, default: Any = None) -> Any:
        return "proved" if digest in self._old else super().get(digest, default)

    def __setitem__(self, digest: str, verdict: str) -> None:
        self.new.append(digest)
        super().__setitem__(digest, verdict)


class _Worker:
    def __init__(self, setup: dict[str, Any]) -> None:
        self.notes = Notes() if setup["learns"] else None
        install(setup["changed"], self.notes)
        import kit.proof.lemmas  # noqa: F401 - enters the lemmas
        from kit.isa.config import Config
        from kit.proof.goals import LEMMAS

        self.file = Path(setup["vmm"]) if setup["vmm"] else None
        if self.file is not None:
            replace(self.file)
        if self.notes is not None:
            self.notes.follow()
        self.explains = setup["explains"]
        self.known = _Queries(Remembered(setup["fresh"]).queries)
        config = Config(**setup["config"])
        self.config = config
        self.goals = {name: lemma.goals(config) for name, lemma in LEMMAS.items()}
        self.base = set() if self.notes is None else set(self.notes.now)

    def listing(self) -> dict[str, Any]:
        """All goals, by lemma."""
        return {"goals": {name: list(goals) for name, goals in self.goals.items()}}

    def decide(self, lemma: str, instruction: str) -> dict[str, Any]:
        """The answer to a request."""
        from kit.proof.goals import decide

        self.known.new = []
        if self.notes is not None:
            self.notes.now = set()
        goal = self.goals[lemma].get(instruction)
        if goal is None:
            return {"error": "there is no such goal any more"}
        try:
            result = decide(goal, lemma, instruction, self.known)
        except Exception as error:  # a student's file, a mutant, or a lemma that does not fit
            where = where_in(self.file, error) if self.file is not None else ""
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(last.filename).name}:{last.lineno}"
            return {"error": f"{place}: {type(error).__name__}: {error}", "where": where}
        if self.explains and result.verdict == REFUTED:
            result.shown = self.explain(result)
        answer: dict[str, Any] = {"result": result.numbers(), "queries": self.known.new}
        if self.notes is not None:
            answer["functions"] = sorted(self.notes.now | self.base)
        return answer

    def explain(self, result: Result) -> dict[str, Any]:
        """A refuted goal's counterexample."""
        from kit.proof.counterexample import counterexample

        return counterexample(result, self.config).numbers()


def main() -> None:
    """Answers requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this ends it
    answers = io.TextIOWrapper(io.FileIO(os.dup(1), "w"), encoding="utf-8", write_through=True)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    sys.setrecursionlimit(DEEP)

    def answer(content: dict[str, Any]) -> None:
        answers.write(json.dumps(content, default=str) + "\n")

    try:
        worker = _Worker(json.loads(sys.stdin.readline()))
    except KitError as error:
        answer({"wrong": str(error)})
        return
    except Exception as error:  # a mutant's, most likely
        answer({"wrong": f"{type(error).__name__}: {error}"})
        return
    answer(worker.listing())
    for line in sys.stdin:
        request = json.loads(line)
        answer(worker.decide(request["lemma"], request["instruction"]))


if __name__ == "__main__":
    main()
