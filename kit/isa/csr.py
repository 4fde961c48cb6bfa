"""The CSR table: every control and status register, its fields, and which values are legal.

A register is a word of the state, or a view of others. Each field has a rule that turns what a
program writes into what is stored (WARL); bits outside of all fields read as zero. Privileged
Architecture, chapters 2, 3 and 12. `docs/reference/profile.md` lists the choices made here where
the architecture leaves one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kit.bits import Bits, concat, select
from kit.isa.config import Config
from kit.isa.cpu import Cpu, M, S, opaque, width_of

__all__ = [
    "CSRS",
    "NUMBERS",
    "Csr",
    "Field",
    "csr_exists",
    "csr_read",
    "csr_update_base",
    "csr_write",
]

# -- rules for fields ------------------------------------------------------------------------

Rule = Callable[[Cpu, Bits, Bits], Bits]
"""From the processor, the field's old value and the written one, to the value to be stored."""


def _as_written(cpu: Cpu, old: Bits, new: Bits) -> Bits:
    """any value"""
    return new


def _mode(cpu: Cpu, old: Bits, new: Bits) -> Bits:
    """a mode that the processor has; anything else becomes the least privileged one"""
    if not cpu.config.has_u:
        return Bits(2, M)
    has = (new == M) | (new == 0)
    if cpu.config.has_s:
        has = has | (new == S)
    return select(has, new, Bits(2, 0))


def _vector_mode(cpu: Cpu, old: Bits, new: Bits) -> Bits:
    """0 direct, 1 vectored; the upper bit is always zero"""
    return new & 1


def _pmp_byte(cpu: Cpu, old: Bits, new: Bits) -> Bits:
    """L..AAXWR; a locked entry keeps its value; W without R, which is reserved, loses W"""
    clean = new & 0x9F
    clean = clean.replace(1, 1, clean[1] & clean[0])
    return select(old[7], old, clean)


# -- the table's rows ------------------------------------------------------------------------


def _always(config: Config) -> bool:
    return True


@dataclass(frozen=True)
class Field:
    """The bits ``[high:low]`` of a register, the rule for writes, and in which machines it exists.

    A field without a rule is read-only.
    """

    name: str
    high: int
    low: int
    rule: Rule | None = _as_written
    exists: Callable[[Config], bool] = _always


def _no_guard(cpu: Cpu) -> Bits:
    return Bits(1, 1)


@dataclass(frozen=True)
class Csr:
    """A control and status register.

    `number` holds the access rights as the architecture has them: bits 11:10 are 11 where it is
    read-only, bits 9:8 the least mode. `guard` must hold besides, for an access to be legal.
    `read` gives its value; `write` stores one, already known to be allowed.
    """

    name: str
    number: int
    description: str
    read: Callable[[Cpu], Bits]
    write: Callable[[Cpu, Bits], None]
    guard: Callable[[Cpu], Bits] = _no_guard
    fields: tuple[Field, ...] = ()
    exists: Callable[[Config], bool] = _always
    update_base: Callable[[Cpu], Bits] | None = None

    @property
    def read_only(self) -> bool:
        """Does every write to it trap?"""
        return self.number >> 10 == 3

    @property
    def privilege(self) -> int:
        """The least mode that may access it."""
        return self.number >> 8 & 3


CSRS: dict[int, Csr] = {}
"""The table, by number."""

NUMBERS: dict[str, int] = {}
"""The numbers of the registers, by name."""


def _enter(row: Csr) -> None:
    CSRS[row.number] = row
    NUMBERS[row.name] = row.number


def legal_value(cpu: Cpu, fields: tuple[Field, ...], old: Bits, new: Bits) -> Bits:
    """The value that a register takes when `new` is written over `old`."""
    plain = 0
    special: list[Field] = []
    for field in fields:
        if field.rule is None or not field.exists(cpu.config):
            continue
        if field.rule is _as_written:
            plain |= ((1 << (field.high + 1)) - 1) & ~((1 << field.low) - 1)
        else:
            special.append(field)
    result = (old & ~plain) | (new & plain)
    for field in special:
        high, low = field.high, field.low
        assert field.rule is not None
        result = result.replace(high, low, field.rule(cpu, old[high:low], new[high:low]))
    return result


