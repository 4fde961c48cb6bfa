"""The directive ``command-reference``: a subcommand's arguments, from the parser that reads them.

``{command-reference} asm`` shows synopsis, description, arguments and options of ``kit asm``.
"""

from __future__ import annotations

import argparse
import inspect
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from two_columns import marked, two_columns

from kit import cli

__all__ = ["invocation", "subcommands"]

_WIDTH = 92


def subcommands() -> dict[str, argparse.ArgumentParser]:
    """The parser of each subcommand, by its name, in the order of ``kit --help``."""
    parser = cli.parser()
    action = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return dict(action.choices)


def invocation(action: argparse.Action) -> str:
    """An argument as it is written on the command line."""
    value = action.metavar or action.dest
    if action.choices:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    elif action.metavar is None and action.option_strings:
        value = action.dest.upper()
    if not action.option_strings:
        return str(value)
    names = ", ".join(action.option_strings)
    return names if action.nargs == 0 else f"{names} {value}"


def synopsis(parser: argparse.ArgumentParser) -> str:
    """The line of usage, folded to the width of the page."""
    formatter = argparse.HelpFormatter(parser.prog, width=_WIDTH)
    formatter.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups, "")
    return formatter.format_help().strip()


class CommandReference(SphinxDirective):
    """Writes what argparse knows of one subcommand."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        found = subcommands().get(self.arguments[0])
        if found is None:
            raise self.error(f"kit has no command {self.arguments[0]!r}")
        for source in (__file__, cli.__file__, inspect.getfile(found.get_default("run"))):
            self.env.note_dependency(source)
        usage = synopsis(found)
        result: list[nodes.Node] = [nodes.literal_block(usage, usage, language="text")]
        if found.description:
            result.append(nodes.paragraph("", "", *marked(found.description)))
        items = [_item(found, action) for action in found._actions if action.dest != "help"]
        result.append(two_columns(("argument", "meaning"), items, (35, 65)))
        return result


def _item(parser: argparse.ArgumentParser, action: argparse.Action) -> tuple[str, str]:
    meaning = parser._get_formatter()._expand_help(action) if action.help else ""
    return f"`{invocation(action)}`", meaning


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("command-reference", CommandReference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
