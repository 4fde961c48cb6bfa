"""Images as ELF files: 32 bits, little-endian, RISC-V. System V ABI, chapters 4 and 5."""

from __future__ import annotations

import struct
from itertools import groupby

from kit.isa.image import Image, ImageSection

__all__ = ["write_elf"]

_EXECUTABLE, _RISCV, _CURRENT = 2, 243, 1
_RVC = 1  # e_flags: the program may hold compressed instructions
_LOAD = 1
_PROGBITS, _SYMTAB, _STRTAB, _NOBITS = 1, 2, 3, 8
_WRITE, _ALLOC, _EXECINSTR = 1, 2, 4
_ABSOLUTE = 0xFFF1
_FUNCTION, _GLOBAL = 2, 1
_HEADER, _PROGRAM_HEADER, _SECTION_HEADER, _SYMBOL = 52, 32, 40, 16


class _Strings:
    """A string table."""

    def __init__(self) -> None:
        self.data = bytearray(1)

    def add(self, text: str) -> int:
        offset = len(self.data)
        self.data += text.encode("utf-8", "replace") + b"\0"
        return offset


def write_elf(image: Image) -> bytes:
    """The executable: program headers to load it, section headers and symbols to look into it."""
    groups = [list(group) for _, group in groupby(_allocated(image), key=lambda s: s.flags)]
    body = bytearray(_HEADER + _PROGRAM_HEADER * len(groups))
    programs = b""
    offsets: dict[str, int] = {}
    for group in groups:
        programs += _segment(group, body, offsets)
    for section in image.sections:
        if section.name not in offsets:
            offsets[section.name] = len(body)
            body += section.data
    names = _Strings()
    headers = bytes(_SECTION_HEADER)
    for section in image.sections:
        headers += _section_header(section, names, offsets[section.name])
    headers += _tables(image, names, body)
    body += bytes(-len(body) % 4)
    count = len(headers) // _SECTION_HEADER
    header = struct.pack(
        "<4s5B7x2H5I6H",
        *(b"\x7fELF", 1, 1, _CURRENT, 0, 0),
        *(_EXECUTABLE, _RISCV, _CURRENT, image.entry, _HEADER, len(body)),
        _RVC if "c" in image.isa.removeprefix("rv32") else 0,
        *(_HEADER, _PROGRAM_HEADER, len(groups), _SECTION_HEADER, count, count - 1),
    )
    body[: len(header) + len(programs)] = header + programs
    return bytes(body + headers)


def _allocated(image: Image) -> list[ImageSection]:
    return [section for section in image.sections if "a" in section.flags and section.size]


def _segment(group: list[ImageSection], body: bytearray, offsets: dict[str, int]) -> bytes:
    """Adds the bytes of sections with equal flags to `body`; their program header."""
    first = group[0]
    alignment = max(4, *(section.alignment for section in group))
    # Offset and address must agree modulo the alignment.
    body += bytes((first.address - len(body)) % alignment)
    start = len(body)
    for section in group:
        if section.data:
            body += bytes(start + section.address - first.address - len(body))
        offsets[section.name] = len(body)
        body += section.data
    flags = 4 | 2 * ("w" in first.flags) | ("x" in first.flags)
    memory = group[-1].address + group[-1].size - first.address
    return struct.pack(
        "<8I",
        *(_LOAD, start, first.address, first.address),
        *(len(body) - start, memory, flags, alignment),
    )


def _section_header(section: ImageSection, names: _Strings, offset: int) -> bytes:
    kind = _PROGBITS if section.data or not section.size else _NOBITS
    flags = sum(
        bit for letter, bit in (("w", _WRITE), ("a", _ALLOC), ("x", _EXECINSTR))
        if letter in section.flags
    )  # fmt: skip
    return struct.pack(
        "<10I",
        *(names.add(section.name), kind, flags, section.address, offset, section.size),
        *(0, 0, section.alignment, 0),
    )


def _tables(image: Image, names: _Strings, body: bytearray) -> bytes:
    """Adds symbol and string tables to `body`; their section headers."""
    symbols, strings, local_count = _symbols(image)
    first = len(image.sections) + 1
    named = [names.add(name) for name in (".symtab", ".strtab", ".shstrtab")]
    headers = b""
    contents = (symbols, bytes(strings.data), bytes(names.data))
    for index, data in enumerate(contents):
        body += bytes(-len(body) % 4)
        kind = _STRTAB if index else _SYMTAB
        link, info, entry = (0, 0, 0) if index else (first + 1, local_count, _SYMBOL)
        headers += struct.pack(
            "<10I",
            *(named[index], kind, 0, 0, len(body), len(data)),
            *(link, info, 1 if index else 4, entry),
        )
        body += data
    return headers


def _symbols(image: Image) -> tuple[bytes, _Strings, int]:
    """The symbol table, local symbols first, its strings, and the number of local symbols."""
    strings = _Strings()
    entries = [(name, value, _place(image, value)) for name, value in image.symbols.items()]
    entries += [(name, value, _ABSOLUTE) for name, value in image.constants.items()]
    entries.sort(key=lambda entry: (entry[0] in image.globals, entry[1], entry[0]))
    result = bytes(_SYMBOL)
    for name, value, place in entries:
        binding = _GLOBAL if name in image.globals else 0
        kind = _FUNCTION if name in image.functions else 0
        result += struct.pack(
            "<3I2BH", strings.add(name), value & 0xFFFFFFFF, 0, binding << 4 | kind, 0, place
        )
    return result, strings, 1 + sum(name not in image.globals for name, _, _ in entries)


def _place(image: Image, address: int) -> int:
    """The number of the section that holds `address` (or ends there)."""
    for index, section in enumerate(image.sections, 1):
        if "a" in section.flags and section.address <= address < section.address + section.size:
            return index
    for index, section in enumerate(image.sections, 1):
        if "a" in section.flags and address == section.address + section.size:
            return index
    return _ABSOLUTE
