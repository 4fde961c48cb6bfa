"""The stand-alone programs in C: bare, in a virtual machine, and on QEMU."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit import VMM, Machine
from kit.devices.deck import Deck
from kit.machine.loader import read_image
from kit.resources import guests_dir
from kit.toolchain.hexfile import read_hex_file
from tests.guests.qemu import qemu

FOLDER = guests_dir() / "standalone"
BUDGET = 200_000_000
SECTOR = 512


def bare(name: str, append: str = "", typed: bytes = b"", **settings: object) -> Machine:
    """The machine after a program's end."""
    machine = Machine(**{"memory": "1M", **settings})  # type: ignore[arg-type]
    machine.load(FOLDER / f"{name}.c", append=append)
    machine.uart.feed(typed)
    machine.board.refresh()
    assert machine.run(BUDGET).reason == "halt"
    return machine


def virtual(name: str, **settings: object) -> str:
    """What a program prints in a virtual machine."""
    vmm = VMM(Machine(memory="4M"))
    machine = vmm.create(name, image=FOLDER / f"{name}.c", memory="1M", **settings)  # type: ignore[arg-type]
    assert vmm.run(BUDGET)[name].reason == "halt"
    return machine.uart.text


def elf(name: str) -> Path:
    return FOLDER / "built" / f"{name}.elf"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A disk of eight sectors, each byte of which says where it is."""
    path = tmp_path / "disk.img"
    path.write_bytes(bytes((at * 7 + at // SECTOR) & 255 for at in range(8 * SECTOR)))
    return path


# Memory test


def test_good_storage_has_no_faults() -> None:
    machine = bare("memory-test")
    lines = machine.uart.text.splitlines()
    assert lines[0].endswith("to 800fffff")  # all of it
    assert lines[1:] == ["data lines", "byte lanes", "addresses", "march C-", "no faults"]


def test_all_storage_behind_the_program_is_tested() -> None:
    machine = bare("memory-test")
    first = read_image(FOLDER / "memory-test.c").symbols["image_end"]
    assert machine.uart.text.startswith(f"memory test of {first:08x} ")
    # The last march leaves zeros everywhere.
    assert not any(machine.read_memory(first, 0x80100000 - first))


@pytest.mark.parametrize("slices", [1, 3, 5])
def test_a_bit_that_changes_by_itself_is_found(slices: int) -> None:
    """It falls over in the middle of a pass, above the place where the pass has come to."""
    machine = Machine(memory="64K")
    machine.load(FOLDER / "memory-test.c")
    machine.run(100_000 * slices)
    at = 0x8000F000
    (before,) = machine.read_memory(at + 1, 1)
    machine.write_memory(at + 1, bytes([before ^ 0x10]))
    stop = machine.run(BUDGET)
    assert (stop.reason, stop.code) == ("halt", 1)
    assert "  at 8000f000: " in machine.uart.text
    assert machine.uart.text.endswith("FAULTY\n")


def test_the_memory_test_prints_the_same_in_a_virtual_machine() -> None:
    assert virtual("memory-test") == bare("memory-test").uart.text


@pytest.mark.qemu
def test_the_memory_test_prints_the_same_on_qemu() -> None:
    assert qemu(elf("memory-test"), memory="4M") == (bare("memory-test", memory="4M").uart.text, 0)


# Disk dump and restore


def contents(records: str) -> dict[int, bytes]:
    """The bytes that Intel HEX records hold, read by the kit's own reader."""
    return dict(read_hex_file(records, "dump").segments)


def test_a_dump_holds_the_disk(disk: Path) -> None:
    text = bare("disk-dump", disk=disk).uart.text
    assert contents(text) == {0: disk.read_bytes()}
    assert contents(bare("disk-dump", "dump 2 3", disk=disk).uart.text) == {
        2 * SECTOR: disk.read_bytes()[2 * SECTOR : 5 * SECTOR]
    }


def test_a_dump_beyond_64_kib_has_whole_addresses(tmp_path: Path) -> None:
    disk = tmp_path / "disk.img"
    data = bytes(126 * SECTOR) + b"A" * SECTOR + b"B" * SECTOR + b"C" * SECTOR + bytes(SECTOR)
    disk.write_bytes(data)
    found = contents(bare("disk-dump", "dump 126 3", disk=disk).uart.text)
    assert found == {126 * SECTOR: b"A" * SECTOR + b"B" * SECTOR + b"C" * SECTOR}


def test_a_dump_on_cards_comes_back_from_cards(disk: Path) -> None:
    original = disk.read_bytes()
    cards = bare("disk-dump", "dump 1 4 cards", disk=disk).punch.deck
    disk.write_bytes(bytes(8 * SECTOR))
    machine = bare("disk-dump", "restore cards", disk=disk, reader=Deck(list(cards)))
    assert machine.uart.text == f"restored, {len(cards)} lines\n"
    zeros = bytes(SECTOR)
    assert disk.read_bytes() == zeros + original[SECTOR : 5 * SECTOR] + 3 * zeros


def test_a_dump_comes_back_from_the_console(disk: Path) -> None:
    original = disk.read_bytes()
    dump = bare("disk-dump", disk=disk).uart.text
    disk.write_bytes(bytes(8 * SECTOR))
    bare("disk-dump", "restore", typed=dump.upper().encode(), disk=disk)
    assert disk.read_bytes() == original


