"""Symbolic whole numbers, on which the kernel's own Python runs.

The dispatcher, the allocator and the shadow tables compute with plain ints. A `Number` takes the
place of one: every operator builds a term, and `if` asks the present run of a `Paths`, which tries
all outcomes that the conditions so far leave possible. The code that is explored is the code that
runs, not a copy of it.

Numbers have `WIDTH` bits in two's complement, more than any value of the kernel needs (64-bit
clocks, 34-bit addresses with four bits above them), so that nothing overflows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import z3

__all__ = ["WIDTH", "Number", "Path", "Paths", "Truth", "number", "truth", "word"]

WIDTH = 80


class Paths:
    """Runs a function along every path that some values of its numbers take.

    `hypotheses` hold on all of them.
    """

    current: Paths | None = None

    def __init__(self, hypotheses: list[Any]) -> None:
        self._hypotheses = hypotheses
        self._decisions: list[tuple[bool, bool]] = []  # the outcome, and is the other possible too?
        self._position = 0
        self._solver = z3.Solver()
        self.conditions: list[Any] = []

    def decide(self, condition: Any) -> bool:
        """The outcome of a condition on the path that is being run."""
        condition = z3.simplify(condition)
        if z3.is_true(condition) or z3.is_false(condition):
            return bool(z3.is_true(condition))
        if self._position == len(self._decisions):
            self._decisions.append(self._outcomes(condition))
        outcome = self._decisions[self._position][0]
        self._position += 1
        self.assume(condition if outcome else z3.Not(condition))
        return outcome

    def assume(self, condition: Any) -> None:
        """From here on this path is followed only where the condition holds."""
        self.conditions.append(condition)
        self._solver.add(condition)

    def _outcomes(self, condition: Any) -> tuple[bool, bool]:
        """An outcome that is possible here, true if it is; and whether the other is too."""
        if self._solver.check(condition) == z3.unsat:
            return False, False
        return True, self._solver.check(z3.Not(condition)) != z3.unsat

    def explore(self, function: Callable[[], Any]) -> list[Path]:
        """Every path of `function`: its conditions, and what it returned."""
        paths = []
        while True:
            self._position, self.conditions = 0, []
            self._solver = z3.Solver()
            self._solver.add(*self._hypotheses)
            outer, Paths.current = Paths.current, self
            try:
                result = function()
            finally:
                Paths.current = outer
            paths.append(Path(self.conditions, result))
            while self._decisions and not self._decisions[-1][1]:
                self._decisions.pop()
            if not self._decisions:
                return paths
            outcome, _ = self._decisions[-1]
            self._decisions[-1] = (not outcome, False)


@dataclass
class Path:
    """One way through a function: what held on it, and what it returned."""

    conditions: list[Any]
    result: Any = field(default=None)


def _now() -> Paths:
    if Paths.current is None:
        raise TypeError("`if` on a symbolic number outside of Paths.explore(): nothing to fork")
    return Paths.current


class Truth:
    """A symbolic bool; asking it forks the path."""

    __slots__ = ("term",)

    def __init__(self, term: Any) -> None:
        self.term = term

    def __bool__(self) -> bool:
        return _now().decide(self.term)

    def __int__(self) -> int:
        return int(bool(self))

    def __eq__(self, other: object) -> Any:
        return Truth(self.term == truth(other))

    def __ne__(self, other: object) -> Any:
        return Truth(self.term != truth(other))

    __hash__ = None  # type: ignore[assignment]


def _operator(build: Callable[[Any, Any], Any]) -> Callable[[Number, Any], Number]:
    return lambda self, other: Number(build(self.term, _term(other)))


def _reflected(build: Callable[[Any, Any], Any]) -> Callable[[Number, Any], Number]:
    return lambda self, other: Number(build(_term(other), self.term))


def _comparison(build: Callable[[Any, Any], Any]) -> Callable[[Number, Any], Truth]:
    return lambda self, other: Truth(build(self.term, _term(other)))


class Number:
    """A symbolic int."""

    __slots__ = ("term",)

    def __init__(self, term: Any) -> None:
        self.term = term

    __add__, __radd__ = _operator(lambda a, b: a + b), _reflected(lambda a, b: a + b)
    __sub__, __rsub__ = _operator(lambda a, b: a - b), _reflected(lambda a, b: a - b)
    __mul__, __rmul__ = _operator(lambda a, b: a * b), _reflected(lambda a, b: a * b)
    __and__, __rand__ = _operator(lambda a, b: a & b), _reflected(lambda a, b: a & b)
    __or__, __ror__ = _operator(lambda a, b: a | b), _reflected(lambda a, b: a | b)
    __xor__, __rxor__ = _operator(lambda a, b: a ^ b), _reflected(lambda a, b: a ^ b)
    __lshift__, __rlshift__ = _operator(lambda a, b: a << b), _reflected(lambda a, b: a << b)
    __rshift__, __rrshift__ = _operator(lambda a, b: a >> b), _reflected(lambda a, b: a >> b)
    __lt__, __le__ = _comparison(lambda a, b: a < b), _comparison(lambda a, b: a <= b)
    __gt__, __ge__ = _comparison(lambda a, b: a > b), _comparison(lambda a, b: a >= b)

    def __eq__(self, other: object) -> Any:
        if not isinstance(other, int | Number | Truth):
            return NotImplemented
        return Truth(self.term == _term(other))

    def __ne__(self, other: object) -> Any:
        if not isinstance(other, int | Number | Truth):
            return NotImplemented
        return Truth(self.term != _term(other))

    def __neg__(self) -> Number:
        return Number(-self.term)

    def __invert__(self) -> Number:
        return Number(~self.term)

    def __bool__(self) -> bool:
        return _now().decide(self.term != 0)

    def __format__(self, how: str) -> str:
        return "a number"

    def __mod__(self, other: int) -> Number:
        return self & _power(other) - 1

    def __floordiv__(self, other: int) -> Number:
        return self >> (_power(other).bit_length() - 1)

    def __divmod__(self, other: int) -> tuple[Number, Number]:
        return self // other, self % other

    def __hash__(self) -> int:
        raise TypeError("a symbolic number is no key of a dictionary")


def _power(divisor: int) -> int:
    if divisor <= 0 or divisor & divisor - 1:
        raise TypeError(f"a symbolic number is divided by powers of two only, not by {divisor}")
    return divisor


def _term(value: Any) -> Any:
    if isinstance(value, Number):
        return value.term
    if isinstance(value, Truth):
        return z3.If(value.term, z3.BitVecVal(1, WIDTH), z3.BitVecVal(0, WIDTH))
    return z3.BitVecVal(int(value), WIDTH)


def number(term: Any) -> Number:
    """The number that a word holds."""
    return Number(z3.ZeroExt(WIDTH - term.size(), term))


def truth(value: Any) -> Any:
    """The term of a bool, symbolic or not."""
    return value.term if isinstance(value, Truth) else z3.BoolVal(bool(value))


def word(value: Any, width: int) -> Any:
    """A number, symbolic or not, as a word; the bits above are dropped."""
    return z3.simplify(z3.Extract(width - 1, 0, _term(value)))
