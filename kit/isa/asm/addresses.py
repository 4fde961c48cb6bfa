"""Pseudo-instructions that depend on a value, or make an address from two instructions."""

from __future__ import annotations

from collections.abc import Callable

from kit.isa.asm.expressions import Modified, Node, constant
from kit.isa.asm.faults import Fault
from kit.isa.asm.instructions import Encoder, Variant
from kit.isa.asm.operands import Immediate, Operand, Register, forms_of
from kit.isa.asm.words import Expression, Word, split
from kit.isa.encoding import Decoder

__all__ = ["SPECIAL", "symbol_variants"]

RA, T1 = 1, 6


def _node(operand: Operand) -> Node:
    assert isinstance(operand, Immediate)
    return operand.node


def _number(operand: Operand) -> int:
    assert isinstance(operand, Register)
    return operand.number


def _load_number(encoder: Encoder, operands: list[Operand], column: int) -> None:
    """`li`: one instruction where that is enough; lui and addi where the value comes later."""
    rd, node = _number(operands[0]), _node(operands[1])
    if isinstance(node, Modified):
        _add(encoder, rd, 0, node, column)
        return
    value = constant(node, encoder.output.symbols)
    if value is None:
        _upper(encoder, rd, Modified(node.column, "hi", node), column)
        _add(encoder, rd, rd, Modified(node.column, "lo", node), column)
        return
    if not -(1 << 31) <= value < 1 << 32:
        what = f"{value} does not fit in a register of 32 bits"
        raise Fault(what, node.column, f"it must be {-(1 << 31)} to {(1 << 32) - 1}")
    high, low = split(value)
    signed = (value + (1 << 31)) % (1 << 32) - (1 << 31)
    source = 0
    if not -2048 <= signed < 2048:
        encoder.place(Word(encoder.row("lui"), {"rd": rd, "imm": _signed_upper(high)}, {}, column))
        source = rd
    if low or not source:
        encoder.place(Word(encoder.row("addi"), {"rd": rd, "rs1": source, "imm": low}, {}, column))


def _signed_upper(high: int) -> int:
    return (high << 12) - (1 << 32) if high >> 19 else high << 12


def _add(encoder: Encoder, rd: int, rs1: int, node: Node, column: int) -> None:
    operands: dict[str, int | Expression] = {"rd": rd, "rs1": rs1, "imm": Expression("imm", node)}
    encoder.place(Word(encoder.row("addi"), operands, {"imm": node.column}, column))


def _upper(encoder: Encoder, rd: int, node: Modified, column: int) -> None:
    name = "auipc" if node.modifier == "pcrel_hi" else "lui"
    operands: dict[str, int | Expression] = {"rd": rd, "imm": Expression("imm20", node)}
    encoder.place(Word(encoder.row(name), operands, {"imm": node.column}, column))


def _relative(encoder: Encoder, rd: int, target: Node, column: int) -> Modified:
    """Adds the auipc for `target`; what the second instruction has to add."""
    here = encoder.output.dot(target.column)
    _upper(encoder, rd, Modified(target.column, "pcrel_hi", target), column)
    return Modified(target.column, "pcrel_lo", here)


def _load_address(encoder: Encoder, operands: list[Operand], column: int) -> None:
    """`la`: auipc and addi; a number is loaded as `li` does."""
    rd, node = _number(operands[0]), _node(operands[1])
    if constant(node, encoder.output.symbols) is not None:
        _load_number(encoder, operands, column)
        return
    _add(encoder, rd, rd, _relative(encoder, rd, node, column), column)


def _jump(encoder: Encoder, link: int, through: int, target: Node, column: int) -> None:
    low = _relative(encoder, through, target, column)
    operands: dict[str, int | Expression] = {
        "rd": link, "rs1": through, "imm": Expression("imm", low),
    }  # fmt: skip
    encoder.place(Word(encoder.row("jalr"), operands, {"imm": target.column}, column))


def _call(encoder: Encoder, operands: list[Operand], column: int) -> None:
    if len(operands) == 2:
        _jump(encoder, _number(operands[0]), T1, _node(operands[1]), column)
    else:
        _jump(encoder, RA, RA, _node(operands[0]), column)


def _tail(encoder: Encoder, operands: list[Operand], column: int) -> None:
    _jump(encoder, 0, T1, _node(operands[0]), column)


def _jump_through(encoder: Encoder, operands: list[Operand], column: int) -> None:
    _jump(encoder, 0, _number(operands[1]), _node(operands[0]), column)


def _fence_tso(encoder: Encoder, operands: list[Operand], column: int) -> None:
    row = encoder.row("fence")
    encoder.place(Word(row, {**dict.fromkeys(row.operands, 0), "fm": 8, "pred": 3, "succ": 3}))


def _compressed_unimp(encoder: Encoder, operands: list[Operand], column: int) -> None:
    # The word of zeros is no row of the table: it is defined to be illegal.
    encoder.output.data(bytes(2), column)


SPECIAL: list[tuple[str, Variant]] = [
    ("li", Variant(forms_of(["rd", "imm"]), _load_number)),
    ("la", Variant(forms_of(["rd", "symbol"]), _load_address)),
    ("lla", Variant(forms_of(["rd", "symbol"]), _load_address)),
    ("call", Variant(forms_of(["rd", "symbol"]), _call)),
    ("call", Variant(forms_of(["symbol"]), _call)),
    ("tail", Variant(forms_of(["symbol"]), _tail)),
    ("jump", Variant(forms_of(["symbol", "rd"]), _jump_through)),
    ("fence.tso", Variant((), _fence_tso)),
    ("c.unimp", Variant((), _compressed_unimp)),
]
"""Mnemonics and what they do."""


def symbol_variants(decoder: Decoder) -> list[tuple[str, Variant]]:
    """``lw rd, symbol`` and ``sw rs2, symbol, rt``, for every load and store."""
    result = []
    for row in decoder.by_name.values():
        if row.syntax == "rd, imm(rs1)" and row.name != "jalr":
            result.append((row.name, Variant(forms_of(["rd", "symbol"]), _access(row.name, "rd"))))
        if row.syntax == "rs2, imm(rs1)":
            forms = forms_of(["rs2", "symbol", "rt"])
            result.append((row.name, Variant(forms, _access(row.name, "rs2"))))
    return result


def _access(name: str, register: str) -> Callable[[Encoder, list[Operand], int], None]:
    def apply(encoder: Encoder, operands: list[Operand], column: int) -> None:
        value, target = _number(operands[0]), _node(operands[1])
        base = _number(operands[2]) if len(operands) == 3 else value
        low = _relative(encoder, base, target, column)
        words: dict[str, int | Expression] = {
            register: value, "rs1": base, "imm": Expression("imm", low),
        }  # fmt: skip
        encoder.place(Word(encoder.row(name), words, {"imm": target.column}, column))

    return apply
