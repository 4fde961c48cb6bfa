"""What the fast engine asks of the definitions, as functions that can be traced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kit.bits import Bits, concat, select
from kit.engine.layout import ACCESSES
from kit.isa.cpu import Cpu, M, S, Trap
from kit.isa.encoding import Decoder, Instruction
from kit.isa.pmp import pmp_allows
from kit.isa.translation import effective_mode, is_direct
from kit.isa.trap import ILLEGAL_INSTRUCTION

__all__ = ["begin", "decode", "handler", "illegal", "linear", "page_is_open", "regime"]

SUM = 18


def handler(row: Instruction, decoder: Decoder) -> Callable[[Cpu, Bits], None]:
    """The meaning of an instruction, as a function of its word."""

    def run(cpu: Cpu, word: Bits) -> None:
        operands: dict[str, Any] = row.extract(word[8 * row.length - 1 : 0])
        full = row
        if row.expansion:
            name, *pairs = row.expansion.split()
            full = decoder.by_name[name]
            named = dict(pair.split("=") for pair in pairs)
            operands = {
                key: _resized(full, row, key, value, operands) for key, value in named.items()
            }
        assert full.execute is not None
        words = {name: _as_operand(full, name, operands[name], cpu.xlen) for name in full.widths}
        full.execute(cpu, **words)

    run.__name__ = "handle_" + row.name
    return run


def _resized(
    full: Instruction, row: Instruction, key: str, value: str, given: dict[str, Any]
) -> Bits:
    """An operand of the full instruction, from that of the compressed one, or from a number."""
    width = full.widths[key]
    if value not in given:
        return Bits(width, int(value))
    operand: Bits = given[value]
    return operand.sext(width) if row.is_signed(value) else operand.zext(width)


def _as_operand(row: Instruction, name: str, value: Bits, xlen: int) -> Bits:
    return value.sext(xlen) if row.is_signed(name) else value


def illegal(cpu: Cpu, word: Bits) -> None:
    """The meaning of a word that is no instruction."""
    raise Trap(ILLEGAL_INSTRUCTION, cpu.instruction)


def begin(cpu: Cpu, word: Bits) -> Bits:
    """What comes before an instruction's own meaning; returns its word without what follows it."""
    compressed = (word & 3) != 3
    cpu.instruction = select(compressed, word & 0xFFFF, word).zext(cpu.xlen)
    length = select(compressed, Bits(32, 2), Bits(32, 4)) if cpu.config.has_c else Bits(32, 4)
    cpu.next_pc = cpu.pc + length.zext(cpu.xlen)
    return cpu.instruction[31:0]


def page_is_open(access: str) -> Callable[[Cpu, Bits], Bits]:
    """Is the whole page of a physical address RAM, and open to this access in the present mode?"""

    def run(cpu: Cpu, address: Bits) -> Bits:
        page = address & ~0xFFF
        mode = effective_mode(cpu, access)
        return cpu.is_ram(page, 4096) & pmp_allows(cpu, page, 4096, access, mode)

    run.__name__ = f"page_is_open_{access}"
    return run


def regime(access: str) -> Callable[[Cpu], Bits]:
    """The number of the regime in which an access is translated: see `REGIMES`."""

    def run(cpu: Cpu) -> Bits:
        mode = effective_mode(cpu, access)
        supervisor = concat(Bits(1, 0), cpu.mstatus[SUM]).zext(32) + 1
        return select(mode == M, Bits(32, 3), select(mode == S, supervisor, Bits(32, 0)))

    run.__name__ = f"regime_{access}"
    return run


def linear(base: int, size: int) -> Callable[[Cpu], Bits]:
    """Is every address physical, and all of RAM open to every access?"""

    def run(cpu: Cpu) -> Bits:
        result = Bits(1, 1)
        for access in ACCESSES:
            mode = effective_mode(cpu, access)
            ram = Bits(cpu.plen, base)
            result = result & is_direct(cpu, mode) & pmp_allows(cpu, ram, size, access, mode)
        return result

    run.__name__ = "linear"
    return run


def decode(rows: list[Instruction]) -> Callable[[Cpu, Bits], Bits]:
    """The number of the row that a word is, counted from 1, or 0."""

    def run(cpu: Cpu, word: Bits) -> Bits:
        number = Bits(32, 0)
        for position, row in enumerate(rows, 1):
            found = (word & row.mask) == row.match
            if row.length == 2:
                found = found & (word[1:0] != 3)
            for name, values in row.excluded:
                operand = row.extract(word[8 * row.length - 1 : 0])[name]
                for value in values:
                    found = found & (operand != value)
            number = select(found, Bits(32, position), number)
        return number

    run.__name__ = "decode"
    return run
