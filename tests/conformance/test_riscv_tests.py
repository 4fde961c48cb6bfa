"""Runs folders of official tests, where somebody has built them.

``--riscv-tests DIR``: the ELF files of riscv-tests for RV32 with I, M, A, C and the privileged
modes. A test ends by writing to the word ``tohost``: 1 means passed, otherwise the upper 31 bits
are the number of the test case that failed.

``--arch-test DIR``: those of riscv-arch-test, each ``name.elf`` with the reference signature
``name.reference_output`` or ``name.signature`` beside it: one 32-bit word in hexadecimal a line,
which must be found between the symbols ``begin_signature`` and ``end_signature``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from kit import VMM, Machine
from kit.machine.protocol import BareMachine

from .elf import write_elf
from .generator import load_constant, op

BASE = 0x8000_0000
STEPS = 10_000_000
SLICE = 500
CHARACTER = 0x0101
"""The upper half of what is written to tohost to print a character: device 1, command 1."""

MEMORY = "16M"

_RISCV_TEST = re.compile(r"rv32(u[imac]|[ms]i)-[pv]-[\w-]+$")
_SIGNATURES = ".reference_output", ".signature"


# -- running -----------------------------------------------------------------------------------


def build(place: str, image: Path | bytes) -> BareMachine:
    """A machine with the image loaded, bare or virtual."""
    if place == "bare":
        machine = Machine(memory=MEMORY, ad="fault")
        machine.load(image)
        return machine
    return VMM(Machine(memory="24M", ad="fault")).create("test", image=image, memory=MEMORY)


def until_tohost(machine: BareMachine) -> int:
    """Runs until the program writes its result; returns what it wrote.

    A program may also print characters through tohost, and waits until each has been taken.
    """
    place = machine.symbols.get("tohost")
    assert place is not None, "the program has no symbol tohost"
    printed = ""
    for _ in range(STEPS // SLICE):
        machine.run(SLICE)
        if not any(machine.read_memory(place, 8)):
            continue
        machine.run(4)  # it may be between the two halves
        value = int.from_bytes(machine.read_memory(place, 8), "little")
        if value >> 48 != CHARACTER:
            return value
        printed += chr(value & 0xFF)
        machine.write_memory(place, bytes(8))
    raise AssertionError(f"no result in tohost within {STEPS} steps; printed: {printed!r}")


def verdict(tohost: int) -> str:
    """What a value written to tohost means."""
    return "passed" if tohost == 1 else f"test case {tohost >> 1} failed"


def signature(machine: BareMachine) -> list[str]:
    """The words that a program leaves between its signature's symbols, as in a reference file."""
    begin, end = (machine.symbols[f"{name}_signature"] for name in ("begin", "end"))
    data = machine.read_memory(begin, end - begin)
    return [f"{int.from_bytes(data[at : at + 4], 'little'):08x}" for at in range(0, len(data), 4)]


# -- what is in a folder -----------------------------------------------------------------------


def riscv_tests(folder: Path) -> list[Path]:
    """The ELF files of riscv-tests that this machine can run."""
    return sorted(file for file in folder.rglob("rv32*") if _RISCV_TEST.fullmatch(file.name))


