"""Expressions: parsed into a tree, and evaluated when their symbols are known.

Operators bind as in GNU as (and not as in C): tightest ``* / % << >>``, then ``| & ^ !``, then
``+ -``, then comparisons (true is -1), then ``&&``, then ``||``. Numbers wrap at 64 bits; ``>>``
fills with zeros; division rounds toward zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kit.isa.asm.faults import Fault
from kit.isa.asm.lexer import Token
from kit.isa.asm.symbols import Place, Symbols

__all__ = [
    "MODIFIERS",
    "Binary",
    "Here",
    "Modified",
    "Name",
    "Node",
    "Number",
    "Parser",
    "Unary",
    "Unknown",
    "Value",
    "constant",
    "evaluate",
]

MODIFIERS = ("hi", "lo", "pcrel_hi", "pcrel_lo")
_DEEPEST = 60  # nesting of parentheses, and of symbols defined by symbols


@dataclass(frozen=True, slots=True)
class Number:
    """A number that was written, or a symbol whose value was known where it was used."""

    column: int
    value: int


@dataclass(frozen=True, slots=True)
class Name:
    """A symbol."""

    column: int
    name: str


@dataclass(frozen=True, slots=True)
class Here:
    """The place where ``.`` was written."""

    column: int
    place: Place


@dataclass(frozen=True, slots=True)
class Unary:
    """An operator and its operand."""

    column: int
    op: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two operands."""

    column: int
    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Modified:
    """``%hi(…)`` and its like."""

    column: int
    modifier: str
    operand: Node


Node = Number | Name | Here | Unary | Binary | Modified


@dataclass(frozen=True, slots=True)
class Value:
    """A number, or a distance of `number` bytes from the start of a fragment (`base`)."""

    number: int
    base: object = None


class Unknown(Exception):  # noqa: N818 - not an error, unless at the end
    """A value that is not known yet: that of `name`, or one that depends on the layout."""

    def __init__(self, name: str = "", column: int = 0) -> None:
        super().__init__(name)
        self.name, self.column = name, column


_LEVELS: dict[str, int] = {
    **dict.fromkeys(["||"], 1),
    **dict.fromkeys(["&&"], 2),
    **dict.fromkeys(["==", "!=", "<>", "<", ">", "<=", ">="], 3),
    **dict.fromkeys(["+", "-"], 4),
    **dict.fromkeys(["|", "&", "^", "!"], 5),
    **dict.fromkeys(["*", "/", "%", "<<", ">>"], 6),
}


