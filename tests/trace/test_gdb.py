"""The real gdb-multiarch debugs a guest: scripted sessions."""

from __future__ import annotations

import shutil
import socket
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
from kit.trace.tape import Tape
from tests.conftest import missing
from tests.control.guests import TALKER
from tests.control.test_room import plan_file
from tests.trace.programs import CALLS

pytestmark = pytest.mark.toolchain


def session(debugger: Debugger, program: Path, *commands: str) -> str:
    """What GDB says while it carries out the commands."""
    server = GdbServer(debugger)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    said = gdb(program, str(server.port), *commands, "detach")
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
    for command in (f"target remote localhost:{port}", *commands):
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


def kit_run(program: Path, arguments: list[str], *commands: str) -> tuple[str, str, int]:
    """What GDB says, what `kit run --gdb` says, and its exit status."""
    command = [sys.executable, "-m", "kit", "run", "--gdb", "0", *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stderr is not None
        port = run.stderr.readline().strip().rpartition(":")[2]
        said = gdb(program, port, *commands)
        out, _ = run.communicate(timeout=60)
        return said, out, run.returncode


def test_kit_run_waits_for_gdb_which_ends_it_when_it_quits(program: Path) -> None:
    said, _, status = kit_run(
        program, ["--vm", str(program)], "break *handler", "continue", "print $priv"
    )
    assert "$1 = 3" in said
    assert status == 0


def test_a_run_from_which_gdb_detaches_goes_on_to_its_end(tmp_path: Path, program: Path) -> None:
    source = tmp_path / "talker.s"
    source.write_text(TALKER)
    _, out, status = kit_run(program, [str(source)], "stepi 100", "reverse-stepi", "detach")
    assert (out, status) == ("g\nf\ne\nd\nc\nb\n", 0)


def test_gdb_runs_a_machine_room_which_is_recorded(tmp_path: Path, program: Path) -> None:
    file = plan_file(tmp_path, {"talker": "", "crasher": "", "sleeper": "start = false"})
    arguments = ["--config", str(file), "--budget", "9000", "--record", str(tmp_path / "tape")]
    said, out, status = kit_run(
        program, arguments, "info threads", "break *0x80000010", "continue", "continue",
        "reverse-continue", "delete", "info threads", "detach",
    )  # fmt: skip
    for words in ("talker, M-mode", "crasher, M-mode", "sleeper, M-mode", "0x80000010"):
        assert words in said, said
    assert "[talker] b" in out
    assert "[room] talker: halted" in out
    assert status == 3
    again = Tape.load(tmp_path / "tape").replay("reference").computers
    assert again["talker"].uart.text == "g\nf\ne\nd\nc\nb\n"
    assert again["sleeper"].steps == 0


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


class Wire:
    """A connection to a server, for packets that no GDB would send."""

    def __init__(self, server: GdbServer) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        self._buffer = b""

    def ask(self, packet: bytes, check: int | None = None) -> bytes:
        """The acknowledgement and the answer to a packet."""
        check = sum(packet) & 0xFF if check is None else check
        self._socket.sendall(b"$%s#%02x" % (packet, check))
        while b"#" not in self._buffer[:-2] and self._buffer != b"-":
            self._buffer += self._socket.recv(4096)
        answer, self._buffer = self._buffer, b""
        return answer.partition(b"#")[0]

    def close(self) -> None:
        """Goes without a word."""
        self._socket.close()


def test_rubbish_is_answered_by_an_error_and_changes_nothing() -> None:
    machine = Machine(memory="64K")
    machine.load(assemble(CALLS))
    server = GdbServer(Debugger(machine))
    ways: list[str] = []
    thread = threading.Thread(target=lambda: ways.append(server.serve()), daemon=True)
    thread.start()
    wire = Wire(server)
    before = machine.save()
    for packet in (
        b"p", b"pffff", b"P1=zz", b"Gzz", b"m", b"m0,4", b"m-1,4", b"M80000000,4:00", b"Z0", b"Hg9",
        b"X80000000,4:}", b"Z2,80000000,0", b"Z2,zz,4", b"T9", b"b", b"bx", b"vCont;x", b"vCont;",
        b"qThreadExtraInfo,9", b"qXfer:features:read:target.xml:0", b"cxyz", b"szz",
    ):  # fmt: skip
        assert wire.ask(packet) == b"+$E01", packet
    for packet in (b"", b"vMustReplyEmpty", b"\xff\xfe", b"!", b"Z4,80000000,4"):
        assert wire.ask(packet) == b"+$", packet
    assert wire.ask(b"?", check=0) == b"-"
    assert wire.ask(b"?") == b"+$T05thread:1;"
    explain = wire.ask(b"qRcmd," + b"explain".hex().encode())
    assert b"no trap" in bytes.fromhex(explain[2:].decode())
    assert machine.save() == before
    with pytest.raises(ConnectionRefusedError):
        Wire(server)
    wire.close()
    thread.join(60)
    assert ways == ["lost"]


def test_it_serves_one_after_the_other_and_goes_on_from_an_address() -> None:
    machine = Machine(memory="64K")
    machine.load(assemble(CALLS))
    server = GdbServer(Debugger(machine))
    for packet, way in ((b"D", "detached"), (b"k", "killed")):
        ways: list[str] = []
        thread = threading.Thread(target=lambda ways=ways: ways.append(server.serve()), daemon=True)
        thread.start()
        while True:
            try:
                wire = Wire(server)
                break
            except ConnectionRefusedError:  # it is about to listen again
                continue
        assert wire.ask(b"s80000004") == b"+$T05thread:1;"
        assert machine.hart.pc == 0x8000_0008
        if packet == b"D":
            assert wire.ask(packet) == b"+$OK"
        else:
            wire._socket.sendall(b"$k#6b")
        thread.join(60)
        assert ways == [way]
    server.close()


def test_what_comes_in_wakes_a_machine_that_waits_under_gdb() -> None:
    machine = Machine(memory="64K")
    machine.load(assemble("li t0, 0x800\ncsrw mie, t0\nwfi\n1: j 1b"))
    asked: list[int] = []

    def attend() -> bool:
        asked.append(machine.steps)
        if len(asked) == 3:
            machine.set_register("mie", 0x80)
            machine.bus.write(0x200_4000, 4, 0)
            machine.bus.write(0x200_4004, 4, 0)
        return len(asked) == 3

    server = GdbServer(Debugger(machine), attend=attend)
    server.debugger.break_at(0x8000_0010)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    wire = Wire(server)
    assert wire.ask(b"c") == b"+$T05thread:1;"
    assert machine.hart.pc == 0x8000_0010
    assert len(asked) == 3
    wire.close()
    thread.join(60)
