"""Traced definitions as plain Python over ints: what the reference engine runs.

A word is an int in ``range(2 ** width)``; one bit may also be a bool. Every function takes the hart
and its dynamic arguments; calls that select by a number go through a table.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from kit.bits import Expr
from kit.engine.paths import Block, Fork, Key, Op, Raise, Return, Trace

__all__ = ["function_name", "python_module"]

_INFIX = {"add": "+", "sub": "-", "mul": "*", "and": "&", "or": "|", "xor": "^"}
_WRAPS = {"add", "sub", "mul"}


def function_name(key: Key) -> str:
    """The name of a traced function in the generated module."""
    parts = [key.name, *map(str, key.static)]
    if any(width != 32 for width in key.widths):
        parts += [f"w{width}" for width in key.widths]
    return re.sub(r"\W", "_", "_".join(parts))


def table_name(key: Key) -> str:
    """The name of the table through which a call selects by a number."""
    return "by_number_" + function_name(Key(key.name, (), key.widths))


def python_module(traces: Iterable[Trace], extra: str = "") -> str:
    """The source of a module with one function for each trace, and the tables they need."""
    traces = list(traces)
    tables: dict[str, list[str]] = {}
    wanted = {op.name for trace in traces for op in _all_ops(trace.body) if op.kind == "call"}
    selecting = {(key.name, key.widths): table_name(key) for key in wanted if key.static == ("*",)}
    parts = ["from kit.isa.cpu import Trap\n"]
    for trace in traces:
        parts.append(_Function(trace).source())
        table = selecting.get((trace.key.name, trace.key.widths))
        if table is not None:
            number = trace.key.static[0]
            tables.setdefault(table, []).append(f"{number}: {function_name(trace.key)}")
    for table, rows in tables.items():
        parts.append(f"{table} = {{{', '.join(rows)}}}")
    parts.append(extra)
    return "\n".join(parts)


def _all_ops(block: Block) -> Iterable[Op]:
    yield from block.ops
    if isinstance(block.end, Fork):
        yield from _all_ops(block.end.yes)
        yield from _all_ops(block.end.no)


class _Function:
    """Writes one function. A node that is used more than once becomes a local variable."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.lines: list[str] = []
        self.uses: Counter[Expr] = Counter()
        self._count_block(trace.body)
        self._locals = 0

    def source(self) -> str:
        params = ", ".join(["h", *(str(param.args[0]) for param in self.trace.params)])
        self.lines.append(f"def {function_name(self.trace.key)}({params}):")
        self._block(self.trace.body, 1, {})
        return "\n".join(self.lines) + "\n"

    # -- how often is a node used ------------------------------------------------------------

    def _count_block(self, block: Block) -> None:
        for op in block.ops:
            for arg in op.args:
                self._count(arg)
        end = block.end
        if isinstance(end, Fork):
            self._count(end.condition)
            self._count_block(end.yes)
            self._count_block(end.no)
        elif isinstance(end, Raise):
            self._count(end.cause)
            self._count(end.tval)
        elif end.value is not None:
            self._count(end.value)

    def _count(self, node: Expr) -> None:
        self.uses[node] += 1
        if self.uses[node] == 1:
            for arg in node.args:
                if isinstance(arg, Expr):
                    self._count(arg)

    # -- statements --------------------------------------------------------------------------

    def _line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def _block(self, block: Block, depth: int, known: dict[Expr, str]) -> None:
        known = dict(known)
        for op in block.ops:
            self._op(op, depth, known)
        end = block.end
        if isinstance(end, Fork):
            self._line(depth, f"if {self._use(end.condition, depth, known)}:")
            self._block(end.yes, depth + 1, known)
            self._block(end.no, depth, known)
        elif isinstance(end, Raise):
            cause, tval = (self._int(node, depth, known) for node in (end.cause, end.tval))
            self._line(depth, f"raise Trap({cause}, {tval})")
        elif isinstance(end, Return) and end.value is not None:
            self._line(depth, f"return {self._use(end.value, depth, known)}")
        else:
            self._line(depth, "return")

    def _op(self, op: Op, depth: int, known: dict[Expr, str]) -> None:
        if op.kind in ("get", "get_item") and not self.uses[op.result]:  # type: ignore[index]
            return
        args = [self._int(arg, depth, known) for arg in op.args]
        if op.kind == "set":
            self._line(depth, f"h.{op.name} = {args[0]}")
            return
        if op.kind == "set_item":
            self._line(depth, f"h.{op.name}[{args[0]}] = {args[1]}")
            return
        if op.kind == "get":
            text = f"h.{op.name}"
        elif op.kind == "get_item":
            text = f"h.{op.name}[{args[0]}]"
        elif op.kind == "storage":
            text = f"h.bus.{op.name}({', '.join([args[0], str(op.size), *args[1:]])})"
        elif op.name.static == ("*",):
            text = f"{table_name(op.name)}[{args[0]}]({', '.join(['h', *args[1:]])})"
            if op.result is not None:
                text = f"({text} if {args[0]} in {table_name(op.name)} else 0)"
        else:
            text = f"{function_name(op.name)}({', '.join(['h', *args])})"
        if op.result is not None and self.uses[op.result]:
            text = f"{op.result.args[0]} = {text}"
        self._line(depth, text)

    # -- expressions -------------------------------------------------------------------------

    def _int(self, node: Expr, depth: int, known: dict[Expr, str]) -> str:
        """An expression that is an int even where the node is a bool."""
        text = self._use(node, depth, known)
        return f"+{text}" if node.width == 1 and node.op not in ("const", "symbol") else text

    def _use(self, node: Expr, depth: int, known: dict[Expr, str]) -> str:
        if node.op == "const":
            return str(node.args[0]) if node.args[0] < 10 else hex(node.args[0])
        if node.op == "symbol":
            return str(node.args[0])
        if node in known:
            return known[node]
        text = self._text(node, depth, known)
        if self.uses[node] > 1:
            self._locals += 1
            name = f"v{self._locals}"
            self._line(depth, f"{name} = {text}")
            known[node] = name
            return name
        return text

    def _text(self, node: Expr, depth: int, known: dict[Expr, str]) -> str:
        mask = hex((1 << node.width) - 1)
        args = [self._use(arg, depth, known) for arg in node.args if isinstance(arg, Expr)]
        if node.op == "extract":
            low = node.args[1]
            shifted = f"({args[0]} >> {low})" if low else args[0]
            if low + node.width == node.args[0].width:
                return shifted
            return f"({shifted} & {mask})"
        if node.op == "zext":
            # A bit may be a bool, which must not get into a register.
            return f"+{args[0]}" if node.args[0].width == 1 else args[0]
        if node.op == "sext":
            sign = hex(1 << (node.args[0].width - 1))
            return f"((({args[0]} ^ {sign}) - {sign}) & {mask})"
        if node.op == "select":
            return f"({args[1]} if {args[0]} else {args[2]})"
        return self._binary(node, args, mask)

    def _binary(self, node: Expr, args: list[str], mask: str) -> str:
        a, b = args
        operand: Expr = node.args[0]
        sign = hex(1 << (operand.width - 1))
        if node.op == "xor" and node.width == 1 and b == "1":
            return f"(not {a})"
        if node.op in _INFIX:
            text = f"({a} {_INFIX[node.op]} {b})"
            return f"({text} & {mask})" if node.op in _WRAPS else text
        if node.op == "eq":
            return f"({a} == {b})"
        if node.op == "ltu":
            return f"({a} < {b})"
        if node.op == "lts":
            return f"(({a} ^ {sign}) < ({b} ^ {sign}))"
        if node.op == "divu":
            return f"({a} // {b} if {b} else {mask})"
        if node.op == "remu":
            return f"({a} % {b} if {b} else {a})"
        return self._shift(node, a, b, mask, sign)

    def _shift(self, node: Expr, a: str, b: str, mask: str, sign: str) -> str:
        amount: Expr = node.args[1]
        bounded = _bound(amount) < node.width
        if node.op == "sar":
            by = b if bounded else f"min({b}, {node.width - 1})"
            return f"(((({a} ^ {sign}) - {sign}) >> {by}) & {mask})"
        text = f"({a} >> {b})" if node.op == "shr" else f"(({a} << {b}) & {mask})"
        return text if bounded else f"({text} if {b} < {node.width} else 0)"


def _bound(node: Expr) -> int:
    """A number that the value of a node cannot exceed."""
    if node.op == "const":
        return int(node.args[0])
    if node.op == "zext":
        return _bound(node.args[0])
    if node.op == "and":
        return min(map(_bound, node.args))
    return (1 << node.width) - 1