class Parser:
    """Reads expressions from the tokens of one statement.

    `here` gives the place that ``.`` stands for; `end` is the column behind the last token.
    """

    def __init__(
        self, items: list[Token], symbols: Symbols, here: Callable[[], Place], end: int
    ) -> None:
        self.items, self.symbols, self.here, self.end = items, symbols, here, end
        self.position = 0
        self._depth = 0

    def peek(self, ahead: int = 0) -> Token:
        """The next token, or one of kind ``end``."""
        at = self.position + ahead
        return self.items[at] if at < len(self.items) else Token("end", "", self.end)

    def next(self) -> Token:
        """Takes the next token."""
        token = self.peek()
        self.position += 1
        return token

    def skip(self, text: str) -> bool:
        """Takes the next token if it is the operator `text`."""
        token = self.peek()
        if token.kind == "op" and token.text == text:
            self.position += 1
            return True
        return False

    def expect(self, text: str) -> None:
        """Takes the operator `text`. Raises `Fault` where something else stands."""
        if not self.skip(text):
            raise Fault(f"expected '{text}'{_found(self.peek())}", self.peek().column)

    def finish(self) -> None:
        """Raises `Fault` where something is left."""
        token = self.peek()
        if token.kind != "end":
            raise Fault(f"unexpected '{token.text}' at the end of the statement", token.column)

    def expression(self, level: int = 1) -> Node:
        """The expression that stands here, of operators that bind as tightly as `level`."""
        left = self._primary()
        while True:
            token = self.peek()
            rank = _LEVELS.get(token.text, 0) if token.kind == "op" else 0
            if rank < level or rank == 0:
                return left
            self.position += 1
            right = self._nested(lambda above=rank + 1: self.expression(above))  # type: ignore[misc]
            left = Binary(token.column, token.text, left, right)

    def _nested(self, read: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Fault("this expression is nested too deeply", self.peek().column)
        try:
            return read()
        finally:
            self._depth -= 1

    def _primary(self) -> Node:
        token = self.next()
        if token.kind == "number":
            return Number(token.column, token.value)
        if token.kind == "local":
            return Name(token.column, self.symbols.local(token))
        if token.kind == "name":
            return self._name(token)
        if token.kind == "op" and token.text in "-~!+":
            operand = self._nested(self._primary)
            return Unary(token.column, token.text, operand)
        if token.kind == "op" and token.text == "(":
            inner = self._nested(self.expression)
            self.expect(")")
            return inner
        if token.kind == "op" and token.text == "%":
            return self._modified(token)
        raise Fault(f"expected a value{_found(token)}", token.column)

    def _name(self, token: Token) -> Node:
        if token.text == ".":
            return Here(token.column, self.here())
        known = self.symbols.constant(token.text)
        return Name(token.column, token.text) if known is None else Number(token.column, known)

    def _modified(self, percent: Token) -> Node:
        token = self.next()
        if token.kind != "name" or token.text not in MODIFIERS:
            known = ", ".join(f"%{name}" for name in MODIFIERS)
            raise Fault(f"unknown modifier '%{token.text}'", percent.column, f"there are {known}")
        self.expect("(")
        operand = self._nested(self.expression)
        self.expect(")")
        return Modified(percent.column, token.text, operand)


def _found(token: Token) -> str:
    return f", not '{token.text}'" if token.kind != "end" else ", but the statement ends here"


def _wrap(value: int) -> int:
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def evaluate(node: Node, symbols: Symbols, final: bool = False, depth: int = 0) -> Value:
    """What `node` is worth.

    Before the layout is `final`, a label is a distance in its fragment. Raises `Unknown` for what
    cannot be known yet, and `Fault` for what makes no sense.
    """
    if depth > 2 * _DEEPEST:
        raise Fault("symbols are defined by each other, or nested too deeply", node.column)
    if isinstance(node, Number):
        return Value(node.value)
    if isinstance(node, Here):
        return _placed(node.place, final)
    if isinstance(node, Name):
        return _named(node, symbols, final, depth)
    if isinstance(node, Modified):
        raise Fault(f"%{node.modifier}(…) must be an instruction's whole operand", node.column)
    if isinstance(node, Unary):
        return Value(_unary(node, evaluate(node.operand, symbols, final, depth + 1)))
    # A long sum leans to the left: its depth must not become Python's.
    chain: list[Binary] = []
    left: Node = node
    while isinstance(left, Binary):
        chain.append(left)
        left = left.left
    value = evaluate(left, symbols, final, depth + 1)
    for step in reversed(chain):
        value = _binary(step, value, evaluate(step.right, symbols, final, depth + 1))
    return value


def constant(node: Node, symbols: Symbols) -> int | None:
    """The number that `node` is already known to be, or None."""
    try:
        value = evaluate(node, symbols)
    except Unknown:
        return None
    return value.number if value.base is None else None


def _placed(place: Place, final: bool) -> Value:
    if final:
        return Value(place.address)
    return Value(place.offset, place.fragment)


def _named(node: Name, symbols: Symbols, final: bool, depth: int) -> Value:
    meaning = symbols.meaning(node.name)
    if meaning is None:
        raise Unknown(node.name, node.column)
    if isinstance(meaning, Place):
        return _placed(meaning, final)
    if isinstance(meaning, int):
        return Value(meaning)
    try:
        return evaluate(meaning, symbols, final, depth + 1)  # type: ignore[arg-type]
    except Fault as fault:
        raise Fault(f"{fault.what} (in the definition of '{node.name}')", node.column) from None


def _unary(node: Unary, operand: Value) -> int:
    if operand.base is not None:
        raise Unknown(column=node.column)
    number = operand.number
    return {"-": _wrap(-number), "~": ~number, "!": int(not number), "+": number}[node.op]


_OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1),
    "%": lambda a, b: abs(a) % abs(b) * (-1 if a < 0 else 1),
    "<<": lambda a, b: a << b if 0 <= b < 64 else 0,
    ">>": lambda a, b: (a & ((1 << 64) - 1)) >> b if 0 <= b < 64 else 0,
    "|": lambda a, b: a | b,
    "&": lambda a, b: a & b,
    "^": lambda a, b: a ^ b,
    "!": lambda a, b: a | ~b,
    "==": lambda a, b: -int(a == b),
    "!=": lambda a, b: -int(a != b),
    "<>": lambda a, b: -int(a != b),
    "<": lambda a, b: -int(a < b),
    ">": lambda a, b: -int(a > b),
    "<=": lambda a, b: -int(a <= b),
    ">=": lambda a, b: -int(a >= b),
    "&&": lambda a, b: int(bool(a) and bool(b)),
    "||": lambda a, b: int(bool(a) or bool(b)),
}


def _binary(node: Binary, left: Value, right: Value) -> Value:
    op, a, b = node.op, left.number, right.number
    if op in ("/", "%") and b == 0 and right.base is None:
        raise Fault("division by zero", node.column)
    if left.base is None and right.base is None:
        return Value(_wrap(_OPERATIONS[op](a, b)))
    if op == "+" and (left.base is None or right.base is None):
        return Value(a + b, left.base or right.base)
    if op == "-" and right.base is None:
        return Value(a - b, left.base)
    if left.base is right.base and op not in ("+", "*", "/", "%", "<<", ">>", "|", "&", "^", "!"):
        return Value(_wrap(_OPERATIONS[op](a, b)))
    raise Unknown(column=node.column)