def _has_s(config: Config) -> bool:
    return config.has_s


def _has_u(config: Config) -> bool:
    return config.has_u


def _plain(
    name: str,
    number: int,
    description: str,
    *fields: Field,
    exists: Callable[[Config], bool] = _always,
    guard: Callable[[Cpu], Bits] = _no_guard,
    word: str = "",
) -> None:
    """Enters a register that is a word of the state."""
    word = word or name

    def read(cpu: Cpu) -> Bits:
        return cpu.state.get(word).zext(cpu.xlen)

    def write(cpu: Cpu, value: Bits) -> None:
        width = width_of(word, cpu.config)
        cpu.state.set(word, legal_value(cpu, fields, cpu.state.get(word), value[width - 1 : 0]))

    _enter(Csr(name, number, description, read, write, guard, fields, exists))


def _zero(
    name: str, number: int, description: str, exists: Callable[[Config], bool] = _always
) -> None:
    """Enters a register that reads as zero and ignores writes."""
    _enter(
        Csr(
            name,
            number,
            description,
            lambda cpu: cpu.word(0),
            lambda cpu, value: None,
            exists=exists,
        )
    )


def _whole(high: int) -> Field:
    return Field("value", high, 0)


# -- mstatus and its view --------------------------------------------------------------------

MSTATUS_FIELDS = (
    Field("SIE", 1, 1, exists=_has_s),
    Field("MIE", 3, 3),
    Field("SPIE", 5, 5, exists=_has_s),
    Field("MPIE", 7, 7),
    Field("SPP", 8, 8, exists=_has_s),
    Field("MPP", 12, 11, _mode),
    Field("MPRV", 17, 17, exists=_has_u),
    Field("SUM", 18, 18, exists=_has_s),
    Field("MXR", 19, 19, exists=_has_s),
    Field("TVM", 20, 20, exists=_has_s),
    Field("TW", 21, 21, exists=_has_u),
    Field("TSR", 22, 22, exists=_has_s),
)
_plain("mstatus", 0x300, "Machine status", *MSTATUS_FIELDS)
_zero("mstatush", 0x310, "Machine status, upper half: little-endian only")

SSTATUS_MASK = 1 << 1 | 1 << 5 | 1 << 8 | 1 << 18 | 1 << 19


def _view(
    name: str,
    number: int,
    description: str,
    word: str,
    readable: Callable[[Cpu], Bits],
    writable: Callable[[Cpu], Bits],
) -> None:
    """Enters a register that shows some bits of another word."""

    def write(cpu: Cpu, value: Bits) -> None:
        mask = writable(cpu)
        cpu.state.set(word, (cpu.state.get(word) & ~mask) | (value & mask))

    def read(cpu: Cpu) -> Bits:
        whole = _pending(cpu) if word == "mip" else cpu.state.get(word)
        return whole & readable(cpu)

    def base(cpu: Cpu) -> Bits:
        return cpu.state.get(word) & readable(cpu)

    _enter(Csr(name, number, description, read, write, exists=_has_s, update_base=base))


def _pending(cpu: Cpu) -> Bits:
    """The interrupts that are pending: those that software has set, and those of devices."""
    return cpu.mip | cpu.wires


def _sstatus_mask(cpu: Cpu) -> Bits:
    return cpu.word(SSTATUS_MASK)


_view("sstatus", 0x100, "Supervisor status", "mstatus", _sstatus_mask, _sstatus_mask)

# -- identity --------------------------------------------------------------------------------


