"""A minimal writer of 32-bit RISC-V ELF files: one segment and a symbol table."""

from __future__ import annotations

import struct

__all__ = ["write_elf"]

_HEADER, _PROGRAM, _SECTION, _SYMBOL = 52, 32, 40, 16


def write_elf(image: bytes, base: int, entry: int, symbols: dict[str, int]) -> bytes:
    """An executable that loads `image` at `base` and starts at `entry`."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name in symbols)
    table = bytes(_SYMBOL)
    at = 1
    for name, value in symbols.items():
        # st_info 0x10: global, without a type; section index 1 is the text.
        table += struct.pack("<IIIBBH", at, value, 0, 0x10, 0, 1)
        at += len(name) + 1
    section_names = b"\0.text\0.symtab\0.strtab\0.shstrtab\0"
    offset = _HEADER + _PROGRAM
    places = []
    body = b""
    for part in (image, table, names, section_names):
        body += bytes(-(offset + len(body)) % 4)
        places.append((offset + len(body), len(part)))
        body += part
    body += bytes(-(offset + len(body)) % 4)
    sections = bytes(_SECTION)
    for name_at, kind, flags, address, (start, size), link, info, entry_size in (
        (1, 1, 7, base, places[0], 0, 0, 0),
        (7, 2, 0, 0, places[1], 3, 1, _SYMBOL),
        (15, 3, 0, 0, places[2], 0, 0, 0),
        (23, 3, 0, 0, places[3], 0, 0, 0),
    ):
        sections += struct.pack(
            "<10I", name_at, kind, flags, address, start, size, link, info, 4, entry_size
        )
    header = b"\x7fELF\x01\x01\x01" + bytes(9)
    header += struct.pack(
        "<HHIIIIIHHHHHH",
        *(2, 243, 1, entry, _HEADER, offset + len(body), 1),
        *(_HEADER, _PROGRAM, 1, _SECTION, 5, 4),
    )
    program = struct.pack("<8I", 1, offset, base, base, len(image), len(image), 7, 4)
    return header + program + body + sections
