"""Lines of source, out of debug information that may be damaged."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from kit.errors import KitError
from kit.isa.assembler import assemble
from kit.resources import guests_dir
from kit.toolchain.lines import source_lines

PROGRAM = guests_dir() / "standalone" / "built" / "memory-test.elf"


def test_lines_lead_to_the_sources_of_program_and_library() -> None:
    lines = source_lines(PROGRAM.read_bytes())
    files = {file for file, _ in lines.values()}
    assert {"guests/standalone/memory-test.c", "guests/lib/start.S"} <= files
    for file, line in set(lines.values()):
        source = (guests_dir().parent / file).read_text().splitlines()
        assert 1 <= line <= len(source)


def test_a_program_without_debug_information_has_no_lines() -> None:
    assert source_lines(assemble("_start: nop\n").to_elf()) == {}


def test_what_is_no_elf_file_is_refused() -> None:
    with pytest.raises(KitError, match=r"^x.elf: its debug information is damaged"):
        source_lines(b"nothing", "x.elf")


def test_damage_gives_a_clear_error_and_nothing_else() -> None:
    whole = PROGRAM.read_bytes()
    chance = random.Random(3)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 20)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        length = chance.choice([len(data), chance.randrange(len(data))])
        with suppress(KitError):
            source_lines(bytes(data[:length]))
