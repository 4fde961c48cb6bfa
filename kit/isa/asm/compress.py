"""The compressed form of an instruction, found by reading the encoding table backwards."""

from __future__ import annotations

from kit.isa.encoding import Decoder, Instruction

__all__ = ["Compressor"]

_COMMUTE = ("add", "and", "or", "xor")


class Compressor:
    """Finds compressed instructions among those of a decoder."""

    def __init__(self, decoder: Decoder) -> None:
        self._rows: dict[str, list[tuple[Instruction, dict[str, str]]]] = {}
        for row in decoder.by_name.values():
            if row.expansion:
                name, *pairs = row.expansion.split()
                wanted = dict(pair.split("=") for pair in pairs)
                self._rows.setdefault(name, []).append((row, wanted))

    def find(self, row: Instruction, values: dict[str, int]) -> tuple[Instruction, dict[str, int]]:
        """The shortest row that means the same as `row` with these operands, and its operands."""
        for name, operands in _spellings(row.name, values):
            for short, wanted in self._rows.get(name, ()):
                bound = _match(short, wanted, operands)
                if bound is not None:
                    return short, bound
        return row, values

    def target_form(
        self, row: Instruction, values: dict[str, int]
    ) -> tuple[Instruction, dict[str, int], str] | None:
        """The compressed branch or jump of these registers, and its operand for the target."""
        for short, wanted in self._rows.get(row.name, ()):
            bound = _match(short, wanted, {**values, "imm": 0})
            if bound is not None:
                return short, {k: v for k, v in bound.items() if k != "imm"}, "imm"
        return None


def _spellings(name: str, values: dict[str, int]) -> list[tuple[str, dict[str, int]]]:
    result = [(name, values)]
    if name in _COMMUTE and values["rs2"] == values["rd"]:
        result.append((name, {**values, "rs1": values["rs2"], "rs2": values["rs1"]}))
    if name == "addi" and values["imm"] == 0 and values["rs1"] != 0:
        # c.mv is shorter than any addi that copies.
        result.insert(0, ("add", {"rd": values["rd"], "rs1": 0, "rs2": values["rs1"]}))
    return result


def _match(
    short: Instruction, wanted: dict[str, str], values: dict[str, int]
) -> dict[str, int] | None:
    """The operands of `short` that make it expand to `values`, or None."""
    bound: dict[str, int] = {}
    for name, source in wanted.items():
        if source not in short.widths:
            if values[name] != int(source):
                return None
        elif bound.setdefault(source, values[name]) != values[name]:
            return None
    if _is_hint(short, bound):
        return None
    try:
        short.encode(**bound)
    except ValueError:
        return None
    return bound


def _is_hint(short: Instruction, bound: dict[str, int]) -> bool:
    """Does the word do nothing? Such words are reserved for hints (chapter 26.10)."""
    if short.name == "c.nop":
        return bound["imm"] != 0
    if short.name == "c.addi" and bound["imm"] == 0:
        return True
    return bound.get("rd") == 0 or bound.get("shamt") == 0
