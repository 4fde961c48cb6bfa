"""Instruction words: the encoding table against another one, written from the manual's own tables.

Both sides share the decoder (it is data, from which the assembler is made too), so nothing else
would notice a mistake in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import combinations
from typing import Any

import z3

from kit.isa.config import Config
from kit.isa.encoding import Decoder, Instruction
from kit.proof.goals import Goal, Obligation, lemma
from kit.proof.stage import operands_of
from kit.proof.world import World, world_of

OPCODES = {
    "lui": 0x37, "auipc": 0x17, "jal": 0x6F, "jalr": (0x67, 0),
    "beq": (0x63, 0), "bne": (0x63, 1), "blt": (0x63, 4), "bge": (0x63, 5),
    "bltu": (0x63, 6), "bgeu": (0x63, 7),
    "lb": (0x03, 0), "lh": (0x03, 1), "lw": (0x03, 2), "lbu": (0x03, 4), "lhu": (0x03, 5),
    "sb": (0x23, 0), "sh": (0x23, 1), "sw": (0x23, 2),
    "addi": (0x13, 0), "slti": (0x13, 2), "sltiu": (0x13, 3), "xori": (0x13, 4),
    "ori": (0x13, 6), "andi": (0x13, 7),
    "slli": (0x13, 1, 0x00), "srli": (0x13, 5, 0x00), "srai": (0x13, 5, 0x20),
    "add": (0x33, 0, 0x00), "sub": (0x33, 0, 0x20), "sll": (0x33, 1, 0x00),
    "slt": (0x33, 2, 0x00), "sltu": (0x33, 3, 0x00), "xor": (0x33, 4, 0x00),
    "srl": (0x33, 5, 0x00), "sra": (0x33, 5, 0x20), "or": (0x33, 6, 0x00), "and": (0x33, 7, 0x00),
    "fence": (0x0F, 0), "fence.i": (0x0F, 1),
    "mul": (0x33, 0, 0x01), "mulh": (0x33, 1, 0x01), "mulhsu": (0x33, 2, 0x01),
    "mulhu": (0x33, 3, 0x01), "div": (0x33, 4, 0x01), "divu": (0x33, 5, 0x01),
    "rem": (0x33, 6, 0x01), "remu": (0x33, 7, 0x01),
    "csrrw": (0x73, 1), "csrrs": (0x73, 2), "csrrc": (0x73, 3),
    "csrrwi": (0x73, 5), "csrrsi": (0x73, 6), "csrrci": (0x73, 7),
}  # fmt: skip
"""Opcode, funct3 and funct7, of those that have them."""
ATOMICS = {
    "lr.w": 0x02, "sc.w": 0x03, "amoswap.w": 0x01, "amoadd.w": 0x00, "amoxor.w": 0x04,
    "amoand.w": 0x0C, "amoor.w": 0x08, "amomin.w": 0x10, "amomax.w": 0x14,
    "amominu.w": 0x18, "amomaxu.w": 0x1C,
}  # fmt: skip
"""funct5 of opcode 0x2F, funct3 2."""
WHOLE = {
    "ecall": 0x0000_0073, "ebreak": 0x0010_0073, "sret": 0x1020_0073, "mret": 0x3020_0073,
    "wfi": 0x1050_0073,
}  # fmt: skip
COMPRESSED = {
    "c.addi4spn": "000 -------- --- 00", "c.lw": "010 --- --- -- --- 00",
    "c.sw": "110 --- --- -- --- 00", "c.nop": "000 - 00000 ----- 01",
    "c.addi": "000 - ----- ----- 01", "c.jal": "001 ----------- 01",
    "c.li": "010 - ----- ----- 01", "c.addi16sp": "011 - 00010 ----- 01",
    "c.lui": "011 - ----- ----- 01", "c.srli": "100 0 00 --- ----- 01",
    "c.srai": "100 0 01 --- ----- 01", "c.andi": "100 - 10 --- ----- 01",
    "c.sub": "100 0 11 --- 00 --- 01", "c.xor": "100 0 11 --- 01 --- 01",
    "c.or": "100 0 11 --- 10 --- 01", "c.and": "100 0 11 --- 11 --- 01",
    "c.j": "101 ----------- 01", "c.beqz": "110 --- --- ----- 01",
    "c.bnez": "111 --- --- ----- 01", "c.slli": "000 0 ----- ----- 10",
    "c.lwsp": "010 - ----- ----- 10", "c.jr": "100 0 ----- 00000 10",
    "c.mv": "100 0 ----- ----- 10", "c.ebreak": "100 1 00000 00000 10",
    "c.jalr": "100 1 ----- 00000 10", "c.add": "100 1 ----- ----- 10",
    "c.swsp": "110 ------ ----- 10",
}  # fmt: skip
"""The quadrants of the compressed instructions, drawn as the manual draws them."""


def _field(word: Any, high: int, low: int, value: int) -> Any:
    return z3.Extract(high, low, word) == value


def _five(word: Any, high: int) -> Any:
    """Five bits of a compressed word, down from bit `high`."""
    return z3.Extract(high, high - 4, word)


def _excluded(name: str, word: Any) -> list[Any]:
    """The words that look like a compressed instruction and are another, or reserved."""
    rd, rs2 = _five(word, 11), _five(word, 6)
    immediate = z3.Concat(z3.Extract(12, 12, word), rs2)
    return {
        "c.addi4spn": [z3.Extract(12, 5, word) != 0],
        "c.addi": [rd != 0],
        "c.addi16sp": [immediate != 0],
        "c.lui": [rd != 2, immediate != 0],
        "c.lwsp": [rd != 0],
        "c.jr": [rd != 0],
        "c.jalr": [rd != 0],
        "c.mv": [rs2 != 0],
        "c.add": [rs2 != 0],
    }.get(name, [])


def manual(name: str, word: Any) -> Any:
    """Is a word (of 32 bits, or 16 for a compressed one) this instruction?"""
    if name in COMPRESSED:
        drawn = COMPRESSED[name].replace(" ", "")
        bits = [_field(word, 15 - n, 15 - n, int(bit)) for n, bit in enumerate(drawn) if bit != "-"]
        return z3.And(*bits, *_excluded(name, word))
    if name in WHOLE:
        return word == WHOLE[name]
    if name == "sfence.vma":
        return z3.And(_field(word, 31, 25, 0x09), _field(word, 14, 0, 0x0073))
    if name in ATOMICS:
        fixed = [_field(word, 14, 12, 2), _field(word, 31, 27, ATOMICS[name])]
        if name == "lr.w":
            fixed.append(_field(word, 24, 20, 0))
        return z3.And(_field(word, 6, 0, 0x2F), *fixed)
    code = OPCODES[name]
    parts = code if isinstance(code, tuple) else (code,)
    places = ((6, 0), (14, 12), (31, 25))
    return z3.And(*(_field(word, *place, part) for place, part in zip(places, parts, strict=False)))


def accepted(row: Instruction, word: Any, xlen: int) -> Any:
    """Does the table's row take a word?"""
    found = [word & row.mask == row.match]
    if row.excluded:
        wide = z3.ZeroExt(32 - word.size(), word)
        operands = operands_of(row, wide, xlen)
        found += [operands[name] != value for name, values in row.excluded for value in values]
    return z3.And(*found)


