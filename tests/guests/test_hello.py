"""The smallest guest, on the kit's machine and on QEMU."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from kit.control.vmm import VMM
from kit.isa.assembler import assemble_file
from kit.machine.machine import Machine
from kit.resources import guests_dir

HELLO = guests_dir() / "standalone" / "hello.s"
GREETING = "Hello from the bare machine.\n"


def test_hello_prints_its_line_and_switches_the_machine_off() -> None:
    machine = Machine()
    machine.load(assemble_file(HELLO))
    stop = machine.run(10_000)
    assert (stop.reason, stop.code) == ("halt", 0)
    assert machine.uart.text == GREETING


def test_hello_prints_the_same_in_a_virtual_machine() -> None:
    vmm = VMM(Machine())
    virtual = vmm.create("hello", image=assemble_file(HELLO), memory="1M")
    assert vmm.run(10_000)["hello"].reason == "halt"
    assert virtual.uart.text == GREETING


@pytest.mark.qemu
def test_hello_prints_the_same_on_qemu(tmp_path: Path) -> None:
    qemu = shutil.which("qemu-system-riscv32")
    if qemu is None:
        pytest.skip("qemu-system-riscv32 is not installed (Debian package qemu-system-misc)")
    image = tmp_path / "hello.elf"
    image.write_bytes(assemble_file(HELLO).to_elf())
    options = "-M virt -bios none -display none -serial stdio -monitor none -kernel"
    result = subprocess.run(
        [qemu, *options.split(), str(image)], capture_output=True, timeout=60, check=True
    )
    assert result.stdout.decode() == GREETING
