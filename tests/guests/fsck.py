"""A checker for the file system of the multiprogramming kernel (guests/multi/14/fs.h).

It shares nothing with the kernel: it reads the disk as the description says, and finds everything
that does not fit together.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

__all__ = ["BrokenError", "FileSystem", "read", "tree"]

BLOCK, SECTOR = 1024, 512
MAGIC = 0x4B495431
DIRECT, POINTERS = 13, 256
NOTHING, FILE, DIRECTORY = 0, 1, 2
ROOT = 1


class BrokenError(Exception):
    """The file system is not consistent."""


def need(holds: bool, what: str) -> None:
    if not holds:
        raise BrokenError(what)


@dataclass
class Inode:
    kind: int
    links: int
    size: int
    blocks: list[int]
    """The blocks of its contents, 0 for holes, and without those that hold only numbers."""
    used: list[int]
    """All blocks that belong to it."""


class FileSystem:
    """What is on a disk. Raises `BrokenError` if anything is wrong with it.

    With `running`, there may be files without a name: while the system runs, somebody may have
    them open.
    """

    def __init__(self, disk: bytes, *, running: bool = False) -> None:
        self.disk = disk
        self.running = running
        fields = struct.unpack_from("<9I", disk)
        need(fields[0] == MAGIC, "no file system")
        _, self.count, self.inodes, self.journal, self.inode_start, *rest = fields
        self.map, self.data, self.swap, self.swap_blocks = rest
        need(self.journal < self.inode_start < self.map < self.data < self.count, "superblock")
        need(self.swap == self.count, "the swap area begins elsewhere")
        self.table = {n: self._inode(n) for n in range(ROOT, self.inodes)}
        self.links = dict.fromkeys(self.table, 0)
        self.files: dict[str, bytes] = {}
        self.directories: set[str] = set()
        need(self.table[ROOT].kind == DIRECTORY, "/ is no directory")
        self._walk(ROOT, ROOT, "")
        self._check_links()
        self._check_map()

    def _block(self, number: int) -> bytes:
        return self.disk[number * BLOCK : (number + 1) * BLOCK]

    def _inode(self, number: int) -> Inode:
        at = self.inode_start * BLOCK + number * 64
        kind, links, size, *addresses = struct.unpack_from("<HHI14I", self.disk, at)
        need(kind in (NOTHING, FILE, DIRECTORY), f"inode {number}: type {kind}")
        if kind == NOTHING:
            return Inode(kind, 0, 0, [], [])
        blocks, indirect = addresses[:DIRECT], addresses[DIRECT]
        used = [block for block in blocks if block]
        if indirect:
            need(self.data <= indirect < self.count, f"inode {number}: block {indirect}")
            more = list(struct.unpack(f"<{POINTERS}I", self._block(indirect)))
            used += [indirect, *(block for block in more if block)]
            blocks = blocks + more
        for block in used:
            need(self.data <= block < self.count, f"inode {number}: block {block}")
        need(size <= len(blocks) * BLOCK, f"inode {number}: {size} bytes in {len(blocks)} blocks")
        return Inode(kind, links, size, blocks, used)

    def contents(self, inode: Inode) -> bytes:
        """All bytes of a file or a directory."""
        pieces = [self._block(block) if block else bytes(BLOCK) for block in inode.blocks]
        return b"".join(pieces)[: inode.size]

    def _walk(self, number: int, parent: int, path: str) -> None:
        need(path not in self.directories, f"{path}: a circle")
        self.directories.add(path)
        data = self.contents(self.table[number])
        need(len(data) % 32 == 0, f"{path}/: {len(data)} bytes")
        names: dict[str, int] = {}
        for at in range(0, len(data), 32):
            inode, name = struct.unpack_from("<I28s", data, at)
            if inode:
                text = name.partition(b"\0")[0].decode("ascii")
                need(bool(text) and text not in names, f"{path}/: name {text!r}")
                names[text] = inode
        need(names.pop(".", 0) == number, f"{path}/: '.' leads elsewhere")
        need(names.pop("..", 0) == parent, f"{path}/: '..' leads elsewhere")
        self.links[number] += 1 if number != ROOT else 2
        self.links[parent] += 1 if number != ROOT else 0
        for name_, inode in names.items():
            self._enter(inode, number, f"{path}/{name_}")

    def _enter(self, number: int, parent: int, path: str) -> None:
        need(number in self.table, f"{path}: inode {number}")
        inode = self.table[number]
        need(inode.kind != NOTHING, f"{path}: inode {number} is free")
        self.links[number] += 1
        if inode.kind == DIRECTORY:
            self._walk(number, parent, path)
        else:
            self.files[path] = self.contents(inode)

    def _check_links(self) -> None:
        for number, inode in self.table.items():
            need(
                inode.links == self.links[number],
                f"inode {number}: {inode.links} links, and {self.links[number]} names",
            )
            known = inode.links > 0 or self.running
            need(inode.kind == NOTHING or known, f"inode {number}: nobody knows it")

    def _check_map(self) -> None:
        owner: dict[int, int] = {}
        for number, inode in self.table.items():
            for block in inode.used:
                need(
                    block not in owner, f"block {block}: of inodes {number} and {owner.get(block)}"
                )
                owner[block] = number
        bits = int.from_bytes(self._block(self.map), "little")
        for block in range(self.count):
            marked = bool(bits >> block & 1)
            need(
                marked == (block < self.data or block in owner), f"block {block}: map says {marked}"
            )


def read(disk: bytes, *, running: bool = False) -> dict[str, bytes | None]:
    """All files with their contents, and directories with None. Raises `BrokenError`."""
    system = FileSystem(disk, running=running)
    return {**system.files, **dict.fromkeys(system.directories)}


def tree(disk: bytes, *, running: bool = False) -> dict[str, bytes | None]:
    """As `read`, without what is in /bin."""
    found = read(disk, running=running)
    return {path: what for path, what in found.items() if not path.startswith("/bin")}
