"""Traps: which interrupt is taken, how a trap is entered, and how one returns.

Privileged Architecture, 3.1.6.1, 3.1.8, 3.1.9, 3.3.2.
"""

from __future__ import annotations

from kit.bits import Bits, concat, select
from kit.isa.cpu import Cpu, M, S, Trap, U, opaque

__all__ = [
    "ILLEGAL_INSTRUCTION",
    "INTERRUPT_ORDER",
    "illegal_instruction",
    "pending_interrupt",
    "return_from",
    "take_trap",
]

ILLEGAL_INSTRUCTION = 2

INTERRUPT_ORDER = (11, 3, 7, 9, 1, 5)
"""Interrupt causes, the most urgent first: MEI, MSI, MTI, SEI, SSI, STI."""

SIE, MIE, SPIE, MPIE, SPP, MPRV = 1, 3, 5, 7, 8, 17


def illegal_instruction(cpu: Cpu) -> Trap:
    """The exception of an instruction that may not be executed; xtval becomes its word."""
    return Trap(ILLEGAL_INSTRUCTION, cpu.instruction)


@opaque("xlen")
def pending_interrupt(cpu: Cpu) -> Bits:
    """The cause of the interrupt to be taken before the next instruction, or zero if there is none.

    Those for M-mode come before those delegated to S-mode. (No interrupt has cause 0.)
    """
    candidates = (cpu.mip | cpu.wires) & cpu.mie
    machine_on = (cpu.mode != M) | cpu.mstatus[MIE]
    chosen = select(machine_on, candidates & ~cpu.mideleg, cpu.word(0))
    if cpu.config.has_s:
        supervisor_on = (cpu.mode == U) | ((cpu.mode == S) & cpu.mstatus[SIE])
        delegated = select(supervisor_on, candidates & cpu.mideleg, cpu.word(0))
        chosen = select(chosen != 0, chosen, delegated)
    cause = cpu.word(0)
    for number in reversed(INTERRUPT_ORDER):
        cause = select(chosen[number], cpu.word(number), cause)
    return cause


@opaque(None)
def take_trap(cpu: Cpu, cause: Bits, tval: Bits, interrupt: bool) -> None:
    """Enters the trap handler of M-mode, or of S-mode where the cause is delegated to it.

    `cause` is the code without the interrupt bit. The instruction at pc has not been executed.
    """
    word = concat(Bits(1, int(interrupt)), cause[cpu.xlen - 2 : 0])
    status = cpu.mstatus
    if cpu.config.has_s:
        delegation = cpu.mideleg if interrupt else cpu.medeleg
        if (cpu.mode != M) & delegation.shr(cause & 31)[0]:
            status = status.replace(SPIE, SPIE, status[SIE]).replace(SIE, SIE, 0)
            cpu.mstatus = status.replace(SPP, SPP, cpu.mode[0])
            cpu.sepc, cpu.scause, cpu.stval = cpu.pc, word, tval
            cpu.mode = S
            cpu.pc = _vector(cpu.stvec, cause, interrupt)
            return
    status = status.replace(MPIE, MPIE, status[MIE]).replace(MIE, MIE, 0)
    cpu.mstatus = status.replace(12, 11, cpu.mode)
    cpu.mepc, cpu.mcause, cpu.mtval = cpu.pc, word, tval
    cpu.mode = M
    cpu.pc = _vector(cpu.mtvec, cause, interrupt)


def _vector(tvec: Bits, cause: Bits, interrupt: bool) -> Bits:
    """Where a handler starts: at the base, or for interrupts in vectored mode at base + 4 cause."""
    base = tvec & ~3
    return select(tvec[0], base + cause.shl(2), base) if interrupt else base


def return_from(cpu: Cpu, mode: int) -> None:
    """What mret (mode M) and sret (mode S) do: back to the mode and the pc before the trap."""
    status = cpu.mstatus
    least = U if cpu.config.has_u else M
    if mode == M:
        previous, target = status[12:11], cpu.mepc
        status = status.replace(MIE, MIE, status[MPIE]).replace(MPIE, MPIE, 1)
        status = status.replace(12, 11, least)
    else:
        previous, target = status[SPP].zext(2), cpu.sepc
        status = status.replace(SIE, SIE, status[SPIE]).replace(SPIE, SPIE, 1)
        status = status.replace(SPP, SPP, 0)
    # MPRV ends when M-mode is left.
    cpu.mstatus = status.replace(MPRV, MPRV, status[MPRV] & (previous == M))
    cpu.mode = previous
    cpu.next_pc = target & (~1 if cpu.config.has_c else ~3)
