"""`kit run`, as a process: what it prints, where it writes, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ECHO = """
# Echoes what is typed, in capitals, until a full stop; waits for the UART's interrupt.
_start: li   s0, 0x10000000
        la   t0, trap
        csrw mtvec, t0
        li   t0, 1
        sb   t0, 1(s0)          # the UART interrupts when there is a byte
        li   t1, 0x0c000028     # priority of source 10
        sw   t0, 0(t1)
        li   t1, 0x0c002000     # enabled for M-mode
        li   t2, 1 << 10
        sw   t2, 0(t1)
        li   t0, 1 << 11
        csrw mie, t0
wait:   wfi
next:   lbu  t0, 5(s0)
        andi t0, t0, 1
        beqz t0, claim
        lbu  a0, 0(s0)
        li   t1, 'a'
        blt  a0, t1, put
        addi a0, a0, -32
put:    sb   a0, 0(s0)
        li   t1, '.'
        bne  a0, t1, next
        li   t0, 0x100000
        li   t1, 0x5555
        sw   t1, 0(t0)
claim:  li   t1, 0x0c200004
        lw   t2, 0(t1)
        sw   t2, 0(t1)
        j    wait
        .balign 4
trap:   j    trap
"""


def kit(*arguments: str | Path, **settings: object) -> subprocess.CompletedProcess[str]:
    """Runs the command and returns what it printed."""
    command = [sys.executable, "-m", "kit.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **settings)  # type: ignore[call-overload,no-any-return]


@pytest.fixture
def echo(tmp_path: Path) -> Path:
    """The echoing guest's source."""
    source = tmp_path / "echo.s"
    source.write_text(ECHO)
    return source


@pytest.mark.parametrize("where", ["--bare", "--vm"])
def test_a_guest_reads_standard_input_and_writes_standard_output(echo: Path, where: str) -> None:
    result = kit("run", echo, where, "--input", "-", input="hello, world.")
    assert (result.returncode, result.stdout) == (0, "HELLO, WORLD.")
    assert "halted after" in result.stderr


def test_a_guest_that_waits_for_ever_ends_with_status_3(echo: Path) -> None:
    result = kit("run", echo, stdin=subprocess.DEVNULL)
    assert result.returncode == 3
    assert "waits for an interrupt that nothing can cause" in result.stderr


def test_a_budget_ends_a_run_with_status_3(tmp_path: Path) -> None:
    (tmp_path / "loop.s").write_text("1: j 1b\n")
    result = kit("run", tmp_path / "loop.s", "--budget", "1_000")
    assert result.returncode == 3
    assert "used up its budget after 1,000 steps" in result.stderr


@pytest.mark.parametrize("budget", ["1000", "1_000", "1e3", "10E2"])
def test_a_budget_may_be_written_in_short(tmp_path: Path, budget: str) -> None:
    (tmp_path / "loop.s").write_text("1: j 1b\n")
    assert "after 1,000 steps" in kit("run", "loop.s", "--budget", budget, cwd=tmp_path).stderr


@pytest.mark.parametrize("where", ["--bare", "--vm"])
def test_includes_are_looked_for_in_folders_that_are_named(tmp_path: Path, where: str) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "loop.s").write_text("1: j 1b\n")
    (tmp_path / "main.s").write_text('.include "loop.s"\n')
    result = kit("run", "main.s", where, "-I", "parts", "--budget", "10", cwd=tmp_path)
    assert "used up its budget after 10 steps" in result.stderr
    assert kit("run", "main.s", where, cwd=tmp_path).returncode == 2


def test_a_program_that_falls_off_its_end_is_stopped_and_told_why(tmp_path: Path) -> None:
    (tmp_path / "ends.s").write_text("_start: li a0, 1\nret\n")
    for where in ("--bare", "--vm"):
        result = kit("run", tmp_path / "ends.s", where)
        assert result.returncode == 3
        assert "takes the same trap for ever at 0x0: instruction access fault" in result.stderr


