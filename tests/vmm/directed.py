"""Small programs for what random ones seldom meet: each for one rule.

Every state of the processor is compared after every step, so a program need not look at anything:
it has only to bring about what its name says. All programs share a trap handler, which goes on
behind the instruction (after a fetch fault: where ra points to), in M-mode after a call.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from kit.isa.config import Config


class Directed(NamedTuple):
    """A program in assembly language, and on what machine it runs; it ends at `over`."""

    source: str
    config: Config = Config()


START = """
        la ra, over
        la t0, handler
        csrw mtvec, t0
        la t0, delegated
        csrw stvec, t0
        li t0, -1
        csrw pmpaddr15, t0              # the last PMP entry opens everything
        li t0, 0x1F000000
        csrw pmpcfg3, t0
"""
NO_PMP = START.partition("        li t0, -1\n")[0]
NO_S = NO_PMP.replace("        la t0, delegated\n        csrw stvec, t0\n", "")

END = """
over:   j over
        .balign 64
handler:
        csrrw t6, mscratch, t6
        csrr t6, mcause
        bltz t6, 3f
        mv t5, t6
        csrr a6, mepc
        csrr a7, mtval
        addi a6, a6, 4
        li t6, 12
        beq t5, t6, 1f
        li t6, 1
        bne t5, t6, 2f
1:      mv a6, ra
        li t5, 8
2:      addi t5, t5, -8
        sltiu t5, t5, 4
        beqz t5, 5f
        li t5, 0x1800                   # a call, or a fetch fault: to M-mode
        csrs mstatus, t5
        li t5, 0xBFFFFFFF               # where U-mode finds the program, M-mode does not
        and a6, a6, t5
5:      csrw mepc, a6
        j 4f
3:      csrw mie, zero                  # an interrupt: silence all
4:      li t6, 0x20000
        csrc mstatus, t6
        csrrw t6, mscratch, t6
        mret
        .balign 64
delegated:
        csrr t5, scause
        bgez t5, 5f
        csrw sie, zero
        sret
5:      csrr t5, sepc
        addi t5, t5, 4
        csrw sepc, t5
        sret
"""
SILENT_TIMER = """
        li t0, 0x02004000
        li t1, -1
        sw t1, 0(t0)
        sw t1, 4(t0)
"""

ROOT, OTHER_ROOT, LEAF, PAGE = 0x8000_8000, 0x8000_B000, 0x8000_9000, 0x8000_A000
WINDOW = 0x40_0000
USER = 0xC000_0000 - 0x8000_0000
"""How far above the program U-mode finds it."""


def go(mode: int, more: int = 0) -> str:
    """To another mode, right behind; `more` is added to the address there."""
    return f"""
        li t0, 0x1800
        csrc mstatus, t0
        li t0, {mode << 11}
        csrs mstatus, t0
        la t0, 1f
        li t1, {more}
        add t0, t0, t1
        csrw mepc, t0
        mret
1:
"""


def put(address: int, value: int) -> str:
    """Stores a word."""
    return f"        li t0, {address}\n        li t1, {value}\n        sw t1, 0(t0)\n"


def tables(flags: int = 0xCF, root: int = ROOT) -> str:
    """S-mode finds the program at its place, U-mode at `USER`, and `PAGE` at `WINDOW`."""
    text = put(root + 4 * 0x200, 0x8000_0000 >> 2 | 0xCF)
    text += put(root + 4 * 0x300, 0x8000_0000 >> 2 | 0xDF)
    text += put(root + 4 * (WINDOW >> 22), LEAF >> 2 | 1)
    return text + put(LEAF, PAGE >> 2 | flags) + translate(root)


def translate(root: int = ROOT, space: int = 0) -> str:
    """Switches a root table on."""
    return f"        li t0, {1 << 31 | space << 22 | root >> 12:#x}\n        csrw satp, t0\n"


def csr(name: str | int, value: int) -> str:
    """Writes a register."""
    return f"        li t0, {value}\n        csrw {name}, t0\n"


# -- registers ---------------------------------------------------------------------------------

ORDINARY = "medeleg mideleg mie mcounteren mcountinhibit mscratch mepc mcause mtval mip mstatus"
ORDINARY += " stvec scounteren sscratch sepc scause stval satp sie sip sstatus misa mcycle mcycleh"
ORDINARY += " minstret minstreth mvendorid marchid mimpid mhartid mconfigptr menvcfg menvcfgh"
ORDINARY += " mstatush senvcfg mhpmcounter3 mhpmcounter31h mhpmevent3 cycle time instret cycleh"
ORDINARY += " timeh instreth"


def every_way(name: str | int) -> str:
    """All six instructions on a register, with operands that write and that do not."""
    return f"""
        li t0, -1
        csrrw a0, {name}, t0
        csrrs a1, {name}, zero
        csrrc a2, {name}, zero
        csrrsi a3, {name}, 0
        csrrci a4, {name}, 0
        csrrwi a5, {name}, 0
        csrrs a1, {name}, t0
        csrrc a2, {name}, t0
        csrrsi a3, {name}, 31
        csrrci a4, {name}, 21
        csrrwi zero, {name}, 0