def _misa(cpu: Cpu) -> Bits:
    letters = cpu.config.extensions + cpu.config.modes.replace("M", "", 1)
    bits = sum(1 << (ord(letter) - ord("A")) for letter in set(letters))
    return cpu.word((1 if cpu.xlen == 32 else 2) << (cpu.xlen - 2) | bits)


_enter(Csr("misa", 0x301, "Instruction sets; read-only", _misa, lambda cpu, value: None))
_zero("mvendorid", 0xF11, "Vendor: none")
_zero("marchid", 0xF12, "Architecture: none")
_zero("mimpid", 0xF13, "Implementation: none")
_zero("mhartid", 0xF14, "Hart number: the only hart is 0")
_zero("mconfigptr", 0xF15, "Configuration data: none")

# -- traps -----------------------------------------------------------------------------------

_S_INTERRUPTS = tuple(
    Field(name, bit, bit, exists=_has_s) for name, bit in (("SSI", 1), ("STI", 5), ("SEI", 9))
)
_M_INTERRUPTS = tuple(Field(name, bit, bit) for name, bit in (("MSI", 3), ("MTI", 7), ("MEI", 11)))

# Which exceptions may be delegated: not those of M-mode (11), none that cannot happen.
_DELEGABLE = (
    Field("cause 0", 0, 0, exists=lambda config: not config.has_c),
    *(Field(f"cause {n}", n, n) for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 15)),
)

_plain("medeleg", 0x302, "Exceptions delegated to S-mode", *_DELEGABLE, exists=_has_s)
_plain("mideleg", 0x303, "Interrupts delegated to S-mode", *_S_INTERRUPTS, exists=_has_s)
_plain("mie", 0x304, "Interrupts enabled", *_S_INTERRUPTS, *_M_INTERRUPTS)


def _write_mip(cpu: Cpu, value: Bits) -> None:
    cpu.mip = legal_value(cpu, _S_INTERRUPTS, cpu.mip, value)


def _software_pending(cpu: Cpu) -> Bits:
    """What csrrs and csrrc change: the bits of software, without the wires of devices."""
    return cpu.mip


_enter(
    Csr(
        "mip", 0x344, "Interrupts pending", _pending, _write_mip,
        fields=(*_S_INTERRUPTS, *(Field(f.name, f.high, f.low, None) for f in _M_INTERRUPTS)),
        update_base=_software_pending,
    )
)  # fmt: skip


def _delegated(cpu: Cpu) -> Bits:
    return cpu.mideleg


_view("sie", 0x104, "Interrupts enabled, those delegated", "mie", _delegated, _delegated)
_view(
    "sip", 0x144, "Interrupts pending, those delegated; software writes SSI only", "mip",
    _delegated, lambda cpu: cpu.mideleg & 2,
)  # fmt: skip


def _address(name: str, number: int, description: str, word: str) -> None:
    """Enters mepc or sepc: an instruction address, which is even (or a multiple of four)."""

    def read(cpu: Cpu) -> Bits:
        return cpu.state.get(word)

    def write(cpu: Cpu, value: Bits) -> None:
        cpu.state.set(word, value & (~1 if cpu.config.has_c else ~3))

    exists = _has_s if name[0] == "s" else _always
    _enter(Csr(name, number, description, read, write, exists=exists))


for _letter, _base, _who in (("m", 0x300, "Machine"), ("s", 0x100, "Supervisor")):
    _exists = _has_s if _letter == "s" else _always
    _plain(
        f"{_letter}tvec", _base + 0x05, f"{_who} trap vector",
        Field("BASE", 31, 2), Field("MODE", 1, 0, _vector_mode), exists=_exists,
    )  # fmt: skip
    _plain(f"{_letter}scratch", _base + 0x40, f"{_who} scratch", _whole(31), exists=_exists)
    _address(f"{_letter}epc", _base + 0x41, f"{_who} exception pc", f"{_letter}epc")
    _plain(
        f"{_letter}cause", _base + 0x42, f"{_who} trap cause",
        Field("code", 30, 0), Field("interrupt", 31, 31), exists=_exists,
    )  # fmt: skip
    _plain(f"{_letter}tval", _base + 0x43, f"{_who} trap value", _whole(31), exists=_exists)

