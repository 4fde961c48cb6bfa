"""The control and status registers of a virtual CPU, as the kernel keeps them.

`STORED` says which bits a guest can change in the registers that are just words; the functions
below treat the others.
"""

from __future__ import annotations

from kit.bits import Bits, concat, select
from kit.isa.config import Config
from kit.isa.cpu import Cpu, M, S, U, opaque

__all__ = ["guest_csr", "guest_csr_held", "guest_csr_open", "set_guest_csr", "virtual_csrs"]

ALL = 0xFFFF_FFFF
S_INTERRUPTS, M_INTERRUPTS = 0x222, 0x888

STORED: dict[int, tuple[str, int]] = {
    0x302: ("medeleg", 0xB3FE),
    0x303: ("mideleg", S_INTERRUPTS),
    0x304: ("mie", S_INTERRUPTS | M_INTERRUPTS),
    0x305: ("mtvec", ALL & ~2),
    0x306: ("mcounteren", 7),
    0x320: ("mcountinhibit", 5),
    0x340: ("mscratch", ALL),
    0x341: ("mepc", ALL & ~1),
    0x342: ("mcause", ALL),
    0x343: ("mtval", ALL),
    0x105: ("stvec", ALL & ~2),
    0x106: ("scounteren", 7),
    0x140: ("sscratch", ALL),
    0x141: ("sepc", ALL & ~1),
    0x142: ("scause", ALL),
    0x143: ("stval", ALL),
    0x180: ("satp", ALL),
}
MSTATUS, MISA, MIP, SSTATUS, SIE, SIP, SATP = 0x300, 0x301, 0x344, 0x100, 0x104, 0x144, 0x180
S_STATUS = 0x000C_0122  # SIE SPIE SPP SUM MXR
M_STATUS, USER_STATUS, SUPERVISOR_STATUS = 0x88, 1 << 17 | 1 << 21, S_STATUS | 1 << 20 | 1 << 22
TVM = 1 << 20

ZERO = {0x310, 0xF11, 0xF12, 0xF13, 0xF14, 0xF15, 0x30A, 0x31A, 0x10A}
ZERO |= {0x7A0, 0x7A1, 0x7A2, 0x7A3}
ZERO |= {base + n for base in (0x320, 0xB00, 0xB80) for n in range(3, 32)}
ONLY_WITH_USER = {0x306, 0x30A, 0x31A}
CLOCKS = {0xB00: "mcycle", 0xB02: "minstret", 0xC00: "mcycle", 0xC01: "mtime", 0xC02: "minstret"}
UPPER = 0x80
PMPCFG, PMPADDR = range(0x3A0, 0x3A4), range(0x3B0, 0x3C0)


def virtual_csrs(config: Config) -> list[int]:
    """The numbers of the registers that a virtual CPU of this configuration has."""
    numbers = {MSTATUS, MISA, MIP, SSTATUS, SIE, SIP, *STORED, *ZERO}
    numbers |= {*CLOCKS, *(number + UPPER for number in CLOCKS)}
    if not config.has_s:
        numbers -= {number for number in numbers if number >> 8 == 1} | {0x302, 0x303}
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

    The unprivileged counters have such a condition (mcounteren, scounteren), and satp (TVM).
    """
    number = int(csr)
    if number == SATP:
        return ~((v.mode == S) & ((v.mstatus & TVM) != 0))
    if number >> 8 != 0xC:
        return Bits(1, 1)
    machine, supervisor = v.mcounteren[number & 3], v.scounteren[number & 3]
    below = select(v.mode == U, machine & supervisor, machine) if v.config.has_s else machine
    return (v.mode == M) | below


@opaque("xlen", dispatch=virtual_csrs)
def guest_csr(v: Cpu, csr: int | Bits) -> Bits:
    """The value of a virtual register."""
    number = int(csr)
    clock, high = _clock(number)
    if number in STORED:
        return v.state.get(STORED[number][0]).zext(v.xlen)
    if clock:
        return v.state.get(clock)[high : high - 31]
    if number in PMPCFG:
        return v.pmpcfg[number - PMPCFG.start]
    if number in PMPADDR:
        return v.pmpaddr[number - PMPADDR.start]
    views = {
        MSTATUS: lambda: v.mstatus,
        SSTATUS: lambda: v.mstatus & S_STATUS,
        MIP: lambda: v.wires | v.mip,
        SIP: lambda: (v.wires | v.mip) & v.mideleg,
        SIE: lambda: v.mie & v.mideleg,
        MISA: lambda: _misa(v),
    }
    return views[number]() if number in views else v.word(0)


def _misa(v: Cpu) -> Bits:
    letters = "I" + v.config.extensions.replace("I", "") + v.config.modes[1:]
    return v.word(1 << 30 | sum(1 << (ord(letter) - 65) for letter in letters))


@opaque("xlen", dispatch=virtual_csrs)
def guest_csr_held(v: Cpu, csr: int | Bits) -> Bits:
    """What set and clear instructions start from: in mip and sip without the devices' signals."""
    if int(csr) == MIP:
        return v.mip
    if int(csr) == SIP:
        return v.mip & v.mideleg
    return guest_csr(v, csr)


@opaque(None, dispatch=virtual_csrs)
def set_guest_csr(v: Cpu, csr: int | Bits, value: Bits) -> None:
    """Writes a virtual register; what it cannot hold is dropped."""
    number = int(csr)
    clock, high = _clock(number)
    if number in (MSTATUS, SSTATUS):
        _set_status(v, value, number == MSTATUS)
    elif number in (MIP, SIP):
        mask = v.word(S_INTERRUPTS if v.config.has_s else 0) if number == MIP else v.mideleg & 2
        v.mip = (v.mip & ~mask) | (value & mask)
    elif number == SIE:
        v.mie = (v.mie & ~v.mideleg) | (value & v.mideleg)
    elif number in STORED:
        _set_stored(v, number, value)
    elif clock:
        _set_clock(v, clock, high, value)
    elif number in PMPCFG:
        _set_pmpcfg(v, number - PMPCFG.start, value)
    elif number in PMPADDR:
        _set_pmpaddr(v, number - PMPADDR.start, value)


def _set_stored(v: Cpu, number: int, value: Bits) -> None:
    word, mask = STORED[number]
    if number == 0x304 and not v.config.has_s:
        mask &= M_INTERRUPTS
    if not v.config.has_c:
        # Instructions are words: their addresses end in 00, and misaligned jumps exist.
        mask = mask & ~2 if number in (0x141, 0x341) else mask | (number == 0x302)
    kept = v.state.get(word)
    v.state.set(word, value[kept.width - 1 : 0] & mask)


def _set_status(v: Cpu, value: Bits, all_of_it: bool) -> None:
    mask = M_STATUS | (USER_STATUS if v.config.has_u else 0)
    mask |= SUPERVISOR_STATUS if v.config.has_s else 0
    if not all_of_it:
        v.mstatus = (v.mstatus & ~S_STATUS) | (value & S_STATUS)
        return
    mode, previous = value[12:11], v.word(0 if v.config.has_u else 3 << 11)
    # Whatever is no mode of this machine becomes the least privileged one.
    exists = (mode == M) | ((mode == S) if v.config.has_s else Bits(1, 0))
    v.mstatus = (value & mask) | select(exists, mode.zext(v.xlen).shl(11), previous)


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
