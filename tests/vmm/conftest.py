"""Options of the kernel's tests; give them together with the path ``tests/vmm``."""

from __future__ import annotations

from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("vmm")
    group.addoption(
        "--equivalence-steps",
        type=int,
        default=0,
        metavar="N",
        help="compare at least N guest steps with the bare machine (default: some seconds' worth)",
    )
    group.addoption(
        "--fuzz-steps",
        type=int,
        default=0,
        metavar="N",
        help="run random guests for at least N steps (default: some seconds' worth)",
    )
    group.addoption(
        "--mutants", action="store_true", help="look for every seeded bug, not for a sample of them"
    )
    group.addoption(
        "--seed", type=int, default=0, metavar="N", help="the first random program's seed"
    )


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What tests recorded: sums of steps, peaks of memory, and which check found which bug."""
    totals: dict[str, int] = {}
    every = terminalreporter.config.getoption("--mutants", False)
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties if report.when == "call" else ():
            if name == "mutant" and every:
                terminalreporter.write_line(value)
            elif name.startswith("vmm "):
                totals[name] = totals.get(name, 0) + value
    for name, value in totals.items():
        terminalreporter.write_line(f"{name.removeprefix('vmm ')}: {value:,}")
