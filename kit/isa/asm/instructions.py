"""Instruction statements: from a mnemonic and its operands to words."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass

from kit.isa.aliases import ALIASES, Alias
from kit.isa.asm.compress import Compressor
from kit.isa.asm.expressions import Name, Node, Number, Unknown, constant, evaluate
from kit.isa.asm.faults import Fault, nearest
from kit.isa.asm.operands import (
    Form,
    Immediate,
    Memory,
    Operand,
    Register,
    forms_of,
    mismatch,
)
from kit.isa.asm.output import Output
from kit.isa.asm.words import Expression, Word
from kit.isa.csr import NUMBERS
from kit.isa.encoding import Decoder, Instruction
from kit.isa.registers import REGISTERS

__all__ = ["Encoder", "Variant", "immediate_of"]

_INVERTED = {"beq": "bne", "bne": "beq", "blt": "bge", "bge": "blt", "bltu": "bgeu", "bgeu": "bltu"}
_ORDERINGS = {"": 0, "aq": 2, "rl": 1, "aqrl": 3}


@dataclass(frozen=True)
class Variant:
    """One way of writing a mnemonic: the operands it takes, and what it does with them."""

    forms: tuple[Form, ...]
    apply: Callable[[Encoder, list[Operand], int], None]


def immediate_of(row: Instruction) -> str:
    """The name of the operand that `target` or `imm20` stands for."""
    return next(name for name in row.operands if name.endswith("imm"))


class Encoder:
    """Assembles instructions of the given extensions into `output`.

    With `is_compressing`, instructions take their compressed form where they have one.
    """

    def __init__(self, extensions: str, xlen: int, output: Output) -> None:
        self.decoder, self._variants, self._compressor = _tables(extensions, xlen)
        self.output = output
        self.can_compress = "C" in extensions
        self.is_compressing = False

    def knows(self, mnemonic: str) -> bool:
        """Is there an instruction or pseudo-instruction of this name?"""
        return mnemonic in self._variants or self._ordered(mnemonic) is not None

    def statement(self, mnemonic: str, column: int, operands: list[Operand]) -> None:
        """Assembles one instruction. Raises `Fault`."""
        variants = self._variants.get(mnemonic)
        if variants is None:
            found = self._ordered(mnemonic)
            if found is None:
                raise Fault(f"unknown instruction '{mnemonic}'", column, self.suggestion(mnemonic))
            variants = [found]
        for variant in variants:
            if len(variant.forms) == len(operands) and all(
                form.takes(operand) for form, operand in zip(variant.forms, operands, strict=True)
            ):
                if self.output.section.alignment < 2:
                    self.output.section.alignment = 2
                self.output.is_code = True
                variant.apply(self, operands, column)
                return
        raise mismatch(mnemonic, column, [variant.forms for variant in variants], operands)

    def suggestion(self, mnemonic: str) -> str:
        """A hint for an unknown mnemonic."""
        return nearest(mnemonic, self._variants)

    def _ordered(self, mnemonic: str) -> Variant | None:
        """The atomic instruction of a mnemonic that ends in .aq, .rl or .aqrl."""
        name, _, ordering = mnemonic.rpartition(".")
        row = self.decoder.by_name.get(name)
        if row is None or "aq" not in row.widths or ordering not in _ORDERINGS or not ordering:
            return None
        bits = _ORDERINGS[ordering]
        return _variant_of(row, aq=bits >> 1, rl=bits & 1)

    # -- words -------------------------------------------------------------------------------

    def row(self, name: str) -> Instruction:
        """The table's row of that name."""
        return self.decoder.by_name[name]

    def place(self, word: Word) -> None:
        """Adds an instruction. Raises `Fault`."""
        targets = [
            (name, operand)
            for name, operand in word.operands.items()
            if isinstance(operand, Expression) and operand.form == "target"
        ]
        if targets and word.row.length == 4:
            self._branch(word, *targets[0])
            return
        try:
            values = word.known(self.output.symbols)
        except Unknown:
            values = None
        if values is None:
            self.output.item(word, word.row.length, word.column)
            return
        data = word.encoded(values)
        if self.is_compressing and word.row.length == 4:
            row, short = self._compressor.find(word.row, values)
            data = row.encode(**short).to_bytes(row.length, "little")
        self.output.data(data, word.column)

    def _branch(self, word: Word, name: str, target: Expression) -> None:
        """Adds a branch or jump, in the shortest form that reaches its target."""
        forms = [[word]]
        registers = {k: v for k, v in word.operands.items() if isinstance(v, int)}
        short = self._compressor.target_form(word.row, registers) if self.is_compressing else None
        columns = {name: word.columns.get(name, word.column)}
        if short is not None:
            row, operands, where = short
            forms.insert(
                0, [Word(row, {**operands, where: target}, {where: columns[name]}, word.column)]
            )
        if word.row.name in _INVERTED:
            inverted = self.row(_INVERTED[word.row.name])
            over = Word(inverted, {**registers, name: 8})
            if short is not None:
                row, operands, where = self._compressor.target_form(inverted, registers) or short
                over = Word(row, {**operands, where: 6})
            jump = Word(self.row("jal"), {"rd": 0, "imm": target}, columns, word.column)
            forms.append([over, jump])
        chosen = self._chosen(forms, target.node) if len(forms) > 1 else forms[0]
        if chosen is None:
            self.output.choice(forms)
            return
        for part in chosen:
            self.output.item(part, part.row.length, word.column)

    def _chosen(self, forms: list[list[Word]], target: Node) -> list[Word] | None:
        """The form that reaches, where the distance is known already: one looks back."""
        here = self.output.here()
        try:
            value = evaluate(target, self.output.symbols)
        except Unknown:
            return None
        if value.base is not here.fragment:
            return None
        distance = value.number - here.offset
        for form in forms[:-1]:
            low, high, _ = form[0].row.limits(immediate_of(form[0].row))
            if low <= distance <= high:
                return form
        return forms[-1]


