"""A table of two columns, for directives that make their pages from the code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from docutils import nodes

__all__ = ["marked", "two_columns"]


def marked(text: str) -> Iterator[nodes.Node]:
    """Text in which backquotes mark what is code; options are code in any case."""
    for number, part in enumerate(re.split(r"`([^`]*)`|(?<!\S)(--\w[\w-]*)", text)):
        if part:
            yield nodes.literal(text=part) if number % 3 else nodes.Text(part)


def two_columns(
    head: tuple[str, str], rows: Iterable[tuple[str, str]], widths: tuple[int, int]
) -> nodes.table:
    """The table; its cells are text as `marked` takes it."""
    body = nodes.tbody("", *map(_row, rows))
    columns = [nodes.colspec(colwidth=width) for width in widths]
    return nodes.table("", nodes.tgroup("", *columns, nodes.thead("", _row(head)), body, cols=2))


def _row(cells: tuple[str, str]) -> nodes.row:
    entries = (nodes.entry("", nodes.paragraph("", "", *marked(text))) for text in cells)
    return nodes.row("", *entries)
