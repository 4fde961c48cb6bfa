"""How storage is divided at a moment: a machine's own tables and PMP, and what lies beneath.

Nothing here is a rule of the architecture: entries are listed as they stand in the tables, and a
test compares the list with what `kit.isa.translation` answers. Looking changes nothing: no A bit is
set, and no page of a guest gets a frame.

Everything is plain data for a view. Addresses are numbers, runs of pages are rows:

    mapped    [virtual, guest-physical, bytes, flags]     flags as in an Sv32 entry
    tables    [guest-physical, level, virtual]            the pages that hold tables
    pmp       [entry, start, bytes, configuration]        in use, the lowest number first
    storage   [start, bytes, owner, rights, name]         all of guest-physical storage, in order
    frames    [guest-physical, real, bytes]               where the allocator put it
    shadow    {mode, satp, mapped: [virtual, real, bytes, flags]}
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from kit.bits import Bits
from kit.control.virtual_machine import VirtualMachine
from kit.isa.hart import Hart, cpu_of
from kit.isa.pmp import pmp_allows
from kit.machine.board import ADDRESSES
from kit.machine.bus import PAGE
from kit.machine.computer import Computer

__all__ = ["frames_of", "guest_map", "image_extent", "page_of", "peek_page", "pool_of", "shadow_of"]

SV32 = 1 << 31
V, R, W, X, U, A, D = (1 << bit for bit in (0, 1, 2, 3, 4, 6, 7))
LEAF = R | W | X
_MEGA = 1 << 22
_TOR, _NA4, _NAPOT = 1, 2, 3
_MODES = {0: "U", 1: "S", 3: "M"}

Row = list[Any]


def peek_page(machine: Computer, page: int) -> bytes | None:
    """A page of a machine's storage, without giving it a frame if it has none."""
    if isinstance(machine, VirtualMachine):
        frames = machine.vcpu.storage.frames
        number = (page - machine.base) // PAGE
        if not 0 <= number < len(frames) or not frames[number]:
            return None
        return peek_page(machine.kernel.machine, frames[number])
    if not machine.bus.is_ram(page, PAGE):
        return None
    return machine.bus.read_bytes(page, PAGE)


def page_of(machine: Computer, address: int) -> bytes | None:
    """The page of a virtual address of U-mode, as the tables stand; None where there is none."""
    hart = machine.hart
    if not hart.satp & SV32:
        return peek_page(machine, address & -PAGE)
    root = peek_page(machine, (hart.satp & 0x3FFFFF) << 12)
    entry = _entry(root, address >> 22)
    if entry & V and not entry & LEAF:
        entry = _entry(peek_page(machine, entry >> 10 << 12), address >> 12 & 0x3FF)
        page = entry >> 10 << 12
    else:
        page = entry >> 20 << 22 | address & _MEGA - PAGE
    return peek_page(machine, page) if entry & V and entry & LEAF else None


def _entry(table: bytes | None, number: int) -> int:
    return 0 if table is None else int.from_bytes(table[4 * number :][:4], "little")


def _entries(machine: Computer, table: int) -> Iterator[tuple[int, int]]:
    """Number and value of each valid entry of a table."""
    data = peek_page(machine, table)
    if data is not None:
        for number, entry in enumerate(memoryview(data).cast("I")):
            if entry & V:
                yield number, entry


def _leaves(machine: Computer, root: int) -> Iterator[tuple[int, int, int, int]]:
    """Virtual address, physical address, bytes and flags of each page of a tree of tables."""
    for high, pointer in _entries(machine, root):
        if pointer & LEAF:
            yield high << 22, pointer >> 20 << 22, _MEGA, pointer & 0xFF
            continue
        for low, entry in _entries(machine, pointer >> 10 << 12):
            yield high << 22 | low << 12, entry >> 10 << 12, PAGE, entry & 0xFF


def _merged(rows: Iterator[tuple[int, int, int, int]]) -> list[Row]:
    """Pages that follow each other on both sides, with the same flags, as one row."""
    runs: list[Row] = []
    for virtual, physical, size, flags in rows:
        if runs:
            start, to, length, same = runs[-1]
            if (start + length, to + length, same) == (virtual, physical, flags):
                runs[-1][2] += size
                continue
        runs.append([virtual, physical, size, flags])
    return runs


