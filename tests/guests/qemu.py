"""QEMU's `virt` board, as a second opinion on guests: what a program prints there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.conftest import missing

__all__ = ["qemu"]

BOARD = "-M virt -bios none -display none -monitor none -serial stdio"
DISK = "-device virtio-blk-device,drive=disk,bus=virtio-mmio-bus.0"


def qemu(
    program: Path,
    *,
    memory: str = "16M",
    append: str = "",
    disk: Path | None = None,
    legacy: bool = True,
    typed: bytes = b"",
    counted: int | None = None,
) -> tuple[str, int]:
    """What an ELF file prints, and its exit code. `disk` is changed in place.

    With `counted`, time goes by with instructions, however busy this computer is: one takes 2 to
    the power of `counted` nanoseconds, and a tick has 100.
    """
    emulator = shutil.which("qemu-system-riscv32")
    if emulator is None:
        missing("qemu-system-riscv32 is not installed (Debian package qemu-system-misc)")
    command = [str(emulator), *BOARD.split(), "-m", memory, "-kernel", str(program)]
    command += ["-append", append] if append else []
    command += ["-icount", f"shift={counted}"] if counted is not None else []
    command += ["-global", f"virtio-mmio.force-legacy={'on' if legacy else 'off'}"]
    if disk is not None:
        command += ["-drive", f"file={disk},if=none,format=raw,id=disk", *DISK.split()]
    run = subprocess.run(command, input=typed, capture_output=True, timeout=60)
    assert not run.stderr, run.stderr.decode()
    return run.stdout.decode(), run.returncode