def test_a_record_changes_only_its_own_bytes(disk: Path) -> None:
    original = disk.read_bytes()
    bare("disk-dump", "restore", typed=b":0203fe00aabb98\n:00000001ff\n", disk=disk)
    assert disk.read_bytes() == original[:0x3FE] + b"\xaa\xbb" + original[0x400:]


BAD_RECORDS = {
    "checksum": (b":0203fe00aabb99\n", "line 1: checksum error"),
    "no colon": (b"\n", "line 1: a record begins with a colon"),
    "cut short": (b":0203fe00aa\n", "line 1: a record has hexadecimal digits, to its end"),
    "no digit": (b":0203fe00xx\n", "line 1: a record has hexadecimal digits, to its end"),
    "too long": (b":ff03fe00\n", "line 1: a record has at most 32 bytes"),
    "beyond the end": (b":0200000400ffffff"[:15] + b"fb\n", "line 1: checksum error"),
    "second": (b":0203fe00aabb98\nx\n", "line 2: a record begins with a colon"),
}


@pytest.mark.parametrize("what", BAD_RECORDS)
def test_a_bad_record_ends_a_restore(disk: Path, what: str) -> None:
    typed, message = BAD_RECORDS[what]
    machine = bare("disk-dump", "restore", typed=typed, disk=disk)
    assert machine.uart.text == f"panic: {message}\n"


def test_a_sector_behind_the_last_ends_a_restore(disk: Path) -> None:
    typed = b":020000040001f9\n:0100000000ff\n"
    machine = bare("disk-dump", "restore", typed=typed, disk=disk)
    assert machine.uart.text == "panic: sector 128: the disk reports an error\n"


def test_a_deck_without_an_end_is_told_so(disk: Path) -> None:
    machine = bare("disk-dump", "restore cards", disk=disk, reader=Deck([b":0203fe00aabb98"]))
    assert machine.uart.text == "panic: card 2: the deck ends without an end record\n"


def test_without_a_disk_there_is_nothing_to_dump() -> None:
    assert bare("disk-dump").uart.text == "panic: this machine has no disk\n"


@pytest.mark.qemu
@pytest.mark.parametrize("legacy", [True, False], ids=["legacy", "modern"])
def test_dump_and_restore_are_the_same_on_qemu(disk: Path, legacy: bool) -> None:
    original = disk.read_bytes()
    dump, status = qemu(elf("disk-dump"), append="dump 0 4", disk=disk, legacy=legacy)
    assert status == 0
    assert dump == bare("disk-dump", "dump 0 4", disk=disk, legacy_virtio=legacy).uart.text
    disk.write_bytes(bytes(8 * SECTOR))
    restored = qemu(
        elf("disk-dump"), append="restore", disk=disk, legacy=legacy, typed=dump.encode()
    )
    assert restored == (f"restored, {len(dump.splitlines())} lines\n", 0)
    assert disk.read_bytes() == original[: 4 * SECTOR] + bytes(4 * SECTOR)


# Device exerciser


def test_every_device_passes(disk: Path) -> None:
    original = disk.read_bytes()
    machine = bare("exerciser", disk=disk, reader=Deck.from_text("A\nB\n"))
    lines = machine.uart.text.splitlines()
    assert lines[-1] == "all passed"
    assert all(line.endswith(" passed") for line in lines)
    tested = {line.split()[0] for line in lines[:-1]}
    assert tested == {
        *("processor", "protection", "clock", "uart", "disk"),
        *("card-reader", "line-printer", "card-punch"),
    }
    assert disk.read_bytes() == original
    assert machine.printer.text.startswith("THE QUICK BROWN FOX")
    assert machine.punch.deck.lines() == ["THE QUICK BROWN FOX"]


def test_what_is_not_there_is_told_and_is_no_failure() -> None:
    lines = bare("exerciser").uart.text.splitlines()
    assert "disk           is not there" in lines
    assert lines[-1] == "all passed"


def test_a_device_that_does_not_work_fails(disk: Path) -> None:
    """A printer whose interrupt never comes."""
    machine = Machine(memory="1M", disk=disk)
    machine.printer.interrupt = lambda: False  # type: ignore[method-assign]
    machine.load(FOLDER / "exerciser.c")
    stop = machine.run(BUDGET)
    assert (stop.reason, stop.code) == ("halt", 2)
    failed = [line for line in machine.uart.text.splitlines() if line.endswith("FAILED")]
    assert [line.split()[:2] for line in failed] == [
        ["line-printer", "print"],
        ["line-printer", "eject"],
        ["2", "FAILED"],
    ]


def test_the_exerciser_prints_the_same_in_a_virtual_machine(disk: Path) -> None:
    reader = Deck.from_text("A\nB\n")
    expected = bare("exerciser", disk=disk, reader=reader).uart.text
    assert virtual("exerciser", disk=disk, reader=reader) == expected


@pytest.mark.qemu
@pytest.mark.parametrize("legacy", [True, False], ids=["legacy", "modern"])
def test_the_exerciser_prints_the_same_on_qemu_but_for_what_is_not_there(
    disk: Path, legacy: bool
) -> None:
    found, status = qemu(elf("exerciser"), disk=disk, legacy=legacy)
    expected = bare("exerciser", disk=disk, legacy_virtio=legacy).uart.text.splitlines()
    own = ("card-reader", "line-printer", "card-punch")
    rest = [line for line in expected if not line.startswith(own)]
    missing = [f"{name:14} is not there" for name in own]
    assert found.splitlines() == [*rest[:-1], *missing, rest[-1]]
    assert status == 0
