"""Random programs full of hot loops, for comparing engines that translate with one that does not.

Everything that a translation could get wrong happens within loops: traps, interrupts, accesses to
devices, changes of page tables, PMP and address spaces, code that changes itself (through any alias
and any half of an instruction), jumps that only a register knows, code across page bounds and in
one page with page tables.

The map is that of `tests.conformance.generator`, and more (physical addresses)::

    +0x22000  page table of S-mode's window on all pages, and loops behind it
    +0x23000  page table of U-mode's window on all pages, and loops behind it

Chunks follow each other for ever. The machine-mode handler goes on behind an instruction that
trapped; after `patience` traps, or an ebreak, comes the next chunk. Interrupts set the timer anew.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kit.isa.config import Config
from kit.isa.csr import NUMBERS
from kit.isa.encoding import Instruction
from tests.conformance.generator import (
    BASE,
    CLINT,
    CODE,
    CURSOR,
    DATA,
    DATA_PAGES,
    LEAVES,
    MTIMECMP,
    ROOTS,
    TABLE,
    USER_CODE,
    WINDOWS,
    Cell,
    Generator,
    load_constant,
    op,
    read_csr,
    set_csr,
    write_csr,
)

__all__ = ["MEMORY", "HotProgram", "hot_program"]

MEMORY = 0x40000
"""Bytes of RAM that a program needs."""
PAGES = MEMORY >> 12
MIXED = (BASE + 0x22000, BASE + 0x23000)
"""Pages that begin with a page table and go on with code."""
END = BASE + 0x26000
SUPERVISOR_WINDOW, USER_WINDOW = 0x2000_0000, 0x2400_0000
UART, MTIME = 0x1000_0000, CLINT + 0xBFF8

COUNTER, INNER, STRIDE = 26, 25, 27
DATUM, HERE, ENTRY, DEVICE, OFFSET, PLACE, OTHER_ROOT = 18, 19, 20, 21, 22, 23, 24
KEPT = {1, DATUM, HERE, ENTRY, DEVICE, OFFSET, PLACE, OTHER_ROOT, INNER, COUNTER, STRIDE}
"""Registers that a loop needs, which random instructions mostly leave alone."""
M, S, U = 3, 1, 0


@dataclass(frozen=True)
class Later:
    """An instruction that depends on where labels are: `make` is given them, and its own place."""

    make: Callable[[dict[str, int], int], Cell]
    length: int = 4


Item = Cell | Later | str
"""A piece of a chunk. A string is a label."""


def placed(items: Iterable[Item]) -> list[Cell]:
    """The instructions, with labels put in."""
    items = list(items)
    places: dict[str, int] = {}
    at = 0
    for item in items:
        if isinstance(item, str):
            places[item] = at
        else:
            at += item.length
    cells: list[Cell] = []
    at = 0
    for item in items:
        if not isinstance(item, str):
            cells.append(item.make(places, at) if isinstance(item, Later) else item)
            at += item.length
    return cells


def jump(name: str, label: str, **operands: int) -> Later:
    """A branch or jump to a label."""
    return Later(lambda places, at: op(name, imm=places[label] - at, **operands))


@dataclass(frozen=True)
class HotProgram:
    """An image for `BASE`, and where the next chunk is begun from."""

    image: bytes
    next_chunk: int


def hot_program(seed: int, config: Config, turns: int = 24, chunks: int = 60) -> HotProgram:
    """The program of a seed: always the same. Loops make up to `turns` turns."""
    return _HotGenerator(seed, config, turns).hot_program(chunks)


class _HotGenerator(Generator):
    def __init__(self, seed: int, config: Config, turns: int) -> None:
        super().__init__(seed, config)
        self.turns = turns
        self.exit_cause = 3
        self.patience = self.r.choice((20, 60, 200))
        self._labels = 0
        self.links: list[str] = []

    def hot_program(self, count: int) -> HotProgram:
        """Chunks in a row, some of them across page bounds or in pages with page tables."""
        self._prologue()
        next_chunk = self._machine_handler()
        self._supervisor_handler()
        self._data()
        self._tables()
        step = 2 if self.config.has_c else 4
        rooms = [[CODE, DATA], *([mixed + 4 * PAGES, mixed + 0x1000] for mixed in MIXED)]
        rooms.append([MIXED[1] + 0x1000, END])
        entries = []
        for _ in range(count):
            cells = self._any_chunk()
            size = sum(cell.length for cell in cells)
            at, end = room = self.r.choice([rooms[0], *rooms])
            if self.r.random() < 0.4:
                # Somewhere in the chunk, a page ends.
                across = (at + size & -0x1000) - self.r.randrange(0, size, step)
                at = max(at, across)
            if at + size > end:
                continue
            self._put(at, cells)
            room[0] = at + size + -size % 4
            entries.append(at)
        image = bytearray(END - BASE)
        for address, data in self.fixed.items():
            image[address - BASE : address - BASE + len(data)] = data
        struct.pack_into("<III", image, CURSOR - BASE, TABLE, 0, self.r.getrandbits(31) | 1)
        struct.pack_into(f"<{len(entries) + 1}I", image, TABLE + 8 - BASE, *entries, 0)
        return HotProgram(bytes(image), next_chunk)

    # -- the fixed parts ---------------------------------------------------------------------

    def _machine_handler(self) -> int:  # type: ignore[override]
        """Goes on behind what trapped, or with the next chunk; returns where that is begun."""
        jump_in = self.machine_handler - self.machine_vectors
        self._put(self.machine_vectors, [op("jal", rd=0, imm=jump_in - 4 * n) for n in range(16)])
        items: list[Item] = [
            # MPRV first, so that the handler finds its storage.
            *(op("lui", rd=5, imm=0x20000), op("csrrc", rd=0, rs1=5, csr=NUMBERS["mstatus"])),
            *(read_csr("mcause", 5), read_csr("mepc", 6), read_csr("mtval", 7)),
            *(op("lui", rd=28, imm=CURSOR), op("lw", rd=29, rs1=28, imm=4)),
            *(op("addi", rd=29, rs1=29, imm=-1), op("sw", rs1=28, rs2=29, imm=4)),
            *(jump("blt", "next", rs1=29, rs2=0), jump("bge", "exception", rs1=5, rs2=0)),
            # An interrupt: silence it, and set the timer to some moment soon.
            *(write_csr("mip"), op("lui", rd=29, imm=CLINT), op("sw", rs1=29, rs2=0, imm=0)),
            *(*load_constant(7, 0xA00), op("csrrc", rd=0, rs1=7, csr=NUMBERS["mie"])),
            op("lw", rd=7, rs1=28, imm=8),
            *(op("slli", rd=6, rs1=7, shamt=13), op("xor", rd=7, rs1=7, rs2=6)),
            *(op("srli", rd=6, rs1=7, shamt=17), op("xor", rd=7, rs1=7, rs2=6)),
            *(op("slli", rd=6, rs1=7, shamt=5), op("xor", rd=7, rs1=7, rs2=6)),
            *(op("sw", rs1=28, rs2=7, imm=8), op("andi", rd=7, rs1=7, imm=0x3FF)),
            *(op("lui", rd=29, imm=CLINT + 0xC000), op("lw", rd=6, rs1=29, imm=-8)),
            *(op("add", rd=6, rs1=6, rs2=7), op("lui", rd=29, imm=MTIMECMP)),
            *(op("sw", rs1=29, rs2=6, imm=0), op("sw", rs1=29, rs2=0, imm=4), op("mret")),
            "exception",
            *self._over([0, 1, 3, 12], "next"),
            *self._pmp_call(),
            *(op("addi", rd=29, rs1=0, imm=2), jump("bne", "four", rs1=5, rs2=29)),
            *(op("andi", rd=29, rs1=7, imm=3), op("addi", rd=29, rs1=29, imm=-3)),
            jump("bne", "two", rs1=29, rs2=0),
            *("four", op("addi", rd=6, rs1=6, imm=2)),
            *("two", op("addi", rd=6, rs1=6, imm=2), write_csr("mepc", 6), op("mret")),
            "next",
            *(write_csr("mie"), write_csr("mip"), op("lui", rd=29, imm=CLINT)),
            op("sw", rs1=29, rs2=0, imm=0),
            *(op("addi", rd=6, rs1=0, imm=self.patience), op("lui", rd=28, imm=CURSOR)),
            *(op("sw", rs1=28, rs2=6, imm=4), op("addi", rd=6, rs1=0, imm=20)),
            write_csr("sscratch", 6) if self.has_s else Cell(0x13),
            *("again", op("lw", rd=6, rs1=28, imm=0), op("lw", rd=7, rs1=6, imm=8)),
            *(op("addi", rd=6, rs1=6, imm=4), op("sw", rs1=28, rs2=6, imm=0)),
            *(jump("bne", "go", rs1=7, rs2=0), *load_constant(6, TABLE)),
            *(op("sw", rs1=28, rs2=6, imm=0), jump("jal", "again", rd=0)),
            *("go", op("jalr", rd=0, rs1=7, imm=0)),
        ]
        cells = placed(items)
        assert sum(cell.length for cell in cells) <= self.supervisor_vectors - self.machine_handler
        self._put(self.machine_handler, cells)
        before = items[: items.index("next")]
        return self.machine_handler + sum(i.length for i in before if not isinstance(i, str))

    def _pmp_call(self) -> list[Item]:
        """What a call from S- or U-mode (cause 8 or 9) does: other rights in four PMP entries."""
        if not self.config.pmp:
            return []
        return [
            *(op("andi", rd=29, rs1=5, imm=-2), op("addi", rd=29, rs1=29, imm=-8)),
            jump("bne", "no call", rs1=29, rs2=0),
            *load_constant(7, self._pmp_config(1) & ~0xFF | 0x18 | self.r.randrange(7)),
            *(read_csr("pmpcfg1", 29), op("xor", rd=29, rs1=29, rs2=7), write_csr("pmpcfg1", 29)),
            *(jump("jal", "four", rd=0), "no call"),
        ]

    @staticmethod
    def _over(causes: Iterable[int], label: str) -> list[Item]:
        """Goes to a label where x5 is one of these causes."""
        items: list[Item] = []
        for cause in causes:
            items += [op("addi", rd=29, rs1=0, imm=cause), jump("beq", label, rs1=5, rs2=29)]
        return items

    def _supervisor_handler(self) -> None:
        jump_in = self.supervisor_handler - self.supervisor_vectors
        vectors = [op("jal", rd=0, imm=jump_in - 4 * n) for n in range(16)]
        self._put(self.supervisor_vectors, vectors)
        items: list[Item] = [
            *(read_csr("sscratch", 28), op("addi", rd=28, rs1=28, imm=-1)),
            *(write_csr("sscratch", 28), jump("blt", "exit", rs1=28, rs2=0)),
            *(read_csr("scause", 5), read_csr("sepc", 6), read_csr("stval", 7)),
            jump("bge", "exception", rs1=5, rs2=0),
            # What M-mode has raised only M-mode takes back.
            *(op("csrrci", rd=0, uimm=2, csr=NUMBERS["sip"]), op("andi", rd=5, rs1=5, imm=15)),
            *(op("addi", rd=28, rs1=0, imm=1), jump("beq", "back", rs1=5, rs2=28)),
            *(write_csr("sie"), "back", op("sret")),
            "exception",
            *self._over([0, 1, 3, 12], "exit"),
            *(op("addi", rd=6, rs1=6, imm=4), write_csr("sepc", 6), op("sret")),
            *("exit", op("ebreak"), jump("jal", "exit", rd=0)),
        ]
        self._put(self.supervisor_handler, placed(items))

    def _tables(self) -> None:
        super()._tables()
        for number, root in enumerate(ROOTS):
            table = bytearray(self.fixed[root])
            rights = self.r.choice((0xCF, 0xCF, 0x4B))
            if number:
                # The same windows lead elsewhere in the other address space.
                first, *others = (table[at : at + 4] for at in self._in_root())
                for at, pointer in zip(self._in_root(), [*others, first], strict=True):
                    table[at : at + 4] = pointer
            for virtual, entry in (
                (BASE, BASE >> 2 | rights),
                (USER_CODE, BASE >> 2 | rights | 0x10),
                (SUPERVISOR_WINDOW, MIXED[0] >> 2 | 1),
                (USER_WINDOW, MIXED[1] >> 2 | 1),
                (CLINT, CLINT >> 2 | self.r.choice((0xC7, 0xD7))),
                (UART, UART >> 2 | self.r.choice((0xC7, 0xD7, 7))),
            ):
                struct.pack_into("<I", table, virtual >> 22 << 2, entry)
            self.fixed[root] = bytes(table)
        for table_page, user in zip(MIXED, (0, 0x10), strict=True):
            entries = []
            for page in range(PAGES):
                rights = self.r.choice((0xCF, 0xCF, 0xCF, 0xCF, 0xF, 0x4F, 0xCB, 0xC9))
                entries.append(BASE + 0x1000 * page >> 2 | rights | user)
            self.fixed[table_page] = struct.pack(f"<{PAGES}I", *entries)

    @staticmethod
    def _in_root() -> list[int]:
        """Where the windows' entries lie in a root table."""
        return [window >> 22 << 2 for window in WINDOWS]

    def _entry(self, index: int) -> int:
        """Most pages are in order: half of them for S-mode, half for U-mode."""
        if self.r.random() < 0.3:
            return super()._entry(index)
        page = DATA + 0x1000 * self.r.randrange(DATA_PAGES)
        rights = self.r.choice((0x7, 0x7, 0x7, 0xF, 0xF, 3, 9, 9, 9))
        used = self.r.choice((0xC0, 0xC0, 0xC0, 0x40, 0))
        return page >> 2 | rights | used | (0x10 if index & 1 else 0)

    # -- what random pieces may use ------------------------------------------------------------

    def _register(self) -> int:
        while True:
            register = super()._register()
            if register not in KEPT or self.r.random() < 0.01:
                return register

    def _operands(self, row: Instruction) -> dict[str, int]:
        while True:
            operands = super()._operands(row)
            wanted = {value for name, value in operands.items() if name.startswith(("rd", "rs1"))}
            if not wanted & KEPT or self.r.random() < 0.01:
                return operands

    def _superpage(self) -> int:
        return BASE >> 2 | self._flags()

    def _physical(self) -> int:
        if self.r.random() < 0.02:
            return self.r.choice((0x4000_0000, BASE + MEMORY - 2, BASE + MEMORY, BASE - 4))
        return DATA + 0x1000 * self.r.randrange(DATA_PAGES) + self._offset()

    def _pmp_address(self, entry: int) -> int:
        """The fourth one is for all data, or for some bytes of them: see `_pmp_call`."""
        if entry != 4:
            return super()._pmp_address(entry)
        if self.r.random() < 0.6:
            return DATA >> 2 | 0xFFF
        return (
            DATA + 0x1000 * self.r.randrange(DATA_PAGES) + 0x100 * self.r.randrange(16) >> 2 | 0x1F
        )

    def _label(self) -> str:
        self._labels += 1
        return f"l{self._labels}"

    # -- chunks ----------------------------------------------------------------------------------

    def _any_chunk(self) -> list[Cell]:
        if self.r.random() < 0.25:
            kinds = ["machine", "csr", "interrupt"]
            if self.config.pmp:
                kinds += ["pmp", "pmp", "lock"]
            if self.has_s:
                kinds += ["supervisor", "user", "tables", "far", "wait"]
            if self.config.has_u:
                kinds += ["bare", "mprv"]
            cells: list[Cell] = getattr(self, f"_chunk_{self.r.choice(kinds)}")()
            return [*cells, op("ecall"), op("ebreak")]
        return self._loop_chunk()

    def _loop_chunk(self) -> list[Cell]:
        """Some turns of a loop in some mode and address space."""
        modes = [M, *([S, S] if self.has_s else []), *([U] if self.config.has_u else [])]
        self.mode = self.r.choice(modes)
        self.mapped = self.has_s and self.mode != M and self.r.random() < 0.8
        self.window = BASE
        if self.mapped and self.mode == S:
            self.window = self.r.choice((BASE, SUPERVISOR_WINDOW))
        elif self.mapped:
            self.window = self.r.choice((USER_CODE, USER_WINDOW))
        pieces = self.r.choice((1, 2, 3, 5, 8))
        self.links, self.parts = [], []
        items: list[Item] = [*self._settings(), *self._enter(), *self._pointers()]
        top, out = self._label(), self._label()
        turns = self.r.choice((self.turns // 4, self.turns // 2, self.turns))
        items += [*load_constant(COUNTER, turns), top]
        theme = self._theme() if self.r.random() < 0.5 else None
        for _ in range(pieces):
            items += theme() if theme and self.r.random() < 0.5 else self._piece(theme is not None)
        items.append(op("addi", rd=COUNTER, rs1=COUNTER, imm=-1))
        if self.r.random() < 0.7:
            items.append(jump("bne", top, rs1=COUNTER, rs2=0))
        else:
            items += [jump("beq", out, rs1=COUNTER, rs2=0), jump("jal", top, rd=0)]
        items += [out, op("ebreak"), jump("jal", out, rd=0)]
        for label, depth in self.links:
            items += self._function(label, depth)
        items += self.parts
        try:
            return placed(items)
        except ValueError:  # a label was too far away
            return self._loop_chunk()

    def _settings(self) -> list[Item]:
        """What M-mode prepares: interrupts, delegation, protection, address space."""
        items: list[Item] = list(self._delegate()) if self.r.random() < 0.5 else []
        if self.config.pmp and self.r.random() < 0.7:
            items += [write_csr(f"pmpcfg{n}") for n in range(4)]
            items += [*set_csr("pmpaddr15", 0xFFFF_FFFF, 8), *set_csr("pmpcfg3", 0x1F << 24, 8)]
        if self.r.random() < 0.5:
            items += set_csr("mie", self.r.choice((0x80, 0xAAA, self.r.getrandbits(12))), 8)
        if self.r.random() < 0.5:
            delay = self.r.choice((5, 50, 300, 2000))
            items += [
                *(op("lui", rd=8, imm=CLINT + 0xC000), op("lw", rd=9, rs1=8, imm=-8)),
                *(op("addi", rd=9, rs1=9, imm=delay), op("lui", rd=8, imm=MTIMECMP)),
                *(op("sw", rs1=8, rs2=9, imm=0), op("sw", rs1=8, rs2=0, imm=4)),
            ]
        if self.has_s:
            items += set_csr("satp", self._satp() if self.mapped else 0, 8)
            if self.r.random() < 0.8:
                items += set_csr("mcounteren", 7, 8) + set_csr("scounteren", 7, 8)
        return items

    def _enter(self) -> list[Item]:
        """Goes on in the chunk's mode, in its window."""
        status = self._status() & ~(3 << 11 | 1 << 17 | 8)
        if self.r.random() < 0.6:
            status |= 0x8A
        if self.mode == M:
            return [*set_csr("mstatus", status | 3 << 11 if self.config.has_u else status, 8)]
        far = self.window != BASE
        items: list[Item] = [*set_csr("mstatus", status | self.mode << 11, 8)]
        items.append(op("auipc", rd=8, imm=0))
        if far:
            delta = self.window - BASE & 0xFFFF_FFFF
            items += [op("lui", rd=9, imm=delta), op("add", rd=8, rs1=8, rs2=9)]
        items.append(op("addi", rd=8, rs1=8, imm=24 if far else 16))
        return [*items, write_csr("mepc", 8), op("mret")]

    def _pointers(self) -> list[Item]:
        """What the loop's pieces expect in registers."""
        items: list[Item] = ["here", op("auipc", rd=HERE, imm=0)]
        if self.mapped and self.r.random() < 0.5:
            windows = (BASE, SUPERVISOR_WINDOW) if self.mode == S else (USER_CODE, USER_WINDOW)
            delta = self.r.choice(windows) - self.window & 0xFFFF_FFFF
            if delta:
                items += [op("lui", rd=5, imm=delta), op("add", rd=HERE, rs1=HERE, rs2=5)]
        number = self.r.randrange(len(WINDOWS))
        index = self.r.randrange(2 * DATA_PAGES)
        if self.r.random() < 0.6:
            index = index & ~1 | (self.mode == U)
        # The page whose entry the loop may change.
        self.page = WINDOWS[number] + 0x1000 * index
        entry = LEAVES[number] + 4 * index
        if self.r.random() < 0.2:
            table, window = self.r.choice(((MIXED[0], SUPERVISOR_WINDOW), (MIXED[1], USER_WINDOW)))
            index = DATA - BASE >> 12 | self.r.randrange(DATA_PAGES)
            self.page, entry = window + 0x1000 * index, table + 4 * index
        if self.mapped:
            entry += (SUPERVISOR_WINDOW if self.mode == S else USER_WINDOW) - BASE
        items += load_constant(ENTRY, entry)
        items += load_constant(DATUM, self._data_address() & ~3)
        items += load_constant(STRIDE, self.r.choice((4, 64, 0x7FC, 0x1000, 0x1FFC, 2, 1)))
        items += load_constant(DEVICE, self.r.choice((UART, UART, CLINT, MTIME)))
        items += load_constant(OTHER_ROOT, (ROOTS[0] ^ ROOTS[1]) >> 12)
        return [*items, op("addi", rd=OFFSET, rs1=0, imm=0)]

    def _data_address(self) -> int:
        """Data, or what else there is: the walks in the windows read tables that lie among code."""
        if self.r.random() < 0.1:
            return self._virtual() if self.mapped else self._physical()
        offset = self._offset() & -4
        if not self.mapped:
            return (self._physical() & -0x1000) + offset
        kind = self.r.random()
        if kind < 0.4:
            return self.page + offset
        if kind < 0.6:
            window = SUPERVISOR_WINDOW if self.mode == S else USER_WINDOW
            return window + DATA - BASE + 0x1000 * self.r.randrange(DATA_PAGES) + offset
        index = self.r.randrange(2 * DATA_PAGES) & ~1 | (self.mode == U)
        return self.r.choice(WINDOWS) + 0x1000 * index + offset

    # -- pieces of a loop --------------------------------------------------------------------

    def _theme(self) -> Callable[[], list[Item]]:
        """A change that a loop is about, beside pieces that only do what loops do."""
        kinds = [self._patching]
        if self.mode == M:
            kinds += [self._protecting, self._borrowing] * (2 if self.config.has_u else 0)
        if self.mapped:
            kinds += [self._remapping] * 3 + [self._asking] * 2
            if self.mode == S:
                kinds += [self._switching, self._switching, self._modifying, self._modifying]
        return self.r.choice(kinds)

    def _piece(self, plain: bool = False) -> list[Item]:
        if plain:
            kinds = (self._computing, self._walking, self._touching, self._inner_loop)
            return self.r.choice(kinds)()
        return self._any_piece()

    def _any_piece(self) -> list[Item]:
        kinds: dict[Callable[[], list[Item]], int] = {
            self._computing: 30,
            self._branching: 10,
            self._walking: 14,
            self._accessing: 8,
            self._locking: 6,
            self._patching: 14,
            self._scribbling: 4,
            self._calling: 8,
            self._jumping: 6,
            self._inner_loop: 6,
            self._tangling: 8,
            self._returning: 4,
            self._counting: 4,
            self._trapping: 4,
            self._polling: 4,
            self._fencing: 2,
        }
        if self.mode == M:
            kinds |= {self._protecting: 8, self._borrowing: 8, self._interrupting: 3}
            kinds |= {self._csr_writing: 3}
        if self.mode == S:
            kinds |= {self._interrupting: 3, self._modifying: 10, self._csr_writing: 3}
        if self.mapped:
            kinds[self._remapping] = 25
            if self.mode == S:
                kinds[self._switching] = 20
        return self.r.choices(list(kinds), list(kinds.values()))[0]()

    def _seldom(self, items: list[Item]) -> list[Item]:
        """Items that only one turn in some goes through."""
        mask = self.r.choice([n - 1 for n in (1, 2, 4, 8, 16, 32) if n <= self.turns // 6])
        over = self._label()
        test: list[Item] = [
            op("andi", rd=5, rs1=COUNTER, imm=mask),
            jump("bne", over, rs1=5, rs2=0),
        ]
        return [*test, *items, over] if mask else items

    @staticmethod
    def _at(label: str, name: str, offset: int = 0, base: int = HERE, **operands: int) -> Later:
        """An instruction with the address of a label, by the register `base`."""
        return Later(
            lambda places, _: op(
                name, rs1=base, imm=places[label] - places["here"] + offset, **operands
            )
        )

    def _computing(self) -> list[Item]:
        return [cell for _ in range(self.r.randrange(1, 6)) for cell in self._compute()]

    def _branching(self) -> list[Item]:
        return [*self._branch(self._compute)]

    def _walking(self) -> list[Item]:
        """A load or store whose address moves on with each turn."""
        shift = self.r.choice((17, 18, 19, 20))
        row = self.r.choice(("lw", "lw", "sw", "sw", "lb", "lbu", "lh", "lhu", "sb", "sh"))
        value = {"rs2": self._register()} if row[0] == "s" else {"rd": self._register()}
        return [
            op("add", rd=OFFSET, rs1=OFFSET, rs2=STRIDE),
            op("slli", rd=PLACE, rs1=OFFSET, shamt=shift),
            op("srli", rd=PLACE, rs1=PLACE, shamt=shift),
            op("add", rd=PLACE, rs1=PLACE, rs2=DATUM),
            op(row, rs1=PLACE, imm=self.r.choice((0, 0, 0, 4, -4, 1)), **value),
        ]

    def _touching(self) -> list[Item]:
        """Loads and stores in one page: that whose entry the loop may change."""
        if not self.mapped:
            return self._walking()
        items: list[Item] = [*load_constant(8, self.page + self.r.randrange(0, 0xFC0, 4))]
        for _ in range(self.r.randrange(1, 4)):
            name = self.r.choice(("lw", "lw", "sw", "sw", "lbu", "sb", "lh", "sh"))
            value = {"rs2": 9} if name[0] == "s" else {"rd": self.r.choice((10, 11, 12))}
            items.append(op(name, rs1=8, imm=self.r.randrange(0, 64, 4), **value))
        return items

    def _accessing(self) -> list[Item]:
        return [*self._access(self._data_address)]

    def _locking(self) -> list[Item]:
        return [*self._atomics(self._data_address)]

    def _patching(self) -> list[Item]:
        """Changes an instruction of the loop: all of it, its upper half, or its last byte."""
        victim, size = self._label(), self.r.choice((4, 4, 2, 1))
        offset = {4: 0, 2: 2, 1: 3}[size]
        load, save = {4: ("lw", "sw"), 2: ("lhu", "sh"), 1: ("lbu", "sb")}[size]
        step = {4: 1 << 20, 2: 16, 1: 1}[size] * self.r.choice((1, 1, 3, 16))

        patch: list[Item] = [self._at(victim, load, offset, rd=10), *load_constant(11, step)]
        patch += [op(self.r.choice(("add", "xor", "add")), rd=10, rs1=10, rs2=11)]
        patch += [self._at(victim, save, offset, rs2=10)]
        if size == 4 and self.atomic and self.r.random() < 0.3:
            atomic = op("amoadd.w", rd=0, rs1=10, rs2=11, aq=0, rl=0)
            patch = [self._at(victim, "addi", rd=10), *load_constant(11, step), atomic]
        if self.r.random() < 0.3:
            patch.append(op("fence.i", imm=0, rs1=0, rd=0))
        target = self.r.choice(
            (
                op("addi", rd=9, rs1=9, imm=1),
                op("lui", rd=9, imm=0x1000),
                op("andi", rd=12, rs1=9, imm=0x7F),
                op("sltiu", rd=12, rs1=9, imm=5),
                *self._compute(),
            )
        )
        between = [] if self.r.random() < 0.5 else self._computing()
        changed: list[Item] = [victim, target]
        if target.length == 2:
            changed.append(op("c.addi", rd=13, imm=1))
        if self.r.random() < 0.5:
            return [*changed, *between, *self._seldom(patch)]
        return [*self._seldom(patch), *between, *changed]

    def _scribbling(self) -> list[Item]:
        """Stores beside the code, in its page, or, as U- and S-mode may, over page tables."""
        if self.mode != U and self.r.random() < 0.3:
            return self._seldom(
                [op("lw", rd=10, rs1=ENTRY, imm=0), op("sw", rs1=ENTRY, rs2=10, imm=0)]
            )
        label = self._label()
        self.parts += [label, Cell(0), Cell(0)]
        place = Later(
            lambda places, _: op(
                self.r.choice(("sw", "sb")),
                rs1=HERE,
                rs2=9,
                imm=places[label] - places["here"],
            )
        )
        return [place]

    def _calling(self) -> list[Item]:
        """A call of a function behind the loop, or of one that calls another."""
        label = self._label()
        depth = self.r.randrange(3)
        self.links.append((label, depth))
        if self.r.random() < 0.7:
            return [jump("jal", label, rd=1)]
        return [self._at(label, "addi", rd=6), op("jalr", rd=1, rs1=6, imm=0)]

    def _function(self, label: str, depth: int) -> list[Item]:
        items: list[Item] = [label, *self._computing()]
        if depth:
            inner = self._label()
            items += [op("addi", rd=30, rs1=1, imm=0), jump("jal", inner, rd=1)]
            items += [*self._compute(), op("jalr", rd=0, rs1=30, imm=0)]
            return [*items, *self._function(inner, 0)]
        if self.config.has_c and self.r.random() < 0.5:
            return [*items, op("c.jr", rs1=1)]
        return [*items, op("jalr", rd=0, rs1=1, imm=0)]

    def _jumping(self) -> list[Item]:
        """A jump to one of two instructions, by a register."""
        label = self._label()
        return [
            op("andi", rd=6, rs1=COUNTER, imm=self.r.choice((1, 2))),
            op("slli", rd=6, rs1=6, shamt=2),
            op("add", rd=6, rs1=6, rs2=HERE),
            self._at(label, "jalr", base=6, rd=self.r.choice((0, 1))),
            *(op("addi", rd=12, rs1=12, imm=3), label),
            *(op("addi", rd=12, rs1=12, imm=5), op("addi", rd=13, rs1=13, imm=7)),
            *(op("addi", rd=14, rs1=14, imm=9), op("xor", rd=9, rs1=12, rs2=13)),
        ]

    def _inner_loop(self) -> list[Item]:
        top = self._label()
        body = self.r.choice((self._computing, self._walking, self._branching))()
        return [
            op("addi", rd=INNER, rs1=0, imm=self.r.choice((1, 2, 5, 12))),
            *(top, *body, op("addi", rd=INNER, rs1=INNER, imm=-1)),
            jump("bne", top, rs1=INNER, rs2=0),
        ]

    def _tangling(self) -> list[Item]:
        """Blocks that go to each other in any way, for some time: no nest of loops."""
        size, out = self.r.randrange(2, 7), self._label()
        labels = [self._label() for _ in range(size)]
        items: list[Item] = [op("addi", rd=INNER, rs1=0, imm=self.r.choice((3, 10, 40)))]
        for label in labels:
            items += [label, op("addi", rd=INNER, rs1=INNER, imm=-1)]
            items.append(jump("beq", out, rs1=INNER, rs2=0))
            items += [op("slli", rd=6, rs1=9, shamt=5), op("add", rd=9, rs1=9, rs2=6)]
            items += [op("addi", rd=9, rs1=9, imm=self.r.randrange(1, 100)), *self._compute()]
            items.append(op("andi", rd=6, rs1=9, imm=self.r.choice((0x10, 0x60, 0x100))))
            items.append(jump(self.r.choice(("beq", "bne")), self.r.choice(labels), rs1=6, rs2=0))
            if self.r.random() < 0.4:
                items.append(jump("jal", self.r.choice(labels), rd=0))
        return [*items, out]

    def _returning(self) -> list[Item]:
        """A return from a trap that was none, in M- and S-mode, to right behind it."""
        if self.mode == U:
            return self._computing()
        prefix, mode = ("m", 3 << 11) if self.mode == M else ("s", 1 << 8)
        if self.mode == M and not self.config.has_u:
            mode = 0
        items: list[Item] = [
            *(*load_constant(8, mode), op("csrrs", rd=0, rs1=8, csr=NUMBERS[prefix + "status"])),
            *(op("auipc", rd=8, imm=0), op("addi", rd=8, rs1=8, imm=16)),
            *(write_csr(prefix + "epc", 8), op(prefix + "ret")),
        ]
        return self._seldom(items)

    def _counting(self) -> list[Item]:
        name = self.r.choice(("cycle", "time", "instret", "cycleh"))
        return [read_csr(name, self._register())]

    def _trapping(self) -> list[Item]:
        return self._seldom([*self._trap(self.mode)])

    def _polling(self) -> list[Item]:
        """A register of a device: UART's state and output, or times and the software interrupt."""
        name, offset = self.r.choice(
            (("lbu", 5), ("lbu", 0), ("sb", 0), ("lw", 0), ("sw", 0), ("lb", 3), ("sb", 1))
        )
        value = {"rs2": self.r.choice((0, 9, COUNTER))} if name[0] == "s" else {"rd": 10}
        return self._seldom([op(name, rs1=DEVICE, imm=offset, **value)])

    def _fencing(self) -> list[Item]:
        return [*self._fence()] if self.has_s else [op("fence.i", imm=0, rs1=0, rd=0)]

    def _protecting(self) -> list[Item]:
        """A PMP register is written, some accesses of a lower mode with it in force."""
        if not self.config.pmp:
            return self._computing()
        entry = self.r.randrange(self.reserved_entries, 16)
        if self.r.random() < 0.5:
            cells = set_csr(f"pmpaddr{entry}", self._pmp_address(entry), 8)
        else:
            cells = set_csr(f"pmpcfg{entry // 4}", self._pmp_config(entry // 4), 8)
        return self._seldom([*cells]) + self._borrowing()

    def _borrowing(self) -> list[Item]:
        """Accesses by MPRV, with the rights and the addresses of another mode."""
        if not self.config.has_u:
            return self._accessing()
        mode = self.r.choice((U, S, S) if self.has_s else (U,))
        address = self._virtual if self.has_s and self.r.random() < 0.7 else self._physical
        on = [*load_constant(8, 3 << 11), op("csrrc", rd=0, rs1=8, csr=NUMBERS["mstatus"])]
        on += [*load_constant(8, mode << 11 | 1 << 17)]
        on.append(op("csrrs", rd=0, rs1=8, csr=NUMBERS["mstatus"]))
        body = [cell for _ in range(self.r.randrange(1, 3)) for cell in self._access(address)]
        off = [op("lui", rd=8, imm=0x20000), op("csrrc", rd=0, rs1=8, csr=NUMBERS["mstatus"])]
        return [*on, *body, *off]

    def _asking(self) -> list[Item]:
        """A call of M-mode, which changes PMP."""
        return [*self._touching(), *self._seldom([op("ecall")]), *self._touching()]

    def _modifying(self) -> list[Item]:
        """SUM and MXR go on or off."""
        change: list[Item] = [
            op("lui", rd=8, imm=self.r.choice((1 << 18, 1 << 19, 3 << 18))),
            *(read_csr("sstatus", 5), op("xor", rd=5, rs1=5, rs2=8), write_csr("sstatus", 5)),
        ]
        return [*self._touching(), *self._seldom(change), *self._touching()]

    def _interrupting(self) -> list[Item]:
        """An interrupt is made pending, or let in, or waited for."""
        prefix = "m" if self.mode == M else "s"
        bit = self.r.choice((2, 2, 0x20, 0x200)) if self.mode == M else 2
        cells = {
            0: [*load_constant(8, bit), op("csrrs", rd=0, rs1=8, csr=NUMBERS[prefix + "ip"])],
            1: set_csr(prefix + "ie", self.r.choice((0xAAA, 0x222, 0x80)), 8),
            2: [
                op("csrrsi", rd=0, uimm=8 if self.mode == M else 2, csr=NUMBERS[prefix + "status"])
            ],
            3: [op("wfi")],
        }[self.r.randrange(4)]
        return self._seldom([*cells])

    def _csr_writing(self) -> list[Item]:
        return self._seldom([*self._csr(self.mode)])

    def _remapping(self) -> list[Item]:
        """A page-table entry changes: a right, A or D, or the page it leads to."""
        change = self.r.choice((2, 4, 8, 0x10, 0x40, 0x80, 0xC0, 0x400, 1, 0x200))
        items: list[Item] = [
            op("lw", rd=10, rs1=ENTRY, imm=0),
            op("xori", rd=10, rs1=10, imm=change),
            op("sw", rs1=ENTRY, rs2=10, imm=0),
        ]
        if self.mode == S and self.r.random() < 0.4:
            items.append(op("sfence.vma", rs1=0, rs2=0))
        return [*self._touching(), *self._seldom(items), *self._touching()]

    def _switching(self) -> list[Item]:
        """The other root table, which has the same code where this one has it."""
        cells = [
            read_csr("satp", 5),
            op("xor", rd=5, rs1=5, rs2=OTHER_ROOT),
            write_csr("satp", 5),
        ]
        return [*self._touching(), *self._seldom([*cells]), *self._touching()]
