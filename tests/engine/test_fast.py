"""The fast engine and the reference engine make the same steps."""

from __future__ import annotations

import pytest

from tests.engine.alike import KINDS, compare


@pytest.mark.parametrize("seed", range(21))
def test_random_programs_run_on_both_engines_alike(seed: int) -> None:
    assert compare(seed, KINDS[seed % len(KINDS)], 6000) > 100
