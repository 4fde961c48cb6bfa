"""Makes the disk of stage 14: a file system, as fs.h describes it, and room for pages behind it.

    python mkfs.py OUT SIZE NAME=FILE ...

Programs (ELF files) go into /bin, all others into /.
"""

import struct
import sys
from pathlib import Path

BLOCK, INODE_SIZE, DIRECT, POINTERS = 1024, 64, 13, 256
FILE, DIRECTORY = 1, 2
MAGIC, INODES, JOURNAL = 0x4B495431, 256, 31
ROOT = 1


class FileSystem:
    """A file system of `blocks` blocks, with nothing in it but the directory /."""

    def __init__(self, blocks: int, swap_blocks: int) -> None:
        self.blocks: dict[int, bytes] = {}
        self.inodes: dict[int, bytes] = {}
        self.journal = 1
        self.inode_start = self.journal + JOURNAL
        self.map = self.inode_start + INODES * INODE_SIZE // BLOCK
        self.data = self.next = self.map + 1
        self.count = blocks
        self.swap_blocks = swap_blocks

    def store(self, data: bytes) -> int:
        """Puts data into a new block; returns its number."""
        if self.next == self.count:
            sys.exit("mkfs.py: the file system is full")
        self.blocks[self.next] = data.ljust(BLOCK, b"\0")
        self.next += 1
        return self.next - 1

    def add(self, number: int, kind: int, data: bytes, links: int = 1) -> None:
        """Makes an inode with these contents."""
        pieces = [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]
        if len(pieces) > DIRECT + POINTERS:
            sys.exit(f"mkfs.py: a file of {len(data)} bytes is too large")
        found = [self.store(piece) for piece in pieces]
        more = found[DIRECT:]
        indirect = self.store(struct.pack(f"<{len(more)}I", *more)) if more else 0
        direct = (found + [0] * DIRECT)[:DIRECT]
        self.inodes[number] = struct.pack("<HHI14I", kind, links, len(data), *direct, indirect)

    def image(self) -> bytes:
        """The whole disk."""
        places = (self.journal, self.inode_start, self.map, self.data, self.count)
        self.blocks[0] = struct.pack("<9I", MAGIC, self.count, INODES, *places, self.swap_blocks)
        table = b"".join(
            self.inodes.get(number, b"").ljust(INODE_SIZE, b"\0") for number in range(INODES)
        )
        for at in range(0, len(table), BLOCK):
            self.blocks[self.inode_start + at // BLOCK] = table[at : at + BLOCK]
        self.blocks[self.map] = ((1 << self.next) - 1).to_bytes(BLOCK, "little")
        total = self.count + self.swap_blocks
        return b"".join(self.blocks.get(number, b"").ljust(BLOCK, b"\0") for number in range(total))


def directory(entries: dict[str, int]) -> bytes:
    """The contents of a directory."""
    return b"".join(struct.pack("<I28s", at, name.encode()) for name, at in entries.items())


def main() -> None:
    """Writes the disk: half of it is the file system."""
    out, size, *arguments = sys.argv[1:]
    blocks = int(size) // BLOCK
    system = FileSystem(blocks // 2, blocks - blocks // 2)
    top, programs = {".": ROOT, "..": ROOT, "bin": 2}, {".": 2, "..": ROOT}
    for number, argument in enumerate(arguments, 3):
        name, _, file = argument.partition("=")
        data = Path(file).read_bytes()
        system.add(number, FILE, data)
        (programs if data.startswith(b"\x7fELF") else top)[name] = number
    system.add(2, DIRECTORY, directory(programs), links=2)
    system.add(ROOT, DIRECTORY, directory(top), links=3)
    Path(out).write_bytes(system.image())


main()