# -- the ways of writing every mnemonic ------------------------------------------------------


@functools.lru_cache(maxsize=8)
def _tables(extensions: str, xlen: int) -> tuple[Decoder, dict[str, list[Variant]], Compressor]:
    # Those build on `Encoder`; here is where the two meet.
    from kit.isa.asm.addresses import SPECIAL, symbol_variants

    decoder = Decoder(extensions, xlen)
    variants: dict[str, list[Variant]] = {}
    for row in decoder.by_name.values():
        variants.setdefault(row.name, []).append(_variant_of(row))
    for alias in ALIASES:
        if all(name in decoder.by_name for name, _ in alias.steps):
            variants.setdefault(alias.name, []).append(_variant_of_alias(alias))
    for name, variant in SPECIAL:
        # `li` is in both tables; the special one chooses by the value.
        variants.setdefault(name, []).insert(0, variant)
    for name, variant in symbol_variants(decoder):
        variants[name].append(variant)
    return decoder, variants, Compressor(decoder)


def _variant_of(row: Instruction, **fixed: int) -> Variant:
    forms = forms_of(row.syntax.split(", ") if row.syntax else ())

    def apply(encoder: Encoder, operands: list[Operand], column: int) -> None:
        bound: dict[str, int | Expression] = dict.fromkeys(row.operands, 0)
        bound.update(fixed)
        columns: dict[str, int] = {}
        for form, operand in zip(forms, operands, strict=True):
            for name, value in _bind(encoder, row, form, operand).items():
                bound[name] = value
                columns[name] = operand.column
        encoder.place(Word(row, bound, columns, column))

    return Variant(forms, apply)


def _bind(
    encoder: Encoder, row: Instruction, form: Form, operand: Operand
) -> dict[str, int | Expression]:
    """The table's operands that an operand as written stands for."""
    if isinstance(operand, Register):
        return {form.name: operand.number} if form.name in row.widths else {}
    if isinstance(operand, Memory):
        offset = operand.offset
        result: dict[str, int | Expression] = {}
        if form.base in row.widths:
            result[form.base] = operand.register
        if not form.name:
            if offset is not None and constant(offset, encoder.output.symbols) != 0:
                what = f"{row.name} takes no offset"
                raise Fault(what, operand.column, f"write '{form.text}'")
        elif offset is not None:
            result[form.name] = Expression(form.name, offset)
        return result
    if form.name == "csr":
        return {"csr": _csr(operand.node)}
    if form.name in ("pred", "succ"):
        return {form.name: _accesses(operand.node)}
    name = immediate_of(row) if form.name in ("target", "imm20") else form.name
    return {name: Expression(form.name, operand.node)}


def _csr(node: Node) -> int | Expression:
    if not isinstance(node, Name):
        return Expression("csr", node)
    if node.name not in NUMBERS:
        hint = nearest(node.name, NUMBERS)
        raise Fault(f"unknown control and status register '{node.name}'", node.column, hint)
    return NUMBERS[node.name]


def _accesses(node: Node) -> int | Expression:
    """The set of kinds of access that ``rw`` or the like stands for."""
    if not isinstance(node, Name):
        return Expression("pred", node)
    if not re.fullmatch("(?=.)i?o?r?w?", node.name):
        hint = "write letters of 'iorw', in this order"
        raise Fault(f"'{node.name}' is no set of accesses", node.column, hint)
    return sum(8 >> "iorw".index(letter) for letter in node.name)


def _variant_of_alias(alias: Alias) -> Variant:
    forms = forms_of(alias.operands)

    def apply(encoder: Encoder, operands: list[Operand], column: int) -> None:
        given = dict(zip(alias.operands, operands, strict=True))
        for name, templates in alias.steps:
            encoder.statement(name, column, [_filled(text, given, column) for text in templates])

    return Variant(forms, apply)


def _filled(template: str, given: dict[str, Operand], column: int) -> Operand:
    """The operand that `template` stands for, given those of the pseudo-instruction."""
    if template in given:
        return given[template]
    if template in REGISTERS:
        return Register(column, REGISTERS[template])
    found = re.fullmatch(r"(\w+)\((\w+)\)", template)
    if found is not None:
        offset, base = (_filled(part, given, column) for part in found.groups())
        assert isinstance(offset, Immediate)
        assert isinstance(base, Register)
        return Memory(offset.column, offset.node, base.number)
    if re.fullmatch(r"-?\d+", template):
        return Immediate(column, Number(column, int(template)))
    return Immediate(column, Name(column, template))