def _pmp(hart: Hart) -> list[Row]:
    """The entries in use, with the region that each covers."""
    rows = []
    for entry in range(hart.config.pmp):
        config = hart.pmpcfg[entry // 4] >> 8 * (entry % 4) & 0xFF
        kind, address = config >> 3 & 3, hart.pmpaddr[entry]
        if not kind:
            continue
        if kind == _TOR:
            start = hart.pmpaddr[entry - 1] << 2 if entry else 0
            size = max(0, (address << 2) - start)
        else:
            ones = address ^ (address + 1) if kind == _NAPOT else 0
            start, size = (address & ~ones) << 2, (ones + 1) << 2
        rows.append([entry, start, size, config])
    return rows


def guest_map(machine: Computer) -> dict[str, Any]:
    """The machine's own view of storage: its tables, if it uses them, its PMP and its devices."""
    hart = machine.hart
    paged = bool(hart.config.has_s and hart.satp & SV32)
    root = (hart.satp & 0x3FFFFF) << 12
    mapped = _merged(_leaves(machine, root)) if paged else []
    tables: list[Row] = []
    if paged:
        pointers = [(n, e) for n, e in _entries(machine, root) if not e & LEAF]
        tables = [[root, 1, 0], *([e >> 10 << 12, 0, n << 22] for n, e in pointers)]
    pmp = _pmp(hart)
    return {
        "satp": hart.satp,
        "paged": paged,
        "mapped": mapped,
        "tables": tables,
        "pmp": pmp,
        "storage": _storage(machine, mapped, tables, pmp),
    }


def _storage(machine: Computer, mapped: list[Row], tables: list[Row], pmp: list[Row]) -> list[Row]:
    """All of guest-physical storage, cut wherever anything changes."""
    base, size = machine.ram
    end = base + size
    cuts = {base, end}
    pages = {table for table, _, _ in tables}
    image = image_extent(machine)
    for start, length in [
        *((to, length) for _, to, length, _ in mapped),
        *((start, length) for _, start, length, _ in pmp),
        *((page, PAGE) for page in pages),
        image,
    ]:
        cuts |= {edge for edge in (start, start + length) if base < edge < end}
    edges = sorted(cuts)
    rows: list[Row] = [
        [ADDRESSES.get(name, 0), device.size, "device", "", name]
        for name, device in sorted(machine.devices.items(), key=lambda d: ADDRESSES.get(d[0], 0))
        if not name.startswith("virtio")
    ]
    for start, stop in pairwise(edges):
        owner, rights, name = _owner(machine.hart, start, mapped, pages, image)
        if rows[-1:] and rows[-1][2:] == [owner, rights, name] and sum(rows[-1][:2]) == start:
            rows[-1][1] += stop - start
        else:
            rows.append([start, stop - start, owner, rights, name])
    return rows


def image_extent(machine: Computer) -> tuple[int, int]:
    """Where the loaded program lies: first address and bytes."""
    image = machine.image
    if image is None or not image.segments:
        return 0, 0
    return min(address for address, _ in image.segments), image.size


def _owner(
    hart: Hart, at: int, mapped: list[Row], tables: set[int], image: tuple[int, int]
) -> tuple[str, str, str]:
    """Whose a piece of storage is, what U-mode may do there, and what it is called."""
    if at & -PAGE in tables:
        return "table", "", "tables"
    user = [flags for _, to, size, flags in mapped if to <= at < to + size and flags & U]
    if user:
        return "program", rights_of(user[0] >> 1), "program"
    if not mapped:
        rights = _user_rights(hart, at)
        if rights:
            return "program", rights, "program"
    start, size = image
    if start <= at < start + size:
        return "kernel", "", "image"
    own = any(to <= at < to + size for _, to, size, _ in mapped) or not mapped
    return ("kernel", "", "kernel") if own else ("free", "", "free")


def _user_rights(hart: Hart, at: int) -> str:
    """What PMP lets U-mode do with a word of storage."""
    if not hart.config.has_u:
        return ""
    cpu, address, user = cpu_of(hart), Bits(hart.config.plen, at), Bits(2, 0)
    allowed = (pmp_allows(cpu, address, 4, right, user) for right in ("read", "write", "execute"))
    return rights_of(sum(1 << n for n, one in enumerate(allowed) if one))


def rights_of(bits: int) -> str:
    """Bits 0 read, 1 write, 2 execute as letters, or nothing if there is none."""
    return "".join(c if bits >> n & 1 else "-" for n, c in enumerate("rwx")) if bits & 7 else ""


def frames_of(machine: VirtualMachine) -> list[Row]:
    """Where each run of a virtual machine's pages is in real storage; others have no frame."""
    runs: list[Row] = []
    for number, real in enumerate(machine.vcpu.storage.frames):
        at = machine.base + number * PAGE
        if not real:
            continue
        if runs and runs[-1][0] + runs[-1][2] == at and runs[-1][1] + runs[-1][2] == real:
            runs[-1][2] += PAGE
        else:
            runs.append([at, real, PAGE])
    return runs


def pool_of(machine: VirtualMachine) -> list[Row]:
    """The frames that the VMM has for a virtual machine's shadow tables: rows [real, bytes]."""
    runs: list[Row] = []
    for frame in sorted(machine.vcpu.shadow.frames):
        if runs and runs[-1][0] + runs[-1][1] == frame:
            runs[-1][1] += PAGE
        else:
            runs.append([frame, PAGE])
    return runs


def shadow_of(machine: VirtualMachine) -> list[dict[str, Any]]:
    """The shadow tables that the VMM keeps for a virtual machine: one for each regime."""
    shadow, host = machine.vcpu.shadow, machine.kernel.machine
    current = machine.vcpu.regime()
    # Only the roots' owner knows them all; the machine's satp has but the one in use.
    roots = shadow._roots
    return [
        {
            "mode": _MODES.get(key[0] - 2, "M" if key[0] == 1 else "U"),
            "satp": key[1],
            "paged": key[0] >= 2,
            "moved": bool(key[-1]),
            "current": key == current,
            "root": root,
            "mapped": _merged(_leaves(host, root)),
        }
        for key, root in roots.items()
    ]
