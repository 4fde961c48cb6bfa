"""The fast engine and the reference engine make the same steps."""

from __future__ import annotations

import random

import pytest

from kit import Machine
from kit.isa.config import Config
from tests.conformance.generator import BASE, MEMORY_SIZE, generate

KINDS = (
    Config(ad="update"),
    Config(ad="fault"),
    Config(modes="MU"),
    Config(modes="M"),
    Config("rv32i", "MU", pmp=0),
    Config("rv32ima", "MSU", ad="fault"),
    Config("rv32imac", "MSU", pmp=0),
)
SCRATCH = ("next_pc", "instruction")
"""Words that have a meaning only within a step."""


def machine(config: Config, engine: str) -> Machine:
    return Machine(config.isa, config.modes, config.pmp, MEMORY_SIZE, config.ad, engine=engine)


def state(it: Machine) -> dict[str, object]:
    """Every word of a machine that a program can see, and its steps."""
    words: dict[str, object] = dict(it.hart.snapshot())
    for name in SCRATCH:
        del words[name]
    return {**words, "steps": it.steps}


def compare(seed: int, config: Config, steps: int) -> int:
    """Runs one program on both engines, in slices of random length; returns the steps compared."""
    image = generate(seed, config).image()
    one, other = machine(config, "reference"), machine(config, "wasm")
    other.engine.threshold = 1 + seed % 3
    for it in (one, other):
        it.load(image)
    source = random.Random(seed)
    while one.steps < steps:
        budget = source.choice((1, 2, 7, 50, 333, 2000))
        stops = [it.run(budget) for it in (one, other)]
        where = f"seed {seed}, {config}, after {one.steps} steps"
        assert stops[0] == stops[1], where
        assert state(one) == state(other), where
        if stops[0].reason != "budget":
            break
    ram = [it.read_memory(BASE, MEMORY_SIZE) for it in (one, other)]
    assert ram[0] == ram[1], f"seed {seed}: storage"
    return one.steps


@pytest.mark.parametrize("seed", range(21))
def test_random_programs_run_on_both_engines_alike(seed: int) -> None:
    assert compare(seed, KINDS[seed % len(KINDS)], 6000) > 100
