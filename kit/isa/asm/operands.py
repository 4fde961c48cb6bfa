"""Operands: as they are written, and as a mnemonic wants them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kit.isa.asm.expressions import Name, Node, Number, Parser
from kit.isa.asm.faults import Fault, nearest, nearest_register
from kit.isa.registers import REGISTERS

__all__ = ["Form", "Immediate", "Memory", "Operand", "Register", "forms_of", "mismatch", "parse"]


@dataclass(frozen=True, slots=True)
class Register:
    """A register."""

    column: int
    number: int


@dataclass(frozen=True, slots=True)
class Memory:
    """``offset(register)``; `offset` is None where none is written."""

    column: int
    offset: Node | None
    register: int


@dataclass(frozen=True, slots=True)
class Immediate:
    """An expression, which may also be the name of a CSR or a set such as ``rw``."""

    column: int
    node: Node


Operand = Register | Memory | Immediate


@dataclass(frozen=True, slots=True)
class Form:
    """What an operand must be.

    `kind` is ``register``, ``memory`` or ``immediate``; `name` is the register's or immediate's
    name in the encoding table (or ``target``, ``imm20``); `base` is a memory operand's register.
    """

    text: str
    kind: str
    name: str
    base: str = ""

    def takes(self, operand: Operand) -> bool:
        """Is `operand` of this kind?"""
        if self.kind == "register":
            wanted = REGISTERS.get(self.name)
            return isinstance(operand, Register) and wanted in (None, operand.number)
        if self.kind == "memory":
            wanted = REGISTERS.get(self.base)
            return isinstance(operand, Memory) and wanted in (None, operand.register)
        return isinstance(operand, Immediate)


def forms_of(syntax: Iterable[str]) -> tuple[Form, ...]:
    """The forms of an operand list such as ``("rd", "imm(rs1)")``."""
    return tuple(_form(text) for text in syntax)


def _form(text: str) -> Form:
    found = re.fullmatch(r"(\w*)\(([\w']+)\)", text)
    if found is not None:
        return Form(text, "memory", found[1], found[2])
    is_register = text.startswith(("rd", "rs", "rt")) or text in REGISTERS
    return Form(text, "register" if is_register else "immediate", text)


def parse(parser: Parser) -> list[Operand]:
    """The operands that stand here, up to the end of the statement. Raises `Fault`."""
    result: list[Operand] = []
    if parser.peek().kind == "end":
        return result
    while True:
        result.append(_operand(parser))
        if not parser.skip(","):
            parser.finish()
            return result


def _operand(parser: Parser) -> Operand:
    token = parser.peek()
    if token.kind == "name" and token.text in REGISTERS:
        parser.next()
        return Register(token.column, REGISTERS[token.text])
    if _register_follows(parser):
        return Memory(token.column, None, _base(parser))
    node = parser.expression()
    if parser.peek().text != "(":
        return Immediate(token.column, node)
    return Memory(token.column, node, _base(parser))


def _register_follows(parser: Parser) -> bool:
    name = parser.peek(1)
    return parser.peek().text == "(" and parser.peek(2).text == ")" and name.text in REGISTERS


def _base(parser: Parser) -> int:
    parser.expect("(")
    token = parser.next()
    if token.text not in REGISTERS:
        hint = nearest_register(token.text)
        raise Fault(f"unknown register '{token.text}'", token.column, hint)
    parser.expect(")")
    return REGISTERS[token.text]


def mismatch(
    mnemonic: str, column: int, variants: Sequence[tuple[Form, ...]], operands: list[Operand]
) -> Fault:
    """Why `operands` are none of the `variants` of a mnemonic."""
    usage = " or ".join(
        f"'{' '.join([mnemonic, ', '.join(form.text for form in forms)]).strip()}'"
        for forms in list(dict.fromkeys(variants))[:4]
    )
    fitting = [forms for forms in variants if len(forms) == len(operands)]
    if not fitting:
        counts = sorted({len(forms) for forms in variants})
        count = " or ".join(map(str, counts))
        plural = "" if counts == [1] else "s"
        what = f"{mnemonic} takes {count} operand{plural}, not {len(operands)}"
        return Fault(what, column, f"write {usage}")
    # Blame the operand up to which the best variant gets.
    depth, forms = max(((_agreement(forms, operands), forms) for forms in fitting), key=_first)
    operand, form = operands[depth], forms[depth]
    if form.kind == "register" and isinstance(operand, Immediate):
        if isinstance(operand.node, Name):
            name = operand.node.name
            hint = nearest_register(name) or nearest(name, REGISTERS) or f"write {usage}"
            return Fault(f"unknown register '{name}'", operand.column, hint)
        if isinstance(operand.node, Number):
            return Fault("expected a register, not a number", operand.column, f"write {usage}")
    wanted = {"register": "a register", "memory": f"'{form.text}'", "immediate": "a value"}
    if form.name in REGISTERS:
        wanted["register"] = f"the register {form.name}"
    return Fault(f"expected {wanted[form.kind]} here", operand.column, f"write {usage}")


def _first(pair: tuple[int, tuple[Form, ...]]) -> int:
    return pair[0]


def _agreement(forms: tuple[Form, ...], operands: list[Operand]) -> int:
    for index, (form, operand) in enumerate(zip(forms, operands, strict=True)):
        if not form.takes(operand):
            return index
    return len(forms) - 1