def test_an_output_that_cannot_be_written_is_noticed_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "loop.s").write_text("1: j 1b\n")
    result = kit("run", tmp_path / "loop.s", "--punch", tmp_path / "no" / "such")
    assert result.returncode == 2
    assert "there is no folder" in result.stderr


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no endless file")
def test_endless_input_is_refused(echo: Path) -> None:
    result = kit("run", echo, "--input", "/dev/zero")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)


def test_the_exit_status_is_the_guests_own(tmp_path: Path) -> None:
    source = "li t0, 0x100000\nli t1, 0x73333\nsw t1, 0(t0)\n"
    (tmp_path / "fail.s").write_text(source)
    assert kit("run", tmp_path / "fail.s").returncode == 7


def test_json_tells_the_whole_outcome(echo: Path) -> None:
    result = kit("run", echo, "--vm", "--json", "--input", "-", input="x.")
    outcome = json.loads(result.stdout)
    assert (outcome["reason"], outcome["code"], outcome["console"]) == ("halt", 0, "X.")
    assert outcome["exits"]["direct"] > 10


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_keys_typed_at_a_terminal_reach_the_guest_and_are_not_echoed_twice(echo: Path) -> None:
    import pty

    parent, child = pty.openpty()
    command = [sys.executable, "-m", "kit.cli", "run", str(echo)]
    with subprocess.Popen(command, stdin=child, stdout=child, stderr=subprocess.PIPE) as process:
        os.close(child)
        seen = b""
        for key in b"ab.":
            os.write(parent, bytes([key]))
            seen += _read_until(parent, bytes([key]).upper())
        assert process.wait(timeout=60) == 0
    os.close(parent)
    assert seen.decode().replace("\r", "").endswith("AB.")


def _read_until(descriptor: int, wanted: bytes) -> bytes:
    data = b""
    while not data.endswith(wanted):
        data += os.read(descriptor, 100)
    return data


WRONG = [
    (["run", "nowhere.elf"], "nowhere.elf: cannot read the image"),
    (["run", "{empty}"], "is empty"),
    (["run", "{folder}"], "a folder without a main source"),
    (["run", "{loop}", "--memory", "lots"], "--memory|memory 'lots'"),
    (["run", "{loop}", "--memory", "3"], "multiple of"),
    (["run", "{loop}", "--isa", "rv64i"], "expected rv32i"),
    (["run", "{loop}", "--budget", "-1"], "--budget"),
    (["run", "{loop}", "--budget", "many"], "'many' is no number of steps; write 500000 or 5e5"),
    (["run", "{loop}", "extra"], "one argument too many: 'extra'; one image is run; what its"),
    (["asm", "{loop}", "extra"], "kit asm: one argument too many: 'extra'; leave it out"),
    (["run", "{loop}", "--fast"], "kit run: there is no option --fast; try kit run --help"),
    (["run", "{loop}", "--vm", "--memory", "2G"], "'2G': a virtual machine can have 2047M at most"),
    (["run", "{loop}", "--disk", "{empty}"], "an empty disk; make it one or more sectors of 512"),
    (["run", "{loop}", "--reader", "nowhere.deck"], "nowhere.deck: cannot read the deck"),
    (["run", "{loop}", "--disk", "nowhere.img"], "nowhere.img"),
    (["run", "{loop}", "--disk", "{loop}"], "512"),
    (["run", "{loop}", "--input", "nowhere.txt"], "nowhere.txt: cannot read the input"),
    (["run", "{loop}", "--budget", "5", "--printer", "{folder}/no/such"], "cannot write it"),
    (["run", "{loop}", "--bare", "--vm"], "not allowed with"),
    (["run"], "image"),
    (["walk"], "walk"),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG, ids=lambda value: str(value)[:40])
def test_mistakes_give_one_clear_line_and_status_2(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    files = {name: tmp_path / name for name in ("empty", "folder", "loop")}
    files["empty"].touch()
    files["folder"].mkdir()
    files["loop"] = tmp_path / "loop.s"
    files["loop"].write_text("1: j 1b\n")
    filled = [argument.format(**files) for argument in arguments]
    result = kit(*filled, cwd=tmp_path)
    assert result.returncode == 2
    assert any(word in result.stderr for word in words.split("|"))
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
