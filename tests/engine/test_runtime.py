"""The host of generated code on CPython, where addresses are limited."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import resource
from kit import Machine, assemble
{before}
machine = Machine(memory="{memory}", engine="wasm")
machine.load(assemble("li a0, 1000\\n1: addi a0, a0, -1\\nbnez a0, 1b\\nwfi"))
print(machine.run(100_000).steps)
"""
LIMIT = "resource.setrlimit(resource.RLIMIT_AS, ({0} << 20, {0} << 20))"


def run(before: str, memory: str) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(before=before, memory=memory)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_with_few_addresses_every_access_is_checked_instead() -> None:
    limited = run(LIMIT.format(1500), "16M")
    assert limited.stderr == ""
    assert limited.stdout == run("", "16M").stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_memory_that_does_not_fit_is_refused_in_one_line() -> None:
    refused = run(LIMIT.format(1500), "2G")
    assert refused.stdout == ""
    assert "KitError: memory: there is no room for" in refused.stderr.splitlines()[-1]


HUNGRY = """
import resource
from kit import Machine, assemble
machine = Machine(memory="1M", engine="wasm")
machine.engine.threshold = 2
loop = "{0}: addi s0, s0, {0}\\nbltu s0, s1, {0}b\\ncsrr t0, mcause\\n"
loops = "".join(map(loop.format, range(300)))
machine.load(assemble(f"start: {loops} la t0, start\\njr t0"))
machine.set_register("s1", 1)
machine.run(1000)  # the first loop, for ever: what translates has all that it needs
machine.set_register("s1", 0)
size = int(open("/proc/self/statm").read().split()[0]) << 12
resource.setrlimit(resource.RLIMIT_AS, (size + (1 << 20),) * 2)
print(machine.run(100_000).steps, len(machine.engine._translations._slots) < 300)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs to know how many addresses are taken")
def test_where_memory_ends_what_is_not_translated_runs_in_the_core() -> None:
    done = subprocess.run([sys.executable, "-c", HUNGRY], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.split() == ["100000", "True"]
