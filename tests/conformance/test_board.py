"""The same register accesses on this board and on QEMU's `virt` board give the same values."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from kit.isa.assembler import assemble
from kit.machine.machine import Machine
from tests.conftest import missing

CLINT, PLIC, UART, DISK = 0x2000000, 0xC000000, 0x10000000, 0x10001000
UART_IRQ, DISK_IRQ = 10, 1
SECTOR = 512
SECTORS = 8

# Where the generated program keeps the disk's queue and data.
QUEUE, HEADER, DATA = 0x80010000, 0x80012000, 0x80013000
QUEUE_SIZE = 8
AVAILABLE, USED = QUEUE + 16 * QUEUE_SIZE, QUEUE + 0x1000
NEXT, WRITE = 1, 2

PRINT_HEX = """
# Prints a0 as eight hexadecimal digits and a newline, by polling.
print:  li      t0, 0x10000000
        li      t1, 8
1:      srli    t2, a0, 28
        slli    a0, a0, 4
        addi    t2, t2, '0'
        li      t3, '9'
        ble     t2, t3, 2f
        addi    t2, t2, 'a' - '0' - 10
2:      sb      t2, 0(t0)
        addi    t1, t1, -1
        bnez    t1, 1b
        li      t2, 10
        sb      t2, 0(t0)
        ret
"""


class Script:
    """A program that writes and reads addresses, and prints what it has read."""

    def __init__(self) -> None:
        self.lines = ["_start: .globl _start"]

    def write(self, address: int, value: int, size: int = 4) -> None:
        store = {1: "sb", 2: "sh", 4: "sw"}[size]
        self.lines += [f"li t0, {address:#x}", f"li t1, {value:#x}", f"{store} t1, 0(t0)"]

    def show(self, address: int, size: int = 4) -> None:
        self.keep("a0", address, size)
        self.lines += ["call print"]

    def keep(self, register: str, address: int, size: int = 4) -> None:
        """Reads into a register, to be shown later."""
        load = {1: "lbu", 2: "lhu", 4: "lw"}[size]
        self.lines += [f"li t0, {address:#x}", f"{load} {register}, 0(t0)"]

    def show_register(self, register: str) -> None:
        self.lines += [f"mv a0, {register}", "call print"]

    def wait(self, address: int, value: int) -> None:
        """Waits until the half-word at `address` has that value."""
        self.lines += [f"li t0, {address:#x}", f"li t1, {value:#x}"]
        self.lines += ["1: lhu t2, 0(t0)", "bne t1, t2, 1b"]

    def elf(self) -> bytes:
        end = ["li t0, 0x100000", "li t1, 0x5555", "sw t1, 0(t0)", "1: j 1b"]
        return assemble("\n".join([*self.lines, *end]) + PRINT_HEX).to_elf()


def contents() -> bytes:
    return b"".join(bytes((n + 1,)) * SECTOR for n in range(SECTORS))


def ours(program: bytes, folder: Path, legacy: bool) -> tuple[str, bytes]:
    disk = folder / "ours.img"
    disk.write_bytes(contents())
    machine = Machine(memory="16M", disk=disk, legacy_virtio=legacy)
    machine.load(program)
    stop = machine.run(1_000_000)
    assert stop.reason == "halt"
    return machine.uart.text, disk.read_bytes()


def qemus(program: bytes, folder: Path, legacy: bool) -> tuple[str, bytes]:
    emulator = shutil.which("qemu-system-riscv32")
    if emulator is None:
        missing("qemu-system-riscv32 is not installed (Debian package qemu-system-misc)")
    disk, kernel = folder / "qemus.img", folder / "program.elf"
    disk.write_bytes(contents())
    kernel.write_bytes(program)
    arguments = ["-M", "virt", "-m", "16M", "-bios", "none", "-kernel", str(kernel)]
    arguments += ["-display", "none", "-monitor", "none", "-serial", "stdio"]
    arguments += ["-global", f"virtio-mmio.force-legacy={'on' if legacy else 'off'}"]
    arguments += ["-drive", f"file={disk},if=none,format=raw,id=disk"]
    arguments += ["-device", "virtio-blk-device,drive=disk,bus=virtio-mmio-bus.0"]
    run = subprocess.run(
        [str(emulator), *arguments], capture_output=True, stdin=subprocess.DEVNULL, timeout=60
    )
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout.decode(), disk.read_bytes()


def same(script: Script, folder: Path, legacy: bool = True) -> tuple[str, bytes]:
    program = script.elf()
    expected = qemus(program, folder, legacy)
    found = ours(program, folder, legacy)
    assert found[0].split() == expected[0].split()
    assert found[1] == expected[1]
    return found


pytestmark = pytest.mark.qemu


def test_clint_registers(tmp_path: Path) -> None:
    script = Script()
    for register in (0, 4, 0x4008, 0x8000):
        script.show(CLINT + register)
    script.write(CLINT, 0xFFFFFFFF)
    script.show(CLINT)
    script.write(CLINT + 0x4000, 0x12345678)
    script.write(CLINT + 0x4004, 0x9ABCDEF0)
    script.show(CLINT + 0x4000)
    script.show(CLINT + 0x4004)
    script.write(CLINT + 0xBFFC, 0x55)
    script.show(CLINT + 0xBFFC)
    same(script, tmp_path)


def test_plic_registers(tmp_path: Path) -> None:
    script = Script()
    for register in (4 * UART_IRQ, 0x1000, 0x2000, 0x2080, 0x200000, 0x201000):
        script.write(PLIC + register, 0xFFFFFFFE)
        script.show(PLIC + register)
    same(script, tmp_path)


def test_plic_claim_and_complete(tmp_path: Path) -> None:
    """Printing moves the UART's line, so values are kept in registers while that is watched."""
    script = Script()
    claim, pending = PLIC + 0x200004, PLIC + 0x1000
    script.write(PLIC + 4 * UART_IRQ, 1)
    script.write(PLIC + 0x2000, 1 << UART_IRQ)
    script.show(claim)
    script.write(UART + 1, 2, 1)
    script.keep("s0", pending)
    script.keep("s1", claim)
    script.keep("s2", claim)
    script.keep("s3", pending)
    script.write(UART + 1, 0, 1)
    script.write(claim, UART_IRQ)
    script.keep("s4", pending)
    script.write(UART + 1, 2, 1)
    script.write(UART + 1, 0, 1)
    script.keep("s5", pending)
    script.keep("s6", claim)
    script.write(claim, UART_IRQ)
    script.keep("s7", pending)
    for number in range(8):
        script.show_register(f"s{number}")
    same(script, tmp_path)


