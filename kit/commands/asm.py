"""The commands `kit asm` and `kit disasm`."""

from __future__ import annotations

import argparse
import os
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kit.errors import KitError
from kit.files import replace_file

if TYPE_CHECKING:
    from kit.isa.image import Image

__all__ = ["add_asm", "add_disasm", "run_asm", "run_disasm"]

_ENDINGS = {"elf": ".elf", "bin": ".bin", "hex": ".hex"}
BASE = 0x8000_0000


def add_asm(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `kit asm` to the subparsers of `argparse`."""
    parser = subparsers.add_parser(
        "asm",
        help="assemble a program",
        description="Assembles FILE (GNU syntax) into ELF, a flat binary or Intel HEX.",
    )
    parser.add_argument("file", metavar="FILE", help="assembly source")
    parser.add_argument(
        "-o",
        dest="output",
        metavar="OUT",
        help="write here (default: FILE with a new ending; -: standard output)",
    )
    parser.add_argument(
        "--listing",
        metavar="FILE",
        help="write addresses, bytes and source here (-: standard output)",
    )
    parser.add_argument(
        "--format", choices=list(_ENDINGS), help="default: by the ending of OUT, else elf"
    )
    parser.add_argument(
        "--base",
        type=_address,
        default=BASE,
        metavar="ADDR",
        help="where the program will stand (default: 0x80000000)",
    )
    parser.add_argument("--isa", default="rv32imac", help="instruction sets (default: rv32imac)")
    parser.add_argument(
        "-I",
        dest="include",
        action="append",
        default=[],
        metavar="DIR",
        help="a folder for .include (may be repeated)",
    )
    parser.set_defaults(run=run_asm)


def add_disasm(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `kit disasm` to the subparsers of `argparse`."""
    parser = subparsers.add_parser(
        "disasm",
        help="show the instructions of a program",
        description="Shows the instructions in FILE: ELF, Intel HEX or a flat binary. In place of "
        "a file, the hexadecimal digits of a word may be given.",
    )
    parser.add_argument("file", metavar="FILE", help="a program, or a word such as 00a58023")
    parser.add_argument(
        "--base",
        type=_even_address,
        metavar="ADDR",
        help="where a flat binary stands (default: 0x80000000)",
    )
    parser.add_argument(
        "--no-aliases", action="store_true", help="write no pseudo-instructions (mv, ret, …)"
    )
    parser.set_defaults(run=run_disasm)


def _address(text: str) -> int:
    try:
        value = int(text, 0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no address; write 0x80000000") from None
    if not 0 <= value < 1 << 32:
        raise argparse.ArgumentTypeError(f"'{text}' is outside 0 to 0xffffffff")
    return value


def _even_address(text: str) -> int:
    value = _address(text)
    if value % 2:
        raise argparse.ArgumentTypeError(f"'{text}' is odd, and no instruction stands there")
    return value


def run_asm(args: argparse.Namespace) -> int:
    """Assembles, and writes the files that are asked for. Raises `KitError`."""
    from kit.isa.assembler import assemble_file

    source = Path(args.file)
    image = assemble_file(source, base=args.base, isa=args.isa, include_paths=args.include)
    kind = args.format or _format_of(args.output)
    output = args.output or str(source.with_suffix(_ENDINGS[kind]))
    for target in (output, args.listing):
        if target not in (None, "-") and _is_same(source, Path(target)):
            raise KitError(f"{target} is the source: name another file")
    if args.listing and os.path.realpath(args.listing) == os.path.realpath(output):
        raise KitError(f"{output}: the program and its listing need files of their own")
    _write(output, _encoded(image, kind))
    if args.listing:
        _write(args.listing, image.listing().encode())
    return 0


def _write(target: str, data: bytes) -> None:
    if target == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        replace_file(target, data)


def _format_of(output: str | None) -> str:
    ending = Path(output).suffix.lower() if output else ""
    return next((kind for kind, known in _ENDINGS.items() if known == ending), "elf")


def _is_same(source: Path, target: Path) -> bool:
    try:
        return source.samefile(target)
    except OSError:
        return False


def _encoded(image: Image, kind: str) -> bytes:
    from kit.toolchain.hexfile import write_hex

    if kind == "bin":
        return image.to_binary()
    if kind == "hex":
        return write_hex(image.segments, image.entry).encode()
    return image.to_elf()


# -- showing a program -----------------------------------------------------------------------


def run_disasm(args: argparse.Namespace) -> int:
    """Prints the instructions of a program. Raises `KitError`."""
    base = BASE if args.base is None else args.base
    if _exists(args.file):
        segments, symbols = _program(args.file, base)
    else:
        segments, symbols = [(0 if args.base is None else base, _word(args.file))], {}
    if any(address + len(data) > 1 << 32 for address, data in segments):
        raise KitError(f"{args.file}: reaches beyond the last address, 0xffffffff, from this base")
    _show(segments, symbols, aliases=not args.no_aliases)
    return 0


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def _program(path: str, base: int) -> tuple[list[tuple[int, bytes]], dict[str, int]]:
    """The parts of a program that hold code (all, where the file does not say), and its symbols."""
    from kit.machine.loader import read_image, read_source

    data, _ = read_source(path, "program")
    image = read_image(path, base)
    if not data.startswith(b"\x7fELF"):
        return image.segments, image.symbols
    code = _executable(data)
    return [part for part in image.segments if part[0] in code], image.symbols


def _executable(data: bytes) -> set[int]:
    """Where the executable segments of an ELF file stand, which `read_image` has checked."""
    (table,) = struct.unpack_from("<I", data, 28)
    (count,) = struct.unpack_from("<H", data, 44)
    headers = (struct.unpack_from("<8I", data, table + 32 * n) for n in range(count))
    return {header[3] for header in headers if header[6] & 1}


def _word(text: str) -> bytes:
    digits = text.lower().removeprefix("0x")
    if not 1 <= len(digits) <= 8 or any(c not in "0123456789abcdef" for c in digits):
        raise KitError(f"{text}: no such file, and not a word of up to 8 hexadecimal digits")
    word = int(digits, 16)
    return word.to_bytes(4 if word & 3 == 3 or word >> 16 else 2, "little")


def _show(segments: list[tuple[int, bytes]], symbols: dict[str, int], aliases: bool) -> None:
    from kit.isa.disassembler import disassemble_bytes

    names: dict[int, list[str]] = {}
    for name, value in symbols.items():
        names.setdefault(value, []).append(name)
    for address, data in segments:
        for here, piece, text in disassemble_bytes(data, address, symbols=symbols, aliases=aliases):
            for name in names.get(here, ()):
                print(f"\n{here:08x} <{name}>:")
            print(f"{here:08x}  {piece[::-1].hex():<8}  {text}")
