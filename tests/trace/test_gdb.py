"""The real gdb-multiarch debugs a guest: scripted sessions."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kit import VMM, Machine, assemble
from kit.isa.elf import write_elf
from kit.machine.computer import Computer
from kit.trace.debugger import Debugger
from kit.trace.gdb import GdbServer
from tests.conftest import missing
from tests.trace.programs import CALLS

pytestmark = pytest.mark.toolchain


def session(debugger: Debugger, program: Path, *commands: str) -> str:
    """What GDB says while it carries out the commands."""
    server = GdbServer(debugger)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    said = gdb(program, str(server.port), *commands)
    thread.join(10)
    server.close()
    return said


def gdb(program: Path, port: str, *commands: str) -> str:
    found = shutil.which("gdb-multiarch")
    if found is None:
        missing("gdb-multiarch is not installed (Debian package gdb-multiarch)")
    words = [
        str(found),
        "-nx",
        "-q",
        "-batch",
        "-ex",
        "set pagination off",
        "-ex",
        "set confirm off",
    ]
    words += ["-ex", "set architecture riscv:rv32"]
    for command in (f"target remote localhost:{port}", *commands, "detach"):
        words += ["-ex", command]
    done = subprocess.run([*words, str(program)], capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "calls.elf"
    path.write_bytes(write_elf(assemble(CALLS)))
    return path


@pytest.fixture(params=["bare", "vm"])
def machine(request: pytest.FixtureRequest, program: Path) -> Computer:
    machine: Computer = Machine(memory="256K")
    if request.param == "vm":
        machine = VMM(Machine(memory="2M")).create("guest", memory="256K")
    machine.load(program)
    return machine


def test_into_and_out_of_an_ecall_and_back_to_the_write(machine: Computer, program: Path) -> None:
    count = machine.symbols["count"]
    said = session(
        Debugger(machine),
        program,
        "break *handler",
        "continue",
        'printf "cause %d priv %d\\n", $mcause, $priv',
        "reverse-stepi",
        'printf "before priv %d s0 %d\\n", $priv, $s0',
        "x/i $pc",
        "stepi",
        'printf "after priv %d\\n", $priv',
        "stepi 8",
        "x/i $pc",
        "stepi",
        'printf "out priv %d\\n", $priv',
        "continue",
        "continue",
        "delete",
        f"watch *(int*){count:#x}",
        "reverse-continue",
        f'printf "count %d s0 %d\\n", *(int*){count:#x}, $s0',
        "x/i $pc",
        "monitor where",
        "monitor explain",
        "info threads",
    )
    for words in (
        "cause 8 priv 3", "before priv 0 s0 1", "ecall", "after priv 3", "mret", "out priv 0",
        "count 2 s0 3", "sw\ts0,0(t1)", "call from U-mode", "U-mode",
    ):  # fmt: skip
        assert words in said, said


def test_a_watchpoint_shows_the_write(machine: Computer, program: Path) -> None:
    calls = machine.symbols["calls"]
    said = session(
        Debugger(machine),
        program,
        f"watch *(int*){calls:#x}",
        "continue",
        "continue",
        f'printf "now %d\\n", *(int*){calls:#x}',
        "reverse-continue",
        f'printf "then %d\\n", *(int*){calls:#x}',
        "x/i $pc",
    )
    assert "now 2" in said
    assert "then 1" in said
    assert "sw\tt1,0(t0)" in said


def test_registers_storage_and_the_beginning(machine: Computer, program: Path) -> None:
    said = session(
        Debugger(machine),
        program,
        "stepi 4",
        "set $a5 = 0x1234",
        "set $mscratch = 77",
        "set {int}0x80001000 = 0x55667788",
        'printf "%x %d %x\\n", $a5, $mscratch, {int}0x80001000',
        "reverse-continue",
        'printf "%x %x pc %x\\n", $a5, {int}0x80001000, $pc',
        "x/4xw 0x80000000",
    )
    assert "1234 77 55667788" in said
    assert "0 0 pc 80000000" in said
    assert machine.steps == 0


def test_kit_run_waits_for_gdb(program: Path) -> None:
    command = [sys.executable, "-m", "kit", "run", "--vm", "--gdb", "0", str(program)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
        assert run.stderr is not None
        port = run.stderr.readline().strip().rpartition(":")[2]
        said = gdb(program, port, "break *handler", "continue", "print $priv")
        assert "$1 = 3" in said
        assert run.wait(20) == 0


def test_each_virtual_machine_is_a_thread(program: Path) -> None:
    vmm = VMM(Machine(memory="4M"))
    for name in ("one", "two"):
        vmm.create(name, program, memory="256K")
    said = session(
        Debugger(vmm),
        program,
        "info threads",
        "break *handler",
        "continue",
        "continue",
        "thread 2",
        'printf "steps of two: pc %x\\n", $pc',
        "stepi",
        "info threads",
    )
    assert "one, M-mode" in said
    assert "two, M-mode" in said
    assert vmm.machines["two"].steps == 1
