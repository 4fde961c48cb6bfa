"""Options of the conformance tests; give them together with the path ``tests/conformance``."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption(
        "--isa-mutants", action="store_true", help="look for bugs seeded into the instruction set"
    )
    group.addoption(
        "--lockstep-steps",
        "--lockstep-instructions",
        type=int,
        default=0,
        metavar="N",
        help="compare at least N random instructions with Spike (default: about 20 seconds' worth)",
    )
    group.addoption(
        "--lockstep-seed", type=int, default=1, metavar="N", help="the first program's seed"
    )
    group.addoption(
        "--riscv-tests", metavar="DIR", help="run the riscv-tests ELF files in this folder"
    )
    group.addoption(
        "--arch-test",
        metavar="DIR",
        help="run the ELF files in this folder that have a reference signature beside them",
    )
