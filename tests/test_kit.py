"""The package's front door."""

from __future__ import annotations

import subprocess
import sys

import pytest

import kit


def test_the_three_names_of_the_manual_are_there() -> None:
    from kit import VMM, Machine, assemble

    assert VMM(Machine(memory="8M")).machine.memory == 8 << 20
    assert assemble("nop").sections


def test_importing_the_kit_imports_no_room_of_it() -> None:
    code = "import kit, sys; print([n for n in sys.modules if n.startswith('kit.')])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Frobnicator'"):
        _ = kit.Frobnicator


def test_the_package_can_be_run_as_the_command() -> None:
    command = [sys.executable, "-m", "kit", "--version"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == f"vmm-kit {kit.__version__}"