def test_uart_registers(tmp_path: Path) -> None:
    script = Script()
    for register in range(1, 8):
        script.show(UART + register, 1)
    for register, value in ((3, 0x83), (0, 0x21), (1, 0x43)):
        script.write(UART + register, value, 1)
    # While the divisor is visible, printing would change it.
    script.keep("s0", UART, 1)
    script.keep("s1", UART + 1, 1)
    script.write(UART + 3, 3, 1)
    script.show_register("s0")
    script.show_register("s1")
    for value in (2, 0, 3, 0xFF, 0):
        script.write(UART + 1, value, 1)
        for register in (1, 2, 2):
            script.show(UART + register, 1)
    for value in (1, 0xC7, 0, 0x80):
        script.write(UART + 2, value, 1)
        script.show(UART + 2, 1)
    # In loop-back nothing can be printed.
    script.write(UART + 2, 1, 1)
    script.write(UART + 4, 0x1A, 1)
    script.write(UART, 0x41, 1)
    script.write(UART, 0x42, 1)
    for number, register in enumerate((5, 0, 0, 0, 5, 6)):
        script.keep(f"s{number}", UART + register, 1)
    script.write(UART + 4, 8, 1)
    for number in range(6):
        script.show_register(f"s{number}")
    script.show(UART + 6, 1)
    script.write(UART + 7, 0x5A, 1)
    script.show(UART + 7, 1)
    script.show(UART + 4, 4)
    same(script, tmp_path)


