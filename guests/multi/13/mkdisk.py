"""Lays out the disk of stage 13: a list of the programs, the programs, and room for pages.

    python mkdisk.py OUT SIZE NAME=FILE ...

All numbers are little-endian words.

    sector 0     "DISK", the first sector behind the programs, and for each program its name (16
                 bytes, filled with zeros), its first sector and its length in bytes
    sector 8 on  the programs, each beginning at a multiple of 8 sectors
"""

import struct
import sys
from pathlib import Path

SECTOR, PAGE = 512, 4096
MOST = 20
ELF, PROGRAM = struct.Struct("<16s2H5I6H"), struct.Struct("<8I")


def aligned(elf: bytes) -> bytes:
    """The program file, with each segment at a multiple of a page, as the pages of storage are."""
    header = list(ELF.unpack_from(elf))
    offset, count = header[5], header[10]
    headers, body = b"", b""
    for number in range(count):
        segment = list(PROGRAM.unpack_from(elf, offset + PROGRAM.size * number))
        start, size = segment[1], segment[4]
        body += bytes(-len(body) % PAGE)
        segment[1] = PAGE + len(body)
        headers += PROGRAM.pack(*segment)
        body += elf[start : start + size]
    header[5] = ELF.size
    return (ELF.pack(*header) + headers).ljust(PAGE, b"\0") + body


def main() -> None:
    """Writes the disk."""
    out, size, *programs = sys.argv[1:]
    if len(programs) > MOST:
        sys.exit(f"mkdisk.py: {len(programs)} programs; the list has room for {MOST}")
    entries, body = b"", b""
    for one in programs:
        name, _, file = one.partition("=")
        data = aligned(Path(file).read_bytes())
        sector = (PAGE + len(body)) // SECTOR
        entries += struct.pack("<16sII", name.encode(), sector, len(data))
        body += data + bytes(-len(data) % PAGE)
    first = struct.pack("<4sI", b"DISK", (PAGE + len(body)) // SECTOR) + entries
    disk = first.ljust(PAGE, b"\0") + body
    if len(disk) > int(size):
        sys.exit(f"mkdisk.py: {len(disk)} bytes do not fit on a disk of {size}")
    Path(out).write_bytes(disk.ljust(int(size), b"\0"))


main()
