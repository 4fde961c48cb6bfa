"""Tests of the toolchain, and what tests of guests in C share."""

from __future__ import annotations

import importlib.util

from tests.conftest import missing

__all__ = ["need_compiler"]


def need_compiler() -> None:
    """Skips the test where no C compiler is installed; under CI it fails."""
    if importlib.util.find_spec("ziglang") is None:
        missing("no C compiler is installed (pip install 'vmm-kit[c]')")
