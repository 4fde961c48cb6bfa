"""Traced definitions as z3 terms.

`Machine` is a symbolic state: a term for each word, an array for each file, an array of bytes for
storage. `run` gives the state after a function, all its paths merged, with the condition under
which it trapped. What the bus answers (is there RAM, does a device respond) is unknown but fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

import z3

from kit.bits import Expr
from kit.engine.paths import Block, Definitions, Fork, Key, Op, Raise, Trace
from kit.isa.cpu import ARRAYS, WORDS, width_of

__all__ = ["Outcome", "SymbolicState", "run", "term"]

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "shl": lambda a, b: a << b,
    "shr": z3.LShR,
    "sar": lambda a, b: a >> b,
    "divu": z3.UDiv,
    "remu": z3.URem,
}
COMPARISON: dict[str, Callable[[Any, Any], Any]] = {
    "eq": lambda a, b: a == b,
    "ltu": z3.ULT,
    "lts": lambda a, b: a < b,
}


@dataclass(frozen=True)
class SymbolicState:
    """Terms for the words, arrays for the files (by an index of eight bits), and the storage."""

    words: dict[str, Any]
    files: dict[str, Any]
    storage: Any

    @classmethod
    def unknown(cls, definitions: Definitions, name: str = "") -> SymbolicState:
        """A state of which nothing is known."""
        config = definitions.config
        words = {word: z3.BitVec(name + word, width_of(word, config)) for word in WORDS}
        files = {
            word: z3.Array(name + word, z3.BitVecSort(8), z3.BitVecSort(width_of(word, config)))
            for word in ARRAYS
        }
        octets = z3.Array(name + "storage", z3.BitVecSort(config.plen), z3.BitVecSort(8))
        return cls(words, files, octets)

    def read(self, address: Any, size: int) -> Any:
        """The `size` bytes at a physical address."""
        octets = [z3.Select(self.storage, address + n) for n in reversed(range(size))]
        return z3.Concat(*octets) if size > 1 else octets[0]

    def write(self, address: Any, size: int, value: Any) -> SymbolicState:
        """The state with `size` bytes changed."""
        storage = self.storage
        for n in range(size):
            storage = z3.Store(storage, address + n, z3.Extract(8 * n + 7, 8 * n, value))
        return replace(self, storage=storage)

    def merge(self, condition: Any, other: SymbolicState) -> SymbolicState:
        """This state where `condition` holds, else the other."""

        def choose(mine: Any, theirs: Any) -> Any:
            return mine if mine is theirs else z3.If(condition, mine, theirs)

        return SymbolicState(
            {name: choose(value, other.words[name]) for name, value in self.words.items()},
            {name: choose(value, other.files[name]) for name, value in self.files.items()},
            choose(self.storage, other.storage),
        )


@dataclass(frozen=True)
class Outcome:
    """What a function leads to: the state after it, its value, and whether and how it trapped."""

    state: SymbolicState
    value: Any
    trapped: Any
    cause: Any
    tval: Any

    def merge(self, condition: Any, other: Outcome) -> Outcome:
        """This outcome where `condition` holds, else the other."""

        def choose(mine: Any, theirs: Any) -> Any:
            if mine is None or theirs is None:
                return theirs if mine is None else mine
            return mine if mine is theirs else z3.If(condition, mine, theirs)

        return Outcome(
            self.state.merge(condition, other.state),
            choose(self.value, other.value),
            choose(self.trapped, other.trapped),
            choose(self.cause, other.cause),
            choose(self.tval, other.tval),
        )


@dataclass
class _Frame:
    """The terms of a function's symbols, and of the nodes made from them."""

    terms: dict[Expr, Any] = field(default_factory=dict)


def run(definitions: Definitions, trace: Trace, state: SymbolicState, *args: Any) -> Outcome:
    """The outcome of a traced function from a state, for these argument terms."""
    frame = _Frame(dict(zip(trace.params, args, strict=True)))
    return _block(definitions, trace.body, state, frame)