# -- configuration of the environment --------------------------------------------------------

_zero("menvcfg", 0x30A, "Environment of less privileged modes: nothing to configure", _has_u)
_zero("menvcfgh", 0x31A, "Environment of less privileged modes, upper half", _has_u)
_zero("senvcfg", 0x10A, "Environment of U-mode: nothing to configure", _has_s)

# -- translation -----------------------------------------------------------------------------


def _not_trapped_by_tvm(cpu: Cpu) -> Bits:
    """S-mode may not touch satp while mstatus.TVM is set."""
    return ~((cpu.mode == S) & cpu.mstatus[20])


_plain(
    "satp", 0x180, "Address translation: MODE, ASID and the root table's page number",
    Field("MODE", 31, 31), Field("ASID", 30, 22), Field("PPN", 21, 0),
    exists=_has_s, guard=_not_trapped_by_tvm,
)  # fmt: skip

# -- counters --------------------------------------------------------------------------------


def _may_count(number: int) -> Callable[[Cpu], Bits]:
    """Is counter `number` readable in the present mode? mcounteren and scounteren decide."""

    def guard(cpu: Cpu) -> Bits:
        if not cpu.config.has_u:
            return Bits(1, 1)
        supervisor = cpu.mcounteren[number]
        user = supervisor & cpu.scounteren[number] if cpu.config.has_s else supervisor
        return select(cpu.mode == M, Bits(1, 1), select(cpu.mode == S, supervisor, user))

    return guard


def _counter(name: str, number: int, word: str, inhibit: int) -> None:
    """Enters a counter of M-mode, both halves.

    A step adds one when it ends; a write must be what the next instruction reads.
    """

    def store(cpu: Cpu, value: Bits) -> None:
        cpu.state.set(word, select(cpu.mcountinhibit[inhibit], value, value - 1))

    def write_low(cpu: Cpu, value: Bits) -> None:
        store(cpu, concat(cpu.state.get(word)[63:32], value))

    def write_high(cpu: Cpu, value: Bits) -> None:
        store(cpu, concat(value, cpu.state.get(word)[31:0]))

    _enter(Csr(name, number, f"Counter {word}", lambda cpu: cpu.state.get(word)[31:0], write_low))
    _enter(
        Csr(
            f"{name}h", number + 0x80, f"Counter {word}, upper half",
            lambda cpu: cpu.state.get(word)[63:32], write_high,
        )
    )  # fmt: skip


def _user_counter(name: str, index: int, word: str) -> None:
    """Enters the unprivileged, read-only shadow of a counter, both halves."""
    for suffix, number, high in (("", 0xC00 + index, 31), ("h", 0xC80 + index, 63)):
        _enter(
            Csr(
                name + suffix, number, f"{name}, {'upper' if suffix else 'lower'} half",
                lambda cpu, high=high: cpu.state.get(word)[high : high - 31],  # type: ignore[misc]
                lambda cpu, value: None, _may_count(index),
            )
        )  # fmt: skip


_counter("mcycle", 0xB00, "mcycle", 0)
_counter("minstret", 0xB02, "minstret", 2)
_user_counter("cycle", 0, "mcycle")
_user_counter("time", 1, "mtime")
_user_counter("instret", 2, "minstret")

_OPEN = (Field("CY", 0, 0), Field("TM", 1, 1), Field("IR", 2, 2))
_plain("mcounteren", 0x306, "Counters open to less privileged modes", *_OPEN, exists=_has_u)
_plain("scounteren", 0x106, "Counters open to U-mode", *_OPEN, exists=_has_s)
_plain("mcountinhibit", 0x320, "Counters that stand still", Field("CY", 0, 0), Field("IR", 2, 2))

