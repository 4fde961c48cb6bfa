"""How a guest step ends: completed, in an exception, or with an interrupt delivered.

The guest's clocks advance here and nowhere else but for the instructions that ran directly.
"""

from __future__ import annotations

from kit.bits import Bits, select
from kit.isa.cpu import Cpu, M, opaque

__all__ = ["complete", "deliver_exception", "deliver_interrupt", "due_interrupt", "reject"]

ILLEGAL = 2
MIE, MPIE = 1 << 3, 1 << 7
MPP = 3 << 11
INTERRUPT = 1 << 31


def tick(v: Cpu, retired: int) -> None:
    """One guest step has passed; `retired` is 1 if it completed an instruction."""
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


def enter_handler(v: Cpu, cause: Bits, value: Bits, target: Bits) -> None:
    """Puts the guest into virtual M-mode at `target`, as the architecture's trap entry does."""
    enabled = select(v.mstatus[3], v.word(MPIE), v.word(0))
    previous = v.mode.zext(v.xlen).shl(11)
    v.mstatus = (v.mstatus & ~(MIE | MPIE | MPP)) | enabled | previous
    v.mepc, v.mcause, v.mtval = v.pc, cause, value
    v.mode = M
    v.pc = target
    tick(v, 0)


@opaque(None)
def deliver_exception(v: Cpu, cause: Bits, value: Bits) -> None:
    """Reflects an exception of the instruction at pc to the guest's handler."""
    enter_handler(v, cause, value, v.mtvec & ~3)


def reject(v: Cpu) -> None:
    """The instruction at pc is illegal for the guest."""
    deliver_exception(v, v.word(ILLEGAL), v.instruction)


@opaque("xlen")
def due_interrupt(v: Cpu) -> Bits:
    """The cause of the interrupt that the guest must take now, or zero: MEI, then MSI, then MTI."""
    open_ = (v.mode != M) | ((v.mstatus & MIE) != 0)
    waiting = (v.wires | v.mip) & v.mie
    first = select(waiting[3], v.word(3), select(waiting[7], v.word(7), v.word(0)))
    first = select(waiting[11], v.word(11), first)
    return select(open_, first, v.word(0))


@opaque(None)
def deliver_interrupt(v: Cpu, cause: Bits) -> None:
    """Takes an interrupt before the instruction at pc."""
    base = v.mtvec & ~3
    vectored = base + cause + cause + cause + cause
    enter_handler(v, cause | INTERRUPT, v.word(0), select(v.mtvec[0], vectored, base))
