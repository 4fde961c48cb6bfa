"""The control and status registers of a virtual CPU, as the kernel keeps them.

`STORED` says which bits a guest can change in the registers that are just words; the functions
below treat the others.
"""

from __future__ import annotations

from kit.bits import Bits, concat, select
from kit.isa.config import Config
from kit.isa.cpu import Cpu, M, opaque

__all__ = ["guest_csr", "guest_csr_open", "set_guest_csr", "virtual_csrs"]

ALL = 0xFFFF_FFFF

STORED: dict[int, tuple[str, int]] = {
    0x300: ("mstatus", 0x0000_0088),
    0x304: ("mie", 0x0000_0888),
    0x305: ("mtvec", ALL & ~2),
    0x306: ("mcounteren", 7),
    0x320: ("mcountinhibit", 5),
    0x340: ("mscratch", ALL),
    0x341: ("mepc", ALL & ~1),
    0x342: ("mcause", ALL),
    0x343: ("mtval", ALL),
}
USER_STATUS = 1 << 17 | 1 << 21
"""Bits of mstatus that exist only where there is a U-mode: MPRV and TW."""

MISA, MIP = 0x301, 0x344
ZERO = {0x310, 0xF11, 0xF12, 0xF13, 0xF14, 0xF15}
ZERO |= {base + n for base in (0x320, 0xB00, 0xB80) for n in range(3, 32)}
ONLY_WITH_USER = {0x306, 0x30A, 0x31A}
CLOCKS = {0xB00: "mcycle", 0xB02: "minstret", 0xC00: "mcycle", 0xC01: "mtime", 0xC02: "minstret"}
UPPER = 0x80
PMPCFG, PMPADDR = range(0x3A0, 0x3A4), range(0x3B0, 0x3C0)


def virtual_csrs(config: Config) -> list[int]:
    """The numbers of the registers that a virtual CPU of this configuration has."""
    numbers = {*STORED, MISA, MIP, *ZERO, 0x30A, 0x31A, *CLOCKS, *(n + UPPER for n in CLOCKS)}
    if not config.has_u:
        numbers -= ONLY_WITH_USER
    if config.pmp:
        numbers |= {*PMPCFG, *PMPADDR}
    return sorted(numbers)


def _clock(number: int) -> tuple[str, int]:
    """Which clock a counter register shows, and the highest bit of the half it shows."""
    if number in CLOCKS:
        return CLOCKS[number], 31
    return CLOCKS.get(number - UPPER, ""), 63


@opaque(1, dispatch=virtual_csrs)
def guest_csr_open(v: Cpu, csr: int | Bits) -> Bits:
    """May the guest's mode touch this register, apart from what its number says?

    Only the unprivileged counters have such a condition: mcounteren.
    """
    number = int(csr)
    if number >> 8 != 0xC:
        return Bits(1, 1)
    return (v.mode == M) | v.mcounteren[number & 3]


@opaque("xlen", dispatch=virtual_csrs)
def guest_csr(v: Cpu, csr: int | Bits) -> Bits:
    """The value of a virtual register."""
    number = int(csr)
    clock, high = _clock(number)
    if number in STORED:
        return v.state.get(STORED[number][0]).zext(v.xlen)
    if clock:
        return v.state.get(clock)[high : high - 31]
    if number == MISA:
        letters = "I" + v.config.extensions.replace("I", "") + v.config.modes[1:]
        return v.word(1 << 30 | sum(1 << (ord(letter) - 65) for letter in letters))
    if number == MIP:
        return v.wires | v.mip
    if number in PMPCFG:
        return v.pmpcfg[number - PMPCFG.start]
    if number in PMPADDR:
        return v.pmpaddr[number - PMPADDR.start]
    return v.word(0)


@opaque(None, dispatch=virtual_csrs)
def set_guest_csr(v: Cpu, csr: int | Bits, value: Bits) -> None:
    """Writes a virtual register; what it cannot hold is dropped."""
    number = int(csr)
    clock, high = _clock(number)
    if number == 0x300:
        _set_status(v, value)
    elif number in STORED:
        word, mask = STORED[number]
        if number == 0x341 and not v.config.has_c:
            mask &= ~2
        kept = v.state.get(word)
        v.state.set(word, value[kept.width - 1 : 0] & mask)
    elif clock:
        _set_clock(v, clock, high, value)
    elif number in PMPCFG:
        _set_pmpcfg(v, number - PMPCFG.start, value)
    elif number in PMPADDR:
        _set_pmpaddr(v, number - PMPADDR.start, value)


def _set_status(v: Cpu, value: Bits) -> None:
    mask = STORED[0x300][1] | (USER_STATUS if v.config.has_u else 0)
    mode = value[12:11]
    # The only modes are M and perhaps U; whatever is no mode becomes the least one.
    is_machine = (mode == M) if v.config.has_u else Bits(1, 1)
    v.mstatus = (value & mask) | select(is_machine, v.word(3 << 11), v.word(0))


def _set_clock(v: Cpu, clock: str, high: int, value: Bits) -> None:
    """The step that writes a clock still advances it when it ends, unless it stands still."""
    old = v.state.get(clock)
    new = concat(value, old[31:0]) if high == 63 else concat(old[63:32], value)
    stands = v.mcountinhibit[0 if clock == "mcycle" else 2]
    v.state.set(clock, new - select(stands, Bits(64, 0), Bits(64, 1)))


def _set_pmpcfg(v: Cpu, index: int, value: Bits) -> None:
    """Four entries at once; a locked one stays, and W without R is not stored."""
    old = v.pmpcfg[index]
    entries = []
    for low in (24, 16, 8, 0):
        new = value[low + 7 : low] & 0x9F
        new = select(new[0], new, new & 0x9D)
        entries.append(select(old[low + 7], old[low + 7 : low], new))
    v.pmpcfg[index] = concat(*entries)


def _set_pmpaddr(v: Cpu, index: int, value: Bits) -> None:
    """An address stays if its entry is locked, or is the lower bound of a locked range above."""
    own = v.pmpcfg[index // 4][8 * (index % 4) + 7]
    above = Bits(1, 0)
    if index < 15:
        config = v.pmpcfg[(index + 1) // 4].shr(8 * ((index + 1) % 4))
        above = (config & 0x98) == 0x88
    v.pmpaddr[index] = select(own | above, v.pmpaddr[index], value)
