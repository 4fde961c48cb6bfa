"""What is to be proved: lemmas, their goals, and how the solver decides one.

A lemma is stated by a function that gives its goals; a goal is about one instruction (or trap, or
entry point) and is made only when it is to be decided. What it demands is an `Obligation`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import z3

from kit.isa.config import Config
from kit.isa.cpu import ARRAYS
from kit.proof.results import PROVED, REFUTED, UNKNOWN, VACUOUS, Result, Verdict

__all__ = [
    "LEMMAS",
    "Goal",
    "Lemma",
    "Obligation",
    "Result",
    "Verdict",
    "decide",
    "lemma",
]

STRATEGIES = ("QF_AUFBV", "QF_ABV")
"""What the solver is told of the logic: mostly the first is quicker, sometimes only the second."""
PATIENCE = 20_000
"""Milliseconds after which the solver gives up on one query."""
IMPATIENCE = 3_000
"""The same for all claims at once, which is quick or hopeless."""


@dataclass
class Obligation:
    """For every state: if all of `hypotheses` hold, so does each of `claims`.

    `terms` name what a counterexample shows: the state before, the operands. `about` is what a
    counterexample needs to become a program (see `kit.proof.counterexample`).
    """

    hypotheses: list[Any]
    claims: dict[str, Any]
    terms: dict[str, Any] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)


Goal = Callable[[], list[Obligation]]
"""Makes the obligations of a goal: one for each path of the code, say."""


@dataclass(frozen=True)
class Lemma:
    """A statement about the kernel; `goals` gives its parts, by instruction, for a processor."""

    name: str
    statement: str
    goals: Callable[[Config], Mapping[str, Goal]]


LEMMAS: dict[str, Lemma] = {}
"""Every lemma, by name, in the order of the argument."""


def lemma(
    name: str,
) -> Callable[[Callable[[Config], Mapping[str, Goal]]], Callable[[Config], Mapping[str, Goal]]]:
    """Enters a function as a lemma; its docstring is the statement."""

    def enter(goals: Callable[[Config], Mapping[str, Goal]]) -> Callable[..., Mapping[str, Goal]]:
        LEMMAS[name] = Lemma(name, " ".join((goals.__doc__ or "").split()), goals)
        return goals

    return enter


Known = dict[str, Verdict]
"""Verdicts of earlier runs, by a digest of the query's text."""


def decide(goal: Goal, name: str, instruction: str, known: Known | None = None) -> Result:
    """Decides a goal. Proofs that are `known` are not done again, and new ones are put there."""
    started = time.perf_counter()
    result = Result(name, instruction, PROVED)
    for obligation in goal():
        verdict = _decide(obligation, result, {} if known is None else known)
        if verdict != PROVED:
            result.verdict = verdict
            result.about = obligation.about
            break
    result.seconds = time.perf_counter() - started
    return result


def _decide(obligation: Obligation, result: Result, known: Known) -> Verdict:
    claims = {k: v for k, v in obligation.claims.items() if not z3.is_true(z3.simplify(v))}
    whole = z3.And(*claims.values()) if claims else z3.BoolVal(True)
    text = digest([*obligation.hypotheses, whole])
    if known.get(text) == PROVED:
        return PROVED
    verdict = _all_at_once(obligation, claims, result)
    if verdict == PROVED:
        known[text] = PROVED
    return verdict


def digest(terms: list[Any]) -> str:
    """A digest of the text of some terms."""
    solver = z3.Solver()
    solver.add(*terms)
    return hashlib.sha256(solver.sexpr().encode()).hexdigest()


def _all_at_once(obligation: Obligation, claims: dict[str, Any], result: Result) -> Verdict:
    """All claims in one query; where that takes long, one by one."""
    if _check(obligation.hypotheses, None, result, PATIENCE)[0] != z3.sat:
        return VACUOUS
    if not claims:
        return PROVED
    whole = z3.Not(z3.And(*claims.values()))
    answer, solver = _check(obligation.hypotheses, whole, result, IMPATIENCE)
    if answer == z3.unsat:
        return PROVED
    if answer == z3.sat:
        return _refute(obligation, claims, solver, result)
    for claim in claims.values():
        answer, solver = _check(obligation.hypotheses, z3.Not(claim), result, PATIENCE)
        if answer == z3.sat:
            return _refute(obligation, claims, solver, result)
        if answer == z3.unknown:
            return UNKNOWN
    return PROVED


def _check(
    hypotheses: list[Any], negated: Any, result: Result, patience: int
) -> tuple[Any, z3.Solver]:
    """The solver's answer; where one of its strategies gives up, the next is tried."""
    asserted = [*hypotheses, *([] if negated is None else [negated])]
    terms = [z3.simplify(a, expand_select_ite=True, expand_select_store=True) for a in asserted]
    for strategy in STRATEGIES[: 1 if patience == IMPATIENCE else None]:
        solver = z3.SolverFor(strategy)
        solver.set("timeout", patience)
        solver.add(*terms)
        started = time.perf_counter()
        answer = solver.check()
        result.query = max(result.query, time.perf_counter() - started)
        result.queries += 1
        if answer != z3.unknown:
            break
    return answer, solver


def _refute(
    obligation: Obligation, claims: dict[str, Any], solver: z3.Solver, result: Result
) -> Verdict:
    model = solver.model()
    result.failed = [
        name for name, claim in claims.items() if not z3.is_true(model.eval(claim, True))
    ]
    result.values = _state(model) | {
        name: _number(model, value) for name, value in obligation.terms.items()
    }
    return REFUTED


def _state(model: Any) -> dict[str, Any]:
    """What a model says of the state: words, truths, and the registers of files."""
    found: dict[str, Any] = {}
    for declaration in model.decls():
        name, sort = declaration.name(), declaration.range()
        if declaration.arity() or name.startswith("any_"):
            continue
        if name in ARRAYS:
            size, _ = ARRAYS[name]
            places = (z3.Select(declaration(), n) for n in range(size))
            found |= {f"{name}{n}": _number(model, place) for n, place in enumerate(places)}
        elif isinstance(sort, z3.BitVecSortRef) or sort == z3.BoolSort():
            found[name] = _number(model, declaration())
    return found


def _number(model: Any, value: Any) -> Any:
    """A term's value in a model: a number or a truth."""
    found = model.eval(value, True)
    if z3.is_bv_value(found):
        return found.as_long()
    return z3.is_true(found) if z3.is_bool(found) else str(found)
