"""Macros: their parameters, arguments, and the text that comes out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kit.isa.asm.faults import Fault, Line

__all__ = ["Macro", "arguments", "bind", "define", "substitute"]

_LONGEST = 1 << 16
_HEAD = re.compile(r"\s*([A-Za-z_.$][\w.$]*)\s*,?(.*)", re.DOTALL)
_PARAMETER = re.compile(r"\s*([A-Za-z_$][\w$]*)(?:\s*:\s*(req|vararg))?(?:\s*=(.*))?\s*", re.DOTALL)
_USE = re.compile(r"\\(?:([A-Za-z_$][\w$]*)|(@)|\(\))")
_PIECE = re.compile(r'"(?:\\.|[^"\\])*"|\s+|.', re.DOTALL)
_SYMBOL = re.compile(r'[\w.$\\"]')


@dataclass(frozen=True)
class Macro:
    """A macro: its parameters (name, ``req`` or ``vararg`` or nothing, default) and its body."""

    name: str
    parameters: tuple[tuple[str, str, str], ...]
    body: tuple[Line, ...]


def define(text: str, column: int, body: tuple[Line, ...]) -> Macro:
    """The macro whose ``.macro`` directive has the operands `text`. Raises `Fault`."""
    head = _HEAD.fullmatch(text)
    if head is None:
        raise Fault(".macro needs a name", column)
    parameters = []
    for part in arguments(head[2]):
        found = _PARAMETER.fullmatch(part)
        if found is None:
            raise Fault(f"cannot read the macro parameter '{part[:40]}'", column)
        parameters.append((found[1], found[2] or "", _unquoted(found[3] or "")))
    return Macro(head[1], tuple(parameters), body)


def arguments(text: str) -> list[str]:
    """The arguments in `text`, separated by commas, or by blanks between two names or numbers."""
    result: list[str] = []
    current, depth = "", 0
    pieces = _PIECE.findall(text.strip())
    for index, piece in enumerate(pieces):
        depth += {"(": 1, ")": -1}.get(piece, 0)
        if piece == "," and depth <= 0:
            result.append(current.strip())
            current = ""
        elif piece.isspace() and depth <= 0 and _separates(pieces, index):
            if current.strip():
                result.append(current.strip())
                current = ""
        else:
            current += piece
    if current.strip() or result:
        result.append(current.strip())
    return result


def _separates(pieces: Sequence[str], index: int) -> bool:
    before, after = pieces[index - 1][-1:], pieces[index + 1][:1]
    return bool(_SYMBOL.match(before) and _SYMBOL.match(after))


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) >= 2 and re.fullmatch(r'"(?:\\.|[^"\\])*"', text, re.DOTALL):
        return text[1:-1]
    return text


def bind(macro: Macro, text: str, column: int) -> dict[str, str]:
    """The value of each parameter in a call with the operands `text`. Raises `Fault`."""
    values: dict[str, str] = {}
    names = [name for name, _, _ in macro.parameters]
    given = arguments(text)
    position = 0
    for index, argument in enumerate(given):
        named = re.match(r"\s*([A-Za-z_$][\w$]*)\s*=(?!=)(.*)", argument, re.DOTALL)
        if named is not None and named[1] in names:
            values[named[1]] = _unquoted(named[2])
            continue
        if position >= len(names):
            what = f"macro '{macro.name}' takes {len(names)} arguments, not {len(given)}"
            raise Fault(what, column)
        name, kind, _ = macro.parameters[position]
        position += 1
        if kind == "vararg":
            values[name] = ", ".join(given[index:])
            break
        values[name] = _unquoted(argument)
    for name, kind, default in macro.parameters:
        if not values.get(name):
            if kind == "req":
                raise Fault(f"macro '{macro.name}' needs a value for '{name}'", column)
            values[name] = default
    return values


def substitute(text: str, values: Mapping[str, str], call: int) -> str:
    r"""`text` with each ``\name`` replaced by its value, and ``\@`` by the number of the call.

    Raises `Fault` where that grows out of bounds.
    """

    def value(found: re.Match[str]) -> str:
        if found[2]:
            return str(call)
        return values.get(found[1], found[0]) if found[1] else ""

    result = _USE.sub(value, text)
    if len(result) > _LONGEST:
        raise Fault(f"this macro makes a line of more than {_LONGEST} characters")
    return result
