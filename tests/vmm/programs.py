"""Random programs for machines with modes M and U: privileged, protected, interrupted, and rude."""

from __future__ import annotations

import random
import struct

from kit.isa.encoding import Decoder

DECODER = Decoder("IMAC", 32)
CODE, DATA = 0x8000_0000, 0x8000_4000
CSRS = (
    *(0x300, 0x301, 0x304, 0x305, 0x306, 0x320, 0x340, 0x341, 0x342, 0x343, 0x344, 0x310),
    *(0xB00, 0xB02, 0xB80, 0xB82, 0xC00, 0xC01, 0xC02, 0xC80, 0xC81, 0xF11, 0xF14, 0x30A),
    *range(0x3A0, 0x3A4),
    *range(0x3B0, 0x3C0),
    *(0x180, 0x100, 0x302, 0x7C0, 0x000, 0xB03, 0x323),
)
PLACES = (DATA, DATA + 4, DATA + 0xFFC, DATA + 0x1000, CODE + 0x800, 0x1000_0000, 0x200_4000)
PLACES += (0x200_BFF8, 0x200_0000, 0x1001_1080, 0x1001_0000, 0xC00_0004, 0x7FFF_FFFC, 0x9000_0000)
VALUES = (0, 1, 3, 7, 0x1F, 0x88, 0x888, 0x1800, 0x21800, 0x20000, 0x9F, 0xFFFF_FFFF, 0x0F0F_0F0F)
VALUES += (0x1F1B_180F, 0x8000_0FFF >> 2, (DATA >> 2) | 0x1FF, (DATA + 0x800) >> 2, DATA >> 2)
ORDINARY = [
    row.name
    for row in DECODER.by_name.values()
    if row.name not in ("ecall", "ebreak", "mret", "sret", "wfi", "sfence.vma")
    and not row.name.startswith("csrr")
]
ACCESSES = ("lb", "lh", "lw", "lbu", "lhu", "sb", "sh", "sw", "lr.w", "sc.w", "amoadd.w")
ACCESSES += ("amoswap.w", "amomaxu.w", "amomin.w")


def encode(name: str, **operands: int) -> bytes:
    """The bytes of an instruction."""
    row = DECODER.by_name[name]
    word = row.encode(**{key: operands.get(key, 0) for key in row.widths})
    return word.to_bytes(row.length, "little")


def set_register(rd: int, value: int) -> bytes:
    """lui and addi that put a value into a register."""
    low = (value & 0xFFF ^ 0x800) - 0x800
    high = (value - low) & 0xFFFF_FFFF
    signed = high - (1 << 32) if high >> 31 else high
    return encode("lui", rd=rd, imm=signed) + encode("addi", rd=rd, rs1=rd, imm=low)


