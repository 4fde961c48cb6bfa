"""Bugs of the VMM kernel made by rule, the same ones every time: a small change of one place.

A comparison, an operator, a number or a condition is turned into another one, or a statement is
left out. Which places are changed is drawn by lot, as many in each function as it is long.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from functools import cache

from kit.proof.mutant import VMM, Mutant

__all__ = ["FILES", "changes", "generated"]

FILES = (
    "access", "allocator", "csr", "interpreters", "kernel", "protection", "shadow", "translation",
    "traps",
)  # fmt: skip
SEED, COUNT = 1982, 200

COMPARISONS = {
    ast.Eq: "!=", ast.NotEq: "==", ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">",
    ast.In: "not in", ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is",
}  # fmt: skip
OPERATORS = {
    ast.BitAnd: "|", ast.BitOr: "&", ast.Add: "-", ast.Sub: "+", ast.LShift: ">>",
    ast.RShift: "<<", ast.BitXor: "|",
}  # fmt: skip
METHODS = {"sext": "zext", "zext": "sext", "ltu": "geu", "geu": "ltu", "lts": "ltu"}
OUTSIDE = {"create", "destroy", "__init__", "virtual_csrs"}
"""Functions whose bugs show before any guest runs, or not in what a guest does."""

Span = tuple[int, int]


class _Finder(ast.NodeVisitor):
    """Finds what can be changed in a source: where, by what, and in which function."""

    def __init__(self, text: str) -> None:
        self._text = text
        starts = [0]
        for line in text.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        self._starts = starts
        self._inside: list[str] = []
        self.found: list[tuple[str, int, str, str]] = []

    def _span(self, node: ast.expr | ast.stmt) -> Span:
        # The kernel's sources are ASCII, so that ast's bytes are characters.
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            self._starts[node.lineno - 1] + node.col_offset,
            self._starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def _add(self, span: Span, new: str) -> None:
        name = ".".join(self._inside)
        if name and self._inside[-1] not in OUTSIDE:
            self.found.append((name, span[0], self._text[slice(*span)], new))

    def _between(self, left: ast.expr, right: ast.expr, new: str) -> None:
        """Changes the operator between two operands, without what brackets there are."""
        start, end = self._span(left)[1], self._span(right)[0]
        text = self._text[start:end]
        inner = text.strip(" ()\n")
        at = start + text.index(inner)
        self._add((at, at + len(inner)), new)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._inside.append(node.name)
        for part in node.body:
            self.visit(part)
        self._inside.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        if not any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases):
            self._inside.append(node.name)
            for part in node.body:
                if isinstance(part, ast.FunctionDef):
                    self.visit(part)
            self._inside.pop()

    def visit_Compare(self, node: ast.Compare) -> None:
        for operator, left, right in zip(
            node.ops, [node.left, *node.comparators], node.comparators, strict=False
        ):
            self._between(left, right, COMPARISONS[type(operator)])
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if type(node.op) in OPERATORS:
            self._between(node.left, node.right, OPERATORS[type(node.op)])
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        new = "or" if isinstance(node.op, ast.And) else "and"
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._between(left, right, new)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        start, _ = self._span(node)
        length = len("not ") if isinstance(node.op, ast.Not) else 1
        if isinstance(node.op, ast.Not | ast.Invert):
            self._add((start, start + length), "")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self._add(self._span(node), str(not node.value))
        elif isinstance(node.value, int):
            self._add(self._span(node), str(node.value + 1))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Texts stay as they are."""

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in METHODS:
            end = self._span(function)[1]
            self._add((end - len(function.attr), end), METHODS[function.attr])
        if isinstance(function, ast.Name) and function.id == "select" and len(node.args) == 3:
            (start, middle), (other, end) = map(self._span, node.args[1:])
            first, second = self._text[start:middle], self._text[other:end]
            self._add((start, end), f"{second}, {first}")
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        span = self._span(node.test)
        self._add(span, f"not ({self._text[slice(*span)]})")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self._add(self._span(node), "pass")
            self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if all(isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets):
            self._add(self._span(node), "pass")
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._add(self._span(node), "pass")
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Assert(self, node: ast.Assert) -> None:
        """Assertions are no code of the kernel's."""


@cache
def changes(file: str) -> dict[str, Mutant]:
    """Every change of a source that the rules allow, by name."""
    text = (VMM / f"{file}.py").read_text(encoding="utf-8")
    finder = _Finder(text)
    finder.visit(ast.parse(text))
    return dict(_named(file, finder.found))


def _named(file: str, found: list[tuple[str, int, str, str]]) -> Iterator[tuple[str, Mutant]]:
    """Names that stay while the function does: its own, the change, and which of several it is."""
    counts: dict[str, int] = {}
    for function, at, old, new in found:
        name = f"{file}.{function}: {' '.join(old.split())} -> {' '.join(new.split()) or 'nothing'}"
        counts[name] = counts.get(name, 0) + 1
        number = f" ({counts[name]})" if counts[name] > 1 else ""
        yield name + number, Mutant(file, old, new, at)


def generated(count: int = COUNT, seed: int = SEED) -> dict[str, Mutant]:
    """So many mutants, drawn by lot."""
    every = {name: mutant for file in FILES for name, mutant in changes(file).items()}
    names = random.Random(seed).sample(sorted(every), min(count, len(every)))
    return {name: every[name] for name in sorted(names)}
