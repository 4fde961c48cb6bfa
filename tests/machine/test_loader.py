from __future__ import annotations

import io
import shutil
import struct
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import KitError
from kit.isa.assembler import assemble
from kit.machine.loader import boot, read_image
from tests.conftest import missing
from tests.machine.board_fixture import Bootable

BASE = 0x80000000
MIB = 1 << 20

Piece = tuple[int, int, bytes, int]
"""A LOAD segment: virtual address, physical address, contents, bytes in memory."""
Symbol = tuple[str, int, int, int]
"""Name, value, info, section."""

GLOBAL, LOCAL, FILE = 0x10, 0x00, 0x04


def elf(
    pieces: list[Piece], entry: int = BASE, symbols: list[Symbol] | None = None, **header: int
) -> bytes:
    """An ELF file; `header` overrides fields of its header by name."""
    body_at = 52 + 32 * len(pieces)
    programs, body = b"", b""
    for virtual, physical, data, size in pieces:
        offset = body_at + len(body)
        programs += struct.pack("<8I", 1, offset, virtual, physical, len(data), size, 5, 4)
        body += data
    names, table = b"\0", bytes(16)
    for name, value, info, section in symbols or []:
        table += struct.pack("<IIIBBH", len(names), value, 0, info, 0, section)
        names += name.encode() + b"\0"
    table_at = body_at + len(body)
    sections_at = table_at + len(table) + len(names)
    sections = bytes(40) + struct.pack("<10I", 0, 2, 0, 0, table_at, len(table), 2, 0, 4, 16)
    sections += struct.pack("<10I", 0, 3, 0, 0, table_at + len(table), len(names), 0, 0, 1, 0)
    fields = {
        "kind": 2,
        "machine": 243,
        "version": 1,
        "entry": entry,
        "programs": 52,
        "sections": sections_at,
        "flags": 0,
        "header_size": 52,
        "program_size": 32,
        "program_count": len(pieces),
        "section_size": 40,
        "section_count": 3,
        "names_section": 0,
        "width": 1,
    } | header
    identity = b"\x7fELF" + bytes((fields.pop("width"), 1, 1)) + bytes(9)
    head = struct.pack("<16sHHIIIIIHHHHHH", identity, *fields.values())
    return head + programs + body + table + names + sections


CODE: Piece = (BASE, BASE, b"code", 4)


def test_elf_segments_go_to_their_physical_addresses_and_are_filled_with_zeros() -> None:
    image = read_image(elf([(0xC0000000, BASE + 0x1000, b"data", 10)], entry=0xC0000002))
    assert image.segments == [(BASE + 0x1000, b"data")]
    assert image.zeroed == [(BASE + 0x1004, 6)]
    assert image.entry == BASE + 0x1002
    machine = Bootable()
    machine.write_memory(BASE + 0x1000, b"\xff" * 16)
    boot(machine, image).place(machine)
    assert machine.read_bytes(BASE + 0x1000, 12) == b"data" + bytes(6) + b"\xff\xff"


def test_elf_symbols_are_returned_without_files_markers_and_undefined_ones() -> None:
    symbols = [
        ("main.s", 0, FILE, 0xFFF1),
        ("$x", BASE, LOCAL, 1),
        ("loop", BASE + 4, LOCAL, 1),
        ("loop", BASE + 8, GLOBAL, 1),
        ("elsewhere", 0, GLOBAL, 0),
        ("LIMIT", 99, LOCAL, 0xFFF1),
    ]
    assert read_image(elf([CODE], symbols=symbols)).symbols == {"loop": BASE + 8, "LIMIT": 99}


def test_what_the_assembler_made_loads_directly_and_as_an_elf_file() -> None:
    source = "start: j start\n.data\nword: .word 7\n.bss\nspace: .space 100\n"
    made = assemble(source)
    read = read_image(made.to_elf())
    assert read_image(made) is made
    assert read.entry == made.entry
    assert dict(read.segments) == dict(made.segments)
    assert read.symbols.items() >= {"start": BASE, "word": made.symbols["word"]}.items()
    for image in (made, read):
        machine = Bootable()
        machine.write_memory(made.symbols["space"], b"\xff" * 100)
        boot(machine, image).place(machine)
        assert machine.read_bytes(made.symbols["word"], 4) == b"\x07\0\0\0"
        assert machine.read_bytes(made.symbols["space"], 100) == bytes(100)


