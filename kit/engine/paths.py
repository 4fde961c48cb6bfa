"""What a definition does, written down: its paths as a tree of operations.

A definition is run on symbolic words, once for each path, while `TracedState` notes what it reads
and writes and which way each ``if`` went. The runs together give a tree, from which
`kit.engine.python_code` makes plain Python, `kit.engine.wasm_expr` WebAssembly and
`kit.proof.terms` formulas. Functions marked `opaque` are calls in the tree and have trees of
their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kit.bits import Bits, Explorer, Expr, symbol
from kit.isa.config import Config
from kit.isa.cpu import Cpu, Trap, width_of

__all__ = ["Block", "Definitions", "Fork", "Key", "Op", "Raise", "Return", "Trace"]


@dataclass(frozen=True)
class Key:
    """Which function a trace is of: its name, its constant arguments, the widths of the others.

    A number that selects and is not constant is written ``"*"``.
    """

    name: str
    static: tuple[Any, ...]
    widths: tuple[int, ...]


@dataclass(frozen=True)
class Op:
    """One operation on the state.

    `kind` is get, set, get_item, set_item, storage or call; `name` the word, file, storage
    operation or function. `args` are what it needs, `result` the symbol that stands for its value.
    """

    kind: str
    name: Any
    args: tuple[Expr, ...]
    result: Expr | None
    size: int = 0


@dataclass(frozen=True)
class Return:
    """The end of a path that completed, with the function's result."""

    value: Expr | None


@dataclass(frozen=True)
class Raise:
    """The end of a path that trapped."""

    cause: Expr
    tval: Expr


@dataclass(frozen=True)
class Fork:
    """The point where a condition decides how a path goes on."""

    condition: Expr
    yes: Block
    no: Block


@dataclass(frozen=True)
class Block:
    """Operations in order, and what comes after them."""

    ops: tuple[Op, ...]
    end: Return | Raise | Fork

    def paths(self) -> int:
        """How many ways lead through it."""
        if isinstance(self.end, Fork):
            return self.end.yes.paths() + self.end.no.paths()
        return 1


@dataclass(frozen=True)
class Trace:
    """A traced function: the symbols that stand for its arguments, and its tree.

    `writes` are the words and files that it may change, those of its callees included.
    """

    key: Key
    params: tuple[Expr, ...]
    body: Block
    writes: frozenset[str]
    returns: int | None


@dataclass
class _Recorder:
    """The events of one run: operations, and decisions as (condition, outcome)."""

    events: list[Op | tuple[Expr, bool]] = field(default_factory=list)
    temps: int = 0

    def op(
        self, kind: str, name: Any, args: tuple[Expr, ...], width: int = 0, size: int = 0
    ) -> Bits:
        result = None
        if width:
            self.temps += 1
            result = Expr("symbol", width, f"t{self.temps}")
        self.events.append(Op(kind, name, args, result, size))
        return Bits(width, result) if result is not None else Bits(1, 0)


class TracedState:
    """A `State` that knows nothing and notes everything.

    A word that was read or written before is known from then on; what a call or a write through
    an unknown index may have changed is forgotten.
    """

    def __init__(self, definitions: Definitions, recorder: _Recorder) -> None:
        self._definitions = definitions
        self._config = definitions.config
        self._recorder = recorder
        self._words: dict[str, Bits] = {}
        self._items: dict[str, dict[Expr, Bits]] = {}
        self.written: set[str] = set()

    def get(self, name: str) -> Bits:
        """A word: known, or read now."""
        if name not in self._words:
            self._words[name] = self._recorder.op("get", name, (), width_of(name, self._config))
        return self._words[name]

    def set(self, name: str, value: Bits) -> None:
        """Changes a word."""
        self._words[name] = value
        self.written.add(name)
        self._recorder.op("set", name, (value.node,))

    def get_item(self, name: str, index: Bits | int) -> Bits:
        """A word of a file: known, or read now."""
        at = (index if isinstance(index, Bits) else Bits(8, index)).node
        known = self._items.setdefault(name, {})
        if at not in known:
            known[at] = self._recorder.op("get_item", name, (at,), width_of(name, self._config))
        return known[at]

    def set_item(self, name: str, index: Bits | int, value: Bits) -> None:
        """Changes a word of a file, and forgets the others."""
        at = (index if isinstance(index, Bits) else Bits(8, index)).node
        self._items[name] = {at: value}
        self.written.add(name)
        self._recorder.op("set_item", name, (at, value.node))

    def storage(self, operation: str, address: Bits, size: int, value: Bits | None) -> Bits:
        """Notes what is asked of the bus."""
        if value is not None:
            self.written.add("storage")
            return self._recorder.op("storage", operation, (address.node, value.node), size=size)
        width = 8 * size if operation == "read" else 1
        return self._recorder.op("storage", operation, (address.node,), width, size)

    def call(self, function: Callable[..., Any], cpu: Cpu, args: tuple[Any, ...]) -> Any:
        """Notes a call, and traces the function on its own."""
        if function.dispatch:  # type: ignore[attr-defined]
            number = args[0]
            if isinstance(number, int) or isinstance(number.value, int):
                args = (int(number), *args[1:])
            else:
                return self._dispatch(function, number, args[1:])
        trace = self._definitions.trace(function, args)
        return self._record_call(trace.key, trace.writes, trace.returns, _dynamic(args))

    def _dispatch(self, function: Callable[..., Any], number: Bits, rest: tuple[Any, ...]) -> Bits:
        """A call that selects by a number which is not known yet."""
        traces = self._definitions.family(function, rest)
        writes = frozenset().union(*(trace.writes for trace in traces))
        key = Key(function.__name__, ("*",), tuple(arg.width for arg in rest))
        return self._record_call(key, writes, traces[0].returns, (number.node, *_dynamic(rest)))

    def _record_call(
        self, key: Key, writes: frozenset[str], returns: int | None, args: tuple[Expr, ...]
    ) -> Bits:
        for name in writes:
            self._words.pop(name, None)
            self._items.pop(name, None)
        self.written |= writes
        return self._recorder.op("call", key, args, returns or 0)


