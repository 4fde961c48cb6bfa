"""The tests of the kernel are tested: every seeded bug is found by a comparison.

`make mutants` switches on each bug in turn; without the option ``--mutants``, a few drawn by lot.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.vmm.mutants import MUTANTS

ROOT = Path(__file__).parents[2]
SAMPLE = 4
PATIENCE = 300
"""Seconds after which a kernel that does not end counts as found out."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "bug" in metafunc.fixturenames:
        names = sorted(MUTANTS)
        if not metafunc.config.getoption("--mutants", False):
            seed = metafunc.config.getoption("--seed", 0)
            names = random.Random(seed).sample(names, SAMPLE)
        metafunc.parametrize("bug", names)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the mutants' compiled code goes; it must not fill the user's cache."""
    return tmp_path_factory.mktemp("cache")


def verdict(bug: str, cache: Path) -> str:
    """What the checks say of a kernel with this bug: see `tests.vmm.mutants.main`."""
    command = [sys.executable, "-m", "tests.vmm.mutants", bug]
    environment = {**os.environ, "VMM_KIT_CACHE": str(cache), "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, timeout=PATIENCE, capture_output=True, text=True
        )
    except subprocess.TimeoutExpired:
        return "does not end"
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_seeded_bug_is_found(
    bug: str, cache: Path, record_property: Callable[[str, object], None]
) -> None:
    found = verdict(bug, cache)
    record_property("mutant", f"{bug}: {found}")
    assert found, "all checks pass"
    assert not found.startswith("stillborn"), found


@pytest.mark.parametrize("name", MUTANTS)
def test_a_seeded_bug_has_its_place_in_the_kernel(name: str) -> None:
    compile(MUTANTS[name].source(), name, "exec")