"""


def all_registers(start: str, names: str) -> str:
    vector = """
        li t0, 3
        csrrs t1, mtvec, t0
        csrr a0, mtvec
        csrw mtvec, t1
"""
    return start + vector + "".join(map(every_way, names.split())) + END


PROTECTION = START + "".join(
    csr(f"pmpaddr{n}", 0x2000_4000 + 0x11 * n) + f"        csrr a0, pmpaddr{n}\n" for n in range(15)
)
PROTECTION += "".join(
    csr(f"pmpcfg{n}", value) + f"        csrr a0, pmpcfg{n}\n        csrr a1, pmpcfg{3 - n}\n"
    for value in (0x6A6B_7F62, 0x1203_0600)
    for n in range(3)
)
PROTECTION += csr("pmpcfg1", 0x8800_9F90) + csr("pmpcfg1", 0x0101_0101)
PROTECTION += "".join(csr(f"pmpaddr{n}", 0x7777_0000 + n) for n in range(1, 10)) + END


def modes_of_status() -> str:
    text = START
    for value in range(4):
        text += csr("mstatus", value << 11 | 0x80) + "        csrr a0, mstatus\n"
    return text + END


COUNTERS = START + "".join(
    f"""
        li t0, {inhibit}
        csrw mcountinhibit, t0
        nop
        nop
        csrr a0, mcycle
        csrr a1, minstret
        li t0, 0x12345678
        csrw mcycle, t0
        csrr a0, mcycle
        csrw minstret, t0
        csrr a0, minstret
        csrw mcycleh, t0
        csrw minstreth, t0
        csrr a0, mcycle
        csrr a1, minstreth
        ecall
        csrr a0, mcycle
"""
    for inhibit in (0, 1, 4, 5)
)
COUNTERS += END

OPEN_COUNTERS = START + "".join(
    csr("mcounteren", machine)
    + csr("scounteren", supervisor)
    + "".join(
        go(mode) + "csrr a0, cycle\ncsrr a1, time\ncsrr a2, instreth\necall\n" for mode in (0, 1, 3)
    )
    for machine, supervisor in ((7, 0), (0, 7), (5, 6), (2, 3))
)
OPEN_COUNTERS += END

# -- returns, calls, waits -----------------------------------------------------------------------


def returns(start: str, modes: tuple[int, ...], names: tuple[str, ...]) -> str:
    """xRET from M-mode with every earlier mode, and with and without MPRV."""
    text = start
    for name, mode, more in product(names, modes, (0x80, 0x20080, 0x200A0)):
        register = "mepc" if name == "mret" else "sepc"
        text += csr("mstatus", mode << 11 | (mode & 1) << 8 | more)
        text += f"        la t0, 1f\n        csrw {register}, t0\n        {name}\n1:      ecall\n"
    return text + END


GUARDED = START + csr("mideleg", 2) + csr("mie", 2)
for _bits in (0, 1 << 20, 1 << 21, 1 << 22):
    GUARDED += csr("mstatus", _bits)
    for _mode in (1, 0, 3):
        GUARDED += go(_mode) + "".join(
            f"        {text}\n"
            for text in (
                "sfence.vma",
                "csrr a0, satp",
                "csrw satp, zero",
                "mret" if _mode != 3 else "nop",
                "csrr a0, mstatus",
                "csrr a0, sstatus",
                "csrw mhartid, zero",
                "csrr a0, mhartid",
            )
        )
        # S-mode's software interrupt is pending and off, so a wait ends at once.
        GUARDED += (
            "        ecall\n"
            + csr("mip", 2 if _mode else 0)
            + go(_mode)
            + "        wfi\n        ecall\n"
        )
        GUARDED += csr("mip", 0) + csr("mie", 2)
        if _mode != 3:
            GUARDED += "        la t0, 1f\n        csrw sepc, t0\n" + go(_mode)
            GUARDED += "        sret\n1:      ecall\n"
GUARDED += END

WAIT = START + csr("mie", 0x80) + put(0x200_4000, 600) + put(0x200_4004, 0) + "        wfi\n"
WAIT += "        csrr a0, mip\n        csrr a1, time\n" + END

# The timer's interrupt comes before, after and between traps that S-mode handles itself.
MOMENTS = START + SILENT_TIMER + csr("medeleg", 0xC) + "        li s0, 0\n6:"
MOMENTS += """
        csrr t0, time
        add t0, t0, s0
        li t1, 0x02004000
        sw zero, 4(t1)
        sw t0, 0(t1)
        li t0, 0x80
        csrw mie, t0
