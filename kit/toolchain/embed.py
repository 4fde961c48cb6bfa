"""Programs inside programs: what is linked into a kernel as data, for it to load."""

from __future__ import annotations

from collections.abc import Mapping

from kit.machine.loader import ELF_HEADER, LOAD, PROGRAM_HEADER, read_image

__all__ = ["binary", "stripped", "table"]


def stripped(elf: bytes) -> bytes:
    """An ELF file with nothing in it but what is loaded: no symbols, no debug information."""
    header = list(ELF_HEADER.unpack_from(elf))
    offset, count = header[5], header[10]
    found = [PROGRAM_HEADER.unpack_from(elf, offset + 32 * n) for n in range(count)]
    loads = [one for one in found if one[0] == LOAD and one[5]]
    place = ELF_HEADER.size + PROGRAM_HEADER.size * len(loads)
    programs, body = b"", b""
    for kind, start, virtual, physical, size, memory, flags, _ in loads:
        body += bytes((virtual - place - len(body)) % 16)
        at = place + len(body)
        programs += PROGRAM_HEADER.pack(kind, at, virtual, physical, size, memory, flags, 16)
        body += elf[start : start + size]
    header[5:7] = ELF_HEADER.size, 0  # program headers follow; there are no sections
    header[10:] = len(loads), 0, 0, 0
    return ELF_HEADER.pack(*header) + programs + body


def binary(elf: bytes) -> bytes:
    """The program as it is in storage, from its first address to its last, zeros included."""
    image = read_image(elf)
    return image.to_binary().ljust(image.size, b"\0")


def table(contents: Mapping[str, bytes]) -> str:
    """Assembly source of the table of `guests/lib/programs.h`; the data are in files 0, 1, …"""
    lines = ['.section .rodata, "a"', ".balign 16", ".globl programs", "programs:"]
    lines += [f".word name{n}, start{n}, {len(data)}" for n, data in enumerate(contents.values())]
    lines += [".word 0, 0, 0"]
    for n, name in enumerate(contents):
        lines += [f'name{n}: .asciz "{name}"', ".balign 16", f'start{n}: .incbin "{n}"']
    return "\n".join(lines) + "\n"
