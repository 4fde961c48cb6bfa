"""Random programs for running the kit and another simulator side by side.

A program is a list of chunks. The machine-mode handler, which every trap ends in sooner or later,
shows the trap's registers and goes on with the next chunk; so no chunk can stop the others from
running, and leaving chunks or single instructions out (`Program.without`) makes a smaller program
that is still well-formed.

Storage, from `BASE` (physical addresses; PMP entry 0 lets every mode read and execute the code,
but not write it)::

    +0x00000  prologue, handlers          +0x10000  eight data pages
    +0x01000  cursor, table of chunks     +0x18000  page tables: two roots, four leaves
    +0x02000  the chunks                  +0x20000  tohost

Both page-table roots map the code for S-mode at its own address and for U-mode at `USER_CODE`,
the data pages by random entries in four windows, and random superpages.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import kit.isa  # noqa: F401  (fills the encoding table)
from kit.isa.config import Config
from kit.isa.csr import NUMBERS, csr_exists
from kit.isa.encoding import INSTRUCTIONS, Instruction

from .elf import write_elf

__all__ = ["BASE", "MEMORY_SIZE", "Cell", "Chunk", "Generator", "Program", "encode", "generate"]

BASE = 0x8000_0000
MEMORY_SIZE = 0x100_0000
CURSOR = BASE + 0x1000
TABLE = BASE + 0x1008
CODE = BASE + 0x2000
DATA = BASE + 0x10000
DATA_PAGES = 8
TABLES = BASE + 0x18000
ROOTS = (TABLES, TABLES + 0x1000)
LEAVES = tuple(TABLES + 0x2000 + 0x1000 * n for n in range(4))
TOHOST = BASE + 0x20000
SIZE = 0x20040
FAR_DATA = BASE + 0x400000
USER_CODE = 0xC000_0000
WINDOWS = (0x0040_0000, 0x0080_0000, 0x4000_0000, 0xFFC0_0000)
SUPERPAGES = (0x0100_0000, 0x0140_0000, 0x0180_0000)
CLINT = 0x0200_0000
MTIMECMP = CLINT + 0x4000

ROWS = {row.name: row for row in INSTRUCTIONS if 32 in row.xlens}
NOP, COMPRESSED_NOP = 0x0000_0013, 0x0001

INTERESTING = (
    *(0, 1, 2, 3, 4, 7, 8, 0x1F, 0x20, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF),
    *(0x7FFF_FFFF, 0x8000_0000, 0x8000_0001, 0xFFFF_FFFE, 0xFFFF_FFFF, 0xFFFF_F800),
    *(0x5555_5555, 0xAAAA_AAAA, 0x1234_5678),
)


# -- instructions ----------------------------------------------------------------------------


def encode(name: str, **operands: int) -> int:
    """The word of an instruction; signed operands may be given as words."""
    row = ROWS[name]
    for key, value in operands.items():
        width = row.widths[key]
        if row.is_signed(key) and value >> (width - 1) == 1:
            operands[key] = value - (1 << width)
    return row.encode(**operands)


@dataclass(frozen=True)
class Cell:
    """An instruction (or two bytes of nonsense) in its place; `length` is 2 or 4 bytes."""

    word: int
    length: int = 4

    @property
    def data(self) -> bytes:
        """The bytes as they stand in storage."""
        return self.word.to_bytes(self.length, "little")

    def nop(self) -> Cell:
        """Nothing, of the same length."""
        return Cell(NOP if self.length == 4 else COMPRESSED_NOP, self.length)


def op(name: str, **operands: int) -> Cell:
    """The instruction `name`."""
    return Cell(encode(name, **operands), ROWS[name].length)


def load_constant(register: int, value: int) -> list[Cell]:
    """Instructions that put a constant into a register, always two."""
    low = (value & 0xFFF) - ((value & 0x800) << 1)
    return [
        op("lui", rd=register, imm=(value - low) & 0xFFFF_FFFF),
        op("addi", rd=register, rs1=register, imm=low),
    ]


def write_csr(name: str, register: int = 0) -> Cell:
    """csrw: writes a CSR from a register."""
    return op("csrrw", rd=0, rs1=register, csr=NUMBERS[name])


def read_csr(name: str, register: int) -> Cell:
    """csrr: reads a CSR into a register."""
    return op("csrrs", rd=register, rs1=0, csr=NUMBERS[name])


def set_csr(name: str, value: int, register: int) -> list[Cell]:
    """Instructions that put a constant into a CSR by way of `register`."""
    return [*load_constant(register, value), write_csr(name, register)]


# -- programs --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chunk:
    """A piece of the program that starts in M-mode at its own address."""

    kind: str
    cells: tuple[Cell, ...]
    address: int = 0
    keep: frozenset[int] = frozenset()
    """Cells that must not be left out: what leads out of the chunk."""


@dataclass(frozen=True)
class Program:
    """A program: what is fixed by `seed`, and the chunks that are left of it."""

    seed: int
    chunks: tuple[Chunk, ...]
    config: Config
    fixed: dict[int, bytes] = field(repr=False, default_factory=dict)
    """Bytes by address: prologue, handlers, data and page tables."""

    def image(self) -> bytes:
        """The bytes from `BASE`."""
        image = bytearray(SIZE)

        def put(address: int, data: bytes) -> None:
            image[address - BASE : address - BASE + len(data)] = data

        for address, data in self.fixed.items():
            put(address, data)
        entries = [chunk.address for chunk in self.chunks] + [self.end]
        put(CURSOR, struct.pack("<I", TABLE))
        put(TABLE, struct.pack(f"<{len(entries)}I", *entries))
        for chunk in self.chunks:
            put(chunk.address, b"".join(cell.data for cell in chunk.cells))
        return bytes(image)

    @property
    def end(self) -> int:
        """The address at which the program is over."""
        return BASE + 0xF00

    def elf(self) -> bytes:
        """The program as an ELF file, ended through `tohost`."""
        symbols = {"_start": BASE, "tohost": TOHOST, "fromhost": TOHOST + 8}
        return write_elf(self.image(), BASE, BASE, symbols)

    def without_chunks(self, dropped: Iterable[int]) -> Program:
        """The program with the chunks of these indexes left out."""
        gone = set(dropped)
        return replace(self, chunks=tuple(c for n, c in enumerate(self.chunks) if n not in gone))

    def without_cells(self, dropped: Iterable[tuple[int, int]]) -> Program:
        """The program with these cells (chunk, cell) replaced by nops."""
        chunks = [list(chunk.cells) for chunk in self.chunks]
        for chunk, cell in dropped:
            chunks[chunk][cell] = chunks[chunk][cell].nop()
        return replace(
            self,
            chunks=tuple(
                replace(old, cells=tuple(new)) for old, new in zip(self.chunks, chunks, strict=True)
            ),
        )

    def live_cells(self) -> list[tuple[int, int]]:
        """The cells that could still be left out."""
        return [
            (n, k)
            for n, chunk in enumerate(self.chunks)
            for k, cell in enumerate(chunk.cells)
            if k not in chunk.keep and cell != cell.nop()
        ]


LIKE_SPIKE = Config(ad="fault")
"""What Spike is like unless it is told otherwise."""


def generate(seed: int, config: Config = LIKE_SPIKE, chunks: int = 120) -> Program:
    """The program of a seed, for a processor of this kind: always the same."""
    return Generator(seed, config).program(chunks)


# -- which instructions and registers are used for what --------------------------------------

_UNPRIVILEGED = [row for row in ROWS.values() if set(row.extension) <= set("IMAC")]
_MEMORY = {r.name for r in _UNPRIVILEGED if "(" in r.syntax}
_ATOMIC = sorted(r.name for r in _UNPRIVILEGED if r.extension == "A")
_LOADS_AND_STORES = sorted(_MEMORY - set(_ATOMIC) - {"jalr"})
_BRANCHES = sorted(r.name for r in _UNPRIVILEGED if "target" in r.syntax)
_NOT_COMPUTING = _MEMORY | set(_BRANCHES) | {"ebreak", "c.ebreak", "c.jr", "c.jalr", "jalr"}
_NOT_COMPUTING |= {"ecall", "mret", "sret", "wfi", "sfence.vma"}
_NOT_COMPUTING |= {name for name in ROWS if name.startswith("csr")}
_COMPUTING = sorted(r.name for r in _UNPRIVILEGED if r.name not in _NOT_COMPUTING)

# Where implementations may differ, and Spike and the kit do: trigger and context registers, the
# machine's identity, FIOM. The time is not compared, see lockstep.py.
_AVOIDED = {0x7A0, 0x7A1, 0x7A2, 0x7A3, 0x7A4, 0x7A5, 0x7A8, 0x5A8, NUMBERS["marchid"]}
_AVOIDED |= set(range(0x3A4, 0x3B0)) | set(range(0x3C0, 0x3F0))
_FRAGILE = {"mtvec", "stvec", "misa", "medeleg", "mstatus", "sstatus", "satp"}
_FRAGILE |= {"menvcfg", "menvcfgh", "senvcfg"}
_FRAGILE |= {name for name in NUMBERS if name.startswith("pmp")}
_SAFE_CSRS = sorted(n for name, n in NUMBERS.items() if name not in _FRAGILE and n not in _AVOIDED)
_ALL_CSRS = sorted(n for n in NUMBERS.values() if n not in _AVOIDED)

_FS = 0x6000
_ADUE = 1 << 29  # in menvcfgh: accessed and dirty bits are set by hardware
_PMP_LOCKS = 0x8080_8080
_CODE_REGION = (BASE >> 2) | 0x1FFF  # NAPOT, 64 KiB
_CODE_CONFIG = 0x1D  # NAPOT, readable and executable
_TABLE_REGION = (TABLES >> 2) | 0xFFF  # NAPOT, 32 KiB
_TABLE_CONFIG = 0x1B  # NAPOT, readable and writable

_NEEDS_S = ("supervisor", "user", "tables", "wait", "far")
_NEEDS_U = ("bare", "mprv")
_NEEDS_PMP = ("pmp", "lock")

# How S-mode's handler calls M-mode: by a trap that is never delegated in this program.
_EXITS = {9: "ecall", 3: "ebreak", 2: "illegal"}

_HANDLER_REGISTERS = (5, 6, 7, 28, 29)


class Generator:
    """Makes one program; everything random comes from `self.r`."""

    def __init__(self, seed: int, config: Config) -> None:
        self.seed = seed
        self.r = random.Random(seed)
        self.config = config
        self.has_s = config.has_s
        self.csrs = [number for number in _ALL_CSRS if csr_exists(config, number)]

        def available(names: list[str]) -> list[str]:
            return [n for n in names if set(ROWS[n].extension) <= {"I", *config.extensions}]

        self.computing = available(_COMPUTING)
        self.words = [name for name in self.computing if ROWS[name].length == 4]
        self.loads_and_stores = available(_LOADS_AND_STORES)
        self.atomic = available(_ATOMIC)
        self.branches = available(_BRANCHES)
        self.exit_cause = self.r.choice(list(_EXITS))
        self.fixed: dict[int, bytes] = {}
        # PMP entry 0 is for the code; in most programs, entry 1 lets translation read its tables.
        self.reserved_entries = 2 if self.r.random() < 0.85 else 1

    # -- the fixed parts ---------------------------------------------------------------------

    def program(self, count: int) -> Program:
        self._prologue()
        self._machine_handler()
        self._supervisor_handler()
        self._end()
        self._data()
        self._tables()
        chunks = []
        address = CODE
        for number in range(count):
            chunk = self._chunk(number, count)
            size = sum(cell.length for cell in chunk.cells)
            if address + size > DATA:
                break
            chunks.append(replace(chunk, address=address))
            address += size + (-size) % 4
        return Program(self.seed, tuple(chunks), self.config, self.fixed)

    def _put(self, address: int, cells: Iterable[Cell]) -> None:
        self.fixed[address] = b"".join(cell.data for cell in cells)

    machine_vectors = BASE + 0x400
    machine_handler = BASE + 0x480
    supervisor_vectors = BASE + 0x600
    supervisor_handler = BASE + 0x680

    def _prologue(self) -> None:
        cells = [*load_constant(5, MTIMECMP), *load_constant(6, 0xFFFF_FFFF)]
        cells += [op("sw", rs1=5, rs2=6, imm=0), op("sw", rs1=5, rs2=6, imm=4)]
        cells += set_csr("mtvec", self.machine_vectors | self.r.getrandbits(1), 5)
        if self.has_s:
            if self.config.ad == "update":
                cells += set_csr("menvcfgh", _ADUE, 5)
            cells += set_csr("stvec", self.supervisor_vectors | self.r.getrandbits(1), 5)
        if self.config.pmp:
            cells += self._protection()
        for n in range(1, 32):
            cells += load_constant(n, self._value())
        cells.append(op("ecall"))
        self._put(BASE, cells)
        assert sum(c.length for c in cells) <= 0x400

    def _protection(self) -> list[Cell]:
        """Fills the PMP registers."""
        cells = [write_csr(f"pmpcfg{n}") for n in range(4)]
        for n in range(16):
            cells += set_csr(f"pmpaddr{n}", self._pmp_address(n), 5)
        for n in range(4):
            cells += set_csr(f"pmpcfg{n}", self._pmp_config(n), 5)
        # The last entry opens everything that no other entry decides.
        if self.r.random() < 0.8:
            cells += set_csr("pmpaddr15", 0xFFFF_FFFF, 5)
            cells += set_csr("pmpcfg3", 0x1F00_0000, 5)
        return cells

    def _machine_handler(self) -> None:
        jump = self.machine_handler - self.machine_vectors
        self._put(self.machine_vectors, [op("jal", rd=0, imm=jump - 4 * n) for n in range(16)])
        cells = [
            # MPRV first, so that the handler finds its storage.
            *(op("lui", rd=5, imm=0x20000), op("csrrc", rd=0, rs1=5, csr=NUMBERS["mstatus"])),
            *(read_csr("mcause", 5), read_csr("mepc", 6), read_csr("mtval", 7)),
            *(read_csr("mstatus", 28), read_csr("mip", 29)),
            # An interrupt: silence it, and go on with the next chunk.
            op("bge", rs1=5, rs2=0, imm=4 * 10),
            *(write_csr("mie"), write_csr("mip"), op("lui", rd=5, imm=CLINT)),
            *(op("sw", rs1=5, rs2=0, imm=0), op("lui", rd=5, imm=MTIMECMP)),
            *(op("addi", rd=6, rs1=0, imm=-1), op("sw", rs1=5, rs2=6, imm=0)),
            *(op("sw", rs1=5, rs2=6, imm=4), op("jal", rd=0, imm=4 * 19)),
            # A data fault or illegal instruction of S- or U-mode (but not 0, which may be how they
            # call): go on behind it, perhaps inside the next instruction, but not too often.
            *load_constant(29, 0xA0F4),
            *(op("srl", rd=29, rs1=29, rs2=5), op("andi", rd=29, rs1=29, imm=1)),
            *(op("beq", rs1=29, rs2=0, imm=4 * 14), op("beq", rs1=7, rs2=0, imm=4 * 13)),
            *(*load_constant(29, 0x1800), op("and", rd=28, rs1=28, rs2=29)),
            op("beq", rs1=28, rs2=29, imm=4 * 9),
            *(op("lui", rd=29, imm=CURSOR), op("lw", rd=28, rs1=29, imm=4)),
            *(op("addi", rd=28, rs1=28, imm=-1), op("sw", rs1=29, rs2=28, imm=4)),
            op("blt", rs1=28, rs2=0, imm=4 * 4),
            *(op("addi", rd=6, rs1=6, imm=4), write_csr("mepc", 6), op("mret")),
            # The next chunk.
            *(op("fence.i", imm=0, rs1=0, rd=0), self._forget_tables()),
            *(op("lui", rd=5, imm=CURSOR), op("lw", rd=6, rs1=5, imm=0)),
            *(op("addi", rd=7, rs1=0, imm=30), op("sw", rs1=5, rs2=7, imm=4)),
            *(op("lw", rd=7, rs1=6, imm=0), op("addi", rd=6, rs1=6, imm=4)),
            *(op("sw", rs1=5, rs2=6, imm=0), op("jalr", rd=0, rs1=7, imm=0)),
        ]
        self._put(self.machine_handler, cells)

    def _forget_tables(self) -> Cell:
        return op("sfence.vma", rs1=0, rs2=0) if self.has_s else Cell(NOP)

    def _supervisor_handler(self) -> None:
        jump = self.supervisor_handler - self.supervisor_vectors
        self._put(self.supervisor_vectors, [op("jal", rd=0, imm=jump - 4 * n) for n in range(16)])
        cells = [
            *(read_csr("scause", 5), read_csr("sepc", 6), read_csr("stval", 7)),
            *(read_csr("sstatus", 28), read_csr("sip", 29)),
        ]
        if self.r.random() < 0.85:
            # Go on behind the instruction, rather than with the next chunk; but not after an
            # illegal one of S-mode, which may be the sret in here, nor after a call, nor for ever:
            # an eighth of all addresses is not gone on with.
            cells += [
                *(op("andi", rd=28, rs1=28, imm=0x100), op("beq", rs1=28, rs2=0, imm=4 * 3)),
                *(op("addi", rd=28, rs1=0, imm=2), op("beq", rs1=5, rs2=28, imm=4 * 9)),
                *(op("andi", rd=29, rs1=5, imm=-2), op("addi", rd=28, rs1=0, imm=8)),
                *(op("beq", rs1=28, rs2=29, imm=4 * 6), op("andi", rd=29, rs1=6, imm=0x70)),
                *(op("beq", rs1=29, rs2=0, imm=4 * 4), op("addi", rd=6, rs1=6, imm=4)),
                *(write_csr("sepc", 6), op("sret")),
            ]
        self._put(self.supervisor_handler, [*cells, self._exit()])

    def _exit(self) -> Cell:
        """The instruction by which S-mode gets to M-mode."""
        name = _EXITS[self.exit_cause]
        return Cell(0) if name == "illegal" else op(name)

    def _end(self) -> None:
        self._put(
            BASE + 0xF00,
            [
                *load_constant(5, TOHOST),
                op("addi", rd=6, rs1=0, imm=1),
                op("sw", rs1=5, rs2=6, imm=0),
                op("sw", rs1=5, rs2=0, imm=4),
                op("wfi"),
                op("jal", rd=0, imm=-4),
            ],
        )

    def _data(self) -> None:
        """Data pages: numbers, and at both ends pieces of code that go on in the next page."""
        crossing = op("addi", rd=8, rs1=8, imm=5).data
        page = b""
        for _ in range(DATA_PAGES):
            words = b"".join(struct.pack("<I", self._value()) for _ in range(1021))
            start = crossing[2:] + self._half_word() + self._exit().data
            page += start + words[: 4096 - len(start) - 2] + crossing[:2]
        self.fixed[DATA] = page

    def _half_word(self) -> bytes:
        return op("c.addi", rd=9, imm=3).data if self.config.has_c else b"\0\0"

    def _tables(self) -> None:
        for root in ROOTS:
            table = bytearray(4096)

            def enter(virtual: int, entry: int, table: bytearray = table) -> None:
                struct.pack_into("<I", table, virtual >> 22 << 2, entry)

            for window, leaf in zip(WINDOWS, LEAVES, strict=True):
                pointer = leaf >> 2 | 1
                if self.r.random() < 0.1:
                    pointer |= self.r.choice((0x10, 0x20, 0x40, 0x80, 0x300))
                enter(window, pointer)
            for virtual in SUPERPAGES:
                enter(virtual, self._superpage())
            enter(BASE, BASE >> 2 | 0x4B)
            enter(USER_CODE, BASE >> 2 | 0x5B)
            self.fixed[root] = bytes(table)
        for leaf in LEAVES:
            table = bytearray(4096)
            for n in (*range(2 * DATA_PAGES), 1023):
                struct.pack_into("<I", table, 4 * n, self._entry(n))
            self.fixed[leaf] = bytes(table)

    # -- random values -----------------------------------------------------------------------

    def _value(self) -> int:
        """A word: interesting, small, a power of two nearly, or anything."""
        kind = self.r.randrange(4)
        if kind == 0:
            return self.r.choice(INTERESTING)
        if kind == 1:
            return self.r.randrange(-64, 64) & 0xFFFF_FFFF
        if kind == 2:
            return ((1 << self.r.randrange(32)) + self.r.randrange(-1, 2)) & 0xFFFF_FFFF
        return self.r.getrandbits(32)

    def _register(self) -> int:
        return self.r.randrange(32)

    def _flags(self) -> int:
        """Low bits of a page-table entry, mostly those of a page that is in use."""
        if self.r.random() < 0.75:
            rights = self.r.choice((0x2, 0x6, 0xE, 0xA, 0x8, 0x6, 0xE))
            user = self.r.choice((0, 0x10))
            used = self.r.choice((0xC0, 0xC0, 0xC0, 0x40, 0x80, 0))
            return 1 | rights | user | used | self.r.choice((0, 0, 0x20, 0x300))
        return self.r.getrandbits(10)

    def _entry(self, index: int) -> int:
        """A leaf entry: a data page, rarely storage that is not there."""
        page = DATA + 0x1000 * (index % DATA_PAGES)
        if self.r.random() < 0.06:
            page = self.r.choice((0x4000_0000, 0x2_8000_0000, 0x3_FFFF_F000, BASE + MEMORY_SIZE))
        elif self.r.random() < 0.1:
            page = DATA + 0x1000 * self.r.randrange(DATA_PAGES)
        return page >> 2 | self._flags()

    def _superpage(self) -> int:
        if self.r.random() < 0.1:
            return (
                self.r.choice((FAR_DATA | 0x1000, 0x4000_0000, 0x2_0000_0000)) >> 2 | self._flags()
            )
        return FAR_DATA >> 2 | self._flags()

    def _satp(self) -> int:
        asid = self.r.choice((0, 0, 1, 0x1FF, self.r.getrandbits(9)))
        return 1 << 31 | asid << 22 | self.r.choice(ROOTS) >> 12

    def _pmp_address(self, entry: int) -> int:
        """An address register: NAPOT sizes and bounds around the data, mostly."""
        if entry < self.reserved_entries:
            return (_CODE_REGION, _TABLE_REGION)[entry]
        kind = self.r.randrange(5)
        target = self.r.choice((DATA, DATA, FAR_DATA)) + self.r.randrange(0, 0x4000, 4)
        if self.r.random() < 0.02:
            target = TABLES + self.r.randrange(0, 0x4000, 4)
        if kind <= 1:
            ones = (1 << self.r.choice((0, 1, 3, 7, 9, 10, 12))) - 1
            return (target >> 2) & ~ones | ones >> 1
        if kind == 2:
            return target >> 2
        if kind == 3:
            return (target & ~0xFFF) >> 2
        return self._value()

    def _pmp_config(self, index: int) -> int:
        """Four configuration bytes, without locks; reserved entries stay as they are."""
        config = 0
        for n in range(4):
            rights = self.r.choice((7, 7, 7, 7, 5, 3, 1, 4, 0, self.r.getrandbits(3)))
            mode = self.r.choice((0, 0, 0, 1, 2, 3))
            config |= (rights | mode << 3 | self.r.choice((0, 0, 0x60))) << 8 * n
        if index == 0:
            config = config & ~0xFF | _CODE_CONFIG
            if self.reserved_entries == 2:
                config = config & ~0xFF00 | _TABLE_CONFIG << 8
        return config

    def _status(self) -> int:
        """A value for mstatus: random enables and modifiers, no floating point."""
        value = self.r.getrandbits(32) & ~_FS
        for bit in (17, 20, 21, 22):  # MPRV, TVM, TW, TSR: rarely
            if self.r.random() < 0.7:
                value &= ~(1 << bit)
        return value

    def _delegation(self) -> int:
        """A value for medeleg under which S-mode's handler gets to M-mode."""
        value = self.r.choice((0, self.r.getrandbits(16), 0xB1FF, 0xB3FF)) & 0xB7FE
        value &= ~(1 << self.exit_cause)
        if self.r.random() < 0.99:  # fetch faults of the handler itself would never end
            value &= ~0x1002
        return value

    def _physical(self) -> int:
        """The address of a datum, for M-mode."""
        page = self.r.choice((DATA, DATA, DATA + 0x1000 * self.r.randrange(DATA_PAGES), FAR_DATA))
        return page + self._offset()

    def _offset(self) -> int:
        if self.r.random() < 0.5:
            return self.r.choice((0, 4, 8, 0xFF8, 0xFFC, 0xFFE, 0xFFF, 2, 1, 3))
        return self.r.randrange(0, 4096, self.r.choice((4, 4, 4, 2, 1)))

    def _virtual(self) -> int:
        """The address of a datum for S- and U-mode under translation; there may be nothing."""
        choice = self.r.random()
        if choice < 0.7:
            page: int = self.r.choice((*range(2 * DATA_PAGES), 0, 1, 1023))
            return self.r.choice(WINDOWS) + 0x1000 * page + self._offset()
        if choice < 0.9:
            return self.r.choice(SUPERPAGES) + self._offset()
        return self.r.choice((DATA, USER_CODE, 0, 0x7000_0000, 0x0240_0000)) + self._offset()

    # -- pieces of code ----------------------------------------------------------------------

    def _operands(self, row: Instruction) -> dict[str, int]:
        """Random operands that the instruction takes."""
        while True:
            operands = {}
            for name, width in row.widths.items():
                low = min(piece.at for piece in row.fields if piece.operand == name)
                if name.endswith("'"):
                    operands[name] = self.r.randrange(8, 16)
                elif row.is_signed(name):
                    value = self.r.getrandbits(width) - (1 << (width - 1))
                    if self.r.random() < 0.3:
                        value = self.r.choice(
                            (0, 1, -1, -(1 << (width - 1)), (1 << (width - 1)) - 1)
                        )
                    operands[name] = value >> low << low
                else:
                    operands[name] = self.r.getrandbits(width) >> low << low
            try:
                row.encode(**operands)
            except ValueError:
                continue
            return operands

    def _compute(self) -> list[Cell]:
        """A computation on registers."""
        name = self.r.choice(self.computing)
        return [op(name, **self._operands(ROWS[name]))]

    def _constant(self) -> list[Cell]:
        return load_constant(self._register(), self._value())

    def _access(self, address: Callable[[], int]) -> list[Cell]:
        """A load or store, base register included."""
        row = ROWS[self.r.choice(self.loads_and_stores)]
        operands = self._operands(row)
        base = next((name for name in operands if name.startswith("rs1")), None)
        offset = next(name for name in operands if "imm" in name)
        register = operands[base] if base else 2
        cells = load_constant(register, (address() - operands[offset]) & 0xFFFF_FFFF)
        return [*cells, op(row.name, **operands)]

    def _atomics(self, address: Callable[[], int]) -> list[Cell]:
        """Atomic operations, or a reservation with something in between, or without one."""
        if not self.atomic:
            return self._access(address)
        register = self.r.choice((8, 9, 15, 31))
        place = address()
        if self.r.random() < 0.8:
            place &= ~3
        cells = load_constant(register, place)

        def atomic(name: str, base: int = register) -> Cell:
            operands = {
                "rd": self._register(),
                "aq": self.r.getrandbits(1),
                "rl": self.r.getrandbits(1),
            }
            if "rs2" in ROWS[name].widths:
                operands["rs2"] = self._register()
            if operands["rd"] == base and self.r.random() < 0.9:
                operands["rd"] = 0
            return op(name, rs1=base, **operands)

        if self.r.random() < 0.5:
            return [
                *cells,
                *(atomic(self.r.choice(self.atomic)) for _ in range(self.r.randrange(1, 4))),
            ]
        cells.append(atomic("lr.w"))
        between = self.r.randrange(5)
        if between == 1:
            cells += self._compute()
        elif between == 2:
            cells += self._access(address)
        elif between == 3:
            other = 10
            cells += load_constant(
                other, (place + self.r.choice((4, 8, 64, 0, 0x1000))) & 0xFFFF_FFFF
            )
            cells.append(atomic(self.r.choice(("sc.w", "lr.w", "amoadd.w")), other))
        elif between == 4:
            cells.append(op("fence", pred=15, succ=15, fm=0, rs1=0, rd=0))
        cells.append(atomic("sc.w"))
        if self.r.random() < 0.3:
            cells.append(atomic("sc.w"))
        return cells

    def _branch(self, inner: Callable[[], list[Cell]]) -> list[Cell]:
        """A jump or branch forwards, over some instructions or into the middle of one."""
        body: list[Cell] = []
        for _ in range(self.r.randrange(1, 4)):
            body += inner()
        size = sum(cell.length for cell in body)
        if self.r.random() < 0.2:
            register = self.r.choice((1, 5, 8, 30))
            odd = self.r.getrandbits(1)
            if self.config.has_c and self.r.random() < 0.3:
                return [
                    op("auipc", rd=register, imm=0),
                    op("addi", rd=register, rs1=register, imm=10 + size),
                    op(self.r.choice(("c.jr", "c.jalr")), rs1=register),
                    *body,
                ]
            return [
                op("auipc", rd=register, imm=0),
                op("jalr", rd=self.r.choice((0, 1, register)), rs1=register, imm=8 + size + odd),
                *body,
            ]
        name = self.r.choice(self.branches)
        operands = self._operands(ROWS[name])
        operands["imm"] = ROWS[name].length + size
        if size >= 4 and self.r.random() < 0.05:
            operands["imm"] -= 2
        try:
            return [op(name, **operands), *body]
        except ValueError:
            return body

    def _csr_value(self, number: int, supervisor: bool) -> int | None:
        """A value that may be written to this register, or None if any may."""
        name = next((n for n, value in NUMBERS.items() if value == number), "")
        if name == "mtvec":
            return self.machine_vectors | self.r.getrandbits(1)
        if name == "stvec":
            return self.supervisor_vectors | self.r.getrandbits(2) & 1
        if name == "misa":
            return self._value() | 0x1105
        if name in ("mstatus", "sstatus"):
            return self._status()
        if name == "satp":
            return self._satp() if supervisor or self.r.random() < 0.7 else self._value()
        if name == "medeleg":
            return self._delegation()
        if name == "menvcfgh":
            return self._value() | _ADUE
        if name in ("menvcfg", "senvcfg"):
            return self._value() & ~1
        if name.startswith("pmpcfg"):
            return self._pmp_config(int(name[6:]))
        if name.startswith("pmpaddr"):
            return self._pmp_address(int(name[7:]))
        return None

    def _csr(self, mode: int) -> list[Cell]:
        """An access to a CSR, of the mode or of any other, or to none that exists."""
        choice = self.r.random()
        if choice < 0.05:
            number = self.r.randrange(4096)
            if number in _AVOIDED:
                return []
        elif choice < 0.15:
            number = self.r.choice(_ALL_CSRS)
        else:
            reachable = [n for n in self.csrs if n >> 8 & 3 <= mode]
            number = self.r.choice(reachable or self.csrs)
        name = self.r.choice(("csrrw", "csrrs", "csrrc", "csrrwi", "csrrsi", "csrrci"))
        rd = self._register()
        if number >> 10 == 3 and self.r.random() < 0.7:  # read-only
            return [op("csrrs", rd=rd, rs1=0, csr=number)]
        register = self.r.choice((0, 8, 20, 31))
        if number in _SAFE_CSRS:
            if name.endswith("i") or self.r.random() < 0.2:
                return [self._csr_op(name, rd, self._register(), number)]
            cells = load_constant(register, self._value())
            return [*cells, self._csr_op(name, rd, register, number)]
        value = self._csr_value(number, mode == 1)
        if value is None:
            return [op("csrrs", rd=rd, rs1=0, csr=number)]
        register = register or 8
        if name.endswith("i") or number not in (NUMBERS["mstatus"], NUMBERS["sstatus"]):
            name = "csrrw"
        return [*load_constant(register, value), self._csr_op(name, rd, register, number)]

    def _csr_op(self, name: str, rd: int, source: int, number: int) -> Cell:
        if name.endswith("i"):
            return op(name, rd=rd, uimm=source, csr=number)
        return op(name, rd=rd, rs1=source, csr=number)

    def _trap(self, mode: int) -> list[Cell]:
        """An instruction that traps, mostly, or is nearly one that is defined."""
        kind = self.r.randrange(6 if self.config.has_c else 5)
        if kind == 0:
            return [op("ecall")]
        if kind == 1:
            return [op(self.r.choice(("ebreak", "c.ebreak") if self.config.has_c else ("ebreak",)))]
        if kind == 2:
            return [Cell(self.r.choice((0xFFFF_FFFF, 0x0000_0000, 0x0000_007F, 0x0005_2007)))]
        if kind == 3:
            # In M- and S-mode, wfi could wait for ever.
            return [
                op(
                    self.r.choice(
                        ("mret", "sret", "wfi") if mode == 0 and self.has_s else ("mret", "sret")
                    )
                )
            ]
        if kind == 4:
            # A defined instruction with one bit wrong, of those that touch no storage.
            name = self.r.choice(self.words)
            word = encode(name, **self._operands(ROWS[name]))
            return [Cell(word ^ 1 << self.r.choice((25, 26, 27, 28, 29, 30, 31, 12, 13, 14)))]
        return [Cell(self.r.choice((0x0000, 0x8000, 0x6081, 0x8002, 0x4002, 0x9C41, 0x2000)), 2)]

    def _fence(self) -> list[Cell]:
        if self.r.random() < 0.5:
            return [op("sfence.vma", rs1=self._register(), rs2=self._register())]
        name = self.r.choice(("fence", "fence.i"))
        return [op(name, **self._operands(ROWS[name]))]

    def _garbage(self) -> list[Cell]:
        """Any word, as an instruction of U-mode."""
        if not self.config.has_c or self.r.getrandbits(1):
            return [Cell(self.r.getrandbits(32) | 3)]
        return [Cell(self.r.getrandbits(14) << 2 | self.r.randrange(3), 2)]

    # -- chunks ------------------------------------------------------------------------------

    def _body(self, mode: int, address: Callable[[], int], length: int) -> list[Cell]:
        """Random code for a mode."""
        cells: list[Cell] = []
        weights = {
            self._compute: 40,
            self._constant: 6,
            (lambda: self._access(address)): 14,
            (lambda: self._atomics(address)): 6,
            (lambda: self._branch(self._compute)): 8,
            (lambda: self._csr(mode)): 10,
            (lambda: self._trap(mode)): 2,
            self._fence: 2,
        }
        if mode == 0:
            weights[self._garbage] = 2
        for piece in self.r.choices(list(weights), list(weights.values()), k=length):
            cells += piece()
        return cells

    def _chunk(self, number: int, count: int) -> Chunk:
        kinds: dict[str, int] = {
            "machine": 12, "supervisor": 24, "user": 24, "bare": 12, "mprv": 7, "pmp": 7,
            "interrupt": 9, "tables": 5, "code": 4, "wait": 2, "csr": 6, "far": 5,
        }  # fmt: skip
        if number > count * 2 // 3:
            kinds["lock"] = 2
        for name in _NEEDS_PMP if not self.config.pmp else ():
            kinds.pop(name, None)
        for name in _NEEDS_S if not self.has_s else ():
            del kinds[name]
        for name in _NEEDS_U if not self.config.has_u else ():
            kinds.pop(name, None)
        kind = self.r.choices(list(kinds), list(kinds.values()))[0]
        cells: list[Cell] = getattr(self, f"_chunk_{kind}")()
        cells += [op("ecall"), self._exit()]
        return Chunk(kind, tuple(cells), keep=frozenset((len(cells) - 1, len(cells) - 2)))

    def _length(self) -> int:
        return self.r.choice((2, 5, 12, 20, 40))

    def _chunk_machine(self) -> list[Cell]:
        return self._body(3, self._physical, self._length())

    def _chunk_csr(self) -> list[Cell]:
        cells: list[Cell] = []
        for _ in range(self._length()):
            cells += self._csr(3)
        return cells

    def _leave(self, mode: int, user_code: bool = False, status: int | None = None) -> list[Cell]:
        """Instructions that go on in `mode` right behind them, in USER_CODE's window if wanted."""
        status = self._status() if status is None else status
        status = status & ~(3 << 11 | 1 << 17) | mode << 11
        cells = set_csr("mstatus", status, 8)
        distance = 4 * (6 if user_code else 4)
        cells.append(op("auipc", rd=8, imm=0))
        if user_code:
            cells.append(op("lui", rd=9, imm=USER_CODE - BASE))
            cells.append(op("add", rd=8, rs1=8, rs2=9))
        return [*cells, op("addi", rd=8, rs1=8, imm=distance), write_csr("mepc", 8), op("mret")]

    def _delegate(self) -> list[Cell]:
        """Sometimes: changes what is delegated, and which counters are open."""
        cells: list[Cell] = []
        if self.has_s and self.r.random() < 0.5:
            interrupts = self.r.choice((0, 0x222, 2, 0x20, self.r.getrandbits(12)))
            cells += set_csr("medeleg", self._delegation(), 8) + set_csr("mideleg", interrupts, 8)
        if self.r.random() < 0.2:
            cells += set_csr("mcounteren", self._value(), 8)
            if self.has_s:
                cells += set_csr("scounteren", self._value(), 8)
        return cells

    def _lower_mode(self) -> int:
        return self.r.choice((0, 1)) if self.has_s else 0

    def _leave_untranslated(self, mode: int, status: int | None = None) -> list[Cell]:
        cells = [write_csr("satp")] if self.has_s else []
        return [*cells, *self._leave(mode, status=status)]

    def _chunk_supervisor(self) -> list[Cell]:
        cells = [*self._delegate(), *set_csr("satp", self._satp(), 8), *self._leave(1)]
        return [*cells, *self._body(1, self._virtual, 2 * self._length())]

    def _chunk_user(self) -> list[Cell]:
        cells = [*self._delegate(), *set_csr("satp", self._satp(), 8)]
        cells += self._leave(0, user_code=True)
        return [*cells, *self._body(0, self._virtual, 2 * self._length())]

    def _chunk_bare(self) -> list[Cell]:
        mode = self._lower_mode()
        cells = [*self._delegate(), *self._leave_untranslated(mode)]
        return [*cells, *self._body(mode, self._physical, self._length())]

    def _chunk_mprv(self) -> list[Cell]:
        status = self._status() & ~(3 << 11 | 8) | 1 << 17 | self.r.choice((0, 1, 1, 3)) << 11
        cells = set_csr("mstatus", status, 8)
        if self.has_s:
            cells = [*set_csr("satp", self.r.choice((0, self._satp(), self._satp())), 8), *cells]
        address = self._virtual if self.has_s else self._physical
        for _ in range(self.r.randrange(1, 6)):
            piece = self._access if self.r.random() < 0.7 else self._atomics
            cells += piece(address)
        return cells

    def _chunk_pmp(self) -> list[Cell]:
        cells: list[Cell] = []
        for _ in range(self.r.randrange(1, 6)):
            if self.r.random() < 0.5:
                index = self.r.randrange(4)
                cells += set_csr(f"pmpcfg{index}", self._pmp_config(index), 8)
            else:
                entry = self.r.randrange(16)
                cells += set_csr(f"pmpaddr{entry}", self._pmp_address(entry), 8)
        cells += self._leave_untranslated(self._lower_mode())
        for _ in range(self.r.randrange(1, 6)):
            cells += self._access(self._physical)
        return cells

    def _chunk_lock(self) -> list[Cell]:
        """Locks PMP entries, also for M-mode, over data only."""
        entry = self.r.randrange(5, 15)
        first = DATA + self.r.randrange(0, 0x8000, 0x100)
        mode = self.r.choice((1, 2, 3))
        low, high = first >> 2, (first + self.r.choice((0, 4, 0x80, 0x1000))) >> 2
        config = 0x80 | mode << 3 | self.r.choice((0, 1, 3, 4, 5, 7))
        cells = set_csr(f"pmpaddr{entry - 1}", low, 8)
        cells += set_csr(f"pmpaddr{entry}", high if mode == 1 else low | 0x1F, 8)
        name, byte = f"pmpcfg{entry // 4}", 8 * (entry % 4)
        cells += load_constant(8, 0xFF << byte)
        cells.append(op("csrrc", rd=0, rs1=8, csr=NUMBERS[name]))
        cells += load_constant(8, config << byte)
        cells.append(op("csrrs", rd=0, rs1=8, csr=NUMBERS[name]))
        for _ in range(4):
            cells += self._access(lambda: first + self.r.randrange(0, 0x84, 4))
        cells += [read_csr(name, 8), read_csr(f"pmpaddr{entry}", 9)]
        return cells

    def _chunk_interrupt(self) -> list[Cell]:
        """Makes interrupts pending and goes where they may be taken."""
        # M-mode's own enable is off here: storage-mapped interrupts must not come before the end.
        cells = [op("csrrci", rd=0, uimm=8, csr=NUMBERS["mstatus"])]
        if self.has_s:
            cells += set_csr("mideleg", self.r.choice((0, 0x222, self.r.getrandbits(12))), 8)
        cells += set_csr("mie", self.r.choice((0xAAA, self.r.getrandbits(12))), 8)
        cells += set_csr("mip", self.r.getrandbits(12), 8)
        if self.r.random() < 0.4:
            cells += [*load_constant(8, CLINT), op("addi", rd=9, rs1=0, imm=1)]
            cells.append(op("sw", rs1=8, rs2=9, imm=0))
        if self.r.random() < 0.3:
            cells += [*load_constant(8, MTIMECMP), op("sw", rs1=8, rs2=0, imm=4)]
            cells.append(op("sw", rs1=8, rs2=0, imm=0))
        cells += [read_csr("mip", 10), read_csr("sip" if self.has_s else "mie", 11)]
        if self.r.random() < 0.3:
            cells.append(op("csrrsi", rd=0, uimm=self.r.choice((8, 10)), csr=NUMBERS["mstatus"]))
            return [*cells, *self._compute()]
        mode = self.r.choice((0, 1, 1)) if self.has_s else 0
        cells += self._leave_untranslated(mode)
        if mode == 1:
            for _ in range(self.r.randrange(4)):
                name = self.r.choice(("sip", "sie", "sstatus"))
                value = self.r.getrandbits(12)
                cells += [*load_constant(9, value), self._csr_op(
                    self.r.choice(("csrrw", "csrrs", "csrrc")), 12, 9, NUMBERS[name]
                )]  # fmt: skip
        return [*cells, *self._compute()]

    def _chunk_tables(self) -> list[Cell]:
        """Changes page tables, from M-mode, or looks what the hardware did to them."""
        cells: list[Cell] = []
        for _ in range(self.r.randrange(1, 6)):
            if self.r.random() < 0.8:
                index = self.r.choice((*range(2 * DATA_PAGES), 1023))
                place, entry = self.r.choice(LEAVES) + 4 * index, self._entry(index)
            else:
                place = self.r.choice(ROOTS) + (self.r.choice(SUPERPAGES) >> 22 << 2)
                entry = self._superpage()
            cells += [*load_constant(8, place), *load_constant(9, entry)]
            if self.r.random() < 0.6:
                cells.append(op("sw", rs1=8, rs2=9, imm=0))
            else:
                cells.append(op("lw", rd=9, rs1=8, imm=0))
        return [*cells, op("sfence.vma", rs1=0, rs2=0)]

    def _chunk_code(self) -> list[Cell]:
        """Writes an instruction into a data page and runs it, in M-mode."""
        name = self.r.choice([n for n in self.words if n != "auipc"])
        operands = self._operands(ROWS[name])
        if operands.get("rd") in (1, 8):
            operands["rd"] = 12
        place = FAR_DATA + 0x2000 + self.r.randrange(0, 0x100, 4)
        cells = [*load_constant(8, place), *load_constant(9, encode(name, **operands))]
        cells += [
            op("sw", rs1=8, rs2=9, imm=0),
            *load_constant(9, encode("jalr", rd=0, rs1=1, imm=0)),
        ]
        cells += [op("sw", rs1=8, rs2=9, imm=4), op("fence.i", imm=0, rs1=0, rd=0)]
        cells.append(op("jalr", rd=1, rs1=8, imm=0))
        return cells

    def _chunk_wait(self) -> list[Cell]:
        """Waits for an interrupt that is already pending, with interrupts off."""
        cells = [op("csrrci", rd=0, uimm=10, csr=NUMBERS["mstatus"])]
        cells += set_csr("mideleg", 2, 8)
        cells += [op("csrrwi", rd=0, uimm=2, csr=NUMBERS["mie"])]
        cells += [op("csrrwi", rd=0, uimm=2, csr=NUMBERS["mip"])]
        if self.r.random() < 0.5:
            cells += self._leave_untranslated(1, self._status() & ~0x22)
        return [*cells, op("wfi"), *self._compute()]

    def _chunk_far(self) -> list[Cell]:
        """Jumps to odd places: data, page ends, absent storage, from S- or U-mode."""
        mode = self.r.choice((0, 1))
        translated = self.r.random() < 0.8
        cells = [*self._delegate()]
        if translated:
            cells += [*set_csr("satp", self._satp(), 8), *self._leave(mode, user_code=mode == 0)]
            page = self.r.choice(WINDOWS) + 0x1000 * self.r.randrange(DATA_PAGES)
            target = page + self.r.choice((0xFFE, 0xFFE, 2, 0, 0xFFC))
            if self.r.random() < 0.15:
                target = self.r.choice(
                    (0, 0x7000_0000, USER_CODE + 0x400000, FAR_DATA, SUPERPAGES[0])
                )
        else:
            cells += self._leave_untranslated(mode)
            target = DATA + 0x1000 * self.r.randrange(DATA_PAGES) + self.r.choice((0xFFE, 2, 0))
            if self.r.random() < 0.15:
                target = self.r.choice((0, 0x4000_0000, BASE + MEMORY_SIZE, BASE + MEMORY_SIZE - 2))
        cells += load_constant(8, target | self.r.getrandbits(1))
        return [*cells, op("jalr", rd=self.r.choice((0, 1)), rs1=8, imm=0)]
