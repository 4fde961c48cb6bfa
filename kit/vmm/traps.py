"""How a guest step ends: completed, in an exception, or with an interrupt delivered.

The guest's clocks advance here and nowhere else but for the instructions that ran directly.
"""

from __future__ import annotations

from kit.bits import Bits, select
from kit.isa.cpu import Cpu, M, S, U, opaque

__all__ = ["complete", "deliver_exception", "deliver_interrupt", "due_interrupt", "reject"]

ILLEGAL = 2
SIE, MIE, SPIE, MPIE, SPP, MPP = 1 << 1, 1 << 3, 1 << 5, 1 << 7, 1 << 8, 3 << 11
INTERRUPT = 1 << 31


def tick(v: Cpu, retired: int) -> None:
    """One guest step has passed; `retired` is 1 if it completed an instruction."""
    v.completed = retired
    held = v.mcountinhibit
    v.mtime = v.mtime + 1
    v.mcycle = select(held[0], v.mcycle, v.mcycle + 1)
    if retired:
        v.minstret = select(held[2], v.minstret, v.minstret + 1)


@opaque(None)
def complete(v: Cpu) -> None:
    """The instruction at pc is done; go on at `next_pc`."""
    v.pc = v.next_pc
    tick(v, 1)


def _enter_machine(v: Cpu, cause: Bits, value: Bits, target: Bits) -> None:
    """Puts the guest into virtual M-mode at `target`, as the architecture's trap entry does."""
    enabled = select((v.mstatus & MIE) != 0, v.word(MPIE), v.word(0))
    previous = v.mode.zext(v.xlen).shl(11)
    v.mstatus = (v.mstatus & ~(MIE | MPIE | MPP)) | enabled | previous
    v.mepc, v.mcause, v.mtval = v.pc, cause, value
    v.mode, v.pc = M, target
    tick(v, 0)


def _enter_supervisor(v: Cpu, cause: Bits, value: Bits, target: Bits) -> None:
    """Puts the guest into virtual S-mode at `target`; it was in S or U."""
    enabled = select((v.mstatus & SIE) != 0, v.word(SPIE), v.word(0))
    previous = select(v.mode == S, v.word(SPP), v.word(0))
    v.mstatus = (v.mstatus & ~(SIE | SPIE | SPP)) | enabled | previous
    v.sepc, v.scause, v.stval = v.pc, cause, value
    v.mode, v.pc = S, target
    tick(v, 0)


@opaque(None)
def deliver_exception(v: Cpu, cause: Bits, value: Bits) -> None:
    """Reflects an exception of the instruction at pc to the guest's handler."""
    if v.config.has_s:
        delegated = v.medeleg.shr(cause & 31)[0]
        if delegated & (v.mode != M):
            _enter_supervisor(v, cause, value, v.stvec & ~3)
            return
    _enter_machine(v, cause, value, v.mtvec & ~3)


def reject(v: Cpu) -> None:
    """The instruction at pc is illegal for the guest."""
    deliver_exception(v, v.word(ILLEGAL), v.instruction)


@opaque("xlen")
def due_interrupt(v: Cpu) -> Bits:
    """The cause of the interrupt that the guest must take now, or zero.

    First those for M-mode, then those delegated; within each MEI, MSI, MTI, SEI, SSI, STI.
    """
    waiting = (v.wires | v.mip) & v.mie
    for_machine = waiting & ~v.mideleg
    machine_open = (v.mode != M) | ((v.mstatus & MIE) != 0)
    cause = select(machine_open, _first(v, for_machine), v.word(0))
    if not v.config.has_s:
        return cause
    open_ = (v.mode == U) | ((v.mode == S) & ((v.mstatus & SIE) != 0))
    second = select(open_, _first(v, waiting & v.mideleg), v.word(0))
    return select(cause == 0, second, cause)


def _first(v: Cpu, waiting: Bits) -> Bits:
    """The most urgent of some interrupts."""
    cause = v.word(0)
    for number in (5, 1, 9, 7, 3, 11):
        cause = select(waiting[number], v.word(number), cause)
    return cause


@opaque(None)
def deliver_interrupt(v: Cpu, cause: Bits) -> None:
    """Takes an interrupt before the instruction at pc."""
    if v.config.has_s:
        delegated = v.mideleg.shr(cause & 31)[0]
        if delegated & (v.mode != M):
            _enter_supervisor(v, cause | INTERRUPT, v.word(0), _handler(v.stvec, cause))
            return
    _enter_machine(v, cause | INTERRUPT, v.word(0), _handler(v.mtvec, cause))


def _handler(vector: Bits, cause: Bits) -> Bits:
    """Where an interrupt goes: to the base, or in vectored mode four bytes a cause above it."""
    base = vector & ~3
    return select(vector[0], base + cause + cause + cause + cause, base)
