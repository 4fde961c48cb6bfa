"""The reference engine makes the steps that the definitions make, in every state."""

from __future__ import annotations

import pytest

from kit.engine.reference import ReferenceEngine, definition_step
from kit.isa.config import Config
from kit.isa.encoding import Decoder
from kit.isa.hart import Hart
from tests.engine.harts import random_hart

CONFIGS = [
    Config(),
    Config(ad="fault"),
    Config(pmp=0),
    Config(modes="MU"),
    Config(modes="M", pmp=0),
    Config("rv32i"),
]


def visible(hart: Hart) -> dict[str, object]:
    """The state without the words that only a step in progress uses."""
    state = hart.snapshot()
    return {
        name: state[name] for name in state if name not in ("next_pc", "instruction", "completed")
    }


@pytest.mark.parametrize("config", CONFIGS, ids=repr)
def test_engine_and_definition_agree_from_random_states(config: Config) -> None:
    decoder = Decoder(config.extensions, config.xlen)
    traps = 0
    for seed in range(60):
        one, two = random_hart(seed, config), random_hart(seed, config)
        engine = ReferenceEngine(two)
        for _ in range(4):
            before = one.minstret
            definition_step(one, decoder)
            assert engine.run(1) == 1
            assert visible(one) == visible(two), seed
            assert one.bus.octets == two.bus.octets, seed  # type: ignore[attr-defined]
            traps += before == one.minstret
    assert 20 < traps < 236