def _word(row: Instruction) -> Any:
    return z3.BitVec("word", 8 * row.length)


def _agrees(world: World, row: Instruction) -> list[Obligation]:
    word = _word(row)
    table = accepted(row, word, world.config.xlen)
    claims = {"encoding": table == manual(row.name, word)}
    return [Obligation([_length(word)], claims, {"word": word})]


def _length(word: Any) -> Any:
    """Only words that end in 11 have 32 bits."""
    long = z3.Extract(1, 0, word) == 3
    return long if word.size() == 32 else z3.Not(long)


def _rows(config: Config, length: int) -> list[Instruction]:
    return [row for row in Decoder.of(config).by_name.values() if row.length == length]


def _disjoint(world: World, length: int) -> list[Obligation]:
    """No word is two instructions, so the order in which the decoder looks does not matter."""
    word = z3.BitVec("word", 8 * length)
    claims = {}
    for one, two in combinations(_rows(world.config, length), 2):
        if (one.match ^ two.match) & one.mask & two.mask == 0:
            both = z3.And(*(accepted(row, word, world.config.xlen) for row in (one, two)))
            claims[f"{one.name} or {two.name}"] = z3.Not(both)
    claims.setdefault("all differ in fixed bits", z3.BoolVal(True))
    return [Obligation([_length(word)], claims, {"word": word})]


def _found(world: World) -> list[Obligation]:
    """The decoder looks at each row that takes a word: rows stand in every bucket they might."""
    decoder = Decoder.of(world.config)
    claims = {}
    for row in decoder.by_name.values():
        word = _word(row)
        for low in range(128):
            if row not in decoder._buckets.get(low, ()):
                here = z3.Extract(6, 0, word) == low
                claims[f"{row.name} {low:#x}"] = z3.Not(
                    z3.And(here, accepted(row, word, world.config.xlen))
                )
    return [Obligation([], claims, {})]


def _expansion(world: World, row: Instruction) -> list[Obligation]:
    """What a compressed instruction stands for is an instruction, with operands that it takes."""
    wide = z3.ZeroExt(16, _word(row))
    operands = operands_of(row, wide, world.config.xlen)
    name, *pairs = row.expansion.split()
    base, claims = world.rows[name], {"is an instruction": z3.BoolVal(name in world.rows)}
    given: dict[str, Any] = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        given[key] = operands.get(value)
        if value not in operands:
            claims[key] = z3.BoolVal(0 <= int(value) < 32)
    claims["all operands"] = z3.BoolVal(set(given) == set(base.widths))
    for key, value in given.items():
        if value is None:
            continue
        width = base.widths[key]
        if base.is_signed(key):
            low = z3.Extract(width - 1, 0, value) if value.size() > width else value
            wide_value = z3.SignExt(max(0, value.size() - width), low)
            claims[key] = wide_value == value
        else:
            claims[key] = z3.ULT(z3.ZeroExt(32, value), z3.BitVecVal(1 << width, value.size() + 32))
    return [
        Obligation([accepted(row, _word(row), world.config.xlen)], claims, {"word": _word(row)})
    ]


@lemma("decoder")
def decoder(config: Config) -> Mapping[str, Goal]:
    """Every word of 32 bits and of 16 is the instruction that the manual's tables say, or none: the
    encodings are those, no word is two instructions, the decoder finds the one it is, and what a
    compressed instruction stands for is an instruction that takes such operands."""
    world = world_of(config)
    goals: dict[str, Goal] = {"every row is found": partial(_found, world)}
    for length in (4, 2) if config.has_c else (4,):
        goals[f"words of {8 * length} bits"] = partial(_disjoint, world, length)
    for row in world.rows.values():
        goals[row.name] = partial(_agrees, world, row)
        if row.expansion:
            goals[f"{row.name} stands for"] = partial(_expansion, world, row)
    return goals