"""
MOMENTS += go(1) + "        ebreak\n        nop\n        csrw sscratch, s0\n        .word 0\n"
MOMENTS += (
    "        ecall\n        addi s0, s0, 1\n        li t0, 45\n        blt s0, t0, 6b\n" + END
)

# Words with one bit wrong, or nearly instructions.
ALMOST = START + "".join(
    f"        .word {base | wrong:#x}\n"
    for base in (0x3020_0073, 0x1020_0073, 0x1050_0073, 0x1200_0073, 0x0000_0073, 0x0010_0073)
    for wrong in (1 << 7, 1 << 15, 1 << 25, 1 << 31, 1 << 12)
    if base != 0x1200_0073 or wrong not in (1 << 15,)
)
ALMOST += "        .word 0, 0xFFFFFFFF, 0x7C002573, 0x00004573, 0x0000700F\n" + END

CALLS = START + "".join(
    csr("medeleg", delegated)
    + "".join(
        go(mode)
        + csr("sscratch", 1)
        + "        ebreak\n        .word 0\n        lw a0, 1(zero)\n"
        + "        sh a0, 1(zero)\n        ecall\n"
        + "        csrr a0, mepc\n        ecall\n"
        for mode in (0, 1, 3)
    )
    for delegated in (0, 0xB0FF, 0xB05D)
)
CALLS += END

VECTORED = START.replace("csrw mtvec, t0", "addi t0, t0, 1\n csrw mtvec, t0")
VECTORED = VECTORED.replace("csrw stvec, t0", "addi t0, t0, 1\n csrw stvec, t0")
VECTORED += csr("medeleg", 4) + "".join(
    go(m) + "        .word 0\n        ecall\n" for m in (3, 1, 0)
)
VECTORED += END


def interrupts(vector: int) -> str:
    """Each set of pending interrupts in each mode, with various ones delegated."""
    text = START + SILENT_TIMER
    for register, table in (("mtvec", "vectors"), ("stvec", "supervisor_vectors")):
        text += (
            f"        la t0, {table}\n        addi t0, t0, {vector}\n        csrw {register}, t0\n"
        )
    cases = [(3, 0, 0xAAA, 0x222, 8), (3, 0x222, 0xAAA, 0x222, 8), (3, 0, 0xAAA, 0x222, 0)]
    for mode, delegated, status in product((1, 0), (0, 0x222, 0x20, 0x200), (0, 2)):
        cases.append((mode, delegated, 0xAAA, 0x222, status))
    cases += [(1, 0x222, 0xAAA, 0x22, 2), (0, 0x222, 0xAAA, 0x22, 0), (1, 0x20, 0x22, 0x22, 2)]
    cases += [(3, 0, 0xAAA, 0x22, 8), (3, 0, 0xAAA, 0x20, 8), (1, 0x222, 0x222, 0x220, 2)]
    for machine, (mode, delegated, enabled, pending, status) in product((0, 1, 2, 3), cases):
        if machine and (delegated, status) not in ((0, 8), (0x222, 2), (0x222, 0)):
            continue
        text += csr("mie", 0) + csr("mideleg", delegated) + csr("mip", pending)
        text += csr("mstatus", 0)
        text += put(0x200_0000, machine & 1) + put(0x200_4004, 0 if machine & 2 else -1)
        text += csr("mie", enabled) + f"        csrsi mstatus, {status}\n"
        text += go(mode) + "        nop\n        ecall\n"
    text += END
    entries = "        j {0}\n" * 12
    text += "        .balign 64\nvectors:\n" + entries.replace("{0}", "handler")
    return text + "        .balign 64\nsupervisor_vectors:\n" + entries.replace("{0}", "delegated")


SOFTWARE = START + SILENT_TIMER + csr("mideleg", 0x222) + csr("mip", 0x222)
SOFTWARE += put(0x200_0000, 1)
SOFTWARE += "".join(
    f"        {text}\n"
    for text in (
        *("csrr a0, mip", "csrr a1, sip", "csrrsi a2, mip, 0", "csrrci a3, mip, 2", "csrr a4, mip"),
        *("li t0, 0x222", "csrrs a0, sip, t0", "csrrc a1, sip, t0", "csrr a2, mip"),
        *("li t0, -1", "csrrw a0, sie, t0", "csrr a1, mie", "csrrc a0, sie, t0", "csrr a1, mie"),
    )
)
SOFTWARE += csr("mideleg", 0x20) + csr("mie", 0xAAA)
SOFTWARE += (
    "        csrr a0, sie\n        csrr a1, sip\n        csrw sie, zero\n        csrr a0, mie\n"
)
SOFTWARE += csr("sie", 0xFFF) + csr("sip", 0) + csr("sip", 0xFFF) + "        csrr a0, mip\n" + END

# The UART's interrupt, seen in mip while it is changed: what comes from devices is not kept.
EXTERNAL = START + put(0xC00_0028, 1) + put(0xC00_2080, 1 << 10) + put(0xC00_2000, 1 << 10)
EXTERNAL += """
        li t0, 0x10000000
        li t1, 2
        sb t1, 1(t0)                    # the transmitter is empty: an interrupt
        csrr a0, mip
        csrrsi a1, mip, 2
        li t2, 0x200
        csrrc a2, mip, t2
        csrr a3, mip
        csrrs a2, mip, t2
        sb zero, 1(t0)
        csrr a4, mip
