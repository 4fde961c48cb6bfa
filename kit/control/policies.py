"""Who runs next, and for how long: scheduling policies, outside of the VMM kernel.

A policy sees names and numbers, no machine. `kit.control.scheduler` asks it before each turn, and
tells it afterwards what the turn used. It is only ever shown virtual machines that can run, so one
that waits costs nothing under any policy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from kit.errors import KitError

__all__ = ["POLICIES", "QUANTUM", "Policy", "Preferred", "Priority", "RoundRobin", "Shares", "Turn"]

QUANTUM = 10_000
"""Guest steps after which the next virtual machine has its turn."""


@dataclass(frozen=True)
class Turn:
    """A decision: the virtual machine `name` runs for at most `quantum` of its own steps."""

    name: str
    quantum: int


class Policy(Protocol):
    """What a scheduling policy has to be. It may keep whatever it needs to remember.

    A policy that raises, or names what cannot run, is replaced by round robin for the rest of the
    run; one that gives a virtual machine less than one step halts it. See `kit.control.scheduler`.
    """

    def choose(self, ready: Sequence[str]) -> Turn:
        """Which of the virtual machines that can run has its turn. `ready` is never empty, and is
        in the order in which they were created."""

    def ran(self, name: str, steps: int) -> None:
        """The chosen one made so many steps of its own, and waits, has ended or goes on."""


class RoundRobin:
    """Each in turn: the one that has not run for the longest time.

    One that waits often loses nothing but what is left of its quantum. Raises `KitError` where the
    quantum, in guest steps, is less than 1.
    """

    def __init__(self, quantum: int = QUANTUM) -> None:
        self.quantum = _at_least_one("quantum", quantum)
        self._turns = 0
        self._last: dict[str, int] = {}

    def choose(self, ready: Sequence[str]) -> Turn:
        """The one whose last turn is the longest ago; those that never had one come first."""
        name = min(ready, key=lambda name: self._last.get(name, 0))
        self._turns += 1
        self._last[name] = self._turns
        return Turn(name, self.quantum)

    def ran(self, name: str, steps: int) -> None:
        """Turns are counted, not steps."""


class Priority:
    """The highest level that can run; round robin within a level.

    `levels` are by name, 0 where there is none. A level that can always run starves all below it:
    that is what it is for. Raises `KitError` where the quantum is less than 1.
    """

    def __init__(self, levels: Mapping[str, int] | None = None, quantum: int = QUANTUM) -> None:
        self.levels = dict(levels or {})
        self._within = RoundRobin(quantum)

    def choose(self, ready: Sequence[str]) -> Turn:
        """One of the highest level."""
        highest = max(self.levels.get(name, 0) for name in ready)
        return self._within.choose([n for n in ready if self.levels.get(n, 0) == highest])

    def ran(self, name: str, steps: int) -> None:
        """Levels do not change by running."""


class Shares:
    """Steps in proportion to shares, by stride scheduling (Waldspurger and Weihl 1995).

    `shares` are by name, 1 where there is none. Every step moves a virtual machine forward by
    1/share, and the one that is least far has its turn; so over any time in which the same ones can
    run, each gets its part of the steps to within one quantum. Who waits saves nothing up: it
    comes back at the place of the one that runs. Raises `KitError` where a share or the quantum is
    less than 1.
    """

    def __init__(self, shares: Mapping[str, int] | None = None, quantum: int = QUANTUM) -> None:
        self.shares = {name: _at_least_one("share", n) for name, n in (shares or {}).items()}
        self.quantum = _at_least_one("quantum", quantum)
        self._place: dict[str, Fraction] = {}
        self._now = Fraction(0)

    def choose(self, ready: Sequence[str]) -> Turn:
        """The one that is least far."""
        for name in ready:
            self._place[name] = max(self._place.get(name, self._now), self._now)
        chosen = min(ready, key=lambda name: self._place[name])
        self._now = self._place[chosen]
        return Turn(chosen, self.quantum)

    def ran(self, name: str, steps: int) -> None:
        """Moves it forward by what it used."""
        self._place[name] += Fraction(steps, self.shares.get(name, 1))


class Preferred:
    """One virtual machine gets `percent` of the steps while it can run; the others share the rest.

    With 100 it runs whenever it can, as the operating system of a computing centre does above its
    test systems. Raises `KitError` where `percent` is not 1 to 100, or the quantum less than 1.
    """

    def __init__(self, name: str, percent: int = 100, quantum: int = QUANTUM) -> None:
        if not 1 <= percent <= 100:
            raise KitError(f"policy: percent is {percent}; expected 1 to 100")
        self.name = name
        self.percent = percent
        shares = {"preferred": percent, "others": max(1, 100 - percent)}
        self._parties = Shares(shares, quantum)
        self._others = RoundRobin(quantum)

    def choose(self, ready: Sequence[str]) -> Turn:
        """The preferred one, unless it has had its part already."""
        others = [name for name in ready if name != self.name]
        parties = ["preferred"] if self.name in ready else []
        if others and not (parties and self.percent == 100):
            parties.append("others")
        turn = self._parties.choose(parties)
        if turn.name == "preferred":
            return Turn(self.name, turn.quantum)
        return self._others.choose(others)

    def ran(self, name: str, steps: int) -> None:
        """Charges the party."""
        self._parties.ran("preferred" if name == self.name else "others", steps)


POLICIES = ("round-robin", "priority", "shares", "preferred")
"""The names by which a machine room asks for them."""


def _at_least_one(what: str, value: int) -> int:
    if value < 1:
        raise KitError(f"policy: a {what} is {value}; expected 1 or more")
    return value
