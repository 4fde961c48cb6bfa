"""What has to come out alike: on two engines, and on each host of the fast one.

The tests under Pyodide import this module there; it needs nothing but the kit and its tests.
"""

from __future__ import annotations

import random
import time

from kit import VMM, Machine
from kit.bench.loads import LOADS
from kit.isa.config import Config
from kit.machine.computer import Computer
from kit.machine.loader import read_image
from kit.resources import guests_dir
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


def outputs(guest: str, deck: str | None, virtual: bool) -> list[object]:
    """How a guest ends, in how many steps, and what it prints, on the default engine."""
    image = read_image(guests_dir() / guest)
    reader = None if deck is None else guests_dir() / deck
    it: Computer
    if virtual:
        vmm = VMM(Machine(memory="4M"))
        it = vmm.create("guest", image, memory="1M", reader=reader)
        stop = vmm.run(3_000_000)["guest"]
    else:
        it = Machine(memory="1M", reader=reader)
        it.load(image)
        stop = it.run(3_000_000)
    return [stop.reason, stop.code, it.steps, it.uart.text, it.printer.text]


def speed(load: str, rounds: int) -> tuple[str, int, float]:
    """What a load prints, its steps, and how many of them a second were made."""
    it = Machine()
    it.load(LOADS[load].elf(rounds, False))
    start = time.perf_counter()
    stop = it.run(2_000_000_000)
    return it.uart.text, stop.steps, stop.steps / (time.perf_counter() - start)