def test_a_flat_binary_goes_to_the_beginning_of_ram(tmp_path: Path) -> None:
    path = tmp_path / "kernel"
    path.write_bytes(b"\x13\0\0\0flat")
    image = read_image(path)
    assert image.entry == BASE
    assert image.segments == [(BASE, b"\x13\0\0\0flat")]


def test_intel_hex_is_recognised_and_starts_at_its_lowest_address() -> None:
    text = b":0200000480007A\n:0400000013000000E9\n:00000001FF\n"
    image = read_image(text)
    assert image.entry == BASE
    assert image.segments == [(BASE, b"\x13\0\0\0")]


def test_intel_hex_starts_where_its_start_record_says() -> None:
    text = b":0200000480007A\n:0400000013000000E9\n:040000058000000275\n:00000001FF\n"
    assert read_image(text).entry == BASE + 2


def test_intel_hex_without_data_is_one_line() -> None:
    with pytest.raises(KitError, match="holds no data"):
        read_image(b":00000001FF\n")


def test_damaged_intel_hex_is_one_line() -> None:
    with pytest.raises(KitError, match="image"):
        read_image(b":0400000013000000E8\n")


def test_boot_registers_and_device_tree() -> None:
    machine = Bootable(memory=16 * MIB)
    plan = boot(machine, elf([CODE], entry=BASE + 2), append="hello")
    plan.place(machine)
    dtb = plan.dtb.address
    assert machine.registers == {"pc": BASE + 2, "a0": 0, "a1": dtb}
    blob = machine.read_bytes(dtb, len(plan.dtb.data))
    assert blob.startswith(b"\xd0\x0d\xfe\xed")
    assert b"hello\0" in blob
    assert dtb == BASE + 14 * MIB, "where QEMU puts it: below the top, on a 2 MiB boundary"


def test_small_machines_have_the_device_tree_in_their_last_pages() -> None:
    machine = Bootable(memory=64 * 1024)
    plan = boot(machine, elf([CODE]))
    assert plan.dtb.address % 4096 == 0
    assert plan.dtb.address >= BASE + 0xE000
    assert plan.dtb.end <= BASE + 0x10000


def test_initial_ram_disk_lies_half_way_up() -> None:
    machine = Bootable(memory=16 * MIB)
    plan = boot(machine, elf([CODE]), initrd=b"disk" * 1000)
    assert plan.initrd is not None
    assert plan.initrd.address == BASE + 8 * MIB
    plan.place(machine)
    assert machine.read_bytes(BASE + 8 * MIB, 4000) == b"disk" * 1000
    blob = machine.read_bytes(plan.dtb.address, len(plan.dtb.data))
    assert struct.pack(">I", BASE + 8 * MIB) in blob
    assert struct.pack(">I", BASE + 8 * MIB + 4000) in blob


def test_initial_ram_disk_makes_way_for_a_big_kernel() -> None:
    machine = Bootable(memory=16 * MIB)
    kernel = (BASE, BASE, b"k", 9 * MIB)
    plan = boot(machine, elf([kernel]), initrd=bytes(MIB))
    assert plan.initrd is not None
    assert plan.initrd.address % 4096 == 0
    assert plan.initrd.address >= BASE + 9 * MIB
    assert plan.initrd.end <= plan.dtb.address


def test_what_does_not_fit_is_told_and_nothing_is_written() -> None:
    machine = Bootable(memory=MIB)
    before = machine.read_bytes(BASE, MIB)
    for image, initrd, message in (
        (bytes(2 * MIB), None, "not all in RAM"),
        (bytes(MIB), None, "no room in RAM for the device tree"),
        (b"\x13\0\0\0", bytes(MIB), "no room in RAM for an initial RAM disk of 1048576 bytes"),
    ):
        with pytest.raises(KitError, match=message):
            boot(machine, image, initrd=initrd)
    assert machine.read_bytes(BASE, MIB) == before


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the image is empty"),
        (b"\x7fELF", "the ELF header is cut off"),
        (elf([CODE], width=2), "not a 32-bit little-endian ELF file"),
        (elf([CODE], machine=62), "machine 62, not for RISC-V"),
        (elf([CODE], kind=1), "not an executable"),
        (elf([CODE], program_size=16), "table entries of 16 bytes instead of 32"),
        (elf([CODE], program_count=0xFFFF), "cut off"),
        (elf([CODE], programs=0xFFFFFFFF), "cut off"),
        (elf([CODE], sections=0xFFFFFFFF), "cut off"),
        (elf([CODE], section_size=0), "table entries of 0 bytes instead of 40"),
        (elf([]), "nothing to load"),
        (elf([(BASE, BASE, b"code", 3)]), "reaches beyond its bounds"),
        (elf([(BASE, 0x1000, b"code", 4)], entry=0), "not all in RAM"),
        (elf([(BASE, BASE, b"code", 0xFFFFFFFF)]), "not all in RAM"),
        (elf([CODE, (0, BASE + 3, b"x", 1)]), "two segments overlap at address 0x80000003"),
        (elf([CODE], entry=0), "cannot start at 0x0"),
        (elf([CODE], entry=BASE + 1), "cannot start at 0x80000001"),
    ],
)
def test_bad_images_are_one_line(data: bytes, message: str) -> None:
    with pytest.raises(KitError, match=message) as caught:
        boot(Bootable(), data)
    assert "\n" not in str(caught.value)


