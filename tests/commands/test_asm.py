"""`kit asm` and `kit disasm`."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.cli import main
from kit.machine.loader import read_image
from kit.toolchain.hexfile import read_hex_file

SOURCE = "_start: li a0, 1\n j _start\n.data\nvalue: .word 5\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "a.s"
    path.write_text(SOURCE)
    return path


def test_asm_writes_an_elf_beside_the_source(source: Path) -> None:
    assert main(["asm", str(source)]) == 0
    image = read_image(source.with_suffix(".elf"))
    assert image.symbols == {"_start": 0x80000000, "value": 0x80000008}


@pytest.mark.parametrize("name", ["out.bin", "out.hex", "out.elf"])
def test_asm_takes_the_format_from_the_ending(source: Path, name: str) -> None:
    output = source.parent / name
    assert main(["asm", str(source), "-o", str(output), "--base", "0x1000"]) == 0
    image = read_image(output, 0x1000)
    assert b"".join(data for _, data in image.segments).endswith(b"\x05\0\0\0")
    assert image.segments[0][0] == 0x1000


def test_asm_writes_hex_with_the_start(source: Path) -> None:
    assert main(["asm", str(source), "--format", "hex"]) == 0
    assert read_hex_file(source.with_suffix(".hex").read_text()).start == 0x80000000


def test_asm_does_not_write_the_listing_over_the_program(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = str(tmp_path / "both")
    assert main(["asm", str(source), "-o", both, "--listing", both]) == 2
    assert "need files of their own" in capsys.readouterr().err
    assert not Path(both).exists()


def test_asm_writes_the_program_to_standard_output(
    source: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["asm", str(source), "-o", "-"]) == 0
    assert capfdbinary.readouterr().out.startswith(b"\x7fELF")
    assert main(["asm", str(source), "-o", "-", "--format", "bin"]) == 0
    assert capfdbinary.readouterr().out.endswith(b"\x05\0\0\0")
    assert [path.name for path in source.parent.iterdir()] == ["a.s"]
    assert main(["asm", str(source), "-o", "-", "--listing", "-"]) == 2


def test_asm_shows_a_listing(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["asm", str(source), "--listing", "-"]) == 0
    assert "80000000 00100513             1  _start: li a0, 1" in capsys.readouterr().out


def test_a_mistake_leaves_the_old_output_and_status_2(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = source.with_suffix(".elf")
    output.write_bytes(b"old")
    source.write_text("nop\naddi a0, t9, 1\n")
    assert main(["asm", str(source)]) == 2
    assert output.read_bytes() == b"old"
    error = capsys.readouterr().err
    assert f"{source}:2:10: unknown register 't9'; did you mean 't6'?" in error
    assert "Traceback" not in error


def test_asm_tells_all_mistakes_at_once(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source.write_text("addi a0, t9, 1\nnop\nlod a1, 0(a0)\n")
    assert main(["asm", str(source)]) == 2
    error = capsys.readouterr().err.splitlines()
    assert error[0].startswith(f"kit asm: {source}:1:10: unknown register 't9'")
    assert error[3].startswith(f"{source}:3:1: unknown instruction 'lod'")
    assert error[4:] == ["    lod a1, 0(a0)", "    ^", "2 mistakes"]


def test_asm_does_not_overwrite_its_source(source: Path) -> None:
    assert main(["asm", str(source), "-o", str(source)]) == 2
    assert source.read_text() == SOURCE


@pytest.mark.parametrize("name", ["out.bin", "out.hex", "out.elf"])
def test_disasm_shows_what_asm_has_made(
    source: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output = source.parent / name
    main(["asm", str(source), "-o", str(output)])
    assert main(["disasm", str(output)]) == 0
    out = capsys.readouterr().out
    assert "80000000  00100513  li a0, 1" in out
    assert ("<_start>:" in out) == (name == "out.elf")
    assert ("80000008" in out) == (name != "out.elf"), "only code is shown of an ELF file"


def test_disasm_takes_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["disasm", "0x00100513"]) == 0
    assert main(["disasm", "8082", "--no-aliases"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "00000000  00100513  li a0, 1",
        "00000000  8082      c.jr ra",
    ]


@pytest.mark.parametrize("argument", ["nothing.elf", "123456789", "", "\0", "."])
def test_disasm_of_nothing_is_explained(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["disasm", argument]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("0x80000001", "'0x80000001' is odd"),
        ("0x100000000", "is outside 0 to 0xffffffff"),
        ("0xfffffffe", "reaches beyond the last address"),
    ],
)
def test_disasm_refuses_a_base_where_the_program_cannot_stand(
    base: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(["disasm", "00100513", "--base", base])
    except SystemExit as stop:
        status = int(str(stop.code))
    assert status == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("length", range(0, 200, 9))
def test_disasm_of_a_cut_file_is_explained(source: Path, length: int) -> None:
    main(["asm", str(source)])
    output = source.with_suffix(".elf")
    output.write_bytes(output.read_bytes()[:length])
    assert main(["disasm", str(output)]) == (0 if 0 < length < 4 else 2)
