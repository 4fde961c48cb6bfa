"""Expressions as WebAssembly: the value of a node of a trace, pushed on the stack.

A word of up to 32 bits is an i32, a wider one an i64; unused upper bits are zero. Nodes whose value
follows from constants are computed here; those used more than once are kept in a local.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from kit.bits import Expr, concrete
from kit.engine.paths import Block, Fork, Op, Raise
from kit.engine.wasm import I32, I64, Code

__all__ = ["BITS", "Values", "all_ops", "count_uses", "kind_of", "raises"]


BITS = {1: "8_u", 2: "16_u", 4: ""}
"""The endings of loads of so many bytes."""


def kind_of(width: int) -> int:
    """The type of a word of `width` bits."""
    return I32 if width <= 32 else I64


def all_ops(block: Block) -> Iterable[Op]:
    """Every operation of a tree."""
    yield from block.ops
    if isinstance(block.end, Fork):
        yield from all_ops(block.end.yes)
        yield from all_ops(block.end.no)


def raises(block: Block) -> bool:
    """Does a path of this tree itself end in a trap?"""
    if isinstance(block.end, Fork):
        return raises(block.end.yes) or raises(block.end.no)
    return isinstance(block.end, Raise)


def count_uses(block: Block) -> Counter[Expr]:
    """How often each node of a tree is used."""
    uses: Counter[Expr] = Counter()
    _count(block, uses)
    return uses


def _count(block: Block, uses: Counter[Expr]) -> None:
    end = block.end
    roots = [arg for op in block.ops for arg in op.args]
    if isinstance(end, Fork):
        roots.append(end.condition)
        _count(end.yes, uses)
        _count(end.no, uses)
    elif isinstance(end, Raise):
        roots += [end.cause, end.tval]
    elif end.value is not None:
        roots.append(end.value)
    while roots:
        node = roots.pop()
        uses[node] += 1
        if uses[node] == 1:
            roots += [arg for arg in node.args if isinstance(arg, Expr)]


class Values:
    """Pushes nodes: `known` are symbols and nodes with a fixed value, `locals` those in a local."""

    def __init__(self, code: Code, uses: Counter[Expr]) -> None:
        self.code = code
        self.uses = uses
        self.known: dict[Expr, int] = {}
        self.locals: dict[Expr, int] = {}

    def fork(self) -> Values:
        """A copy for one side of a branch: what it computes does not hold on the other."""
        copy = Values(self.code, self.uses)
        copy.known, copy.locals = dict(self.known), dict(self.locals)
        return copy

    # -- constants ---------------------------------------------------------------------------

    def constant(self, node: Expr) -> int | None:
        """The value of a node, if it follows from constants."""
        if node.op == "const":
            return int(node.args[0])
        if node in self.known:
            return self.known[node]
        if node.op == "symbol" or node in self.locals:
            return None
        if node.op == "select":
            condition = self.constant(node.args[0])
            return None if condition is None else self.constant(node.args[2 - (condition & 1)])
        values = [self.constant(arg) for arg in node.args if isinstance(arg, Expr)]
        if None in values:
            return None
        self.known[node] = concrete(node, values)  # type: ignore[arg-type]
        return self.known[node]

    # -- pushing -----------------------------------------------------------------------------

    def bind(self, node: Expr) -> None:
        """Pops the value of a node into a local of its own."""
        local = self.code.local(kind_of(node.width))
        self.locals[node] = local
        self.code.set(local)

    def push(self, node: Expr) -> None:
        """Pushes the value of a node."""
        value = self.constant(node)
        if value is not None:
            self.code.const(kind_of(node.width), value)
            return
        if node in self.locals:
            self.code.get(self.locals[node])
            return
        if node.op == "select":
            chosen = self.constant(node.args[0])
            if chosen is not None:
                self.push(node.args[2 - (chosen & 1)])
                return
        self._compute(node)
        if self.uses[node] > 1:
            local = self.code.local(kind_of(node.width))
            self.locals[node] = local
            self.code.tee(local)

    def push_signed(self, node: Expr) -> None:
        """Pushes the value of a node with its sign in all upper bits of its kind."""
        self.push(node)
        bits = 32 if kind_of(node.width) == I32 else 64
        self._fill_sign(node.width, bits)

    def _fill_sign(self, width: int, bits: int) -> None:
        code = self.code
        if bits == 32 and width in (8, 16):
            code.op(f"i32.extend{width}_s")
        elif width < bits:
            kind = "i32" if bits == 32 else "i64"
            for shift in ("shl", "shr_s"):
                code.const(I32 if bits == 32 else I64, bits - width)
                code.op(f"{kind}.{shift}")

    def _mask(self, width: int) -> None:
        if width not in (32, 64):
            kind = kind_of(width)
            self.code.const(kind, (1 << width) - 1)
            self.code.op("i32.and" if kind == I32 else "i64.and")

    def _compute(self, node: Expr) -> None:
        code, width = self.code, node.width
        if node.op == "select":
            condition, yes, no = node.args
            self.push(yes)
            self.push(no)
            self.push(condition)
            code.op("select")
        elif node.op == "extract":
            self._extract(node)
        elif node.op == "zext":
            self.push(node.args[0])
            if kind_of(width) != kind_of(node.args[0].width):
                code.op("i64.extend_i32_u")
        elif node.op == "sext":
            inner: Expr = node.args[0]
            self.push_signed(inner)
            if kind_of(width) != kind_of(inner.width):
                code.op("i64.extend_i32_s")
            self._mask(width)
        else:
            self._binary(node)

    def _extract(self, node: Expr) -> None:
        code, width = self.code, node.width
        inner, low = node.args
        prefix = "i32" if kind_of(inner.width) == I32 else "i64"
        self.push(inner)
        if low:
            code.const(kind_of(inner.width), low)
            code.op(f"{prefix}.shr_u")
        if kind_of(width) != kind_of(inner.width):
            code.op("i32.wrap_i64")
        if low + width < inner.width:
            self._mask(width)

    def _binary(self, node: Expr) -> None:
        a, b = node.args
        code, op = self.code, node.op
        kind = kind_of(a.width)
        prefix = "i32" if kind == I32 else "i64"
        if op in ("lts", "sar"):
            self.push_signed(a)
        else:
            self.push(a)
        if op == "eq" and self.constant(b) == 0:
            code.op(f"{prefix}.eqz")
            return
        if op == "xor" and node.width == 1 and self.constant(b) == 1:
            code.op("i32.eqz")
            return
        if op == "lts":
            self.push_signed(b)
        else:
            self.push(b)
        if op in ("add", "sub", "mul", "and", "or", "xor"):
            code.op(f"{prefix}.{op}")
            if op in ("add", "sub", "mul"):
                self._mask(a.width)
        elif op in ("eq", "ltu", "lts"):
            code.op(f"{prefix}.{ {'eq': 'eq', 'ltu': 'lt_u', 'lts': 'lt_s'}[op] }")
        elif op in ("divu", "remu"):
            self._divide(node, kind, prefix)
        else:
            self._shift(node, kind, prefix)

    def _divide(self, node: Expr, kind: int, prefix: str) -> None:
        """WebAssembly traps on a zero divisor, so it is divided by one, and the result replaced."""
        code = self.code
        a, b = node.args
        self._push_zero_test(b, prefix)
        if kind == I64:
            code.op("i64.extend_i32_u")
        code.op(f"{prefix}.or", f"{prefix}.{'div_u' if node.op == 'divu' else 'rem_u'}")
        if node.op == "divu":
            code.const(kind, (1 << node.width) - 1)
        else:
            self.push(a)
        self.push(b)
        code.const(kind, 0)
        code.op(f"{prefix}.ne", "select")

    def _push_zero_test(self, node: Expr, prefix: str) -> None:
        self.push(node)
        self.code.op(f"{prefix}.eqz")

    def _shift(self, node: Expr, kind: int, prefix: str) -> None:
        """WebAssembly takes amounts modulo the width; larger ones give zero, or the sign."""
        code = self.code
        amount: Expr = node.args[1]
        bits = 32 if kind == I32 else 64
        bounded = self._bound(amount) < min(bits, node.width)
        if node.op == "sar":
            if not bounded:
                # On the stack is the amount; one that is too large is as good as the largest.
                code.const(kind, node.width - 1)
                self.push(amount)
                code.const(kind, node.width)
                code.op(f"{prefix}.lt_u", "select")
            code.op(f"{prefix}.shr_s")
            self._mask(node.width)
            return
        code.op(f"{prefix}.{'shl' if node.op == 'shl' else 'shr_u'}")
        if node.op == "shl":
            self._mask(node.width)
        if not bounded:
            code.const(kind, 0)
            self.push(amount)
            code.const(kind, node.width)
            code.op(f"{prefix}.lt_u", "select")

    def _bound(self, node: Expr) -> int:
        """A number that the value of a node cannot exceed."""
        value = self.constant(node)
        if value is not None:
            return value
        if node.op == "zext":
            return self._bound(node.args[0])
        if node.op == "and":
            return min(map(self._bound, node.args))
        return (1 << node.width) - 1
