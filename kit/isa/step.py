"""One step of a hart: an interrupt taken, an instruction completed, or an exception taken.

Time (mtime, mcycle) advances by one with every step; minstret counts completed instructions.
"""

from __future__ import annotations

from kit.bits import Bits, select
from kit.isa.cpu import Cpu, Trap, opaque
from kit.isa.encoding import Decoder, Instruction
from kit.isa.storage import fetch
from kit.isa.trap import ILLEGAL_INSTRUCTION, pending_interrupt, take_trap

__all__ = ["count", "execute", "operand_words", "step"]

CY, IR = 0, 2


@opaque(None)
def count(cpu: Cpu, retired: bool, steps: Bits | int = 1) -> None:
    """Advances the clocks at the end of a step, whether or not it completed an instruction.

    Or of several `steps` that all did, or all did not (64 bits).
    """
    steps = steps if isinstance(steps, Bits) else Bits(64, steps)
    cpu.completed = int(retired)
    cpu.mtime = cpu.mtime + steps
    cpu.mcycle = cpu.mcycle + select(cpu.mcountinhibit[CY], Bits(64, 0), steps)
    if retired:
        cpu.minstret = cpu.minstret + select(cpu.mcountinhibit[IR], Bits(64, 0), steps)


def operand_words(row: Instruction, operands: dict[str, int], xlen: int) -> dict[str, Bits]:
    """Operands as an instruction's function takes them: signed ones as wide as a register."""
    return {
        name: Bits(xlen if row.is_signed(name) else row.widths[name], value)
        for name, value in operands.items()
    }


def execute(cpu: Cpu, word: Bits, decoder: Decoder) -> None:
    """Executes the instruction `word`, fetched from pc; traps leave as `Trap`."""
    compressed = (word & 3) != 3
    length = 2 if compressed and cpu.config.has_c else 4
    # xtval shows 16 bits of what looks compressed, even where nothing compressed exists.
    cpu.instruction = select(compressed, word & 0xFFFF, word).zext(cpu.xlen)
    cpu.next_pc = cpu.pc + length
    found = decoder.decode(int(cpu.instruction))
    if found is None or found[0].execute is None:
        raise Trap(ILLEGAL_INSTRUCTION, cpu.instruction)
    row, operands = found
    assert row.execute is not None
    row.execute(cpu, **operand_words(row, operands, cpu.xlen))
    cpu.pc = cpu.next_pc


def step(cpu: Cpu, decoder: Decoder) -> None:
    """Makes one step, as the definitions say it."""
    interrupt = pending_interrupt(cpu)
    if interrupt != 0:
        take_trap(cpu, interrupt, cpu.word(0), True)
        count(cpu, False)
        return
    try:
        execute(cpu, fetch(cpu), decoder)
    except Trap as trap:
        take_trap(cpu, as_word(cpu, trap.cause), as_word(cpu, trap.tval), False)
        count(cpu, False)
    else:
        count(cpu, True)


def as_word(cpu: Cpu, value: Bits | int) -> Bits:
    """A trap's cause or value at register width."""
    return value if isinstance(value, Bits) else cpu.word(value)