def arch_tests(folder: Path) -> list[tuple[Path, Path]]:
    """The ELF files of riscv-arch-test with their reference signatures.

    A signature stands beside its ELF file, or where RISCOF leaves it: ``dut/my.elf`` and
    ``ref/Reference-*.signature``.
    """
    pairs = []
    for elf in sorted(folder.rglob("*.elf")):
        references = [elf.with_suffix(suffix) for suffix in _SIGNATURES]
        if elf.parent.name == "dut":
            references += sorted((elf.parent.parent / "ref").glob("*.signature"))
        pairs += [(elf, reference) for reference in references if reference.exists()][:1]
    return pairs


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each file of the folders that were given."""
    finders: list[tuple[str, str, Callable[[Path], Sequence[Any]]]] = [
        ("riscv_test", "--riscv-tests", riscv_tests),
        ("arch_test", "--arch-test", arch_tests),
    ]
    for fixture, option, find in finders:
        if fixture not in metafunc.fixturenames:
            continue
        folder = metafunc.config.getoption(option, None)
        found = list(find(Path(folder))) if folder else []
        if folder and not found:
            raise pytest.UsageError(f"{option} {folder}: no tests in there")
        if found:
            names = [
                str((file if isinstance(file, Path) else file[0]).relative_to(folder))
                for file in found
            ]
            metafunc.parametrize(fixture, found, ids=names)
        else:
            skip = pytest.mark.skip(reason=f"needs {option} DIR")
            metafunc.parametrize(fixture, [pytest.param(None, marks=skip)], ids=["none"])


@pytest.mark.parametrize("place", ["bare", "vm"])
def test_official_test_passes(place: str, riscv_test: Path) -> None:
    machine = build(place, riscv_test)
    assert verdict(until_tohost(machine)) == "passed"


@pytest.mark.parametrize("place", ["bare", "vm"])
def test_signature_is_that_of_the_reference(place: str, arch_test: tuple[Path, Path]) -> None:
    elf, reference = arch_test
    machine = build(place, elf)
    until_tohost(machine)
    assert signature(machine) == reference.read_text().split()


# -- the runner itself -------------------------------------------------------------------------


def small_test(result: int) -> bytes:
    """A test that leaves a signature of three words and ends with `result`."""
    cells = [*load_constant(5, BASE + 0x100), *load_constant(6, 0xCAFE_F00D)]
    cells += [op("sw", rs1=5, rs2=6, imm=0), op("sw", rs1=5, rs2=5, imm=8)]
    cells += [op("addi", rd=7, rs1=0, imm=result), op("sw", rs1=5, rs2=7, imm=0x40)]
    cells.append(op("jal", rd=0, imm=0))
    image = b"".join(cell.data for cell in cells).ljust(0x180, b"\0")
    symbols = {"tohost": BASE + 0x140}
    symbols |= {"begin_signature": BASE + 0x100, "end_signature": BASE + 0x10C}
    return write_elf(image, BASE, BASE, symbols)


@pytest.mark.parametrize("place", ["bare", "vm"])
@pytest.mark.parametrize(("result", "meaning"), [(1, "passed"), (7, "test case 3 failed")])
def test_a_result_is_read_from_tohost(place: str, result: int, meaning: str) -> None:
    machine = build(place, small_test(result))
    assert verdict(until_tohost(machine)) == meaning


@pytest.mark.parametrize("place", ["bare", "vm"])
def test_characters_are_taken_from_tohost(place: str) -> None:
    cells = [*load_constant(5, BASE + 0x140), *load_constant(6, CHARACTER << 16)]
    cells += [op("addi", rd=7, rs1=0, imm=ord("x")), op("sw", rs1=5, rs2=7, imm=0)]
    cells += [op("sw", rs1=5, rs2=6, imm=4), op("lw", rd=8, rs1=5, imm=4)]
    cells += [op("bne", rs1=8, rs2=0, imm=-4), op("addi", rd=7, rs1=0, imm=1)]
    cells += [op("sw", rs1=5, rs2=7, imm=0), op("jal", rd=0, imm=0)]
    image = b"".join(cell.data for cell in cells).ljust(0x180, b"\0")
    machine = build(place, write_elf(image, BASE, BASE, {"tohost": BASE + 0x140}))
    assert verdict(until_tohost(machine)) == "passed"


@pytest.mark.parametrize("place", ["bare", "vm"])
def test_a_signature_is_read_between_its_symbols(place: str) -> None:
    machine = build(place, small_test(1))
    until_tohost(machine)
    assert signature(machine) == ["cafef00d", "00000000", "80000100"]


def test_a_folder_is_searched_for_tests_with_what_belongs_to_them(tmp_path: Path) -> None:
    names = "rv32ui-p-add rv32ui-p-add.dump rv64ui-p-add rv32mi-p-csr rv32ud-p-fadd rv32uc-v-rvc"
    for name in names.split():
        (tmp_path / name).write_bytes(small_test(1))
    assert [file.name for file in riscv_tests(tmp_path)] == [
        "rv32mi-p-csr",
        "rv32uc-v-rvc",
        "rv32ui-p-add",
    ]

    riscof = ("d/dut/my.elf", "d/ref/Reference-spike.signature")
    for name in ("a.elf", "a.reference_output", "b.elf", "c.elf", "c.signature", *riscof):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert [(elf.name, reference.name) for elf, reference in arch_tests(tmp_path)] == [
        ("a.elf", "a.reference_output"),
        ("c.elf", "c.signature"),
        ("my.elf", "Reference-spike.signature"),
    ]
