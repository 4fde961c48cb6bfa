"""The directive ``instruction-manual``: a manual page of each row of the encoding table.

``{instruction-manual} I`` lists the instructions of extension I; ``base`` stands for those that
belong to none. The text is the docstring and the source of the function that is executed.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from html import escape
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from kit.isa.encoding import INSTRUCTIONS, Field, Instruction

__all__ = ["runs"]


def runs(row: Instruction) -> list[tuple[int, int, str]]:
    """The word from its most significant bit down: (high bit, low bit, what stands there)."""
    result: list[tuple[int, int, str]] = []
    by_top = {field.low + field.size - 1: field for field in row.fields}
    bit = 8 * row.length - 1
    while bit >= 0:
        if bit in by_top:
            field = by_top[bit]
            result.append((bit, field.low, _field(row, field)))
            bit = field.low - 1
            continue
        high = bit
        while bit >= 0 and row.mask >> bit & 1 and bit not in by_top:
            bit -= 1
        size = high - bit
        value = row.match >> (bit + 1) & ((1 << size) - 1)
        result.append((high, bit + 1, f"{value:0{size}b}"))
    return result


def _field(row: Instruction, field: Field) -> str:
    if field.size == row.widths[field.operand] and field.at == 0:
        return field.operand
    high = field.at + field.size - 1
    return f"{field.operand}[{high}:{field.at}]" if field.size > 1 else f"{field.operand}[{high}]"


def drawing(row: Instruction) -> str:
    """The word as an HTML table, drawn as the manual draws it."""
    cells = runs(row)
    numbers = "".join(
        f'<td colspan="{high - low + 1}">{high if high == low else f"{high}–{low}"}</td>'
        for high, low, _ in cells
    )
    texts = "".join(
        f'<td colspan="{high - low + 1}">{escape(text)}</td>' for high, low, text in cells
    )
    label = escape(f"Encoding of {row.name}, from the highest bit down", quote=True)
    return (
        f'<div class="bits" tabindex="0"><table aria-label="{label}">'
        f'<tr class="numbers">{numbers}</tr><tr>{texts}</tr></table></div>'
    )


def source(row: Instruction) -> str:
    """The body of the function that is the instruction's meaning, without its docstring.

    Empty for an instruction that has nothing to do on this machine, such as a fence.
    """
    assert row.execute is not None
    text = textwrap.dedent(inspect.getsource(row.execute))
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef)
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if not body:
        return ""
    lines = text.splitlines()[body[0].lineno - 1 : body[-1].end_lineno]
    return textwrap.dedent("\n".join(lines))


class InstructionManual(SphinxDirective):
    """Writes one section for each instruction of an extension, in the order of the table."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        extension = "" if self.arguments[0] == "base" else self.arguments[0]
        rows = [row for row in INSTRUCTIONS if row.extension == extension]
        if not rows:
            raise self.error(f"no instruction belongs to extension {extension!r}")
        for module in {inspect.getfile(row.execute) for row in rows if row.execute}:
            self.env.note_dependency(module)
        self.env.note_dependency(inspect.getfile(Instruction))
        return [self._section(row) for row in rows]

    def _section(self, row: Instruction) -> nodes.section:
        section = nodes.section(ids=[f"instruction-{row.name.replace('.', '-')}"])
        section += nodes.title("", "", nodes.literal(text=row.name))
        syntax = nodes.paragraph("", "", nodes.literal(text=f"{row.name} {row.syntax}".strip()))
        notes = []
        if row.privilege != "U":
            notes.append(f"needs {row.privilege}-mode")
        if row.xlens == {64}:
            notes.append("RV64 only")
        if row.xlens == {32}:
            notes.append("RV32 only")
        if notes:
            syntax += nodes.Text(f" · {', '.join(notes)}")
        section += [syntax, nodes.raw("", drawing(row), format="html")]
        if row.execute is None:
            meaning = nodes.literal(text=row.expansion)
            section += nodes.paragraph("", "", nodes.Text("Stands for "), meaning)
            return section
        for part in (inspect.getdoc(row.execute) or "").split("\n\n"):
            section += nodes.paragraph(text=" ".join(part.split()))
        code = source(row)
        if code:
            section += nodes.literal_block(code, code, language="python")
        return section


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("instruction-manual", InstructionManual)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
