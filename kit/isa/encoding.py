"""The encoding table: bit patterns, from which decoder, assembler and manual are made.

A pattern names the fields of an instruction word from its most significant bit down, separated by
spaces, as the manual draws them::

    "imm[12|10:5] rs2 rs1 000 imm[4:1|11] 1100011"

- zeros and ones are fixed bits;
- ``rd rs1 rs2`` are register numbers of five bits; in compressed patterns ``rd' rs1' rs2'`` have
  three bits and count from x8;
- ``name[bits]`` says which bits of an operand stand here; a name ending in ``imm`` that does not
  contain a ``u`` is signed;
- ``rd!=0``, ``rd!=0,2`` (fields) and ``nzimm``, ``nzuimm`` (operands) exclude values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from kit.bits import Bits, concat
from kit.isa.config import Config

__all__ = ["HOLES", "INSTRUCTIONS", "Decoder", "Field", "Instruction", "compressed", "instruction"]

_WIDTHS = {"rd": 5, "rs1": 5, "rs2": 5, "rd'": 3, "rs1'": 3, "rs2'": 3}
_TOKEN = re.compile(r"^([a-z]\w*'?)(?:\[([\d:|]+)\])?(?:!=([\d,]+))?$")


@dataclass(frozen=True)
class Field:
    """A run of bits in the word that holds a run of bits of an operand.

    `operand` is its name; word bits ``[low + size - 1 : low]`` hold operand bits from `at` upwards.
    """

    operand: str
    low: int
    size: int
    at: int


@dataclass(frozen=True)
class Instruction:
    """One row of the encoding table.

    `length` is in bytes. A word is this instruction where ``word & mask == match`` and no operand
    has a value in `excluded`. `syntax` is the operand list of the assembler. `execute` is its
    meaning; a compressed instruction has `expansion` instead: the text of the instruction it
    stands for, in which operand names are filled in.
    """

    name: str
    length: int
    mask: int
    match: int
    fields: tuple[Field, ...]
    excluded: tuple[tuple[str, frozenset[int]], ...]
    syntax: str
    extension: str
    pattern: str
    xlens: frozenset[int]
    execute: Callable[..., None] | None = None
    expansion: str = ""
    privilege: str = "U"
    widths: dict[str, int] = field(default_factory=dict, hash=False, compare=False)

    @property
    def operands(self) -> tuple[str, ...]:
        """The operand names, in the order in which the pattern first mentions them."""
        return tuple(self.widths)

    def is_signed(self, operand: str) -> bool:
        """Is the operand a signed number?"""
        return operand.endswith("imm") and "u" not in operand

    def extract(self, word: Bits) -> dict[str, Bits]:
        """The operands of `word`, each at its own width (registers of ``rd'`` at five bits)."""
        return {name: self._operand(word, name) for name in self.widths}

    def operands_of(self, word: int) -> dict[str, int]:
        """The operands of `word` as numbers, signed ones in two's complement."""
        return {
            name: value.signed if self.is_signed(name) else int(value)
            for name, value in self.extract(Bits(8 * self.length, word)).items()
        }

    def _operand(self, word: Bits, name: str) -> Bits:
        pieces = sorted((f for f in self.fields if f.operand == name), key=lambda f: f.at)
        parts: list[Bits] = []
        position = 0
        for piece in pieces:
            if piece.at > position:
                parts.insert(0, Bits(piece.at - position, 0))
            parts.insert(0, word[piece.low + piece.size - 1 : piece.low])
            position = piece.at + piece.size
        value = concat(*parts)
        return value.zext(5) | 8 if name.endswith("'") else value

    def encode(self, **operands: int) -> int:
        """The word for these operands.

        Raises `ValueError`, naming the operand, where one is out of range or excluded.
        """
        word = self.match
        for name in self.widths:
            value = operands[name]
            self._check(name, value)
            if name.endswith("'"):
                value -= 8
            for piece in self.fields:
                if piece.operand == name:
                    word |= ((value >> piece.at) & ((1 << piece.size) - 1)) << piece.low
        return word

    def limits(self, name: str) -> tuple[int, int, int]:
        """The least and the greatest value of an operand, and the step between values."""
        if name.endswith("'"):
            return 8, 15, 1
        width = self.widths[name]
        step = 1 << min(piece.at for piece in self.fields if piece.operand == name)
        if self.is_signed(name):
            return -(1 << (width - 1)), (1 << (width - 1)) - step, step
        return 0, (1 << width) - step, step

    def _check(self, name: str, value: int) -> None:
        low, high, step = self.limits(name)
        if not low <= value <= high:
            raise ValueError(f"{name} = {value} is outside {low} to {high}")
        if value % step:
            raise ValueError(f"{name} = {value} is not a multiple of {step}")
        if value in dict(self.excluded).get(name, ()):
            raise ValueError(f"{self.name} does not take {name} = {value}")

    def accepts(self, word: int) -> bool:
        """Is `word` this instruction?"""
        if word & self.mask != self.match:
            return False
        return not any(
            int(self._operand(Bits(8 * self.length, word), name)) in values
            for name, values in self.excluded
        )


INSTRUCTIONS: list[Instruction] = []
"""Every instruction that is defined, in the order of definition."""

HOLES: dict[str, Instruction] = {}
"""Instructions that only processors altered on purpose have, by the hole's name: they stand beside
the others, or in the place of the one of their name (see `kit.isa.holes`)."""


def _parse(
    pattern: str,
) -> tuple[int, int, int, list[Field], dict[str, frozenset[int]], dict[str, int]]:
    """Length, mask, match, fields, excluded values and operand widths of a pattern."""
    mask = match = bits = 0
    fields: list[Field] = []
    excluded: dict[str, frozenset[int]] = {}
    widths: dict[str, int] = {}
    tokens = pattern.split()
    sizes = [_token_size(token) for token in tokens]
    low = sum(sizes)
    if low not in (16, 32):
        raise ValueError(f"pattern of {low} bits: {pattern!r}")
    bits = low
    for token, size in zip(tokens, sizes, strict=True):
        low -= size
        if token[0] in "01":
            mask |= ((1 << size) - 1) << low
            match |= int(token, 2) << low
            continue
        name, places, banned = _TOKEN.match(token).groups()  # type: ignore[union-attr]
        if banned:
            excluded[name] = frozenset(map(int, banned.split(",")))
        if name.startswith("nz"):
            excluded[name] = frozenset({0})
        position = low + size
        for place in (places or f"{size - 1}:0").split("|"):
            high, _, end = place.partition(":")
            at = int(end or high)
            count = int(high) - at + 1
            position -= count
            fields.append(Field(name, position, count, at))
            widths[name] = max(widths.get(name, 0), at + count)
    return bits // 8, mask, match, fields, excluded, widths


def _token_size(token: str) -> int:
    if token[0] in "01":
        return len(token)
    found = _TOKEN.match(token)
    if found is None:
        raise ValueError(f"cannot read the field {token!r}")
    name, places, _ = found.groups()
    if places is None:
        return _WIDTHS.get(name, 1)
    return sum(
        int(high) - int(low or high) + 1
        for high, _, low in (place.partition(":") for place in places.split("|"))
    )


def row_of(name: str, pattern: str, **rest: Any) -> Instruction:
    """A row for a pattern; the `rest` are fields of `Instruction`."""
    length, mask, match, fields, excluded, widths = _parse(pattern)
    return Instruction(
        name, length, mask, match, tuple(fields), tuple(excluded.items()),
        pattern=pattern, widths=widths, **rest,
    )  # fmt: skip


def _define(name: str, pattern: str, **rest: Any) -> Instruction:
    row = row_of(name, pattern, **rest)
    INSTRUCTIONS.append(row)
    return row


def instruction(
    pattern: str,
    syntax: str = "",
    *,
    extension: str,
    name: str = "",
    privilege: str = "U",
    xlens: tuple[int, ...] = (32, 64),
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Enters a function into the encoding table as the meaning of `pattern`.

    The function takes the processor and the operands by name. `name` defaults to the function's
    own, with ``_`` for ``.``; `privilege` is the least mode in which it may be executed.
    """

    def enter(function: Callable[..., None]) -> Callable[..., None]:
        _define(
            name or function.__name__.rstrip("_").replace("_", "."),
            pattern,
            syntax=syntax,
            extension=extension,
            xlens=frozenset(xlens),
            execute=function,
            privilege=privilege,
        )
        return function

    return enter


def compressed(
    name: str, pattern: str, syntax: str, expansion: str, *, xlens: tuple[int, ...] = (32, 64)
) -> Instruction:
    """Enters a compressed instruction: another spelling of the instruction in `expansion`.

    `expansion` is a mnemonic and ``operand=value`` pairs, the value an operand name or a number.
    """
    return _define(
        name, pattern, syntax=syntax, extension="C", xlens=frozenset(xlens), expansion=expansion
    )


class Decoder:
    """Finds the instruction of a word, among those of the given extensions and width.

    With `holes` it is the table of a processor that is altered so.
    """

    def __init__(self, extensions: str, xlen: int, holes: Iterable[str] = ()) -> None:
        altered = {HOLES[hole].name: HOLES[hole] for hole in holes}
        rows = [
            row
            for row in [*(r for r in INSTRUCTIONS if r.name not in altered), *altered.values()]
            if xlen in row.xlens and set(row.extension) <= set(extensions)
        ]
        self.by_name = {row.name: row for row in rows}
        self._buckets: dict[int, list[Instruction]] = {}
        for row in rows:
            for low in range(128):
                key = low if row.length == 4 else low & 3
                if (key ^ row.match) & row.mask & (127 if row.length == 4 else 3) == 0:
                    bucket = self._buckets.setdefault(low, [])
                    if row not in bucket:
                        bucket.append(row)

    @classmethod
    def of(cls, config: Config) -> Decoder:
        """The decoder of a processor."""
        return cls(config.extensions, config.xlen, config.holes)

    def find(self, word: int) -> Instruction | None:
        """The table's row for `word` (16 bits where its two lowest are not 11), or None."""
        for row in self._buckets.get(word & 127, ()):
            if row.accepts(word):
                return row
        return None

    def decode(self, word: int) -> tuple[Instruction, dict[str, int]] | None:
        """The instruction that `word` stands for and its operands as numbers, or None.

        A compressed word is expanded: the instruction is the one it stands for.
        """
        row = self.find(word)
        if row is None:
            return None
        operands = row.operands_of(word)
        if not row.expansion:
            return row, operands
        return self.expand(row, operands)

    def expand(
        self, row: Instruction, operands: dict[str, int]
    ) -> tuple[Instruction, dict[str, int]]:
        """The instruction and operands that a compressed instruction stands for."""
        name, *pairs = row.expansion.split()
        full: dict[str, int] = {}
        for pair in pairs:
            key, _, value = pair.partition("=")
            full[key] = operands[value] if value in operands else int(value)
        return self.by_name[name], full
