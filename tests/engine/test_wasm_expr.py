"""An expression in WebAssembly has the value that it has on concrete words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.bits import Bits, Expr, concat, select, symbol
from kit.engine.paths import Block, Return
from kit.engine.wasm import Code
from kit.engine.wasm_expr import Values, count_uses, kind_of
from tests.engine.webassembly import Host

INPUTS = {"a": 32, "b": 32, "c": 64, "d": 34, "e": 5, "f": 1, "g": 12, "h": 16}
"""Names and widths of what the expressions are made from."""
WIDTHS = (1, 2, 3, 5, 8, 10, 12, 16, 20, 22, 31, 32, 33, 34, 44, 63, 64)
BINARY = ("__add__", "__sub__", "__mul__", "__and__", "__or__", "__xor__", "divu", "remu")
COMPARING = ("__eq__", "__ne__", "ltu", "lts", "geu", "ges")
SHIFTS = ("shl", "shr", "sar")

Words = dict[str, Bits]
Make = Callable[[Words], Bits]
"""An expression: from the inputs, concrete or symbolic, to its value."""


@st.composite
def expressions(draw: st.DrawFn) -> Make:
    """An expression of a few steps, each of which may use what any of those before it gave."""
    steps: list[tuple[int, Make]] = []
    for name, width in INPUTS.items():
        steps.append((width, lambda words, name=name: words[name]))  # type: ignore[misc]
    for _ in range(draw(st.integers(1, 12))):
        steps.append(draw(_step(steps)))
    return steps[-1][1]


@st.composite
def _step(draw: st.DrawFn, steps: list[tuple[int, Make]]) -> tuple[int, Make]:
    def operand(width: int | None = None) -> tuple[int, Make]:
        if width is not None and draw(st.integers(0, 3)) == 0:
            value = draw(st.sampled_from((0, 1, (1 << width) - 1, 1 << (width - 1))))
            return width, lambda words: Bits(width, value)
        # Mostly what came last, or else most steps lead nowhere.
        had, make = draw(st.sampled_from(steps[-2:] if draw(st.booleans()) else steps))
        if width is None or width == had:
            return had, make
        if width > had:
            signed = draw(st.booleans())
            return (
                width,
                lambda words: make(words).sext(width) if signed else make(words).zext(width),
            )
        low = draw(st.integers(0, had - width))
        return width, lambda words: make(words)[low + width - 1 : low]

    kind = draw(
        st.sampled_from(("binary", "compare", "shift", "select", "resize", "unary", "join"))
    )
    width, a = operand()
    if kind == "binary":
        name, (_, b) = draw(st.sampled_from(BINARY)), operand(width)
        return width, lambda words: getattr(a(words), name)(b(words))
    if kind == "compare":
        name, (_, b) = draw(st.sampled_from(COMPARING)), operand(width)
        return 1, lambda words: getattr(a(words), name)(b(words))
    if kind == "shift":
        name = draw(st.sampled_from(SHIFTS))
        if draw(st.booleans()):
            by = draw(st.integers(0, 70))
            return width, lambda words: getattr(a(words), name)(by)
        _, b = operand(draw(st.sampled_from((width, 5, 8, 64))))
        return width, lambda words: getattr(a(words), name)(b(words))
    if kind == "select":
        (_, condition), (_, b) = operand(1), operand(width)
        return width, lambda words: select(condition(words), a(words), b(words))
    if kind == "join" and width <= 52:
        other, b = operand(draw(st.sampled_from((1, 2, 12))))
        return width + other, lambda words: concat(a(words), b(words))
    if kind == "unary":
        return width, lambda words: ~a(words)
    return operand(draw(st.sampled_from(WIDTHS)))


def code_of(node: Expr, known: dict[Expr, int]) -> Code:
    """A function of the inputs that gives the value of a node."""
    code = Code(len(INPUTS))
    values = Values(code, count_uses(Block((), Return(node))))
    for number, (name, width) in enumerate(INPUTS.items()):
        values.locals[symbol(name, width).node] = number
    for one, value in known.items():
        del values.locals[one]
        values.known[one] = value
    values.push(node)
    return code


def words(draw: Callable[..., Any]) -> dict[str, int]:
    """Values for the inputs, many of them at the ends of their ranges."""
    return {
        name: draw(
            st.one_of(
                st.sampled_from((0, 1, (1 << width) - 1, 1 << (width - 1))),
                st.integers(0, (1 << width) - 1),
            )
        )
        for name, width in INPUTS.items()
    }


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_a_random_expression_has_the_same_value_in_webassembly(data: st.DataObject) -> None:
    make = data.draw(expressions())
    node = make({name: symbol(name, width) for name, width in INPUTS.items()}).node
    given_words = [words(data.draw) for _ in range(3)]
    # Some inputs are known when the code is written, as a translation knows its operands.
    fixed = data.draw(st.sets(st.sampled_from(sorted(INPUTS))))
    first = given_words[0]
    known = {symbol(name, INPUTS[name]).node: first[name] for name in fixed}
    shape = (tuple(map(kind_of, INPUTS.values())), (kind_of(node.width),))
    function = Host().function(code_of(node, known), shape)
    for values in given_words:
        values |= {name: first[name] for name in fixed}
        expected = int(make({name: Bits(INPUTS[name], value) for name, value in values.items()}))
        assert function(*values.values()) == expected, values


EDGES = {
    width: sorted({v % (1 << width) for v in (0, 1, 2, -1, 1 << (width - 1), width, width - 1)})
    for width in WIDTHS
}


def function_of(host: Host, node: Expr, *given: Bits) -> Callable[..., int]:
    """The function from some symbols to the value of a node."""
    code = Code(len(given))
    values = Values(code, count_uses(Block((), Return(node))))
    values.locals = {one.node: number for number, one in enumerate(given)}
    values.push(node)
    return host.function(code, (tuple(kind_of(one.width) for one in given), (kind_of(node.width),)))


@pytest.mark.parametrize("name", [*BINARY, *COMPARING, *SHIFTS])
def test_an_operation_is_right_at_the_ends_of_every_width(name: str) -> None:
    host = Host()
    for width in WIDTHS:
        a, b = symbol("a", width), symbol("b", width)
        node = getattr(a, name)(b).node
        function = function_of(host, node, a, b)
        for one in EDGES[width]:
            for other in EDGES[width]:
                expected = int(getattr(Bits(width, one), name)(Bits(width, other)))
                assert function(one, other) == expected, (width, one, other)


@pytest.mark.parametrize("width", WIDTHS)
def test_every_slice_and_extension_of_a_word_is_right(width: int) -> None:
    host = Host()
    word = symbol("a", width)
    makes: list[Make] = []
    for other in WIDTHS:
        if other >= width:
            makes += [
                lambda words, other=other: words["a"].sext(other),  # type: ignore[misc]
                lambda words, other=other: words["a"].zext(other),  # type: ignore[misc]
            ]
        for low in {0, 1, width // 2, width - other}:
            high = low + other - 1
            if 0 <= low <= high < width:
                makes.append(lambda words, high=high, low=low: words["a"][high:low])  # type: ignore[misc]
    for make in makes:
        function = function_of(host, make({"a": word}).node, word)
        for value in EDGES[width]:
            assert function(value) == int(make({"a": Bits(width, value)}))