for _n in range(3, 32):
    _zero(f"mhpmevent{_n}", 0x320 + _n, "Event of a counter that is always zero")
    _zero(f"mhpmcounter{_n}", 0xB00 + _n, "Counter that is always zero")
    _zero(f"mhpmcounter{_n}h", 0xB80 + _n, "Counter that is always zero, upper half")

# -- debug triggers: there are none, which a debugger finds out by writing tselect ------------

for _n, _name in enumerate(("tselect", "tdata1", "tdata2", "tdata3")):
    _zero(_name, 0x7A0 + _n, "Debug trigger: none")

# -- physical memory protection --------------------------------------------------------------


def _has_pmp(config: Config) -> bool:
    return config.pmp > 0


def _pmpcfg(index: int) -> None:
    """Enters a register that holds the configuration of four PMP entries."""
    fields = tuple(Field(f"entry {4 * index + n}", 8 * n + 7, 8 * n, _pmp_byte) for n in range(4))

    def write(cpu: Cpu, value: Bits) -> None:
        cpu.pmpcfg[index] = legal_value(cpu, fields, cpu.pmpcfg[index], value)

    _enter(
        Csr(
            f"pmpcfg{index}", 0x3A0 + index, "PMP configuration of four entries",
            lambda cpu: cpu.pmpcfg[index], write, fields=fields, exists=_has_pmp,
        )
    )  # fmt: skip


def _pmpaddr(index: int) -> None:
    """Enters the address register of a PMP entry."""

    def entry(cpu: Cpu, number: int) -> Bits:
        low = 8 * (number % 4)
        return cpu.pmpcfg[number // 4][low + 7 : low]

    def write(cpu: Cpu, value: Bits) -> None:
        locked = entry(cpu, index)[7]
        if index + 1 < cpu.config.pmp:
            # The lower bound of a locked TOR region is locked too.
            following = entry(cpu, index + 1)
            locked = locked | (following[7] & (following[4:3] == 1))
        cpu.pmpaddr[index] = select(locked, cpu.pmpaddr[index], value)

    _enter(
        Csr(
            f"pmpaddr{index}", 0x3B0 + index, "PMP address, in units of four bytes",
            lambda cpu: cpu.pmpaddr[index], write, fields=(_whole(31),), exists=_has_pmp,
        )
    )  # fmt: skip


for _n in range(4):
    _pmpcfg(_n)
for _n in range(16):
    _pmpaddr(_n)

# -- access by number ------------------------------------------------------------------------


def csr_exists(config: Config, number: int) -> bool:
    """Does a processor of this configuration have the register?"""
    return number in CSRS and CSRS[number].exists(config)


def existing_numbers(config: Config) -> list[int]:
    """The numbers of the registers that a configuration has."""
    return [number for number, row in CSRS.items() if row.exists(config)]


@opaque(1, dispatch=existing_numbers)
def csr_guard(cpu: Cpu, number: int | Bits) -> Bits:
    """Does the register exist, and is no condition of its own in the way?"""
    if not csr_exists(cpu.config, int(number)):
        return Bits(1, 0)
    return CSRS[int(number)].guard(cpu)


@opaque("xlen", dispatch=existing_numbers)
def csr_read(cpu: Cpu, number: int | Bits) -> Bits:
    """The value of a register that exists."""
    return CSRS[int(number)].read(cpu)


@opaque("xlen", dispatch=existing_numbers)
def csr_update_base(cpu: Cpu, number: int | Bits) -> Bits:
    """The value in which csrrs and csrrc set and clear bits.

    It is the register's value, but for mip and sip, where interrupts that devices signal do not
    leak into the bits that software holds.
    """
    row = CSRS[int(number)]
    return (row.update_base or row.read)(cpu)


@opaque(None, dispatch=existing_numbers)
def csr_write(cpu: Cpu, number: int | Bits, value: Bits) -> None:
    """Writes a register that exists and is not read-only."""
    CSRS[int(number)].write(cpu, value)
