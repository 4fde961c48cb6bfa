"""Random programs full of hot loops run on both engines alike.

`make engines` compares ten million steps.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.lockstep import CONFIGS, Tally, compare_hot

EACH = 30_000
"""Steps of a program at most, where many are asked for."""
PARTS = range(20)
"""The comparison is made in so many parts, which can run side by side."""

Record = Callable[[str, object], None]


@pytest.mark.parametrize("part", PARTS)
def test_hot_loops_run_step_for_step_as_on_the_reference_engine(
    part: int, request: pytest.FixtureRequest, record_property: Record
) -> None:
    wanted = int(request.config.getoption("--engine-steps", 0)) // len(PARTS)
    seed = int(request.config.getoption("--engine-seed", 0)) + part
    tally = Tally()
    while tally.steps < max(wanted, 1):
        config = CONFIGS[seed % len(CONFIGS)]
        tally.add(compare_hot(seed, config, EACH if wanted else 6000))
        seed += len(PARTS)
    assert tally.translations
    if wanted > 10 * EACH:
        assert tally.translated > tally.steps // 4
    record_property("engines: steps of random programs compared", tally.steps)
    record_property("engines: of these within translations", tally.translated)
    record_property("engines: translations", tally.translations)
    record_property("engines: traps at which states were compared", tally.traps)