"""
EXTERNAL += END

# -- translation ---------------------------------------------------------------------------------

FLAGS = (0xCF, 0xDF, 0xC9, 0xD9, 0xC3, 0xC5, 0xDD, 0xD5, 0xCE, 0x4F, 0x8F, 0x1F, 0x01, 0x57, 0x3CF)


def rights(flags: tuple[int, ...], status: tuple[int, ...]) -> str:
    """A leaf of every kind, read, written and executed from S- and U-mode."""
    text = START + put(PAGE, 0x0000_0073) + tables()
    for flag, bits, (mode, more) in product(flags, status, ((1, 0), (0, USER))):
        text += csr("mstatus", bits) + put(LEAF, PAGE >> 2 | flag)
        text += go(mode, more) + ATTEMPT
    return text + END


ATTEMPT = f"""
        li a0, {WINDOW}
        lw a1, 4(a0)
        sw a1, 8(a0)
        lw a1, 8(a0)
        amoadd.w a4, zero, (a0)
        la ra, 1f
        jr a0
1:      ecall
"""

REGIMES = START + put(PAGE, 0x73) + tables(0xDF)
# The same address in both roots, with the same and with other leaves, in turn.
REGIMES += put(OTHER_ROOT + 4 * 0x200, 0x8000_0000 >> 2 | 0xCF)
REGIMES += put(OTHER_ROOT + 4, 0x8000_C000 >> 2 | 1) + put(0x8000_C000, 0x8000_D000 >> 2 | 0xD3)
REGIMES += put(OTHER_ROOT + 4 * 0x300, 0x8000_0000 >> 2 | 0xDF)
REGIMES += "".join(
    csr("mstatus", status) + translate(root, space) + go(mode, more) + ATTEMPT
    for _ in range(2)
    for root, space in ((ROOT, 0), (OTHER_ROOT, 0), (ROOT, 3))
    for status in (0, 1 << 18, 1 << 19)
    for mode, more in ((1, 0), (0, USER))
)
REGIMES += END

EXECUTABLE_ONLY = START + put(PAGE, 0x73) + tables(0xC9)
EXECUTABLE_ONLY += "".join(
    csr("mstatus", status) + go(1) + ATTEMPT for status in (1 << 19, 0, 1 << 19, 0)
)
EXECUTABLE_ONLY += END

MPRV = START + tables(0xDF)
for _status in (0x20800, 0x60800, 0x20000, 0x21800, 0x800, 0x20800, 0x00000, 0x60800, 0x21800):
    MPRV += f"""
        li s0, {WINDOW}
        li s1, {PAGE}
        li t0, {_status}
        csrw mstatus, t0
        lw a0, 4(s0)
        sw s0, 8(s0)
        la s2, over                     # on a page that is mapped for fetches
        lw a5, 0(s2)
        sw a5, 0(s2)
        lw a1, 4(s1)
        sb s0, 5(s1)
        amoadd.w a3, s0, (s0)
        lr.w a2, (s0)
        sc.w a4, a2, (s0)
        lh a0, 1(s0)
        csrw mstatus, zero
        lw a0, 4(s1)
