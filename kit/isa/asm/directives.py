"""Directives: everything that begins with a dot."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from kit.isa.asm.expressions import Name, Node, Number, Unknown, constant, evaluate
from kit.isa.asm.faults import Fault
from kit.isa.asm.layout import LARGEST, Gap
from kit.isa.asm.output import Datum
from kit.isa.asm.symbols import Place

if TYPE_CHECKING:
    from kit.isa.asm.statement import Statement

__all__ = ["DIRECTIVES", "PLAIN"]

DIRECTIVES: dict[str, Callable[[Statement], None]] = {}
"""What each directive does with the statement it stands in."""

_IGNORED = """
.file .loc .ident .size .local .weak .attribute .hidden .protected .internal .addrsig
.cfi_startproc .cfi_endproc .cfi_def_cfa_offset .cfi_offset .cfi_restore .cfi_def_cfa .cfi_sections
"""
_SIZES = {
    1: ".byte .1byte",
    2: ".half .short .hword .2byte",
    4: ".word .long .int .4byte",
    8: ".dword .quad .8byte",
}
PLAIN = frozenset(
    " ".join(_SIZES.values()).split()
    + ".ascii .asciz .string .space .skip .zero .fill .align .p2align .balign .incbin".split()
    + ".globl .global".split()
)
"""Directives on which no later statement depends, so that the assembly can go on after a mistake
in one of them."""

_LARGEST_POWER = 20
_KNOWN_SECTIONS = (  # name, flags, holds only zeros
    (".text", "ax", False),
    (".init", "ax", False),
    (".rodata", "a", False),
    (".srodata", "a", False),
    (".data", "aw", False),
    (".sdata", "aw", False),
    (".bss", "aw", True),
    (".sbss", "aw", True),
)


def _directive(*names: str) -> Callable[[Callable[[Statement], None]], Callable[[Statement], None]]:
    def enter(function: Callable[[Statement], None]) -> Callable[[Statement], None]:
        DIRECTIVES.update(dict.fromkeys(names, function))
        return function

    return enter


@_directive(*_IGNORED.split())
def _nothing(statement: Statement) -> None:
    statement.drop()


# -- sections --------------------------------------------------------------------------------


@_directive(".text", ".data", ".bss", ".rodata")
def _named_section(statement: Statement) -> None:
    if statement.parser.peek().kind == "number":
        statement.parser.next()  # a subsection: all are one here
    statement.finish()
    statement.enter(statement.word)


@_directive(".section", ".pushsection")
def _section(statement: Statement) -> None:
    parser = statement.parser
    token = parser.next()
    if token.kind not in ("name", "string") or not (token.data or token.kind == "name"):
        raise Fault("expected the name of a section", token.column)
    name = token.data.decode("utf-8", "replace") if token.kind == "string" else token.text
    while parser.skip("-"):
        name += "-" + parser.next().text
    flags = kind = None
    if parser.skip(","):
        flags = statement.string().decode("latin-1")
        if parser.skip(","):
            parser.skip("@") or parser.skip("%")
            kind = parser.next().text
            statement.drop()
    statement.finish()
    if statement.word == ".pushsection":
        statement.session.pushed.append(statement.output.section)
    statement.enter(name, flags, kind)


@_directive(".popsection")
def _pop_section(statement: Statement) -> None:
    statement.finish()
    if not statement.session.pushed:
        raise Fault(".popsection without .pushsection", statement.column)
    section = statement.session.pushed.pop()
    statement.enter(section.name)


@_directive(".previous")
def _previous(statement: Statement) -> None:
    statement.finish()
    if statement.session.previous is not None:
        statement.enter(statement.session.previous.name)


def section_kind(name: str, flags: str | None, kind: str | None) -> tuple[str, bool]:
    """The flags (a, w, x) of a section, and whether it holds only zeros."""
    known = next(
        (
            (known_flags, is_zero)
            for prefix, known_flags, is_zero in _KNOWN_SECTIONS
            if name == prefix or name.startswith(prefix + ".")
        ),
        ("", False),
    )
    if flags is None:
        return known
    return "".join(sorted(set(flags) & set("awx"))), known[1] if kind is None else kind == "nobits"


# -- symbols ---------------------------------------------------------------------------------


@_directive(".globl", ".global")
def _global(statement: Statement) -> None:
    for name in statement.names():
        statement.output.symbols.globals.add(name)


@_directive(".type")
def _type(statement: Statement) -> None:
    token = statement.parser.next()
    if any(item.text.lower() in ("function", "stt_func") for item in statement.parser.items):
        statement.output.symbols.functions.add(token.text)
    statement.drop()


@_directive(".equ", ".set", ".equiv")
def _equ(statement: Statement) -> None:
    token = statement.parser.next()
    if token.kind != "name":
        raise Fault("expected the name of a symbol", token.column)
    statement.parser.expect(",")
    assign(statement, token.text, token.column, statement.word == ".equiv")


def assign(statement: Statement, name: str, column: int, is_final: bool = False) -> None:
    """Gives `name` the value of the expression that follows."""
    if name == ".":
        raise Fault("'.' cannot be set", column, "use .org")
    node = statement.parser.expression()
    statement.finish()
    symbols = statement.output.symbols
    meaning: object = node
    try:
        value = evaluate(node, symbols)
        meaning = value.number if value.base is None else Place(value.base, value.number)  # type: ignore[arg-type]
    except Unknown:
        if _mentions(node, name):
            raise Fault(f"'{name}' is defined by itself", column) from None
    symbols.define(name, meaning, statement.line, column, is_final)


def _mentions(node: Node, name: str) -> bool:
    left: Node | None = node
    while left is not None:
        if isinstance(left, Name):
            return left.name == name
        right = getattr(left, "right", None)
        if right is not None and _mentions(right, name):
            return True
        left = getattr(left, "left", None) or getattr(left, "operand", None)
    return False


@_directive(".comm", ".lcomm")
def _common(statement: Statement) -> None:
    token = statement.parser.next()
    if token.kind != "name":
        raise Fault("expected the name of a symbol", token.column)
    statement.parser.expect(",")
    length = statement.number("a size", 0, LARGEST)
    boundary = statement.number("an alignment", 1, 1 << 20) if statement.parser.skip(",") else 4
    statement.finish()
    if boundary & (boundary - 1):
        raise Fault("the alignment must be a power of two", statement.column)
    output, before = statement.output, statement.output.section
    output.enter(".bss", "aw", True)
    output.align(boundary)
    output.symbols.label(token.text, output.here(), statement.line, token.column)
    output.add(Gap(statement.line, Number(statement.column, length), statement.column, b"\0"))
    output.section = before


# -- data ------------------------------------------------------------------------------------


def _data(size: int) -> Callable[[Statement], None]:
    def directive(statement: Statement) -> None:
        for node in statement.expressions():
            datum = Datum(node, size)
            known = constant(node, statement.output.symbols)
            if known is None:
                statement.output.item(datum, size, node.column)
            else:
                data = Datum(Number(node.column, known), size)
                statement.output.data(data.encode(0, statement.output.symbols, {}), node.column)

    return directive


for _size, _names in _SIZES.items():
    DIRECTIVES.update(dict.fromkeys(_names.split(), _data(_size)))


@_directive(".ascii", ".asciz", ".string")
def _text(statement: Statement) -> None:
    end = b"" if statement.word == ".ascii" else b"\0"
    if statement.parser.peek().kind == "end":
        return
    while True:
        data = statement.string()
        while statement.parser.peek().kind == "string":
            data += statement.string()
        statement.output.data(data + end, statement.column)
        if not statement.parser.skip(","):
            break
    statement.finish()


@_directive(".space", ".skip", ".zero")
def _space(statement: Statement) -> None:
    column = statement.parser.peek().column
    length = statement.parser.expression()
    fill = statement.number("a byte", -128, 255) & 255 if statement.parser.skip(",") else 0
    statement.finish()
    _gap(statement, length, column, bytes([fill]))


@_directive(".fill")
def _fill(statement: Statement) -> None:
    column = statement.parser.peek().column
    length = statement.parser.expression()
    size = statement.number("a size", 0, 8) if statement.parser.skip(",") else 1
    value = (
        statement.number("a value", -(1 << 63), (1 << 64) - 1) if statement.parser.skip(",") else 0
    )
    statement.finish()
    if size:
        _gap(statement, length, column, (value & ((1 << 8 * size) - 1)).to_bytes(size, "little"))


def _gap(statement: Statement, length: Node, column: int, fill: bytes) -> None:
    known = constant(length, statement.output.symbols)
    if statement.output.section.is_zero and any(fill):
        raise Fault(f"section {statement.output.section.name} can only hold zeros", column)
    if known is not None and not 0 <= known <= LARGEST // len(fill):
        raise Fault(f"a space of {known} items is outside 0 to {LARGEST // len(fill)}", column)
    if known is not None and known <= 1 << 12:
        statement.output.data(fill * known, column)
    else:
        statement.output.add(Gap(statement.line, length, column, fill))


@_directive(".org")
def _org(statement: Statement) -> None:
    column = statement.parser.peek().column
    offset = statement.parser.expression()
    fill = statement.number("a byte", -128, 255) & 255 if statement.parser.skip(",") else 0
    statement.finish()
    known = constant(offset, statement.output.symbols)
    kind = "address" if known is None else "offset"
    statement.output.add(Gap(statement.line, offset, column, bytes([fill]), kind))


@_directive(".align", ".p2align", ".balign")
def _align(statement: Statement) -> None:
    column = statement.parser.peek().column
    is_power = statement.word != ".balign"
    most = _LARGEST_POWER if is_power else 1 << _LARGEST_POWER
    value = statement.number("a power of two" if is_power else "an alignment", 0, most)
    fill = limit = None
    parser = statement.parser
    if parser.skip(","):
        if parser.peek().text != ",":
            fill = statement.number("a byte", -128, 255) & 255
        if parser.skip(","):
            limit = statement.number("a limit", 0, LARGEST)
    statement.finish()
    boundary = 1 << value if is_power else max(value, 1)
    if boundary & (boundary - 1):
        raise Fault(f"the alignment {boundary} is not a power of two", column)
    statement.output.align(boundary, fill, LARGEST if limit is None else limit)


@_directive(".incbin")
def _incbin(statement: Statement) -> None:
    column = statement.parser.peek().column
    name = statement.string().decode("utf-8", "replace")
    skip = statement.number("an offset", 0, LARGEST) if statement.parser.skip(",") else 0
    count = statement.number("a count", 0, LARGEST) if statement.parser.skip(",") else LARGEST
    statement.finish()
    _, data = statement.session.reader.read(name, statement.line, column)
    statement.output.data(data[skip : skip + count], column)


# -- macros, repetitions, files --------------------------------------------------------------


@_directive(".rept")
def _rept(statement: Statement) -> None:
    count = statement.number("a count", 0, 1_000_000)
    statement.finish()
    empty: Iterable[dict[str, str]] = ({} for _ in range(count))
    statement.session.reader.repeat(statement.line, ".rept", empty, statement.column)


@_directive(".endr", ".endm", ".endmacro")
def _stray(statement: Statement) -> None:
    opener = ".macro" if statement.word.startswith(".endm") else ".rept"
    raise Fault(f"{statement.word} without {opener}", statement.column)


@_directive(".exitm")
def _exit_macro(statement: Statement) -> None:
    statement.finish()
    statement.session.leave_macro(statement.line)


@_directive(".include")
def _include(statement: Statement) -> None:
    column = statement.parser.peek().column
    name = statement.string().decode("utf-8", "replace")
    statement.finish()
    statement.session.reader.include(name, statement.line, column)


@_directive(".end")
def _end(statement: Statement) -> None:
    statement.drop()
    statement.session.reader.stop()


# -- the rest --------------------------------------------------------------------------------


@_directive(".option")
def _option(statement: Statement) -> None:
    token = statement.parser.next()
    session = statement.session
    encoder = session.encoder
    if token.text == "push":
        session.options.append(encoder.is_compressing)
    elif token.text == "pop":
        if not session.options:
            raise Fault(".option pop without .option push", token.column)
        encoder.is_compressing = session.options.pop()
    elif token.text == "rvc":
        if not encoder.can_compress:
            raise Fault("this machine has no compressed instructions", token.column)
        encoder.is_compressing = True
    elif token.text == "norvc":
        encoder.is_compressing = False
    elif token.text not in ("relax", "norelax", "pic", "nopic", "csr-check", "no-csr-check"):
        hint = "there are rvc, norvc, push, pop, relax, norelax"
        raise Fault(f"unknown option '{token.text}'", token.column, hint)
    else:
        statement.drop()
    statement.finish()


@_directive(".error", ".err")
def _error(statement: Statement) -> None:
    given = statement.parser.peek().kind == "string"
    text = statement.string().decode("utf-8", "replace") if given else "stopped by .err"
    raise Fault(re.sub(r"\s+", " ", text), statement.column)