class Writer:
    """Writes one random program from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def program(self, chunks: int) -> bytes:
        """A program that sets up a trap handler, and `chunks` random pieces after it."""
        start = self._prologue()
        body = b"".join(self._chunk() for _ in range(chunks))
        return start + body + encode("jal", rd=0, imm=-min(len(body) & ~1, 0xFFFFE))

    def _prologue(self) -> bytes:
        """mtvec points to a handler that skips the instruction and stays within the first 8 KiB."""
        handler = b"".join(
            [
                encode("csrrw", rd=0, rs1=31, csr=0x340),
                encode("csrrs", rd=31, rs1=0, csr=0x341),
                encode("addi", rd=31, rs1=31, imm=4),
                encode("slli", rd=31, rs1=31, shamt=19),
                encode("srli", rd=31, rs1=31, shamt=19),
                encode("csrrw", rd=0, rs1=31, csr=0x341),
                encode("lui", rd=31, imm=-(1 << 31)),
                encode("csrrs", rd=0, rs1=31, csr=0x341),
                encode("csrrs", rd=31, rs1=0, csr=0x340),
                encode("mret"),
            ]
        )
        start = encode("jal", rd=0, imm=4 + len(handler))
        return start + handler + set_register(1, CODE + 4) + encode("csrrw", rd=0, rs1=1, csr=0x305)

    def _chunk(self) -> bytes:
        make = self.random.choice(
            (self._csr, self._csr, self._access, self._access, self._ordinary, self._ordinary,
             self._mode, self._mode, self._protect, self._wild)
        )  # fmt: skip
        return make()

    def _protect(self) -> bytes:
        """A PMP region over some of the storage, and rights for it; rarely locked."""
        entry = self.random.randrange(16)
        size = self.random.choice((0x1FFF, 0x7FF, 0x1FF, 0xF, 0x3))
        offset = self.random.choice((0, 0x400, 0x1000, 0x1200, 0x4000, 0x4800)) >> 2
        bound = (CODE >> 2) + offset | self.random.choice((size, 0))
        rights = self.random.choice((7, 7, 7, 1, 3, 5, 0)) | self.random.choice((0x18, 0x18, 8, 16))
        if self.random.random() < 0.03:
            rights |= 0x80
        return b"".join(
            [
                set_register(8, bound),
                encode("csrrw", rd=0, rs1=8, csr=0x3B0 + entry),
                set_register(8, rights << 8 * (entry % 4)),
                encode("csrrs", rd=0, rs1=8, csr=0x3A0 + entry // 4),
            ]
        )

    def _register(self) -> int:
        return self.random.randrange(32)

    def _value(self) -> int:
        if self.random.random() < 0.7:
            return self.random.choice(VALUES)
        return self.random.getrandbits(32)

    def _csr(self) -> bytes:
        csr, rd = self.random.choice(CSRS), self._register()
        if self.random.random() < 0.3:
            name = self.random.choice(("csrrwi", "csrrsi", "csrrci"))
            return encode(name, rd=rd, uimm=self._register(), csr=csr)
        name = self.random.choice(("csrrw", "csrrs", "csrrc"))
        # The handler's address stays; everything else may be spoilt.
        rs1 = 0 if csr == 0x305 else self.random.choice((0, 5))
        name = "csrrs" if csr == 0x305 else name
        return set_register(5, self._value() & ~1) + encode(name, rd=rd, rs1=rs1, csr=csr)

    def _access(self) -> bytes:
        name = self.random.choice(ACCESSES)
        place = self.random.choice(PLACES) + self.random.choice((0, 0, 0, 4, 8, 2, 1))
        operands = {"rd": self._register(), "rs1": 6, "rs2": self._register()}
        row = DECODER.by_name[name]
        return set_register(6, place) + encode(
            name, **{key: value for key, value in operands.items() if key in row.widths}
        )

    def _ordinary(self) -> bytes:
        row = DECODER.by_name[self.random.choice(ORDINARY)]
        while True:
            word = row.match | self.random.getrandbits(8 * row.length) & ~row.mask
            if row.accepts(word):
                return word.to_bytes(row.length, "little")

    def _mode(self) -> bytes:
        """Down to U or back to M by mret, a call, or a wait with the timer on."""
        kind = self.random.randrange(4)
        if kind == 0:
            return encode(self.random.choice(("ecall", "ebreak", "mret", "sret", "wfi")))
        if kind == 1:
            return set_register(7, 0x8000_0000 + self.random.randrange(0x1000)) + encode(
                "jalr", rd=self._register(), rs1=7, imm=0
            )
        return b"".join(
            [
                set_register(7, 0x1800 if self.random.random() < 0.2 else 0x80),
                encode("csrrw", rd=0, rs1=7, csr=0x300),
                encode("auipc", rd=7, imm=0),
                encode("addi", rd=7, rs1=7, imm=16),
                encode("csrrw", rd=0, rs1=7, csr=0x341),
                encode("mret"),
            ]
        )

    def _wild(self) -> bytes:
        return struct.pack("<I", self.random.getrandbits(32))
