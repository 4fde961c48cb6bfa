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
from two_columns import two_columns

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


class PseudoInstructions(SphinxDirective):
    """Writes the table, in the order of the module."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        for source in (__file__, aliases.__file__):
            self.env.note_dependency(source)
        code = ((f"`{left}`", f"`{right}`") for left, right in rows(_which(self.arguments[0])))
        return [two_columns(("written", "stands for"), code, (40, 60))]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("pseudo-instructions", PseudoInstructions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
