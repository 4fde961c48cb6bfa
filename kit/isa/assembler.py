"""The assembler: GNU syntax in, an image with addresses out.

Instructions come from the encoding table; pseudo-instructions from `kit.isa.aliases` and
`kit.isa.asm.addresses`; directives from `kit.isa.asm.directives`. Some things to know:

- Instructions are not compressed by themselves: ``c.add`` and the like always work, and a plain
  mnemonic takes four bytes. Between ``.option rvc`` and ``.option norvc`` each instruction takes
  its compressed form where it has one.
- A conditional branch whose target is too far becomes the inverted branch over a ``jal``, as in
  GNU as.
- There is no linker: sections are laid out one behind the other from `base` (code, constants,
  data, zeros; names that end in ``.init`` before others of their kind), and all labels are
  addresses. A number as the target of a branch is an address, too.
- ``#``, ``//`` and ``/* */`` begin comments; ``;`` separates statements.
- The program starts at ``_start`` if there is such a label, else at its first instruction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import kit.isa  # noqa: F401 - it defines the instructions
from kit.errors import KitError
from kit.isa.asm.directives import DIRECTIVES, PLAIN, assign
from kit.isa.asm.expressions import Parser, constant
from kit.isa.asm.faults import AssemblyError, Errors, Fault, Line, nearest
from kit.isa.asm.hints import COMMENT, comment_hint, extension_hint, label_hint
from kit.isa.asm.instructions import Encoder
from kit.isa.asm.layout import Section, arrange
from kit.isa.asm.lexer import lines_of, statements, tokens
from kit.isa.asm.macros import arguments, define
from kit.isa.asm.operands import parse
from kit.isa.asm.output import Output, Row
from kit.isa.asm.reader import LARGEST_FILE, Reader
from kit.isa.asm.statement import Session, Statement
from kit.isa.asm.symbols import Place, Symbols, is_local
from kit.isa.image import Image, ImageSection, ListingRow

__all__ = ["AssemblyError", "assemble", "assemble_file"]

BASE = 0x8000_0000
"""Where RAM begins on the machine."""

_LABEL = re.compile(r"\s*([^\W\d][\w.$]*|[.$][\w.$]*|[0-9]{1,9})\s*:(?!:)")
_WORD = re.compile(r"\s*([^\W\d][\w.$]*|[.$][\w.$]*)")
_ASSIGNMENT = re.compile(r"\s*==?(?!=)")
_COMPARISONS: dict[str, Callable[[int], bool]] = {
    ".if": lambda value: value != 0,
    ".ifne": lambda value: value != 0,
    ".elseif": lambda value: value != 0,
    ".ifeq": lambda value: value == 0,
}


def assemble(
    source: str,
    *,
    name: str = "<input>",
    base: int = BASE,
    isa: str = "rv32imac",
    include_paths: Iterable[str | Path] = (),
) -> Image:
    """Assembles `source`; `name` stands for it in messages.

    The first section starts at the address `base`. Raises `AssemblyError`, a `KitError`, which
    points at line and column of the first mistake, and has several if they do not depend on each
    other.
    """
    extensions, xlen = _read_isa(isa)
    if not 0 <= base < 1 << 32 or base % 4:
        raise KitError(f"base {base:#x}: it must be 0 to 0xfffffffc and a multiple of 4")
    lines = lines_of(source, name)
    output = Output(Symbols(), lines[0])
    reader = Reader([Path(path) for path in include_paths])
    session = Session(reader, Encoder(extensions, xlen, output))
    errors = Errors()
    reader.push("file", lines)
    while (line := reader.next()) is not None:
        output.line = line
        try:
            _line(line, session, errors)
        except Fault as fault:
            errors.add(AssemblyError(line, fault))
            break
        except AssemblyError as error:
            errors.add(error)
            break
        if errors.is_full:
            break
    errors.raise_all()
    session.conditions.finish()
    output.check_symbols()
    return _image(output, base, isa)


def assemble_file(
    path: str | Path,
    *,
    base: int = BASE,
    isa: str = "rv32imac",
    include_paths: Iterable[str | Path] = (),
) -> Image:
    """Assembles a file. Raises `KitError`, also where the file cannot be read."""
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise KitError(f"cannot read {path}: {reason}") from None
    if len(data) > LARGEST_FILE:
        raise KitError(f"{path} is larger than {LARGEST_FILE >> 20} MiB: is it assembly source?")
    try:
        source = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise KitError(f"{path}:{line}: not text in UTF-8: is it assembly source?") from None
    return assemble(source, name=str(path), base=base, isa=isa, include_paths=include_paths)


def _read_isa(isa: str) -> tuple[str, int]:
    found = re.fullmatch(r"rv32(i[mac]*)(?:_\w+)*", isa.lower())
    if found is None:
        raise KitError(f"unknown instruction set '{isa}': use rv32i with any of m, a, c")
    return found[1].upper(), 32


# -- lines and statements --------------------------------------------------------------------


def _line(line: Line, session: Session, errors: Errors) -> None:
    output = session.encoder.output
    section, start = output.section, output.here()
    output.is_code = False
    for text, column in statements(line.text):
        try:
            _statement(text, column, line, session)
        except Fault as fault:
            fault.hint = fault.hint or comment_hint(text, line.text[:column])
            if line.caller is not None or not _is_plain(text, session):
                raise
            errors.add(AssemblyError(line, fault))
    if output.section is section:
        output.rows.append(Row(line, section, start, output.here(), output.is_code))
    else:
        output.rows.append(Row(line))


def _is_plain(text: str, session: Session) -> bool:
    """Is it an instruction or data, on which no later statement depends but for its labels?"""
    while (label := _LABEL.match(text)) is not None:
        text = text[label.end() :]
    found = _WORD.match(text)
    if found is None:
        return True
    word = found[1]
    if word in session.reader.macros or _ASSIGNMENT.match(text, found.end()):
        return False
    return word in PLAIN or not word.startswith(".")


def _statement(text: str, column: int, line: Line, session: Session) -> None:
    output = session.encoder.output
    is_taken = session.conditions.is_taken
    while (label := _LABEL.match(text)) is not None:
        if is_taken:
            output.symbols.label(label[1], output.here(), line, column + label.start(1))
        column += label.end()
        text = text[label.end() :]
    found = _WORD.match(text)
    if found is None:
        if is_taken and text.strip():
            token = tokens(text, column)[0]
            what = f"unexpected '{token.text}' at the start of a statement"
            raise Fault(what, token.column, COMMENT)
        return
    word, rest, at = found[1], text[found.end() :], column + found.end()
    column += found.start(1)

    def test() -> bool:
        return _test(word, rest, at, session)

    if session.conditions.handle(word, line, column, test) or not is_taken:
        return
    if word == ".macro":
        macro = define(rest, column, session.reader.block(line, word, column))
        if macro.name in session.reader.macros:
            raise Fault(f"macro '{macro.name}' is already defined", column)
        session.reader.macros[macro.name] = macro
    elif word == ".irp":
        name, *values = arguments(rest) or [""]
        each: list[dict[str, str]] = [{name: value} for value in values]
        session.reader.repeat(line, word, each, column)
    elif word in session.reader.macros:
        session.reader.call(session.reader.macros[word], rest, line, at)
    else:
        _act(word, column, rest, at, line, session)


def _act(word: str, column: int, rest: str, at: int, line: Line, session: Session) -> None:
    """Carries out a directive, an assignment or an instruction."""
    assignment = _ASSIGNMENT.match(rest)
    if assignment is not None:
        rest, at = rest[assignment.end() :], at + assignment.end()
    parser = _parser(rest, at, session)
    statement = Statement(word, column, parser, line, session)
    if assignment is not None:
        assign(statement, word, column)
    elif word in DIRECTIVES:
        DIRECTIVES[word](statement)
    elif word.startswith("."):
        known = (*DIRECTIVES, ".macro", ".irp", ".if", ".ifdef", ".ifndef", ".else", ".endif")
        raise Fault(f"unknown directive '{word}'", column, nearest(word, known))
    else:
        if not session.encoder.knows(word):
            hint = _unknown_hint(word, column, rest, line, session)
            raise Fault(f"unknown instruction '{word}'", column, hint)
        session.encoder.statement(word, column, parse(parser))


def _unknown_hint(word: str, column: int, rest: str, line: Line, session: Session) -> str:
    """What may be meant by an unknown mnemonic `word` that is followed by `rest`."""
    encoder, macros = session.encoder, session.reader.macros
    follower = _WORD.match(rest)
    is_label = not rest.strip()
    if follower is not None:
        next_word = follower[1]
        is_label = next_word in DIRECTIVES or next_word in macros or encoder.knows(next_word)
    return (
        comment_hint(word + rest, line.text[:column])
        or extension_hint(word)
        or (label_hint(word) if is_label and rest.strip() else "")
        or encoder.suggestion(word)
        or nearest(word, macros)
        or (label_hint(word) if is_label else "")
    )


def _parser(text: str, column: int, session: Session) -> Parser:
    output = session.encoder.output
    end = column + len(text.rstrip())
    return Parser(tokens(text, column), output.symbols, output.here, end)


def _test(word: str, text: str, column: int, session: Session) -> bool:
    """Does the condition that `word` states hold? Raises `Fault`."""
    if word in (".ifb", ".ifnb"):
        return (not text.strip()) == (word == ".ifb")
    if word in (".ifc", ".ifnc"):
        given = arguments(text)
        if len(given) != 2:
            raise Fault(f"{word} compares two texts", column)
        return (given[0] == given[1]) == (word == ".ifc")
    parser = _parser(text, column, session)
    symbols = session.encoder.output.symbols
    if word in (".ifdef", ".ifndef"):
        token = parser.next()
        if token.kind != "name":
            raise Fault("expected the name of a symbol", token.column)
        parser.finish()
        return (token.text in symbols.definitions) == (word == ".ifdef")
    value = constant(parser.expression(), symbols)
    parser.finish()
    if value is None:
        raise Fault("this condition is not known here", column, "define its symbols before")
    return _COMPARISONS[word](value)


# -- the image -------------------------------------------------------------------------------


def _image(output: Output, base: int, isa: str) -> Image:
    order = arrange(output.sections.values(), base, output.symbols)
    lows = output.patch()
    sections = [
        _section(section, output.content(section, lows)) for section in order if section.size
    ]
    contents = {section.name: section for section in sections}
    loaded = [section for section in sections if "a" in section.flags]
    labels, constants = _symbols(output)
    start = next((section.address for section in loaded), base)
    rows = [_listing_row(row, contents) for row in output.rows]
    return Image(
        entry=labels.get("_start", start),
        segments=[(section.address, section.data) for section in loaded if section.data],
        symbols=labels,
        constants=constants,
        lines=_lines(output, contents),
        zeroed=[(s.address, s.size) for s in loaded if not s.data],
        sections=sections,
        rows=rows,
        globals=frozenset(output.symbols.globals),
        functions=frozenset(output.symbols.functions),
        isa=isa.lower(),
    )


def _section(section: Section, data: bytes) -> ImageSection:
    flags, alignment = section.flags, section.alignment
    kept = b"" if section.is_zero else data
    return ImageSection(section.name, section.address, kept, section.size, flags, alignment)


def _symbols(output: Output) -> tuple[dict[str, int], dict[str, int]]:
    """The labels and the constants, local ones left out."""
    labels: dict[str, int] = {}
    constants: dict[str, int] = {}
    for name, definition in output.symbols.definitions.items():
        meaning = definition.meaning
        if is_local(name):
            continue
        if isinstance(meaning, Place):
            labels[name] = meaning.address
        elif isinstance(meaning, int):
            constants[name] = meaning & 0xFFFF_FFFF
    return labels, constants


def _lines(output: Output, contents: dict[str, ImageSection]) -> dict[int, tuple[str, int]]:
    return {
        row.start.address: (row.line.file, row.line.number)
        for row in output.rows
        if row.section is not None
        and row.start is not None
        and row.end is not None
        and row.end.address > row.start.address
        and row.section.name in contents
        and "a" in row.section.flags
    }


def _listing_row(row: Row, contents: dict[str, ImageSection]) -> ListingRow:
    line = row.line
    made = ListingRow(line.file, line.number, line.written, line.depth)
    if row.section is None or row.start is None or row.end is None:
        return made
    start, end = row.start.address, row.end.address
    section = contents.get(row.section.name)
    if section is None or start == end:
        return made
    most = min(end, start + 64) - section.address
    data = section.data[start - section.address : most]
    return ListingRow(
        *(line.file, line.number, line.written, line.depth),
        *(start, data, end - start, row.is_code),
    )
