"""One function for each sensitive instruction: what it does to the virtual CPU.

Each of them makes one whole guest step: it ends in `complete`, or in an exception delivered to the
guest. `INTERPRETERS` maps an instruction's name to its function.
"""

from __future__ import annotations

from collections.abc import Callable

from kit.bits import Bits, select
from kit.isa.cpu import Cpu, M, S, U
from kit.vmm.csr import guest_csr, guest_csr_held, guest_csr_open, set_guest_csr
from kit.vmm.traps import complete, reject

__all__ = ["INTERPRETERS"]

SIE, MIE, SPIE, MPIE, SPP, MPP = 1 << 1, 1 << 3, 1 << 5, 1 << 7, 1 << 8, 3 << 11
MPRV, TVM, TW, TSR = 1 << 17, 1 << 20, 1 << 21, 1 << 22

INTERPRETERS: dict[str, Callable[..., None]] = {}


def interprets(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Enters a function as the interpreter of an instruction."""

    def enter(function: Callable[..., None]) -> Callable[..., None]:
        INTERPRETERS[name] = function
        return function

    return enter


def _forbidden(v: Cpu, csr: Bits, writes: Bits) -> Bits:
    """Does the register's number alone rule the access out? Bits 9:8 mode, 11:10 read-only."""
    return v.mode.ltu(csr[9:8]) | (writes & csr[11] & csr[10])


def _replace(v: Cpu, rd: Bits, csr: Bits, value: Bits) -> None:
    """csrrw and csrrwi: always a write."""
    if _forbidden(v, csr, Bits(1, 1)) or not guest_csr_open(v, csr):
        reject(v)
        return
    old = guest_csr(v, csr)
    set_guest_csr(v, csr, value)
    v.x[rd] = old
    complete(v)


def _change(v: Cpu, rd: Bits, csr: Bits, ones: Bits, source: Bits, sets: bool) -> None:
    """csrrs and csrrc: a write of some bits, unless the operand `source` is number zero."""
    if _forbidden(v, csr, source != 0) or not guest_csr_open(v, csr):
        reject(v)
        return
    old = guest_csr(v, csr)
    if source != 0:
        held = guest_csr_held(v, csr)
        set_guest_csr(v, csr, held | ones if sets else held & ~ones)
    v.x[rd] = old
    complete(v)


@interprets("csrrw")
def emulate_csrrw(v: Cpu, rd: Bits, rs1: Bits, csr: Bits) -> None:
    _replace(v, rd, csr, v.x[rs1])


@interprets("csrrs")
def emulate_csrrs(v: Cpu, rd: Bits, rs1: Bits, csr: Bits) -> None:
    _change(v, rd, csr, v.x[rs1], rs1, sets=True)


@interprets("csrrc")
def emulate_csrrc(v: Cpu, rd: Bits, rs1: Bits, csr: Bits) -> None:
    _change(v, rd, csr, v.x[rs1], rs1, sets=False)


@interprets("csrrwi")
def emulate_csrrwi(v: Cpu, rd: Bits, uimm: Bits, csr: Bits) -> None:
    _replace(v, rd, csr, uimm.zext(v.xlen))


@interprets("csrrsi")
def emulate_csrrsi(v: Cpu, rd: Bits, uimm: Bits, csr: Bits) -> None:
    _change(v, rd, csr, uimm.zext(v.xlen), uimm, sets=True)


@interprets("csrrci")
def emulate_csrrci(v: Cpu, rd: Bits, uimm: Bits, csr: Bits) -> None:
    _change(v, rd, csr, uimm.zext(v.xlen), uimm, sets=False)


@interprets("mret")
def emulate_mret(v: Cpu) -> None:
    """Back to the mode in MPP: MIE from MPIE, MPP the least mode, MPRV only kept within M."""
    if v.mode != M:
        reject(v)
        return
    status, previous = v.mstatus, v.mstatus[12:11]
    enabled = select((status & MPIE) != 0, v.word(MIE), v.word(0))
    least = v.word(0 if v.config.has_u else MPP)
    kept = select(previous == M, status & MPRV, v.word(0))
    v.mstatus = (status & ~(MIE | MPP | MPRV)) | enabled | MPIE | least | kept
    v.mode = previous
    v.next_pc = v.mepc & (~1 if v.config.has_c else ~3)
    complete(v)


def _kept_from_s(v: Cpu, trap: int) -> Bits:
    """Is this an instruction that U may never execute, and S not while a bit of mstatus is set?"""
    return (v.mode == U) | ((v.mode == S) & ((v.mstatus & trap) != 0))


@interprets("sret")
def emulate_sret(v: Cpu) -> None:
    """Back to the mode in SPP: SIE from SPIE, SPP to U, MPRV off."""
    if not v.config.has_s or _kept_from_s(v, TSR):
        reject(v)
        return
    status = v.mstatus
    enabled = select((status & SPIE) != 0, v.word(SIE), v.word(0))
    v.mode = select((status & SPP) != 0, Bits(2, S), Bits(2, U))
    v.mstatus = (status & ~(SIE | SPP | MPRV)) | enabled | SPIE
    v.next_pc = v.sepc & (~1 if v.config.has_c else ~3)
    complete(v)


@interprets("sfence.vma")
def emulate_sfence_vma(v: Cpu, rs1: Bits, rs2: Bits) -> None:
    """Nothing: table pages are watched, so shadow entries are never out of date."""
    if not v.config.has_s or _kept_from_s(v, TVM):
        reject(v)
        return
    complete(v)


@interprets("wfi")
def emulate_wfi(v: Cpu) -> None:
    """The virtual CPU waits; the scheduler resumes it when an enabled interrupt is pending."""
    if _kept_from_s(v, TW):
        reject(v)
        return
    v.waiting = 1
    complete(v)
