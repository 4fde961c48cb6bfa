"""The loads of `kit bench` run on both engines alike, bare and in virtual machines.

`make engines` runs more of each.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from kit import VMM, Machine
from kit.bench.loads import LOADS, Load, is_paged, is_virtual
from kit.engine.fast import FastEngine
from kit.machine.computer import Computer
from tests.engine.twins import Meter, state

ROUNDS = 1000
"""More than are made here."""
QUICK = ("integer", "self-modifying", "system-calls", "page-faults")
"""Loads that run in virtual machines also where no more steps are asked for."""

Record = Callable[[str, object], None]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every load in every setting; if no steps are asked for, not where it takes longest."""
    every = metafunc.config.getoption("--engine-steps", 0)
    metafunc.parametrize(
        ("load", "setting"),
        [
            pytest.param(load, setting, id=f"{load.name}-{setting}")
            for load in LOADS.values()
            for setting in load.settings
            if not load.empty_cache
            if every or (load.name != "once" and (load.name in QUICK or not is_virtual(setting)))
        ],
    )


def computers(setting: str, image: bytes, engine: str) -> tuple[Computer, Machine]:
    """A machine, bare or virtual, with an image loaded, and the machine beneath it."""
    if is_virtual(setting):
        host = Machine(memory="18M", engine=engine)
        return VMM(host).create("load", image, memory="16M"), host
    bare = Machine(memory="16M", engine=engine)
    bare.load(image)
    return bare, bare


def test_a_load_runs_step_for_step_as_on_the_reference_engine(
    load: Load, setting: str, request: pytest.FixtureRequest, record_property: Record
) -> None:
    asked = int(request.config.getoption("--engine-steps", 0)) // 100
    image = load.elf(ROUNDS, is_paged(setting))
    pairs = [computers(setting, image, engine) for engine in ("reference", "wasm")]
    (one, real), (other, fast) = pairs
    assert isinstance(fast.engine, FastEngine)
    meter = Meter(fast.engine)
    # Tables are made first, so that it takes longer to come to the load itself.
    steps = max(asked, load.start[is_paged(setting)] if load.name != "pointers" else 0) + 4000
    source = random.Random(load.name + setting)
    while one.steps < steps:
        budget = source.choice((1, 7, 100, 1000, 5000))
        stops = [computer.run(budget) for computer in (one, other)]
        assert stops[0] == stops[1]
        for left, right in ((one, other), (real, fast)):
            assert left.hart.snapshot().keys() == right.hart.snapshot().keys()
            assert state(left) == state(right), f"after {one.steps} steps"
        if stops[0].reason != "budget":
            break
    for left, right in ((one, other), (real, fast)):
        assert left.uart.text == right.uart.text
        assert left.read_memory(*left.ram) == right.read_memory(*right.ram)
    record_property("engines: steps of loads compared", one.steps)
    record_property("engines: of those within translations", meter.steps)
