"""Options of the engines' tests; give them together with the path ``tests/engine``."""

from __future__ import annotations

from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("engine")
    group.addoption(
        "--engine-steps",
        type=int,
        default=0,
        metavar="N",
        help="compare at least N steps of both engines (default: some seconds' worth)",
    )
    group.addoption(
        "--engine-seed", type=int, default=0, metavar="N", help="the first random program's seed"
    )


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Sums of what tests recorded of their comparisons."""
    totals: dict[str, int] = {}
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties if report.when == "call" else ():
            if name.startswith("engines: "):
                totals[name] = totals.get(name, 0) + value
    for name, value in totals.items():
        terminalreporter.write_line(f"{name}: {value:,}")
