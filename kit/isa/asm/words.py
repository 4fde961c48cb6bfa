"""An instruction whose operands may still be expressions, and its encoding."""

from __future__ import annotations

from dataclasses import dataclass, field

from kit.isa.asm.expressions import Modified, Node, evaluate
from kit.isa.asm.faults import Fault
from kit.isa.asm.symbols import Symbols
from kit.isa.encoding import Instruction

__all__ = ["Expression", "Word", "split"]


@dataclass(frozen=True, slots=True)
class Expression:
    """An operand that is a number: how it is written (`form`), and the expression."""

    form: str
    node: Node


@dataclass(slots=True)
class Word:
    """A row of the encoding table with its operands: numbers, or expressions of them.

    `columns` says where each operand stands, for the messages.
    """

    row: Instruction
    operands: dict[str, int | Expression]
    columns: dict[str, int] = field(default_factory=dict)
    column: int = 0

    @property
    def pcrel_hi(self) -> Modified | None:
        """The operand ``%pcrel_hi(…)``, if it has one."""
        for operand in self.operands.values():
            if isinstance(operand, Expression) and isinstance(operand.node, Modified):
                return operand.node if operand.node.modifier == "pcrel_hi" else None
        return None

    @property
    def nodes(self) -> list[Node]:
        """The expressions among the operands, without their modifiers."""
        nodes = [part.node for part in self.operands.values() if isinstance(part, Expression)]
        return [node.operand if isinstance(node, Modified) else node for node in nodes]

    def encode(self, address: int, symbols: Symbols, lows: dict[int, int]) -> bytes:
        """The bytes at `address`. Raises `Fault`, and `Unknown` for an undefined symbol."""
        values = {
            name: operand
            if isinstance(operand, int)
            else self._number(name, operand, address, symbols, lows)
            for name, operand in self.operands.items()
        }
        return self.encoded(values)

    def known(self, symbols: Symbols) -> dict[str, int] | None:
        """The operands as numbers where all are known before the layout, else None.

        Raises `Unknown` where one is not.
        """
        values: dict[str, int] = {}
        for name, operand in self.operands.items():
            if isinstance(operand, int):
                values[name] = operand
                continue
            node: Node = operand.node
            wanted = ""
            if isinstance(node, Modified):
                wanted = node.modifier
                node = node.operand
            value = evaluate(node, symbols)
            if value.base is not None or operand.form == "target" or wanted.startswith("pcrel"):
                return None
            part = split(value.number)[wanted == "lo"] if wanted else value.number
            values[name] = self._scaled(name, operand.form, part)
        return values

    def encoded(self, values: dict[str, int]) -> bytes:
        """The bytes for these numbers. Raises `Fault`, pointing at the operand."""
        try:
            return self.row.encode(**values).to_bytes(self.row.length, "little")
        except ValueError as error:
            for name, value in values.items():
                self._check(name, value)
            raise Fault(str(error), self.column) from None

    def _number(
        self, name: str, operand: Expression, address: int, symbols: Symbols, lows: dict[int, int]
    ) -> int:
        node, form = operand.node, operand.form
        if not isinstance(node, Modified):
            value = evaluate(node, symbols, final=True).number
            return (
                self._distance(name, value, address)
                if form == "target"
                else (self._scaled(name, form, value))
            )
        value = evaluate(node.operand, symbols, final=True).number
        if node.modifier == "pcrel_lo":
            if value not in lows:
                raise Fault(
                    "%pcrel_lo needs the label of the auipc that has the %pcrel_hi", node.column
                )
            return split(lows[value] - value)[1]
        if node.modifier == "pcrel_hi":
            value -= address
        return self._scaled(name, form, split(value)[node.modifier == "lo"])

    def _distance(self, name: str, target: int, address: int) -> int:
        distance = (target - address + (1 << 31)) % (1 << 32) - (1 << 31)
        low, high, step = self.row.limits(name)
        column = self.columns.get(name, self.column)
        if distance % step:
            raise Fault(f"the target {target:#x} is not a multiple of {step}", column)
        if not low <= distance <= high:
            what = f"the target {target:#x} is {distance} bytes away"
            hint = f"{self.row.name} reaches {low} to {high}"
            if 0 <= target <= high and abs(distance) > high:
                hint += "; a number here is an address: write '. + 8' for a distance"
            raise Fault(what, column, hint)
        return distance

    def _scaled(self, name: str, form: str, value: int) -> int:
        """The number that the table wants for the number that was written."""
        if form == "imm20":
            low, high, _ = self.row.limits(name)
            return self._upper(name, value, low, high)
        if self.row.is_signed(name) and 1 << 31 <= value < 1 << 32:
            return value - (1 << 32)
        return value

    def _upper(self, name: str, value: int, low: int, high: int) -> int:
        # lui takes 0 to 0xfffff; c.lui, whose operand is narrower, 1 to 31 and the top 32.
        signed = value - (1 << 20) if value >> 19 == 1 else value
        column = self.columns.get(name, self.column)
        if not 0 <= value < 1 << 20 or not low <= signed << 12 <= high:
            top = high >> 12
            ranges = f"1 to {top} and {top ^ 0xFFFFF:#x} to 0xfffff"
            if top >> 18:
                ranges = "0 to 0xfffff"
            raise Fault(f"{value} is outside {ranges}", column)
        return signed << 12

    def _check(self, name: str, value: int) -> None:
        low, high, step = self.row.limits(name)
        column = self.columns.get(name, self.column)
        banned = dict(self.row.excluded).get(name, frozenset())
        is_register = name.startswith(("rd", "rs"))
        if not low <= value <= high:
            if is_register:
                raise Fault(f"{self.row.name} takes only the registers s0, s1, a0 to a5", column)
            raise Fault(f"{value} is outside {low} to {high}", column)
        if value % step:
            raise Fault(f"{value} is not a multiple of {step}", column)
        if value in banned:
            shown = f"register x{value}" if is_register else str(value)
            raise Fault(f"{self.row.name} does not take {shown} here", column)


def split(value: int) -> tuple[int, int]:
    """The parts of an address as lui or auipc (20 bits) and addi (signed) put it together."""
    low = (value + 0x800 & 0xFFF) - 0x800
    return (value - low) >> 12 & 0xFFFFF, low