def _block(
    definitions: Definitions, block: Block, state: SymbolicState, frame: _Frame, position: int = 0
) -> Outcome:
    for number in range(position, len(block.ops)):
        op = block.ops[number]
        args = [term(arg, frame.terms) for arg in op.args]
        if op.kind == "call":
            called = _call(definitions, op, args, state)
            if op.result is not None:
                frame.terms[op.result] = called.value
            if z3.is_false(called.trapped):
                state = called.state
                continue
            rest = _block(definitions, block, called.state, frame, number + 1)
            return replace(called, value=None).merge(called.trapped, rest)
        state, value = _step(definitions, op, args, state)
        if op.result is not None:
            frame.terms[op.result] = value
    end = block.end
    if isinstance(end, Fork):
        condition = term(end.condition, frame.terms) == 1
        yes = _block(definitions, end.yes, state, _Frame(dict(frame.terms)))
        no = _block(definitions, end.no, state, _Frame(dict(frame.terms)))
        return yes.merge(condition, no)
    if isinstance(end, Raise):
        cause, tval = (term(node, frame.terms) for node in (end.cause, end.tval))
        return Outcome(state, None, z3.BoolVal(True), cause, tval)
    value = None if end.value is None else term(end.value, frame.terms)
    return Outcome(state, value, z3.BoolVal(False), None, None)


def _call(definitions: Definitions, op: Op, args: list[Any], state: SymbolicState) -> Outcome:
    """The outcome of a call; one that selects by a number is every function under its condition."""
    if op.name.static != ("*",):
        return run(definitions, definitions.traces[op.name], state, *args)
    number, rest = args[0], args[1:]
    width = op.result.width if op.result is not None else 1
    absent = Outcome(state, z3.BitVecVal(0, width), z3.BoolVal(False), None, None)
    family = [key for key in definitions.traces if _is_member(key, op.name)]

    def choose(outcome: Outcome, key: Key) -> Outcome:
        chosen = run(definitions, definitions.traces[key], state, *rest)
        return chosen.merge(number == key.static[0], outcome)

    return reduce(choose, family, absent)


def _is_member(key: Key, call: Key) -> bool:
    return (key.name, key.widths) == (call.name, call.widths) and len(key.static) == 1


def _step(
    definitions: Definitions, op: Op, args: list[Any], state: SymbolicState
) -> tuple[SymbolicState, Any]:
    """The state after an operation that is not a call, and its value."""
    if op.kind == "get":
        return state, state.words[op.name]
    if op.kind == "set":
        return replace(state, words=state.words | {op.name: args[0]}), None
    if op.kind in ("get_item", "set_item"):
        index = z3.ZeroExt(8 - args[0].size(), args[0]) if args[0].size() < 8 else args[0]
        if op.kind == "get_item":
            return state, z3.Select(state.files[op.name], index)
        changed = z3.Store(state.files[op.name], index, args[1])
        return replace(state, files=state.files | {op.name: changed}), None
    if op.name == "read":
        return state, state.read(args[0], op.size)
    if op.name == "write":
        return state.write(args[0], op.size, args[1]), None
    plen = z3.BitVecSort(definitions.config.plen)
    answer = z3.Function(f"{op.name}{op.size}", plen, z3.BitVecSort(1))
    return state, answer(args[0])


def term(node: Expr, known: dict[Expr, Any]) -> Any:
    """The z3 term of an expression, given those of its symbols."""
    if node in known:
        return known[node]
    known[node] = result = _term(node, known)
    return result


def _term(node: Expr, known: dict[Expr, Any]) -> Any:
    if node.op == "const":
        return z3.BitVecVal(node.args[0], node.width)
    if node.op == "symbol":
        return z3.BitVec(node.args[0], node.width)
    args = [term(arg, known) for arg in node.args if isinstance(arg, Expr)]
    if node.op in COMPARISON:
        one, zero = z3.BitVecVal(1, 1), z3.BitVecVal(0, 1)
        return z3.If(COMPARISON[node.op](*args), one, zero)
    if node.op in BINARY:
        return BINARY[node.op](*args)
    if node.op == "select":
        return z3.If(args[0] == 1, args[1], args[2])
    if node.op == "extract":
        return z3.Extract(node.args[1] + node.width - 1, node.args[1], args[0])
    extend = z3.ZeroExt if node.op == "zext" else z3.SignExt
    return extend(node.width - node.args[0].width, args[0])