def place_queue(script: Script, legacy: bool) -> None:
    for status in (1, 3, 0x0B):
        script.write(DISK + 0x70, status)
    script.show(DISK + 0x70)
    script.write(DISK + 0x30, 0)
    script.show(DISK + 0x34)
    script.show(DISK + (0x40 if legacy else 0x44))
    script.write(DISK + 0x38, QUEUE_SIZE)
    if legacy:
        script.write(DISK + 0x28, 4096)
        script.write(DISK + 0x3C, 4096)
        script.write(DISK + 0x40, QUEUE >> 12)
    else:
        for register, address in ((0x80, QUEUE), (0x90, AVAILABLE), (0xA0, USED)):
            script.write(DISK + register, address)
        script.write(DISK + 0x44, 1)
    script.show(DISK + (0x40 if legacy else 0x44))
    script.write(DISK + 0x70, 0x0F)
    script.show(DISK + 0x70)


def request(
    script: Script, number: int, kind: int, sector: int, length: int, flags: int, ok: bool = True
) -> None:
    """The `number`th request, from 1 on, and what came of it."""
    words = struct.unpack("<4I", struct.pack("<IIQ", kind, 0, sector))
    chain = [(HEADER, 16, NEXT, 1), (DATA, length, flags | NEXT, 2), (HEADER + 16, 1, WRITE, 0)]
    if not length:
        chain = [(HEADER, 16, NEXT, 1), (HEADER + 16, 1, WRITE, 0)]
    for descriptor in chain:
        words += struct.unpack("<4I", struct.pack("<QIHH", *descriptor))
    for at, word in enumerate(words[:4]):
        script.write(HEADER + 4 * at, word)
    for at, word in enumerate(words[4:]):
        script.write(QUEUE + 4 * at, word)
    script.write(AVAILABLE + 4 + 2 * ((number - 1) % QUEUE_SIZE), 0, 2)
    script.write(AVAILABLE + 2, number, 2)
    script.write(DISK + 0x50, 0)
    script.wait(USED + 2, number)
    script.show(HEADER + 16, 1)
    script.show(USED + 4 + 8 * ((number - 1) % QUEUE_SIZE))
    if ok:  # QEMU counts data that it has not written
        script.show(USED + 8 + 8 * ((number - 1) % QUEUE_SIZE))
    script.show(DISK + 0x60)
    script.show(PLIC + 0x1000)
    script.write(DISK + 0x64, 1)
    script.show(DISK + 0x60)
    script.show(DATA + SECTOR - 4)


@pytest.mark.parametrize("legacy", [True, False], ids=["legacy", "modern"])
def test_disk_registers_and_requests(tmp_path: Path, legacy: bool) -> None:
    script = Script()
    for slot in range(8):
        for register in (0, 4, 8, 0x0C):
            script.show(DISK + 0x1000 * slot + register)
    script.show(DISK + 0x100)
    script.show(DISK + 0x104)
    place_queue(script, legacy)
    request(script, 1, kind=0, sector=3, length=SECTOR, flags=WRITE)
    request(script, 2, kind=0, sector=6, length=2 * SECTOR, flags=WRITE)
    script.write(DATA + SECTOR - 4, 0x11223344)
    request(script, 3, kind=1, sector=5, length=SECTOR, flags=0)
    request(script, 4, kind=4, sector=0, length=0, flags=0)
    request(script, 5, kind=0, sector=SECTORS, length=SECTOR, flags=WRITE, ok=False)
    request(script, 6, kind=1, sector=SECTORS - 1, length=2 * SECTOR, flags=0, ok=False)
    request(script, 7, kind=0, sector=0, length=100, flags=WRITE, ok=False)
    request(script, 8, kind=99, sector=0, length=SECTOR, flags=WRITE, ok=False)
    request(script, 9, kind=0, sector=5, length=SECTOR, flags=WRITE)
    script.write(DISK + 0x70, 0)
    for register in (0x70, 0x60, 0x40 if legacy else 0x44):
        script.show(DISK + register)
    _, disk = same(script, tmp_path, legacy)
    assert disk[6 * SECTOR - 4 : 6 * SECTOR] == b"\x44\x33\x22\x11"