def _dynamic(args: tuple[Any, ...]) -> tuple[Expr, ...]:
    return tuple(arg.node for arg in args if isinstance(arg, Bits))


class Definitions:
    """The traces of a configuration's definitions, made when they are first asked for."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.traces: dict[Key, Trace] = {}

    def family(self, function: Callable[..., Any], rest: tuple[Any, ...]) -> list[Trace]:
        """The traces of a function that dispatches, one for each number that it knows."""
        numbers = function.dispatch(self.config)  # type: ignore[attr-defined]
        return [self.trace(function, (number, *rest)) for number in numbers]

    def trace(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Trace:
        """The trace of a function for arguments of this shape (only their widths matter)."""
        static = tuple(arg for arg in args if not isinstance(arg, Bits))
        widths = tuple(arg.width for arg in args if isinstance(arg, Bits))
        key = Key(function.__name__, static, widths)
        if key not in self.traces:
            self.traces[key] = self._explore(function, key, args)
        return self.traces[key]

    def _explore(self, function: Callable[..., Any], key: Key, args: tuple[Any, ...]) -> Trace:
        names = iter(f"a{position}" for position in range(len(args)))
        given = tuple(
            symbol(next(names), arg.width) if isinstance(arg, Bits) else arg for arg in args
        )
        params = _dynamic(given)
        definition = getattr(function, "definition", function)
        body, writes = self.explore(lambda cpu: definition(cpu, *given))
        returns = getattr(function, "returns", None)
        width = getattr(self.config, returns) if isinstance(returns, str) else returns
        return Trace(key, params, body, writes, width)

    def explore(self, run: Callable[[Cpu], Bits | None]) -> tuple[Block, frozenset[str]]:
        """The tree of a function of the processor, and what it may write."""
        runs: list[tuple[list[Op | tuple[Expr, bool]], Return | Raise]] = []
        writes: set[str] = set()
        recorder = _Recorder()
        explorer = Explorer(lambda condition, outcome: recorder.events.append((condition, outcome)))
        while True:
            recorder.events, recorder.temps = [], 0
            state = TracedState(self, recorder)
            cpu = Cpu(self.config, state)
            end = explorer.run(partial(_ending, cpu, run))
            writes |= state.written
            runs.append((recorder.events, end))
            if not explorer.advance():
                return _merge(runs, 0), frozenset(writes)


def _ending(cpu: Cpu, run: Callable[[Cpu], Bits | None]) -> Return | Raise:
    try:
        value = run(cpu)
    except Trap as trap:
        cause, tval = (
            value.zext(cpu.xlen).node if isinstance(value, Bits) else cpu.word(value).node
            for value in (trap.cause, trap.tval)
        )
        return Raise(cause, tval)
    return Return(value.node if isinstance(value, Bits) else None)


def _merge(runs: list[tuple[list[Op | tuple[Expr, bool]], Return | Raise]], position: int) -> Block:
    """The tree of runs that agree on their events up to `position`."""
    events, end = runs[0]
    ops: list[Op] = []
    while position < len(events):
        event = events[position]
        if not isinstance(event, Op):
            yes = [run for run in runs if run[0][position][1]]  # type: ignore[index]
            no = [run for run in runs if not run[0][position][1]]  # type: ignore[index]
            return Block(
                tuple(ops), Fork(event[0], _merge(yes, position + 1), _merge(no, position + 1))
            )
        ops.append(event)
        position += 1
    return Block(tuple(ops), end)
