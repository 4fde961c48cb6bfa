"""The reference engine: one instruction after the other, each exactly as the definitions say.

It runs the definitions traced into plain Python (`kit.engine.compiled`), which is the same meaning
at seventy times the speed; `definition_step` runs them as they stand, on `Bits`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from kit.engine.compiled import compiled_isa
from kit.isa.cpu import Trap
from kit.isa.encoding import Decoder
from kit.isa.hart import Hart, cpu_of
from kit.isa.step import step
from kit.isa.trap import ILLEGAL_INSTRUCTION

__all__ = ["ReferenceEngine", "definition_step"]

_DECODED_WORDS = 1 << 16

Decoded = tuple[Callable[..., None], tuple[int, ...], int, int]
"""What to call, with which operands, the instruction's length in bytes, and its word."""


def definition_step(hart: Hart, decoder: Decoder) -> None:
    """One step by the definitions themselves: slow, and the yardstick for every engine."""
    step(cpu_of(hart), decoder)


class ReferenceEngine:
    """Executes a hart's instructions.

    `on_trap`, if set, is called after each trap entry with the cause (interrupts with the top bit
    set); when it returns True, `run` returns.
    """

    def __init__(self, hart: Hart) -> None:
        self.hart = hart
        self.isa = compiled_isa(hart.config)
        self.decoder = Decoder.of(hart.config)
        self.on_trap: Callable[[int], bool] | None = None
        self._decoded: dict[int, Decoded] = {}
        self._mask = (1 << hart.config.xlen) - 1
        self._interrupt = 1 << (hart.config.xlen - 1)

    def run(self, limit: int, breakpoints: Collection[int] = ()) -> int:
        """Makes up to `limit` steps and returns how many were made.

        Stops earlier before an instruction at a breakpoint (but not before the first), when the
        hart waits, when a device was accessed (``bus.attention``), and when `on_trap` says so.
        """
        hart, isa, bus = self.hart, self.isa, self.hart.bus
        fetch, completed, trapped = isa.fetch, isa.count_completed, isa.count_trapped
        decoded, mask = self._decoded, self._mask
        made = 0
        while made < limit:
            if made and hart.pc in breakpoints:
                break
            made += 1
            if (hart.mip | hart.wires) & hart.mie:
                cause = isa.pending_interrupt(hart)
                if cause:
                    isa.take_interrupt(hart, cause, 0)
                    trapped(hart)
                    if self.on_trap is not None and (
                        self.on_trap(cause | self._interrupt) or bus.attention  # type: ignore[attr-defined]
                    ):
                        break
                    continue
            try:
                word = fetch(hart)
                entry = decoded.get(word)
                if entry is None:
                    entry = self._decode(word)
                function, operands, length, instruction = entry
                hart.instruction = instruction
                hart.next_pc = (hart.pc + length) & mask
                function(hart, *operands)
                hart.pc = hart.next_pc
                completed(hart)
            except Trap as trap:
                isa.take_exception(hart, trap.cause, trap.tval)
                trapped(hart)
                if self.on_trap is not None and self.on_trap(int(trap.cause)):
                    break
            if bus.attention or hart.waiting:  # type: ignore[attr-defined]
                break
        return made

    def _decode(self, word: int) -> Decoded:
        """Decodes a fetched word and remembers it, whatever its unused upper half holds."""
        instruction = word & 0xFFFF if word & 3 != 3 else word
        entry = self._decoded.get(instruction)
        if entry is None:
            entry = self._decode_instruction(instruction, 4 if instruction & 3 == 3 else 2)
        if len(self._decoded) >= _DECODED_WORDS:
            self._decoded.clear()
        self._decoded[instruction] = self._decoded[word] = entry
        return entry

    def _decode_instruction(self, instruction: int, length: int) -> Decoded:
        found = self.decoder.decode(instruction)
        if found is None:
            return _illegal, (), length, instruction
        row, operands = found
        values = tuple(operands[name] & self._mask for name in row.widths)
        return self.isa.execute[row.name], values, length, instruction


def _illegal(hart: Any) -> None:
    raise Trap(ILLEGAL_INSTRUCTION, hart.instruction)
