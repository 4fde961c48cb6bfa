"""From source text to lines without comments, statements, and tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kit.isa.asm.faults import AssemblyError, Fault, Line

__all__ = ["Token", "lines_of", "statements", "tokens"]

_STRING = r'"(?:\\.|[^"\\\n])*"'
_CHARACTER = r"'(?:\\[0-7]{1,3}|\\[^\n]|[^\\\n])'?"
_SKIPPED = re.compile(
    rf"{_STRING}|{_CHARACTER}|(?P<open>/\*)(?s:.*?)(?P<close>\*/|\Z)|(?P<line>//|#)[^\n]*"
)
_PIECE = re.compile(rf"{_STRING}|{_CHARACTER}|;|[^;\"']+|.")
_TOKEN = re.compile(
    rf"""(?P<space>\s+)
    |(?P<string>{_STRING})
    |(?P<char>{_CHARACTER})
    |(?P<local>[0-9]{{1,9}}[bf](?![\w.$]))
    |(?P<number>0[xX][0-9a-fA-F]+|0[bB][01]+|[0-9]+)(?![\w.$])
    |(?P<name>[^\W\d][\w.$]*|[.$][\w.$]*)
    |(?P<op>&&|\|\||<<|>>|==|!=|<>|<=|>=|[-+*/%&|^!~<>()=,@:\\{{}}\[\]])
    """,
    re.VERBOSE,
)
_ESCAPES = {"b": 8, "f": 12, "n": 10, "r": 13, "t": 9, '"': 34, "\\": 92, "'": 39}
_ESCAPE = re.compile(r"\\([0-7]{1,3}|[xX][0-9a-fA-F]+|.)", re.DOTALL)
_LARGEST = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Token:
    """A token: its kind, its text, its column (from 0), and the number or bytes it stands for."""

    kind: str
    text: str
    column: int
    value: int = 0
    data: bytes = b""


def lines_of(text: str, file: str) -> list[Line]:
    """The lines of `text`; comments are replaced by blanks, so that columns stay."""

    def blank(found: re.Match[str]) -> str:
        if found["open"] is None and found["line"] is None:
            return found[0]
        if found["open"] is not None and not found["close"]:
            number = text.count("\n", 0, found.start()) + 1
            start = text.rfind("\n", 0, found.start()) + 1
            written = text[start:].split("\n", 1)[0]
            raise AssemblyError(
                Line(file, number, "", written),
                Fault("this comment is not closed: no '*/' follows", found.start() - start),
            )
        return "".join("\n" if c == "\n" else " " for c in found[0])

    text = text.replace("\r\n", "\n")
    cleaned = _SKIPPED.sub(blank, text)
    pairs = zip(cleaned.split("\n"), text.split("\n"), strict=True)
    return [Line(file, n, clean, written) for n, (clean, written) in enumerate(pairs, 1)]


def statements(text: str) -> Iterator[tuple[str, int]]:
    """The statements of a line, separated by ``;``, each with the column where it begins."""
    start = position = 0
    for piece in _PIECE.finditer(text):
        if piece[0] == ";":
            yield text[start : piece.start()], start
            start = piece.end()
        position = piece.end()
    yield text[start:position], start


def tokens(text: str, column: int = 0) -> list[Token]:
    """The tokens of a statement that begins in `column`. Raises `Fault`."""
    result: list[Token] = []
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _unreadable(text, position, column)
        if found.lastgroup != "space":
            result.append(_token(str(found.lastgroup), found[0], column + position))
        position = found.end()
    return result


def _unreadable(text: str, position: int, column: int) -> Fault:
    rest = text[position:]
    if rest[0] == '"':
        return Fault("this string is not closed", column + position, "add a closing '\"'")
    if rest[0].isascii() and rest[0].isdigit():
        word = re.match(r"[\w.$]+", rest)
        return Fault(f"'{(word or [rest])[0][:40]}' is not a number", column + position)
    shown = rest[0] if rest[0].isprintable() else f"\\x{ord(rest[0]):02x}"
    return Fault(f"unexpected character '{shown}'", column + position)


def _token(kind: str, text: str, column: int) -> Token:
    if kind == "number":
        return Token(kind, text, column, _number(text, column))
    if kind == "string":
        return Token(kind, text, column, data=_unescape(text[1:-1], column + 1))
    if kind == "char":
        inner = text[1:-1] if len(text) > 2 and text.endswith("'") else text[1:]
        data = _unescape(inner, column + 1)
        return Token("number", text, column, int.from_bytes(data, "big"))
    return Token(kind, text, column)


def _number(text: str, column: int) -> int:
    if len(text) > 80:
        raise Fault("this number has more than 64 bits", column)
    lead = text[:2].lower()
    base = {"0x": 16, "0b": 2}.get(lead, 8 if text[0] == "0" else 10)
    try:
        value = int(text[2:] if base in (16, 2) else text, base)
    except ValueError:
        raise Fault(f"'{text}' is not octal, as a leading 0 says", column) from None
    if value > _LARGEST:
        raise Fault("this number has more than 64 bits", column)
    return value


def _unescape(text: str, column: int) -> bytes:
    """The bytes of a string or character constant; text is UTF-8."""
    result = bytearray()
    position = 0
    for found in _ESCAPE.finditer(text):
        result += text[position : found.start()].encode("utf-8", "surrogatepass")
        position = found.end()
        what = found[1]
        if what[0] in "01234567":
            result.append(int(what, 8) & 255)
        elif what[0] in "xX" and len(what) > 1:
            result.append(int(what[1:][-2:], 16))
        elif what in _ESCAPES:
            result.append(_ESCAPES[what])
        else:
            raise Fault(f"unknown escape '\\{what}'", column + found.start())
    return bytes(result + text[position:].encode("utf-8", "surrogatepass"))