def test_missing_files_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(KitError, match="none: cannot read the image: No such file"):
        read_image(tmp_path / "none")
    with pytest.raises(KitError, match="none: cannot read the initial RAM disk"):
        boot(Bootable(), elf([CODE]), initrd=tmp_path / "none")


@pytest.mark.toolchain
def test_pyelftools_and_the_loader_agree_on_what_gnu_ld_makes(tmp_path: Path) -> None:
    compiler = shutil.which("riscv64-unknown-elf-gcc")
    if compiler is None:
        missing("riscv64-unknown-elf-gcc is not installed (Debian package gcc-riscv64-unknown-elf)")
    source, program = tmp_path / "a.s", tmp_path / "a.elf"
    source.write_text(
        ".globl _start\n_start: j _start\nlocal: nop\n.data\nword: .word 7\n.bss\n.space 64\n"
    )
    options = ["-march=rv32imac", "-mabi=ilp32", "-nostdlib", "-Ttext=0x80000000"]
    subprocess.run([str(compiler), *options, str(source), "-o", str(program)], check=True)
    image = read_image(program)
    theirs = ELFFile(io.BytesIO(program.read_bytes()))
    loaded = [s for s in theirs.iter_segments("PT_LOAD") if s["p_memsz"]]
    assert image.segments == [(s["p_paddr"], s.data()) for s in loaded if s["p_filesz"]]
    spaces = [(s["p_paddr"] + s["p_filesz"], s["p_memsz"] - s["p_filesz"]) for s in loaded]
    assert image.zeroed == [(address, size) for address, size in spaces if size]
    for symbol in theirs.get_section_by_name(".symtab").iter_symbols():
        if symbol.name in ("_start", "local", "word"):
            assert image.symbols[symbol.name] == symbol["st_value"]
    assert image.entry == image.symbols["_start"] == BASE


GOOD = elf(
    [CODE, (BASE + 64, BASE + 64, b"data", 100)],
    symbols=[("one", BASE, GLOBAL, 1), ("two", BASE + 64, LOCAL, 2)],
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    changes=st.lists(
        st.tuples(st.integers(4, len(GOOD) - 1), st.sampled_from([0, 1, 0x7F, 0x80, 0xFF])),
        max_size=6,
    ),
    length=st.integers(0, len(GOOD)) | st.just(len(GOOD)),
)
def test_a_damaged_elf_loads_or_is_one_line(changes: list[tuple[int, int]], length: int) -> None:
    data = bytearray(GOOD)
    for at, byte in changes:
        data[at] = byte
    machine = Bootable()
    with suppress(KitError):
        boot(machine, bytes(data[:length])).place(machine)
        assert machine.registers["pc"] % 2 == 0


@pytest.mark.parametrize(("name", "kind"), [("x.hex", "Intel HEX"), ("x.elf", "ELF")])
def test_a_file_that_its_name_belies_is_refused(tmp_path, name, kind):
    path = tmp_path / name
    path.write_text("hello\n")
    with pytest.raises(KitError, match=f"this is no {kind} file"):
        read_image(path, 0x8000_0000)


def test_an_empty_source_is_refused(tmp_path):
    path = tmp_path / "empty.s"
    path.write_text("# nothing\n")
    with pytest.raises(KitError, match="the program is empty"):
        read_image(path, 0x8000_0000)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no /dev/zero")
def test_an_image_without_end_is_refused(monkeypatch):
    monkeypatch.setattr("kit.machine.loader.MOST", 1 << 20)
    with pytest.raises(KitError, match="the image is larger than"):
        read_image("/dev/zero", 0x8000_0000)
