"""Traced definitions as z3 terms.

A `SymbolicState` has a term for each word, an array for each file, an array of words for storage,
and the history of what devices were asked. `Meaning.run` gives the state after a function, all its
paths merged, with the condition under which it trapped.

RAM lies anywhere, in whole pages below 4 GiB (`ram_is_somewhere`). Which addresses devices answer,
and what, is unknown: an answer depends on everything that devices were asked before, so two runs
agree only if they make the same accesses to devices in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

import z3

from kit.bits import Bits, Expr
from kit.engine.paths import Block, Definitions, Fork, Key, Op, Raise, Return, Trace
from kit.isa.cpu import ARRAYS, WORDS, width_of

__all__ = [
    "Meaning",
    "Outcome",
    "SymbolicState",
    "cell_of",
    "is_ram",
    "ram_is_somewhere",
    "reaches",
    "term",
]

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


PAGE = 4096
LOG = z3.DeclareSort("History")
"""What devices have been asked so far."""


def _ram(width: int) -> tuple[Any, Any]:
    return z3.BitVec("ram_base", width), z3.BitVec("ram_size", width)


def ram_is_somewhere(width: int) -> Any:
    """RAM is whole pages below 4 GiB; addresses have `width` bits, more than 32."""
    base, size = _ram(width)
    end = z3.BitVecVal(1 << 32, width)
    whole = z3.And(z3.Extract(11, 0, base) == 0, z3.Extract(11, 0, size) == 0)
    return z3.And(whole, size != 0, z3.ULE(base, end), z3.ULE(size, end - base))


def is_ram(address: Any, size: int, whose: str = "") -> Any:
    """Are the `size` bytes, at most a page, at a physical address RAM?

    RAM is a range, but for a machine that is named (`whose`): there, any pages.
    """
    if whose:
        page = z3.Extract(address.size() - 1, 12, address)
        return z3.Function(f"{whose}ram", page.sort(), z3.BoolSort())(page)
    base, length = _ram(address.size())
    return z3.And(z3.UGE(address, base), z3.ULE(address - base, length - size))


def reaches(address: Any, size: int, whose: str = "") -> Any:
    """Is there RAM, or a device that takes an access of this size?"""
    device = z3.Function(f"{whose}device_takes_{size}", address.sort(), z3.BoolSort())
    return z3.Or(is_ram(address, 1, whose), device(address))


def cell_of(address: Any) -> Any:
    """Which word of storage a physical address is in."""
    return z3.Extract(address.size() - 1, 2, address)


def _shift(address: Any) -> Any:
    """How far up in its word a byte is, in bits."""
    return z3.Concat(z3.BitVecVal(0, 27), z3.Extract(1, 0, address), z3.BitVecVal(0, 3))


def _bit(condition: Any) -> Any:
    return z3.If(condition, z3.BitVecVal(1, 1), z3.BitVecVal(0, 1))


@dataclass(frozen=True)
class SymbolicState:
    """Terms for the words, arrays for the files (by an index of eight bits), storage, history.

    Storage is an array of words of four bytes, since accesses to it are aligned.
    `whose` tells one machine's storage from another's; `wrote` says whether RAM was written since
    the state was unknown.
    """

    words: dict[str, Any]
    files: dict[str, Any]
    storage: Any
    log: Any
    whose: str = ""
    wrote: Any = field(default_factory=lambda: z3.BoolVal(False))

    @classmethod
    def unknown(cls, definitions: Definitions, name: str = "") -> SymbolicState:
        """A state of which nothing is known."""
        config = definitions.config
        words = {word: z3.BitVec(name + word, width_of(word, config)) for word in WORDS}
        files = {
            word: z3.Array(name + word, z3.BitVecSort(8), z3.BitVecSort(width_of(word, config)))
            for word in ARRAYS
        }
        cells = z3.Array(name + "storage", z3.BitVecSort(config.plen - 2), z3.BitVecSort(32))
        return cls(words, files, cells, z3.Const(name + "history", LOG), name)

    def with_words(self, **values: Any) -> SymbolicState:
        """The state with other words."""
        return replace(self, words=self.words | values)

    def octets(self, address: Any, size: int) -> Any:
        """The `size` bytes at a physical address, which is aligned and RAM."""
        cell = z3.Select(self.storage, cell_of(address))
        return cell if size == 4 else z3.Extract(8 * size - 1, 0, z3.LShR(cell, _shift(address)))

    def read(self, address: Any, size: int) -> tuple[SymbolicState, Any]:
        """The state after reading RAM or a device, and what was read."""
        value = self.octets(address, size)
        ram = z3.And(is_ram(address, size, self.whose), address & (size - 1) == 0)
        answer = z3.Function(f"device_gives_{size}", LOG, address.sort(), value.sort())
        event = z3.Function(f"device_was_read_{size}", LOG, address.sort(), LOG)
        log = z3.If(ram, self.log, event(self.log, address))
        return replace(self, log=log), z3.If(ram, value, answer(self.log, address))

    def write(self, address: Any, size: int, value: Any) -> SymbolicState:
        """The state after writing RAM or a device."""
        ram = z3.And(is_ram(address, size, self.whose), address & (size - 1) == 0)
        cell, new = z3.Select(self.storage, cell_of(address)), value
        if size < 4:
            mask = z3.BitVecVal((1 << 8 * size) - 1, 32) << _shift(address)
            new = cell & ~mask | z3.ZeroExt(32 - 8 * size, value) << _shift(address)
        storage = z3.Store(self.storage, cell_of(address), new)
        event = z3.Function(f"device_was_written_{size}", LOG, address.sort(), value.sort(), LOG)
        log = z3.If(ram, self.log, event(self.log, address, value))
        wrote = z3.Or(self.wrote, ram)
        return replace(self, storage=z3.If(ram, storage, self.storage), log=log, wrote=wrote)

    def merge(self, condition: Any, other: SymbolicState) -> SymbolicState:
        """This state where `condition` holds, else the other."""

        def choose(mine: Any, theirs: Any) -> Any:
            return mine if mine is theirs else z3.If(condition, mine, theirs)

        return SymbolicState(
            {name: choose(value, other.words[name]) for name, value in self.words.items()},
            {name: choose(value, other.files[name]) for name, value in self.files.items()},
            choose(self.storage, other.storage),
            choose(self.log, other.log),
            self.whose,
            choose(self.wrote, other.wrote),
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


Contract = Callable[[SymbolicState, Key, list[Any]], Outcome]
"""What stands for a function whose contract has a proof of its own: from the state, the key and
the arguments to an outcome."""


class Meaning:
    """Runs traced functions on symbolic states.

    `contracts` are used in place of the functions of these names.
    """

    def __init__(
        self, definitions: Definitions, contracts: Mapping[str, Contract] | None = None
    ) -> None:
        self.definitions = definitions
        self.contracts = dict(contracts or {})

    def call(self, function: Callable[..., Any], state: SymbolicState, *args: Any) -> Outcome:
        """The outcome of a function; terms are its words, anything else its constants."""
        shape = tuple(Bits(a.size(), 0) if z3.is_bv(a) else a for a in args)
        trace = self.definitions.trace(function, shape)
        return self.run(trace, state, [arg for arg in args if z3.is_bv(arg)])

    def run(self, trace: Trace, state: SymbolicState, args: list[Any]) -> Outcome:
        """The outcome of a trace for these argument terms."""
        contract = self.contracts.get(trace.key.name)
        if contract is not None:
            return contract(state, trace.key, args)
        return self._block(trace.body, state, dict(zip(trace.params, args, strict=True)))

    def _block(
        self, block: Block, state: SymbolicState, known: dict[Expr, Any], position: int = 0
    ) -> Outcome:
        for number in range(position, len(block.ops)):
            op = block.ops[number]
            args = [term(arg, known) for arg in op.args]
            if op.kind == "call":
                called = self._call(op, args, state)
                if op.result is not None:
                    known[op.result] = called.value
                if z3.is_false(called.trapped):
                    state = called.state
                    continue
                rest = self._block(block, called.state, known, number + 1)
                return replace(called, value=None).merge(called.trapped, rest)
            state, value = self._step(op, args, state)
            if op.result is not None:
                known[op.result] = value
        return self._end(block.end, state, known)

    def _end(
        self, end: Return | Raise | Fork, state: SymbolicState, known: dict[Expr, Any]
    ) -> Outcome:
        if isinstance(end, Fork):
            condition = z3.simplify(term(end.condition, known) == 1)
            if z3.is_true(condition):
                return self._block(end.yes, state, known)
            if z3.is_false(condition):
                return self._block(end.no, state, known)
            yes = self._block(end.yes, state, dict(known))
            return yes.merge(condition, self._block(end.no, state, dict(known)))
        if isinstance(end, Raise):
            cause, tval = (term(node, known) for node in (end.cause, end.tval))
            return Outcome(state, None, z3.BoolVal(True), cause, tval)
        value = None if end.value is None else term(end.value, known)
        return Outcome(state, value, z3.BoolVal(False), None, None)

    def _call(self, op: Op, args: list[Any], state: SymbolicState) -> Outcome:
        """The outcome of a call; one that selects by a number is each function where it is that."""
        traces = self.definitions.traces
        if op.name.static != ("*",):
            return self.run(traces[op.name], state, args)
        number, rest = z3.simplify(args[0]), args[1:]
        width = op.result.width if op.result is not None else 1
        absent = Outcome(state, z3.BitVecVal(0, width), z3.BoolVal(False), None, None)
        family = [key for key in traces if _is_member(key, op.name)]
        if z3.is_bv_value(number):
            family = [key for key in family if key.static[0] == number.as_long()]
            return self.run(traces[family[0]], state, rest) if family else absent

        def choose(outcome: Outcome, key: Key) -> Outcome:
            chosen = self.run(traces[key], state, rest)
            return chosen.merge(number == key.static[0], outcome)

        return reduce(choose, family, absent)

    def _step(self, op: Op, args: list[Any], state: SymbolicState) -> tuple[SymbolicState, Any]:
        """The state after an operation that is not a call, and its value."""
        if op.kind == "get":
            return state, state.words[op.name]
        if op.kind == "set":
            return state.with_words(**{op.name: args[0]}), None
        if op.kind in ("get_item", "set_item"):
            index = z3.ZeroExt(8 - args[0].size(), args[0]) if args[0].size() < 8 else args[0]
            if op.kind == "get_item":
                return state, z3.Select(state.files[op.name], index)
            changed = z3.Store(state.files[op.name], index, args[1])
            return replace(state, files=state.files | {op.name: changed}), None
        if op.name == "read":
            return state.read(args[0], op.size)
        if op.name == "write":
            return state.write(args[0], op.size, args[1]), None
        answer = is_ram if op.name == "is_ram" else reaches
        return state, _bit(answer(args[0], op.size, state.whose))


def _is_member(key: Key, call: Key) -> bool:
    return (key.name, key.widths) == (call.name, call.widths) and len(key.static) == 1


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
        return _bit(COMPARISON[node.op](*args))
    if node.op in BINARY:
        return BINARY[node.op](*args)
    if node.op == "select":
        return z3.If(args[0] == 1, args[1], args[2])
    if node.op == "extract":
        return z3.Extract(node.args[1] + node.width - 1, node.args[1], args[0])
    extend = z3.ZeroExt if node.op == "zext" else z3.SignExt
    return extend(node.width - node.args[0].width, args[0])
