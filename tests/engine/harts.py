"""Random harts, and small memories, for comparing one way of executing with another."""

from __future__ import annotations

import random
from functools import cache

from kit.isa.config import Config
from kit.isa.cpu import ARRAYS, WORDS, width_of
from kit.isa.encoding import Decoder, Instruction
from kit.isa.hart import Hart

BASE, SIZE = 0x8000_0000, 0x4000
INTERESTING = (0, 1, 3, 4, 0x1F, 0x1800, 0x8000_0001, 0x8008_0001, 0xFFFF_FFFF, 0x2000_0001)


class SmallBus:
    """A few kilobytes of RAM, and nothing else."""

    attention = False

    def __init__(self, seed: int) -> None:
        self.octets = bytearray(random.Random(seed).randbytes(SIZE))

    def is_ram(self, address: int, size: int) -> bool:
        return BASE <= address <= BASE + SIZE - size

    reaches = is_ram

    def read(self, address: int, size: int) -> int:
        return int.from_bytes(self.octets[address - BASE : address - BASE + size], "little")

    def write(self, address: int, size: int, value: int) -> None:
        self.octets[address - BASE : address - BASE + size] = value.to_bytes(size, "little")


def random_hart(seed: int, config: Config | None = None) -> Hart:
    """A hart in any state that the fields of its registers allow, tables and PMP included."""
    config = config or Config()
    source = random.Random(seed)
    hart = Hart(config, SmallBus(seed))

    def word(name: str) -> int:
        width = width_of(name, config)
        if source.random() < 0.4:
            return source.choice(INTERESTING) & ((1 << width) - 1)
        return source.getrandbits(width)

    for name in WORDS:
        setattr(hart, name, word(name))
    for name, (count, _) in ARRAYS.items():
        setattr(hart, name, [word(name) for _ in range(count)])
    hart.x[0] = 0
    modes = ["USM".index(mode) if mode != "M" else 3 for mode in config.modes]
    hart.mode = source.choice(modes)
    hart.mstatus = hart.mstatus & ~0x1800 | source.choice(modes) << 11
    hart.satp = source.choice((0, 1 << 31)) | BASE >> 12
    hart.pc = BASE + source.randrange(SIZE) & (~1 if config.has_c else ~3)
    hart.pmpcfg = [entry & source.choice((0, 0x1F1F1F1F, 0xFFFFFFFF)) for entry in hart.pmpcfg]
    if source.random() < 0.4:
        hart.mode, hart.pmpcfg, hart.mie = 3, [0] * 4, 0
        hart.x = [0, *(BASE + source.randrange(SIZE) & ~3 for _ in range(31))]
    _plausible_code(hart, source)
    _plausible_tables(hart, source)
    return hart


def _plausible_code(hart: Hart, source: random.Random) -> None:
    """Puts valid instructions into most words, so that not every step is a trap."""
    rows = _rows(hart.config)
    for _ in range(SIZE // 8):
        row = source.choice(rows)
        word = row.match | source.getrandbits(32) & ~row.mask
        hart.bus.write(BASE + source.randrange(0, SIZE, 4), 4, word)


@cache
def _rows(config: Config) -> list[Instruction]:
    table = Decoder(config.extensions, 32).by_name.values()
    return [row for row in table if row.length == 4 and row.mask != 0xFFFFFFFF]


def _plausible_tables(hart: Hart, source: random.Random) -> None:
    """Makes most entries of the first pages point into RAM, with random rights."""
    for offset in range(0, 0x1000, 4):
        if source.random() < 0.7:
            page = (BASE >> 12) + source.randrange(SIZE >> 12)
            hart.bus.write(BASE + offset, 4, page << 10 | source.getrandbits(8) | 1)
