"""The directive ``lemmas``: the statement of each lemma, from the docstring next to its goals.

They come in the order in which `kit.proof.lemmas` imports its modules, and within each in the order
of the source, which is read and not imported: the pages can be built without z3.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from two_columns import marked

import kit

__all__ = ["modules", "stated"]

FOLDER = Path(kit.__file__).parent / "proof" / "lemmas"


def modules() -> list[str]:
    """The modules that state lemmas, in the order of the argument."""
    tree = ast.parse((FOLDER / "__init__.py").read_text(encoding="utf-8"))
    imports = (node for node in tree.body if isinstance(node, ast.ImportFrom))
    names = [alias.name for node in imports for alias in node.names]
    return [name for name in names if (FOLDER / f"{name}.py").is_file()]


def stated(module: str) -> list[tuple[str, str]]:
    """Name and statement of each lemma of a module."""
    tree = ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and getattr(mark.func, "id", "") == "lemma":
                    assert isinstance(mark.args[0], ast.Constant)
                    statement = " ".join((ast.get_docstring(node) or "").split())
                    found.append((str(mark.args[0].value), statement))
    return found


class Lemmas(SphinxDirective):
    """Writes a definition list: a lemma's name, what it says, and where it is stated."""

    def run(self) -> list[nodes.Node]:
        for file in (Path(__file__), *FOLDER.glob("*.py")):
            self.env.note_dependency(str(file))
        items = [self._item(module, *lemma) for module in modules() for lemma in stated(module)]
        return [nodes.definition_list("", *items)]

    @staticmethod
    def _item(module: str, name: str, statement: str) -> nodes.definition_list_item:
        where = nodes.paragraph("", "", nodes.Text("Stated in "))
        where += [nodes.literal(text=f"kit/proof/lemmas/{module}.py"), nodes.Text(".")]
        text = nodes.paragraph("", "", *marked(statement.replace("*", "")))
        term = nodes.term("", "", nodes.emphasis(text=name))
        return nodes.definition_list_item("", term, nodes.definition("", text, where))


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("lemmas", Lemmas)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