"""
MPRV += END

# A guest that writes its own tables: through one mapping, then another, then reads what it maps.
OWN_TABLES = START + tables() + put(LEAF + 4, LEAF >> 2 | 0xCF) + put(LEAF + 8, ROOT >> 2 | 0xCF)
OWN_TABLES += put(LEAF + 12, 0x8000_D000 >> 2 | 0xCF) + put(0x8000_D004, 77) + put(PAGE + 4, 55)
OWN_TABLES += go(1)
OWN_TABLES += f"""
        li s0, {WINDOW}
        li s1, {PAGE >> 2 | 0xCF:#x}
        li s2, {0x8000_D000 >> 2 | 0xCF:#x}
        li s4, {LEAF:#x}
        lw a0, 4(s0)
        sw s2, 0x408(s0)                # nothing yet
        li s3, 3
1:      lui t0, 1
        add t0, t0, s0                  # the leaf table, where it is mapped
        lw a3, 0(t0)
        sw s2, 0(t0)
        lw a0, 4(s0)                    # another page now
        lw a3, 0(s4)
        sw s1, 0(s4)                    # the same table at its own address
        lw a1, 4(s0)
        lui t0, 3
        add t0, t0, s0
        sw a1, 4(t0)
        amoadd.w a2, zero, (t0)
        sw zero, 0(s4)
        lw a0, 4(s0)
        sw s1, 0(s4)
        sb s0, 4(s0)
        addi s3, s3, -1
        bnez s3, 1b
        ecall
"""
OWN_TABLES += END

# An instruction that is the page-table entry of its own data: to execute it sets the A bit in it.
ITSELF = START + tables() + put(ROOT, LEAF >> 2 | 1) + put(LEAF, 0x0400_0003)  # lb x0, 64(x0)
ITSELF += put(LEAF + 4, LEAF >> 2 | 0xCF) + put(LEAF + 8, 0x8082) + go(1)  # ret
ITSELF += """
        li t0, 0x1000
        jr t0
"""
ITSELF += END

# A table page is written before it becomes one, so it is writable, and must not stay so.
LATE_TABLE = START + tables() + put(0x8000_C004, 3) + put(0x8000_C000, PAGE >> 2 | 0xCF)
LATE_TABLE += put(0x8000_D004, 9) + put(PAGE + 4, 8)
LATE_TABLE += put(ROOT + 8, 0x8000_C000 >> 2 | 1) + go(1)
LATE_TABLE += f"""
        li s0, 0x8000C000
        li s1, {0x80_0000}
        li s2, {0x8000_D000 >> 2 | 0xCF:#x}
        sw zero, 8(s0)                  # mapped for writing
        lw a0, 4(s1)                    # a walk through it
        sw s2, 0(s0)
        lw a1, 4(s1)
        lw a1, 4(s1)
        ecall
"""
LATE_TABLE += END

PLACES = START + put(PAGE, 0x73) + tables()
for _entry in (0x4000_0000, 0x2_8000_0000, 0x1000_0000, 0x100_0000, 0x8001_0000, 0x3_FFFF_F000):
    PLACES += put(LEAF, _entry >> 2 | 0xCF) + go(1) + ATTEMPT
for _pointer in (0x4000_0000, 0x1000_0000, 0x3_0000_0000, 0x8001_0000):
    PLACES += put(ROOT + 4, _pointer >> 2 | 1) + go(1) + ATTEMPT
for _bits in (0x10, 0x20, 0x40, 0x80, 0x300, 2, 4, 8, 0):
    PLACES += put(ROOT + 4, LEAF >> 2 | 1 | _bits) + put(LEAF, PAGE >> 2 | 0xCF) + go(1) + ATTEMPT
for _root in (0x4000_0000, 0x1000_0000, 0x8001_0000):
    PLACES += csr("medeleg", 0) + "        la ra, 2f\n" + translate(_root) + go(1) + "2:      nop\n"
PLACES += END

SUPERPAGES = START + tables() + put(0x8000_0404, 0x1234)
for _entry in (0x8000_0000, 0x8000_1000, 0x8040_0000, 0x2_8000_0000):
    SUPERPAGES += put(ROOT + 8, _entry >> 2 | 0xCF) + go(1)
    SUPERPAGES += "        li a0, 0x800000\n        lw a1, 0x404(a0)\n        li a0, 0x80A000\n"
    SUPERPAGES += "        lw a1, 4(a0)\n        sw a0, 4(a0)\n        ecall\n"
SUPERPAGES += END

# An instruction that goes to a device, half of it on one page and half on another elsewhere.
CROSSING = START + tables() + put(LEAF + 4, 0x8000_D000 >> 2 | 0xCF)
CROSSING += put(LEAF + 8, 0x1000_0000 >> 2 | 0xCF)
_lbu = 0x0075_4583  # lbu a1, 7(a0)
CROSSING += put(PAGE + 0xFFC, (_lbu & 0xFFFF) << 16 | 1) + put(0x8000_B000, 0x0015 << 16 | 0x1234)
CROSSING += put(0x8000_D000, 0x0001_0000 | _lbu >> 16) + put(0x8000_D004, 0x8082) + go(1)
CROSSING += f"""
        li a0, {WINDOW + 0x2000}
        li t0, {WINDOW + 0xFFE}
        jalr t0
        ecall
"""
CROSSING += END

# -- protection ----------------------------------------------------------------------------------

TOUCH = """
        lw a1, 0(a0)
        sw a1, 0(a0)
        lh a1, 2(a0)
        sb a1, 3(a0)
        lw a1, 4(a0)
        sw a1, 4(a0)
        lw a1, -4(a0)
        lb a2, 8(a0)
        lb a2, 16(a0)
        lw a2, 32(a0)
"""


def regions(cases: tuple[tuple[int, int], ...]) -> str:
    """Regions in entries 0 and 1 around some data, touched from M-, U- and S-mode."""
    text = START + csr("pmpaddr0", PAGE >> 2)
    for config, address in cases:
        text += csr("pmpaddr1", address) + csr("pmpcfg0", config << 8)
        for mode in (3, 0, 1):
            text += go(mode) + f"        li a0, {PAGE}\n" + TOUCH + "        ecall\n"
    return text + END


NAPOT = tuple((0x18 | bits, PAGE >> 2 | size) for bits in (0, 1, 3, 4) for size in (0, 3, 0x1FF))
RANGES = tuple((0x08 | bits, (PAGE >> 2) + size) for bits in (0, 3) for size in (0, 2, 0x400, -4))
FOURS = ((0x10, PAGE >> 2), (0x11, PAGE >> 2), (0x13, (PAGE >> 2) + 1), (0x02, PAGE >> 2))

ORDER = START + csr("pmpaddr2", PAGE >> 2 | 0x1FF) + csr("pmpaddr3", PAGE >> 2 | 0xFFF)
for _config in (0x1B19_0000, 0x191B_0000, 0x1B18_0000, 0x0019_0000, 0):
    ORDER += csr("pmpcfg0", _config)
    for _mode in (0, 1):
        ORDER += go(_mode) + f"        li a0, {PAGE}\n" + TOUCH + "        ecall\n"
ORDER += csr("pmpcfg3", 0) + go(0) + "        nop\n        ecall\n"
ORDER += END

# Each of the first entries alone, beside the next, and beside none of the last twelve.
FEW = START + "".join(csr(f"pmpaddr{n}", 0x3FFF_FFFF) for n in range(5)) + csr("pmpcfg3", 0)
for _config in (0x1F, 0x1F00, 0x1F_0000, 0x1F00_0000, 0x1800_1F00, 0x1F18, 0x1F_1900):
    FEW += csr("pmpcfg0", _config)
    FEW += go(0) + f"        li a0, {PAGE}\n" + TOUCH + "        ecall\n"
FEW += csr("pmpcfg0", 0) + csr("pmpcfg1", 0x1F)
FEW += go(0) + f"        li a0, {PAGE}\n" + TOUCH + "        ecall\n" + END

LOCKED = START + csr("pmpaddr1", PAGE >> 2 | 0x1FF) + csr("pmpaddr2", (PAGE + 0x2000 >> 2) | 1)
LOCKED += f"        li a0, {PAGE}\n" + TOUCH + csr("pmpcfg0", 0x9900) + TOUCH
LOCKED += csr("pmpcfg0", 0x0) + csr("pmpaddr1", 0) + csr("pmpaddr0", 5) + TOUCH
LOCKED += csr("pmpcfg0", 0x98_0000) + f"        li a0, {PAGE + 0x2000}\n" + TOUCH
LOCKED += csr("pmpaddr4", PAGE + 0x3000 >> 2) + csr("pmpaddr5", PAGE + 0x4000 >> 2)
LOCKED += csr("pmpcfg1", 0x8900) + csr("pmpaddr4", 1) + csr("pmpaddr5", 1)
LOCKED += f"        li a0, {PAGE + 0x3000}\n" + TOUCH + csr("pmpcfg1", 0xFF) + TOUCH + END

WALLED_TABLES = START + put(PAGE, 0x73) + tables(0x0F)
for _config, _address in ((0x18, ROOT), (0x19, ROOT), (0x18, LEAF), (0x19, LEAF), (0x1B, LEAF)):
    WALLED_TABLES += put(LEAF, PAGE >> 2 | 0x0F)
    WALLED_TABLES += csr("pmpaddr0", _address >> 2 | 0x1FF) + csr("pmpcfg0", _config)
    WALLED_TABLES += "        la ra, 3f\n" + go(1) + ATTEMPT + "3:      csrw pmpcfg0, zero\n"
for _address in (LEAF, LEAF + 8):  # a table page that a boundary cuts
    WALLED_TABLES += put(LEAF, PAGE >> 2 | 0x0F)
    WALLED_TABLES += csr("pmpaddr0", _address >> 2) + csr("pmpcfg0", 0x11)
    WALLED_TABLES += "        la ra, 3f\n" + go(1) + ATTEMPT + "3:      csrw pmpcfg0, zero\n"
WALLED_TABLES += END

CUT = START + csr("pmpaddr0", (PAGE + 0x20) >> 2 | 1) + csr("pmpcfg0", 0x18)
ATOMICS = """
        li s1, -5
        amoadd.w a1, s1, (a0)
        amomin.w a2, s1, (a0)
        amomax.w a3, s0, (a0)
        amominu.w a4, s1, (a0)
        amomaxu.w a5, s1, (a0)
        amoxor.w a1, s1, (a0)
        amoand.w a2, s1, (a0)
        amoor.w a3, s1, (a0)
        amoswap.w a4, s1, (a0)
        lr.w a1, (a0)
        addi a5, a0, 4
        sc.w a2, a1, (a5)
        sc.w a2, a1, (a0)
        lr.w a1, (a0)
        sc.w a2, s1, (a0)
        sc.w a3, s1, (a0)
        lb a1, 0(a0)
        lbu a1, 0(a0)
        sb s0, 1(a0)
        sh s0, 2(a0)
        lh a1, 2(a0)
        lhu a1, 2(a0)
        lw a1, 1(a0)
        sh a1, 1(a0)
        lr.w a1, 2(a0)
        amoadd.w a1, a1, (a0)
"""
ATOMICS = ATOMICS.replace("        lr.w a1, 2(a0)\n", "")
CUT += f"        li s0, 0x80000001\n        li a0, {PAGE}\n{ATOMICS}"
for _mode in (0, 1):
    CUT += go(_mode) + f"        li a0, {PAGE}\n{ATOMICS}        addi a0, a0, 0x20\n{ATOMICS}"
    CUT += "        ecall\n"
CUT += END

DEVICES = START + SILENT_TIMER
for _place in (0x200_4000, 0x1000_0000, 0x1000_0003, 0x7FFF_FFFC, 0x8001_0000, 0x8000_FFFC, 0):
    DEVICES += f"        li s0, 0x80000001\n        li a0, {_place}\n{ATOMICS}"
DEVICES += go(1) + f"        li a0, 0x2004000\n{ATOMICS}        ecall\n" + END

CUT_CODE = START + csr("pmpaddr0", (0x8000_0000 + 0x40) >> 2) + csr("pmpcfg0", 0x1F)
CUT_CODE += csr("pmpaddr1", (0x8000_0FF0 >> 2)) + csr("pmpcfg0", 0x1013)
CUT_CODE += (
    "        la ra, 4f\n        li t2, 0x80000FF0\n" + go(1) + "        jr t2\n4:      ecall\n"
)
CUT_CODE += csr("pmpcfg0", 0) + "        nop\n        lw a0, 0(ra)\n" + END

WATCHING = START + tables() + put(PAGE + 4, 5) + put(0x8000_D004, 6) + go(1)
WATCHING += f"""
        li a0, {WINDOW}
1:      lw a1, 4(a0)
        addi a1, a1, 1
        sw a1, 4(a0)
        j 1b
"""
WATCHING += END
"""Looks at a page again and again, while others write its page-table entry."""

ENTRIES = (PAGE >> 2 | 0xCF, 0x8000_D000 >> 2 | 0xCF, PAGE >> 2 | 0xC3, 0)


ALL_REGIONS = NAPOT + RANGES + FOURS
MU, BARE_M, FAULT = Config(modes="MU"), Config(modes="M"), Config(ad="fault")

DIRECTED: dict[str, Directed] = {
    "registers": Directed(all_registers(START, ORDINARY)),
    "registers without S": Directed(all_registers(NO_S, ORDINARY), MU),
    "registers without U": Directed(all_registers(NO_S, ORDINARY), BARE_M),
    "registers of PMP": Directed(PROTECTION),
    "modes of mstatus": Directed(modes_of_status()),
    "modes of mstatus without S": Directed(modes_of_status().replace(START, NO_S), MU),
    "counters": Directed(COUNTERS),
    "open counters": Directed(OPEN_COUNTERS),
    "mret and sret": Directed(returns(START, (0, 1, 3), ("mret", "sret"))),
    "mret without S": Directed(returns(START.replace(NO_PMP, NO_S), (0, 3), ("mret",)), MU),
    "guarded instructions": Directed(GUARDED),
    "a wait": Directed(WAIT),
    "almost instructions": Directed(ALMOST),
    "calls and exceptions": Directed(CALLS),
    "vectored exceptions": Directed(VECTORED),
    "interrupts": Directed(interrupts(0)),
    "vectored interrupts": Directed(interrupts(1)),
    "a timer at any moment": Directed(MOMENTS),
    "software interrupts": Directed(SOFTWARE),
    "external interrupts": Directed(EXTERNAL),
    "rights": Directed(rights(FLAGS, (0,))),
    "rights of S": Directed(rights((0xCF, 0xDF, 0xC9, 0xD9, 0xDB), (0xC0000, 0x40000, 0x80000))),
    "rights where software sets A and D": Directed(rights(FLAGS[-7:], (0,)), FAULT),
    "regimes": Directed(REGIMES),
    "executable pages": Directed(EXECUTABLE_ONLY),
    "MPRV": Directed(MPRV),
    "own tables": Directed(OWN_TABLES),
    "an instruction as a table entry": Directed(ITSELF),
    "late table": Directed(LATE_TABLE),
    "places": Directed(PLACES),
    "superpages": Directed(SUPERPAGES),
    "crossing": Directed(CROSSING),
    "regions": Directed(regions(ALL_REGIONS)),
    "order of regions": Directed(ORDER),
    "few regions": Directed(FEW),
    "locked regions": Directed(LOCKED),
    "walled tables": Directed(WALLED_TABLES),
    "cut data": Directed(CUT),
    "cut code": Directed(CUT_CODE),
    "devices": Directed(DEVICES),
}
