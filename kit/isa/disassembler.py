"""The disassembler: instruction words as text, from the same table as the assembler."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping

import kit.isa  # noqa: F401 - it defines the instructions
from kit.isa.aliases import ALIASES, Alias
from kit.isa.csr import NUMBERS
from kit.isa.encoding import Decoder, Instruction
from kit.isa.registers import ABI_NAMES, REGISTERS

__all__ = ["disassemble", "disassemble_bytes"]

_CSR_NAMES = {number: name for name, number in reversed(NUMBERS.items())}
_MEMORY = re.compile(r"(\w*)\(([\w']+)\)")


def disassemble(
    word: int,
    address: int = 0,
    *,
    xlen: int = 32,
    symbols: Mapping[str, int] | None = None,
    aliases: bool = True,
    extensions: str = "IMAC",
) -> str:
    """The text of the instruction `word` (16 bits where its lowest two are not 11).

    `address` is where it stands: targets are written as addresses, with the name from `symbols`
    behind them if they have one. With `aliases`, pseudo-instructions are written where they say
    the same. Compressed instructions keep their ``c.`` names, so that the text assembles to the
    same bytes. A word that is no instruction comes out as ``.word`` or ``.half``.
    """
    if word & 3 != 3:
        word &= 0xFFFF
    row = _decoder(extensions, xlen).find(word)
    if word == 0:
        return "c.unimp"
    if row is None:
        return _raw(word, 4 if word & 3 == 3 else 2)
    return _Text(row, word, address, xlen, symbols or {}).write(aliases)


def disassemble_bytes(
    data: bytes,
    address: int = 0,
    *,
    xlen: int = 32,
    symbols: Mapping[str, int] | None = None,
    aliases: bool = True,
    extensions: str = "IMAC",
) -> Iterator[tuple[int, bytes, str]]:
    """Address, bytes and text of each instruction in `data`, the first standing at `address`.

    Bytes at the end that are less than an instruction come out as ``.half`` or ``.byte``.
    """
    position = 0
    while position < len(data):
        size = 4 if data[position] & 3 == 3 else 2
        piece = data[position : position + size]
        word, here = int.from_bytes(piece, "little"), address + position
        if len(piece) == size:
            text = disassemble(
                word, here, xlen=xlen, symbols=symbols, aliases=aliases, extensions=extensions
            )
        else:
            size = min(len(piece), 2)
            piece = piece[:size]
            text = _raw(int.from_bytes(piece, "little"), size)
        yield here, piece, text
        position += size


def _raw(word: int, size: int) -> str:
    """A directive for bytes that are no instruction."""
    directive = {1: ".byte", 2: ".half", 4: ".word"}[size]
    return f"{directive} 0x{word:0{2 * size}x}"


@functools.lru_cache(maxsize=8)
def _decoder(extensions: str, xlen: int) -> Decoder:
    return Decoder(extensions, xlen)


@functools.lru_cache(maxsize=1)
def _shown_aliases() -> dict[str, list[Alias]]:
    result: dict[str, list[Alias]] = {}
    for alias in ALIASES:
        if alias.is_shown:
            result.setdefault(alias.steps[0][0], []).append(alias)
    return result


class _Text:
    """An instruction on its way to text: `parts` are the operands in the table's forms."""

    def __init__(
        self, row: Instruction, word: int, address: int, xlen: int, symbols: Mapping[str, int]
    ) -> None:
        self.row, self.address, self.xlen, self.symbols = row, address, xlen, symbols
        self.operands = row.operands_of(word)
        self.forms = row.syntax.split(", ") if row.syntax else []

    def write(self, aliases: bool) -> str:
        """The whole text."""
        if not self._is_canonical():
            return _raw(self._word(), self.row.length)
        if aliases:
            for alias in _shown_aliases().get(self.row.name, ()):
                bound = self._match(alias)
                if bound is not None:
                    parts = [self._part(form, bound.get(form, form)) for form in alias.operands]
                    return f"{alias.name} {', '.join(parts)}".rstrip()
        name = self.row.name + self._ordering()
        if name == "fence" and self.operands["fm"] == 8:
            return "fence.tso"
        parts = [self._part(form, form) for form in self.forms]
        return f"{name} {', '.join(parts)}".rstrip()

    def _word(self) -> int:
        return self.row.encode(**self.operands)

    def _is_canonical(self) -> bool:
        """Would the text assemble to this word? Operands that it does not show must be zero."""
        shown = {name for form in self.forms for name in self._names(form)} | {"aq", "rl"}
        hidden = {k: v for k, v in self.operands.items() if k not in shown and v}
        if self.row.name == "fence" and hidden == {"fm": 8}:
            return (self.operands["pred"], self.operands["succ"]) == (3, 3)
        return not hidden

    def _names(self, form: str) -> list[str]:
        """The table's operands in an operand form."""
        memory = _MEMORY.fullmatch(form)
        if memory is not None:
            return [part for part in memory.groups() if part in self.operands]
        if form in ("target", "imm20"):
            return [name for name in self.operands if name.endswith("imm")]
        return [form]

    def _ordering(self) -> str:
        aq, rl = self.operands.get("aq"), self.operands.get("rl")
        return f".{'aq' * bool(aq)}{'rl' * bool(rl)}" if aq or rl else ""

    # -- pseudo-instructions -----------------------------------------------------------------

    def _match(self, alias: Alias) -> dict[str, str] | None:
        """Which of the row's forms each operand of `alias` is, or None if it is something else."""
        bound: dict[str, str] = {}
        templates = alias.steps[0][1]
        if len(alias.steps) > 1 or len(templates) != len(self.forms):
            return None
        for template, form in zip(templates, self.forms, strict=True):
            if template in alias.operands:
                bound[template] = form
            elif not self._is(template, form, bound, alias):
                return None
        return bound

    def _is(self, template: str, form: str, bound: dict[str, str], alias: Alias) -> bool:
        """Is the operand `form` what `template` says? Notes names of the alias in `bound`."""
        memory, wanted = _MEMORY.fullmatch(form), _MEMORY.fullmatch(template)
        if memory is not None and wanted is not None:
            pairs = zip(wanted.groups(), memory.groups(), strict=True)
            return all(self._is(t, f, bound, alias) for t, f in pairs)
        if template in alias.operands:
            bound[template] = form
            return True
        value = self.operands[form]
        if template in REGISTERS:
            return value == REGISTERS[template]
        if template in NUMBERS:
            return value == NUMBERS[template]
        return self._part(form, form) == template

    # -- operands ----------------------------------------------------------------------------

    def _part(self, form: str, place: str) -> str:
        """The operand in `place`, a form of the row, written as `form` wants it."""
        memory = _MEMORY.fullmatch(place)
        if memory is not None:
            offset = self.operands[memory[1]] if memory[1] else ""
            return f"{offset}({self._register(memory[2])})"
        if place.startswith(("rd", "rs")) or place in REGISTERS:
            return self._register(place)
        value = self.operands[self._names(place)[0]]
        if place == "target":
            return self._target((self.address + value) % (1 << self.xlen))
        if place == "imm20":
            return f"{value >> 12 & 0xFFFFF:#x}"
        if place == "csr":
            return _CSR_NAMES.get(value, f"{value:#x}")
        if place in ("pred", "succ"):
            letters = "".join(c for bit, c in zip((8, 4, 2, 1), "iorw", strict=True) if value & bit)
            return letters or "0"
        if place == "shamt":
            return f"{value:#x}"
        return str(value)

    def _register(self, name: str) -> str:
        return ABI_NAMES[self.operands[name]] if name in self.operands else name

    def _target(self, address: int) -> str:
        for name, value in self.symbols.items():
            if value == address:
                return f"{address:#x} <{name}>"
        return f"{address:#x}"
