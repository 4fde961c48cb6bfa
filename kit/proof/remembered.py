"""What earlier runs have proved, kept in the user's cache: safe to delete, safe to damage.

For each goal the digests of the pieces of source that it depends on (see `kit.proof.sources`) and
the times; and the digests of all queries that were proved. One file, replaced as a whole; what
another process has put there meanwhile is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from kit.engine.cache import cache_directory

__all__ = ["Remembered"]

_MAGIC = b"vmm-kit proof 1\n"
MOST_QUERIES, MOST_GOALS, MOST_MUTANTS = 100_000, 20_000, 5_000
"""Of more, the oldest are forgotten."""


class Remembered:
    """Proved goals and queries; `fresh` begins with nothing but the times.

    Pieces of source are known by their numbers in `pieces`.
    """

    def __init__(self, fresh: bool = False) -> None:
        found = _load()
        self.pieces: dict[str, int] = {name: n for n, name in enumerate(found["pieces"])}
        self.goals: dict[str, dict[str, Any]] = found["goals"]
        self.queries: dict[str, None] = dict.fromkeys([] if fresh else found["queries"])
        self.refuters: dict[str, list[str]] = found["refuters"]
        self._fresh = fresh
        self._new: dict[str, dict[str, Any]] = {}
        self._new_queries: dict[str, None] = {}
        self._new_refuters: dict[str, list[str]] = {}

    def seconds(self, goal: str) -> float:
        """How long a goal took, when it was last decided; a second where that is not known."""
        return float(self.goals.get(goal, {}).get("seconds", 1.0))

    def pieces_of(self, goal: str) -> frozenset[str] | None:
        """What a goal depended on when it was last decided, or None."""
        entry = self.goals.get(goal)
        if entry is None or "pieces" not in entry:
            return None
        names = list(self.pieces)
        return frozenset(names[n] for n in entry["pieces"] if n < len(names))

    def proof(self, goal: str, digests: dict[str, str], setting: str) -> dict[str, Any] | None:
        """What is known of a goal that was proved with these sources, or None."""
        pieces = self.pieces_of(goal)
        if pieces is None or (self._fresh and goal not in self._new):
            return None
        entry = self.goals[goal]
        return entry if entry.get("digest") == _digest(pieces, digests, setting) else None

    def note(
        self,
        goal: str,
        pieces: Iterable[str],
        digests: dict[str, str],
        setting: str,
        **numbers: Any,
    ) -> None:
        """That a goal was proved, with these numbers."""
        told = frozenset(pieces)
        for name in sorted(told):
            self.pieces.setdefault(name, len(self.pieces))
        entry = {"digest": _digest(told, digests, setting), **numbers}
        entry["pieces"] = sorted(self.pieces[name] for name in told)
        self.goals[goal] = self._new[goal] = entry

    def note_queries(self, queries: Iterable[str]) -> None:
        """That these queries were proved."""
        self._new_queries |= dict.fromkeys(queries)
        self.queries |= self._new_queries

    def note_refuter(self, mutant: str, goal: list[str]) -> None:
        """Which goal refutes a mutant."""
        self.refuters[mutant] = self._new_refuters[mutant] = goal

    def keep(self) -> None:
        """Writes what is new to the cache, beside what is there; where it cannot, nothing."""
        directory = cache_directory()
        if directory is None or not (self._new or self._new_queries or self._new_refuters):
            return
        there = _load()
        pieces = {name: n for n, name in enumerate(there["pieces"])}
        names = list(self.pieces)
        for goal, entry in self._new.items():
            own = [names[n] for n in entry["pieces"]]
            for name in own:
                pieces.setdefault(name, len(pieces))
            there["goals"].pop(goal, None)
            there["goals"][goal] = entry | {"pieces": sorted(pieces[name] for name in own)}
        queries = dict.fromkeys(there["queries"]) | self._new_queries
        refuters = there["refuters"] | self._new_refuters
        _write(directory, {
            "pieces": list(pieces),
            "goals": dict(list(there["goals"].items())[-MOST_GOALS:]),
            "queries": list(queries)[-MOST_QUERIES:],
            "refuters": dict(list(refuters.items())[-MOST_MUTANTS:]),
        })  # fmt: skip


def _digest(pieces: Iterable[str], digests: dict[str, str], setting: str) -> str:
    text = [f"{name} {digests.get(name)}" for name in sorted(pieces)]
    return hashlib.sha256("\n".join([setting, *text]).encode()).hexdigest()[:24]


def _file(directory: Path) -> Path:
    return directory / "proved.json"


def _load() -> dict[str, Any]:
    nothing: dict[str, Any] = {"pieces": [], "goals": {}, "queries": [], "refuters": {}}
    directory = cache_directory()
    if directory is None:
        return nothing
    try:
        data = _file(directory).read_bytes()
    except OSError:
        return nothing
    head, body = data[: len(_MAGIC) + 32], data[len(_MAGIC) + 32 :]
    if head != _MAGIC + hashlib.sha256(body).digest():
        return nothing
    found: dict[str, Any] = json.loads(body)
    return found


def _write(directory: Path, content: dict[str, Any]) -> None:
    body = json.dumps(content, separators=(",", ":")).encode()
    written = ""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=directory, delete=False) as file:
            written = file.name
            file.write(_MAGIC + hashlib.sha256(body).digest() + body)
        os.replace(written, _file(directory))
    except OSError:
        if written:
            with suppress(OSError):
                os.unlink(written)
