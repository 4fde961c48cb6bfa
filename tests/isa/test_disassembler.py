"""The disassembler: its text assembles back to the same bytes, and is that of GNU objdump."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.isa.assembler import assemble
from kit.isa.disassembler import disassemble, disassemble_bytes
from kit.isa.encoding import Decoder, Instruction
from tests.isa.gnu import BASE, PREFIX, need_gnu

DECODER = Decoder("IMAC", 32)


def words_of(row: Instruction, count: int) -> list[int]:
    """Words of an instruction with random operands, and with all its limits."""
    rng = random.Random(row.name)
    result = []
    while len(result) < count:
        limits = {name: row.limits(name) for name in row.operands}
        operands = {
            name: rng.choice([low, high, rng.randrange(low, high + 1, step)])
            for name, (low, high, step) in limits.items()
        }
        if all(operands[name] not in banned for name, banned in row.excluded):
            result.append(row.encode(**operands))
    return result


def reassembled(text: str, address: int) -> bytes:
    return assemble(text, base=address).to_binary()


@pytest.mark.parametrize("aliases", [True, False])
@pytest.mark.parametrize("name", list(DECODER.by_name))
def test_text_assembles_back_to_the_same_bytes(name: str, aliases: bool) -> None:
    row = DECODER.by_name[name]
    address = BASE + 0x20_0000
    for word in words_of(row, 30):
        text = disassemble(word, address, aliases=aliases)
        assert reassembled(text, address) == word.to_bytes(row.length, "little"), text


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.binary(max_size=64))
def test_any_bytes_assemble_back(data: bytes) -> None:
    parts = list(disassemble_bytes(data, BASE + 0x20_0000))
    assert b"".join(piece for _, piece, _ in parts) == data
    source = "\n".join(f".org {address}-{BASE + 0x20_0000}\n{text}" for address, _, text in parts)
    assert reassembled(source, BASE + 0x20_0000) == data


@pytest.mark.parametrize(
    ("word", "text"),
    [
        (0x00000013, "nop"),
        (0x04800513, "li a0, 72"),
        (0x00058513, "mv a0, a1"),
        (0xFFF5C513, "not a0, a1"),
        (0x40B00533, "neg a0, a1"),
        (0x0015B513, "seqz a0, a1"),
        (0x00B03533, "snez a0, a1"),
        (0x00008067, "ret"),
        (0x00050067, "jr a0"),
        (0x000500E7, "jalr a0"),
        (0x00C58567, "jalr a0, 12(a1)"),
        (0x00B50463, "beq a0, a1, 0x80000008"),
        (0x00050463, "beqz a0, 0x80000008"),
        (0xFFDFF06F, "j 0x7ffffffc"),
        (0x30002573, "csrr a0, mstatus"),
        (0x30551073, "csrw mtvec, a0"),
        (0x7C051073, "csrw 0x7c0, a0"),
        (0xC0102573, "rdtime a0"),
        (0x04B6252F, "amoadd.w.aq a0, a1, (a2)"),
        (0x0FF0000F, "fence"),
        (0x0310000F, "fence rw, w"),
        (0x8330000F, "fence.tso"),
        (0x12000073, "sfence.vma"),
        (0x12B50073, "sfence.vma a0, a1"),
        (0xC0001073, "unimp"),
        (0xFFFFF537, "lui a0, 0xfffff"),
        (0x00000505, "c.addi a0, 1"),
        (0x00000000, "c.unimp"),
        (0xFFFFFFFF, ".word 0xffffffff"),
        (0x00008002, ".half 0x8002"),
    ],
)
def test_instructions_are_written_as_usual(word: int, text: str) -> None:
    assert disassemble(word, BASE) == text


def test_without_aliases_the_names_are_those_of_the_table() -> None:
    assert disassemble(0x00058513, aliases=False) == "addi a0, a1, 0"
    assert disassemble(0x00008067, aliases=False) == "jalr zero, 0(ra)"


def test_targets_show_the_name_of_their_label() -> None:
    text = disassemble(0x00B50463, BASE, symbols={"done": BASE + 8})
    assert text == "beq a0, a1, 0x80000008 <done>"


@pytest.mark.toolchain
def test_text_without_aliases_is_that_of_objdump(tmp_path: Path) -> None:
    need_gnu()
    # c.nop and the hints have several names; objdump knows more registers than the machine has.
    words = [
        (word, row.length)
        for row in DECODER.by_name.values()
        for word in words_of(row, 20)
        if row.name not in ("c.nop", "fence", "fence.i", "csrrw", "csrrs", "csrrc")
        and not row.name.startswith("csrr")
        and not (row.length == 2 and disassemble(word).split(" ")[-1] in ("0", "0x0"))
        and not (row.length == 2 and "zero" in disassemble(word))
    ]
    data = b"".join(word.to_bytes(length, "little") for word, length in words)
    (tmp_path / "a.bin").write_bytes(data)
    listing = subprocess.run(
        [f"{PREFIX}objdump", "-D", "-b", "binary", "-m", "riscv:rv32", "-M", "no-aliases",
         f"--adjust-vma={BASE:#x}", "a.bin"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    theirs = re.findall(r"^ *([0-9a-f]+):\t[0-9a-f ]+\t(.*)$", listing, re.MULTILINE)
    ours = list(disassemble_bytes(data, BASE, aliases=False))
    assert len(theirs) == len(ours)
    for (at, text), (address, _, mine) in zip(theirs, ours, strict=True):
        assert int(at, 16) == address
        assert _plain(mine) == _plain(text.split(" # ")[0].split(" <")[0])


def _plain(text: str) -> str:
    """Without blanks and with every number in decimal."""
    joined = re.sub(r"\s+", " ", text.strip()).replace(", ", ",")
    return re.sub(
        r"(?<![\w.])(-?)(0x[0-9a-f]+|[0-9]+|8[0-9a-f]{7})(?![\w.])",
        lambda found: str(_number(found[2]) * (-1 if found[1] else 1)),
        joined,
    )


def _number(text: str) -> int:
    return int(text, 16) if text.startswith("0x") or len(text) == 8 else int(text)
