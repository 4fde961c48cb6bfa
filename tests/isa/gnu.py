"""GNU as, as a second opinion."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PREFIX = "riscv64-unknown-elf-"
BASE = 0x8000_0000


def need_gnu() -> None:
    """Skips the test where GNU as is missing; fails it in CI, where it must not be."""
    if shutil.which(f"{PREFIX}as") is None:
        reason = f"{PREFIX}as is not installed (Debian: binutils-riscv64-unknown-elf)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


def assembled_by_gnu(source: str, folder: Path, compressing: bool = False) -> bytes:
    """The bytes that GNU as and ld make of the section .text of `source`.

    Unless `compressing`, plain mnemonics take four bytes; explicit c. mnemonics always work.
    """
    if not compressing:
        lines = (
            f".option push; .option rvc; {line}; .option pop" if line.startswith("c.") else line
            for line in source.split("\n")
        )
        source = "\n".join([".option norvc", *lines])
    (folder / "a.s").write_text(source)
    _run(folder, "as", "-march=rv32imac_zicsr_zifencei", "-mabi=ilp32", "-mno-relax",
         "-o", "a.o", "a.s")  # fmt: skip
    _run(folder, "ld", "-m", "elf32lriscv", "--no-relax", f"-Ttext={BASE:#x}", "-e", "0",
         "-o", "a.elf", "a.o")  # fmt: skip
    _run(folder, "objcopy", "-O", "binary", "-j", ".text", "a.elf", "a.bin")
    return (folder / "a.bin").read_bytes()


def _run(folder: Path, tool: str, *arguments: str) -> None:
    done = subprocess.run(
        [PREFIX + tool, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
