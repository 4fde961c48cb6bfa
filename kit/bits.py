"""Fixed-width words: a concrete integer, or a symbolic expression.

`Bits` is the one value type of the instruction set's definition and of the VMM kernel. Arithmetic
wraps at the width; signed and unsigned operations are spelled apart, as in hardware description
languages. The same function therefore computes when it is given numbers, and describes itself
when it is given symbols: testing a symbolic value with ``if`` *forks* the run (see `explore`),
and `select` merges two values without forking.

>>> a = Bits(8, 250)
>>> a + 10
Bits(8, 0x04)
>>> a[7:4]
Bits(4, 0xf)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

__all__ = ["Bits", "Explorer", "Expr", "concat", "constant", "explore", "select", "symbol"]


class Expr:
    """A node of a symbolic expression; equal expressions are the same object (hash-consing).

    `op` names the operation, `width` is in bits, and `args` are the operands: other nodes, or the
    plain parameters of ``const`` (the value), ``symbol`` (its name) and ``extract`` (the low bit).
    """

    __slots__ = ("args", "op", "width")
    _known: ClassVar[dict[tuple[Any, ...], Expr]] = {}

    op: str
    width: int
    args: tuple[Any, ...]

    def __new__(cls, op: str, width: int, *args: Any) -> Expr:
        """The one node of this operation on these operands."""
        key = (op, width, *args)
        node = cls._known.get(key)
        if node is None:
            node = object.__new__(cls)
            node.op, node.width, node.args = op, width, args
            cls._known[key] = node
        return node

    def __repr__(self) -> str:
        if self.op == "const":
            return f"{self.args[0]:#x}"
        if self.op == "symbol":
            return str(self.args[0])
        return f"{self.op}({', '.join(map(repr, self.args))})"


def constant(width: int, value: int) -> Expr:
    """The expression node of a number."""
    return Expr("const", width, value & ((1 << width) - 1))


def symbol(name: str, width: int) -> Bits:
    """A word about which nothing is known but its width."""
    return Bits(width, Expr("symbol", width, name))


class Bits:
    """A word of `width` bits.

    `value` is an int in ``range(2 ** width)``, or an `Expr`. An int operand is taken at the
    width of the other side (negative numbers in two's complement). Comparison gives one bit.
    """

    __slots__ = ("value", "width")

    value: int | Expr
    width: int

    def __init__(self, width: int, value: int | Expr) -> None:
        self.width = width
        self.value = value & ((1 << width) - 1) if isinstance(value, int) else value

    # -- looking at a value ------------------------------------------------------------------

    def __repr__(self) -> str:
        if isinstance(self.value, int):
            return f"Bits({self.width}, 0x{self.value:0{(self.width + 3) // 4}x})"
        return f"Bits({self.width}, {self.value!r})"

    def __int__(self) -> int:
        if isinstance(self.value, int):
            return self.value
        raise TypeError(f"a symbolic word has no number: {self.value!r}; use select() or `if`")

    __index__ = __int__

    @property
    def signed(self) -> int:
        """The number in two's complement (concrete words only)."""
        value = int(self)
        return value - (1 << self.width) if value >> (self.width - 1) else value

    @property
    def node(self) -> Expr:
        """The value as an expression node."""
        return constant(self.width, self.value) if isinstance(self.value, int) else self.value

    def __bool__(self) -> bool:
        """Is any bit set? On a symbolic word this forks the exploration."""
        if isinstance(self.value, int):
            return self.value != 0
        if Explorer.current is None:
            raise TypeError(
                f"`if` on the symbolic word {self.value!r} outside of explore(): "
                "there is no run to fork"
            )
        bit = self if self.width == 1 else self != 0
        if isinstance(bit.value, int):
            return bit.value != 0
        return Explorer.current.decide(bit.value)

    def __hash__(self) -> int:
        raise TypeError("a word is not a dictionary key: use int(word) where it is concrete")

    # -- arithmetic and logic ----------------------------------------------------------------

    def _with(self, other: Bits | int) -> Bits:
        if isinstance(other, Bits):
            if other.width != self.width:
                raise ValueError(
                    f"words of {self.width} and {other.width} bits do not go together: "
                    "use zext(), sext() or a slice"
                )
            return other
        return Bits(self.width, int(other))

    def _binary(self, op: str, other: Bits | int, width: int | None = None) -> Bits:
        other = self._with(other)
        width = self.width if width is None else width
        a, b = self.value, other.value
        if isinstance(a, int) and isinstance(b, int):
            return Bits(width, _CONCRETE[op](a, b, self.width))
        return Bits(width, _simplified(op, width, self.node, other.node))

    def __add__(self, other: Bits | int) -> Bits:
        return self._binary("add", other)

    __radd__ = __add__

    def __sub__(self, other: Bits | int) -> Bits:
        return self._binary("sub", other)

    def __mul__(self, other: Bits | int) -> Bits:
        return self._binary("mul", other)

    def __and__(self, other: Bits | int) -> Bits:
        return self._binary("and", other)

    __rand__ = __and__

    def __or__(self, other: Bits | int) -> Bits:
        return self._binary("or", other)

    __ror__ = __or__

    def __xor__(self, other: Bits | int) -> Bits:
        return self._binary("xor", other)

    __rxor__ = __xor__

    def __invert__(self) -> Bits:
        return self ^ -1

    def __eq__(self, other: object) -> Bits:  # type: ignore[override]
        return self._binary("eq", other, 1)  # type: ignore[arg-type]

    def __ne__(self, other: object) -> Bits:  # type: ignore[override]
        return (self == other) ^ 1

    def __lt__(self, other: object) -> bool:
        raise TypeError("`<` does not say whether signed: use ltu() or lts()")

    __gt__ = __le__ = __ge__ = __lt__

    def ltu(self, other: Bits | int) -> Bits:
        """Less than, unsigned."""
        return self._binary("ltu", other, 1)

    def lts(self, other: Bits | int) -> Bits:
        """Less than, signed."""
        return self._binary("lts", other, 1)

    def geu(self, other: Bits | int) -> Bits:
        """Greater than or equal, unsigned."""
        return self.ltu(other) ^ 1

    def ges(self, other: Bits | int) -> Bits:
        """Greater than or equal, signed."""
        return self.lts(other) ^ 1

    def shl(self, amount: Bits | int) -> Bits:
        """Shift left; an amount of the width or more gives 0."""
        return self._shift("shl", amount)

    def shr(self, amount: Bits | int) -> Bits:
        """Shift right, filling with zeros."""
        return self._shift("shr", amount)

    def sar(self, amount: Bits | int) -> Bits:
        """Shift right, filling with the sign."""
        return self._shift("sar", amount)

    def _shift(self, op: str, amount: Bits | int) -> Bits:
        if not isinstance(amount, Bits):
            amount = min(amount, self.width)
        elif amount.width <= self.width:
            amount = amount.zext(self.width)
        else:
            amount = select(amount.ltu(self.width), amount[self.width - 1 : 0], self.width)
        return self._binary(op, amount)

    def divu(self, other: Bits | int) -> Bits:
        """Quotient, unsigned; by zero: all ones (as in SMT-LIB and in RISC-V)."""
        return self._binary("divu", other)

    def remu(self, other: Bits | int) -> Bits:
        """Remainder, unsigned; by zero: the dividend."""
        return self._binary("remu", other)

    # -- taking apart and putting together ---------------------------------------------------

    def __getitem__(self, which: slice | int) -> Bits:
        """The bits ``[high:low]``, both included, or the one bit ``[n]``, as manuals write them."""
        if isinstance(which, slice):
            high, low = which.start, which.stop
        else:
            high = low = which
        if not 0 <= low <= high < self.width:
            raise IndexError(f"bits [{high}:{low}] of a word of {self.width} bits")
        width = high - low + 1
        if isinstance(self.value, int):
            return Bits(width, self.value >> low)
        if width == self.width:
            return self
        return _extract(self.value, high, low)

    def __iter__(self) -> Iterator[Bits]:
        raise TypeError("a word is not a sequence: use slices")

    def zext(self, width: int) -> Bits:
        """Widened with zeros."""
        if width == self.width:
            return self
        if width < self.width:
            raise ValueError(f"cannot widen {self.width} bits to {width}")
        if isinstance(self.value, int):
            return Bits(width, self.value)
        return Bits(width, Expr("zext", width, self.value))

    def sext(self, width: int) -> Bits:
        """Widened with the sign."""
        if width == self.width:
            return self
        if width < self.width:
            raise ValueError(f"cannot widen {self.width} bits to {width}")
        if isinstance(self.value, int):
            return Bits(width, self.signed)
        return Bits(width, Expr("sext", width, self.value))

    def replace(self, high: int, low: int, field: Bits | int) -> Bits:
        """A copy with the bits ``[high:low]`` (both included) set to `field`."""
        mask = ((1 << (high - low + 1)) - 1) << low
        field = Bits(high - low + 1, field) if isinstance(field, int) else field
        return (self & ~mask) | field.zext(self.width).shl(low)


def select(condition: Bits, yes: Bits | int, no: Bits | int) -> Bits:
    """`yes` where the bit `condition` is set, else `no`, without forking."""
    if not isinstance(yes, Bits):
        if not isinstance(no, Bits):
            raise TypeError("select() needs a word, not two ints: their width is unknown")
        yes = no._with(yes)
    else:
        no = yes._with(no)
    bit = condition if condition.width == 1 else condition != 0
    if isinstance(bit.value, int):
        return yes if bit.value else no
    if yes.value is no.value or (isinstance(yes.value, int) and yes.value == no.value):
        return yes
    if yes.width == 1 and yes.value == 1 and no.value == 0:
        return bit
    return Bits(yes.width, Expr("select", yes.width, bit.value, yes.node, no.node))


def concat(*parts: Bits) -> Bits:
    """The words side by side, the most significant first."""
    result = parts[0]
    for part in parts[1:]:
        width = result.width + part.width
        result = result.zext(width).shl(part.width) | part.zext(width)
    return result


# -- what the operations mean on numbers, and what needs no node -----------------------------


def _signed(value: int, width: int) -> int:
    return value - (1 << width) if value >> (width - 1) else value


_CONCRETE: dict[str, Callable[[int, int, int], int]] = {
    "add": lambda a, b, w: a + b,
    "sub": lambda a, b, w: a - b,
    "mul": lambda a, b, w: a * b,
    "and": lambda a, b, w: a & b,
    "or": lambda a, b, w: a | b,
    "xor": lambda a, b, w: a ^ b,
    "eq": lambda a, b, w: a == b,
    "ltu": lambda a, b, w: a < b,
    "lts": lambda a, b, w: _signed(a, w) < _signed(b, w),
    "shl": lambda a, b, w: a << b if b < w else 0,
    "shr": lambda a, b, w: a >> b if b < w else 0,
    "sar": lambda a, b, w: _signed(a, w) >> min(b, w - 1),
    "divu": lambda a, b, w: a // b if b else -1,
    "remu": lambda a, b, w: a % b if b else a,
}


def concrete(node: Expr, values: list[int]) -> int:
    """The value of a node whose operands, those that are nodes, have these values."""
    mask = (1 << node.width) - 1
    if node.op == "zext":
        return values[0]
    if node.op == "extract":
        low: int = node.args[1]
        return values[0] >> low & mask
    if node.op == "sext":
        return _signed(values[0], node.args[0].width) & mask
    if node.op == "select":
        return values[1] if values[0] else values[2]
    return int(_CONCRETE[node.op](values[0], values[1], node.args[0].width)) & mask


_COMMUTES = {"add", "mul", "and", "or", "xor", "eq"}
_ZERO_IS_NEUTRAL = {"add", "sub", "or", "xor", "shl", "shr", "sar"}


def _simplified(op: str, width: int, a: Expr, b: Expr) -> int | Expr:
    """The node of a binary operation, or something simpler that means the same."""
    if a.op == "const" and op in _COMMUTES:
        a, b = b, a
    ones = (1 << a.width) - 1
    if b.op == "const":
        value = b.args[0]
        if value == 0:
            if op in _ZERO_IS_NEUTRAL:
                return a
            if op in ("and", "mul", "ltu"):
                return 0
            if op == "eq" and a.width == 1:
                return _simplified("xor", 1, a, constant(1, 1))
        if value == ones:
            if op == "and":
                return a
            if op == "or":
                return ones
            if op == "eq" and a.width == 1:
                return a
        if op in ("and", "or", "xor", "add") and a.op == op and a.args[1].op == "const":
            return _simplified(
                op,
                width,
                a.args[0],
                constant(width, _CONCRETE[op](a.args[1].args[0], value, width)),
            )
    if a is b:
        if op in ("and", "or"):
            return a
        if op in ("xor", "sub", "ltu", "lts"):
            return 0
        if op == "eq":
            return 1
    return Expr(op, width, a, b)


def _extract(node: Expr, high: int, low: int) -> Bits:
    width = high - low + 1
    if node.op == "zext":
        inner: Expr = node.args[0]
        if low >= inner.width:
            return Bits(width, 0)
        if high < inner.width:
            return Bits(inner.width, inner)[high:low]
    if node.op == "sext" and high < node.args[0].width:
        return Bits(node.args[0].width, node.args[0])[high:low]
    if node.op == "extract":
        return _extract(node.args[0], high + node.args[1], low + node.args[1])
    if node.op == "select" and node.args[1].op == "const" and node.args[2].op == "const":
        yes, no = (Bits(node.width, arg.args[0])[high:low] for arg in node.args[1:])
        return select(Bits(1, node.args[0]), yes, no)
    return Bits(width, Expr("extract", width, node, low))


# -- exploring every path of a function ------------------------------------------------------


class Explorer:
    """Decides each ``if`` on a symbolic word, remembering what is still to be tried."""

    current: Explorer | None = None

    def __init__(self, on_fork: Callable[[Expr, bool], None] | None = None) -> None:
        self.decisions: list[tuple[Expr, bool]] = []
        self._position = 0
        self._known: dict[Expr, bool] = {}
        self._on_fork = on_fork

    def assume(self, condition: Bits, outcome: bool = True) -> None:
        """Takes `condition` as decided for this run, without a fork."""
        self._learn(condition.node, outcome)

    def decide(self, condition: Expr) -> bool:
        """The outcome of `condition` on the path that is being run."""
        if condition in self._known:
            return self._known[condition]
        if condition.op == "xor" and condition.width == 1 and condition.args[1].op == "const":
            return not self.decide(condition.args[0])
        if self._position == len(self.decisions):
            self.decisions.append((condition, True))
        outcome = self.decisions[self._position][1]
        self._position += 1
        self._learn(condition, outcome)
        if self._on_fork is not None:
            self._on_fork(condition, outcome)
        return outcome

    def _learn(self, condition: Expr, outcome: bool) -> None:
        self._known[condition] = outcome
        if condition.op == ("and" if outcome else "or") and condition.width == 1:
            for part in condition.args:
                self._learn(part, outcome)

    def run(self, function: Callable[[], Any]) -> Any:
        """One run of `function` along the decisions made so far."""
        self._position, self._known = 0, {}
        outer, Explorer.current = Explorer.current, self
        try:
            return function()
        finally:
            Explorer.current = outer

    def advance(self) -> bool:
        """Turns to the next path; False when every path has been run."""
        while self.decisions and not self.decisions[-1][1]:
            self.decisions.pop()
        if not self.decisions:
            return False
        self.decisions[-1] = (self.decisions[-1][0], False)
        return True


def explore(function: Callable[[], Any]) -> list[tuple[list[tuple[Expr, bool]], Any]]:
    """Every path of `function`: its decisions (condition, outcome), and what it returned.

    >>> a = symbol("a", 8)
    >>> [outcome for _, outcome in explore(lambda: "odd" if a[0] else "even")]
    ['odd', 'even']
    """
    explorer, paths = Explorer(), []
    while True:
        result = explorer.run(function)
        paths.append((list(explorer.decisions), result))
        if not explorer.advance():
            return paths
