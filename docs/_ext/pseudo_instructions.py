"""The directive ``pseudo-instructions``: a table of `kit.isa.aliases`.

``{pseudo-instructions} shown`` lists those that the disassembler writes, too; ``written``, the
others.
"""

from __future__ import annotations

from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from kit.isa import aliases

__all__ = ["rows"]


def rows(is_shown: bool) -> list[tuple[str, str]]:
    """What is written, and what it stands for, of each pseudo-instruction."""
    return [
        (
            f"{alias.name} {', '.join(alias.operands)}".strip(),
            "; ".join(f"{name} {', '.join(operands)}".strip() for name, operands in alias.steps),
        )
        for alias in aliases.ALIASES
        if alias.is_shown == is_shown
    ]


def _which(argument: str) -> bool:
    return directives.choice(argument, ("shown", "written")) == "shown"


def _row(cells: tuple[str, str], kind: type[nodes.TextElement]) -> nodes.row:
    entries = (nodes.entry("", nodes.paragraph("", "", kind("", text))) for text in cells)
    return nodes.row("", *entries)


class PseudoInstructions(SphinxDirective):
    """Writes the table, in the order of the module."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(aliases.__file__)
        head = nodes.thead("", _row(("written", "stands for"), nodes.inline))
        body = nodes.tbody("")
        for cells in rows(_which(self.arguments[0])):
            body += _row(cells, nodes.literal)
        columns = [nodes.colspec(colwidth=40), nodes.colspec(colwidth=60)]
        return [nodes.table("", nodes.tgroup("", *columns, head, body, cols=2))]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("pseudo-instructions", PseudoInstructions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
