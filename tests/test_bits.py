"""Words wrap, compare and shift as their width says; symbols say the same as numbers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.bits import Bits, Expr, concat, explore, select, symbol

WIDTHS = st.integers(1, 64)
NUMBERS = st.integers(0, (1 << 64) - 1)


def evaluate(node: Expr, values: dict[str, int]) -> int:
    """The number of an expression, by computing each node on concrete words."""
    if node.op == "const":
        return int(node.args[0])
    if node.op == "symbol":
        return values[node.args[0]]
    args = [
        Bits(arg.width, evaluate(arg, values)) if isinstance(arg, Expr) else arg
        for arg in node.args
    ]
    if node.op == "select":
        return int(select(*args))
    if node.op == "extract":
        return int(args[0][args[1] + node.width - 1 : args[1]])
    if node.op in ("zext", "sext"):
        return int(getattr(args[0], node.op)(node.width))
    return int(args[0]._binary(node.op, args[1], node.width))


@given(WIDTHS, NUMBERS, NUMBERS)
def test_arithmetic_is_that_of_numbers_modulo_two_to_the_width(w: int, a: int, b: int) -> None:
    x, y, modulus = Bits(w, a), Bits(w, b), 1 << w
    assert int(x + y) == (a + b) % modulus
    assert int(x - y) == (a - b) % modulus
    assert int(x * y) == (a * b) % modulus
    assert int(~x) == modulus - 1 - a % modulus
    assert int(x.ltu(y)) == (a % modulus < b % modulus)
    assert int(x.lts(y)) == (x.signed < y.signed)
    assert x.sext(80).signed == x.signed
    assert int(concat(x, y)) == (a % modulus) << w | b % modulus


@given(WIDTHS, NUMBERS, st.integers(0, 70))
def test_shifts_by_the_width_or_more_leave_zeros_or_the_sign(w: int, a: int, n: int) -> None:
    x = Bits(w, a)
    amount = Bits(7, n) if w >= 7 else n % (1 << w)
    n = n if w >= 7 else n % (1 << w)
    assert int(x.shl(amount)) == (int(x) << n) % (1 << w)
    assert int(x.shr(amount)) == int(x) >> n
    assert x.sar(amount).signed == x.signed >> n


OPERATIONS = ("add", "sub", "mul", "and", "or", "xor", "shl", "shr", "sar", "divu", "remu")


@st.composite
def expressions(draw: Any, depth: int = 4) -> tuple[Any, int]:
    """A function of two words, to be applied to symbols and to numbers."""
    steps = draw(
        st.lists(
            st.tuples(
                st.sampled_from([*OPERATIONS, "slice", "select", "eq", "not", "sext"]),
                st.integers(0, 31),
                st.integers(0, 31),
                st.sampled_from([0, 1, 5, 0xFF, 0xFFFFFFFF]),
            ),
            min_size=1,
            max_size=depth,
        )
    )
    return steps, depth


def apply(steps: Any, a: Bits, b: Bits) -> Bits:
    for op, high, low, number in steps:
        high, low = max(high, low), min(high, low)
        if op == "slice":
            a = a[high:low].zext(32)
        elif op == "sext":
            a = a[high:low].sext(32)
        elif op == "not":
            a = ~a
        elif op == "eq":
            a = (a == b).zext(32)
        elif op == "select":
            a = select(a.ltu(b), a & number, b)
        else:
            a = a._binary(op, b if high % 2 else number)
    return a


@given(expressions(), NUMBERS, NUMBERS)
def test_simplified_expressions_mean_what_was_written(case: Any, a: int, b: int) -> None:
    a, b = a % (1 << 32), b % (1 << 32)
    numbers = apply(case[0], Bits(32, a), Bits(32, b))
    symbols = apply(case[0], symbol("a", 32), symbol("b", 32))
    assert evaluate(symbols.node, {"a": a, "b": b}) == int(numbers)


def test_slices_are_those_of_the_manuals() -> None:
    word = Bits(32, 0x1234_5678)
    assert int(word[31:16]) == 0x1234
    assert word[3:0].width == 4
    assert int(word[3]) == 1
    assert int(word.replace(15, 8, 0xFF)) == 0x1234_FF78


def test_mixing_widths_names_both() -> None:
    with pytest.raises(ValueError, match="8 and 16 bits"):
        Bits(8, 1) + Bits(16, 1)


@pytest.mark.parametrize("wrong", [lambda a: a < 1, lambda a: {a: 1}, lambda a: list(a)])
def test_operations_that_do_not_say_what_they_mean_are_refused(wrong: Any) -> None:
    with pytest.raises(TypeError):
        wrong(Bits(8, 1))


def test_an_if_on_a_symbol_outside_of_an_exploration_is_refused() -> None:
    with pytest.raises(TypeError, match="no run to fork"):
        bool(symbol("a", 8))


def test_exploring_finds_every_path_once_and_remembers_decisions() -> None:
    a, b = symbol("a", 8), symbol("b", 8)

    def run() -> tuple[bool, bool, bool]:
        return bool(a == b), bool(a.ltu(b)), bool(a == b)

    results = [result for _, result in explore(run)]
    assert results == [(True, True, True), (True, False, True), (False, True, False),
                       (False, False, False)]  # fmt: skip


@pytest.mark.parametrize("amount", [8, 256, Bits(8, 9), Bits(32, 256), Bits(32, 1 << 31)])
def test_a_shift_by_the_width_or_more_leaves_nothing_however_wide_the_amount_is(
    amount: Bits | int,
) -> None:
    word = Bits(8, 0x81)
    assert [int(word.shl(amount)), int(word.shr(amount)), int(word.sar(amount))] == [0, 0, 0xFF]
