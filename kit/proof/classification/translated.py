"""Loads, stores and fetches: sensitive to the translation by their nature.

What they do depends on where R leads an address, and a store can change R's own tables. The paper
keeps this out as "memory traps" and by comparing storage as the program sees it. A VMM takes it
over as a whole: by shadow tables, which are its own R for the guest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kit.isa.config import Config
from kit.isa.cpu import ARRAYS, WORDS, S
from kit.isa.encoding import Decoder, Instruction
from kit.proof.classification.witness import RAM, Claim, Ran, State, Witness

__all__ = ["fetch_witness", "translation_witness"]

ELSEWHERE = RAM + 0x40_0000
"""Where the second state's table leads the pages from RAM on: four MiB further."""
TABLE = RAM + 0x1000
DATA = 0x800
LEAF = 0xCF
"""The rights of an entry: D, A, X, W, R, V."""
OPERANDS = {"rs1": 5, "rs2": 6, "rd": 7}
FIRST, SECOND = 0x1111_1111, 0x2222_2222


def translation_witness(config: Config, decoder: Decoder, row: Instruction) -> tuple[Witness, ...]:
    """A load's or store's: two states of S-mode that differ only in satp, and their results.

    None of them where the processor has no tables: there R only says whether an access is allowed.
    """
    operands = {name: OPERANDS.get(name, 0) for name in row.widths}
    word = row.encode(**operands)
    return _witness(config, decoder, word, word)


def fetch_witness(config: Config, decoder: Decoder) -> tuple[Witness, ...]:
    """The fetch's: where the second state's table leads, there is another instruction."""
    add = decoder.by_name["addi"]
    return _witness(config, decoder, add.encode(rd=7, rs1=0, imm=1), add.encode(rd=7, rs1=0, imm=2))


def _witness(config: Config, decoder: Decoder, here: int, there: int) -> tuple[Witness, ...]:
    if not config.has_s:
        return ()
    storage: dict[int, int] = {}
    _put(storage, RAM, here)
    _put(storage, ELSEWHERE, there)
    _put(storage, RAM + DATA, FIRST)
    _put(storage, ELSEWHERE + DATA, SECOND)
    _put(storage, TABLE + 4 * (RAM >> 22), ELSEWHERE >> 2 | LEAF)
    state: State = dict.fromkeys(WORDS, 0) | {
        name: [0] * size for name, (size, _) in ARRAYS.items()
    }
    state |= {"mode": S, "pc": RAM, "storage": storage}
    state |= {"reservation_valid": 1, "reservation": RAM + DATA}
    state["x"][5], state["x"][6] = RAM + DATA, FIRST
    if config.pmp:
        state["pmpcfg"][0], state["pmpaddr"][0] = 0x1F, 0xFFFF_FFFF
    other: State = state | {"satp": 1 << 31 | TABLE >> 12}
    shows = "sensitive to the translation: the result depends on satp"
    return (Claim(shows, (state, other), _unlike).witness(config, decoder),)


def _put(storage: dict[int, int], address: int, word: int) -> None:
    storage.update({address + n: word >> 8 * n & 0xFF for n in range(4)})


def _unlike(runs: Sequence[Ran]) -> Any:
    return runs[0].trap is runs[1].trap is None and runs[0].result != runs[1].result
