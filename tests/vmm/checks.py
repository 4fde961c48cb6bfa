"""The comparisons of the kernel with the bare machine: by random and by directed programs.

`CHECKS` are small enough to be run on every seeded bug (`tests/vmm/mutants.py`); the tests run them
on the kernel as it is, and go on from there for as long as they are asked to.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

from kit import VMM, Machine
from kit.control.paging import POLICIES, BackingStore
from kit.isa.assembler import assemble
from kit.isa.config import Config
from kit.machine.bus import PAGE
from kit.machine.computer import Computer
from kit.vmm.allocator import MINIMUM
from kit.vmm.shadow import POOL
from tests.conformance.generator import BASE, DATA, LEAVES, generate
from tests.vmm.directed import DIRECTED, ENTRIES, LEAF, WATCHING, Directed
from tests.vmm.lockstep import Outside, Pair, bare_machine, pair
from tests.vmm.programs import Writer

CONFIGS = {
    "MSU-update": Config(),
    "MSU-fault": Config(ad="fault"),
    "MSU-no-pmp": Config(pmp=0),
    "MU": Config(modes="MU"),
    "M": Config(modes="M"),
    "rv32ima": Config("rv32ima"),
}
"""The kinds of virtual machines that random programs are run in."""

STYLES = 4
TABLES_AND_DATA = (*(range(leaf, leaf + 64, 4) for leaf in LEAVES), range(DATA, DATA + 0x8000, 4))


def step_by_step() -> int:
    return 1


def some_steps(source: random.Random) -> Callable[[], int]:
    return lambda: source.randrange(1, 60)


def compare_random(seed: int, config: Config, steps: int, depth: int = 1) -> Pair:
    """Compares a random privileged program; every other seed with interference from outside.

    Seeds 0 and 1 (mod 4) are compared after every step, 2 and 3 after random slices too.
    """
    style = seed % STYLES
    programs = pair(generate(seed, config).image(), config, "8M", depth=depth)
    programs.over = range(BASE + 0xF00, BASE + 0xF20)
    often = (0, 0.05, 0, 0.3)[style]
    outside = Outside(seed, often, TABLES_AND_DATA if config.has_s else ()) if often else None
    slices = step_by_step if style < 2 else some_steps(random.Random(seed))
    programs.run_to(steps, slices, outside)
    return programs


def compare_paged(seed: int, steps: int) -> Pair:
    """Compares a random privileged program whose pages have few frames, and lose them often."""
    image = generate(seed, Config()).image()
    policy = POLICIES[("fifo", "lifo", "random")[seed % 3]]()
    vmm = VMM(Machine(memory=(POOL + MINIMUM + 3 * (seed % 4)) * PAGE))
    virtual = vmm.create("guest", image, memory="8M", pager=BackingStore(policy=policy))
    programs = Pair(bare_machine(image, Config(), "8M"), virtual)
    programs.over = range(BASE + 0xF00, BASE + 0xF20)
    outside = Outside(seed, 0.05, TABLES_AND_DATA) if seed % 2 else None
    programs.run_to(steps, some_steps(random.Random(seed)), outside)
    return programs


def compare_rude(seed: int, steps: int) -> Pair:
    """Compares a random program of M- and U-mode that respects nothing."""
    programs = pair(Writer(seed).program(300), Config(modes="MU"), host="512K")
    often = 0.05 * (seed % 2)
    programs.run_to(steps, step_by_step, Outside(seed, often) if often else None)
    return programs


LONGEST = 8000
"""Steps in which a directed program must have come to its end."""


def compare_directed(program: Directed) -> None:
    """Compares a directed program after every step, and once more after long slices."""
    image = assemble(program.source)
    for slices in (step_by_step, lambda: 1000):
        programs = pair(image, program.config, "64K", "512K")
        programs.over = range(image.symbols["over"], image.symbols["over"] + 4)
        programs.run_to(LONGEST, slices)
        assert programs.bare.hart.pc in programs.over


def compare_writes_from_outside() -> None:
    """Page-table entries changed by others than the guest, as by DMA, hold at once."""
    programs = pair(assemble(WATCHING), Config(), "64K", "512K")
    programs.run(80)
    for turn in range(16):
        entry = ENTRIES[turn % len(ENTRIES)].to_bytes(4, "little")
        programs.both(lambda machine, entry=entry: machine.write_memory(LEAF, entry))  # type: ignore[misc]
        for _ in range(9):
            programs.run(1 + turn % 3)
    programs.compare_storage()


def compare_two(first: int, second: int, steps: int) -> None:
    """Two virtual machines that alternate every few steps: neither notices the other."""
    source = random.Random(first)
    vmm = VMM(Machine(memory="24M"))
    pairs = []
    for seed in (first, second):
        image = generate(seed, Config()).image()
        virtual = vmm.create(str(seed), image, memory="8M")
        pairs.append(Pair(bare_machine(image, Config(), "8M"), virtual, watch=False))
    while all(programs.steps < steps for programs in pairs):
        for programs in pairs:
            programs.run(source.randrange(1, 12))
    for programs in pairs:
        programs.compare_storage()


RESERVING = """
        li s1, {count}
        la a0, counter
1:      lr.w t0, (a0)
        addi t0, t0, 1
        sc.w t1, t0, (a0)
        add s2, s2, t1
        bnez t1, 1b
        addi s1, s1, -1
        bnez s1, 1b
        sc.w t1, t0, (a0)       # without a reservation: fails
        csrr t2, 0x300
2:      j 2b
        .balign {align}
counter: .word 0
"""


def compare_reservations() -> None:
    """Two guests increment by LR and SC, in slices of one and of two steps in turn."""
    vmm = VMM(Machine(memory="1M"))
    pairs = []
    for number, align in enumerate((64, 4096)):
        image = assemble(RESERVING.format(count=12 + number, align=align))
        virtual = vmm.create(f"guest {number}", image, memory="64K")
        pairs.append(Pair(bare_machine(image, Config(), "64K"), virtual, watch=False))
    for turn in range(120):
        for programs in pairs:
            programs.run(1 + turn % 2)
    assert [p.bare.register("s2") for p in pairs] == [0, 0]


def compare_reused_storage() -> None:
    """A machine that gets another's storage finds it as a new one does: all zero."""
    vmm = VMM(Machine(memory="512K"))
    free = vmm.kernel.allocator.free
    for _ in range(3):
        machine = vmm.create("guest", memory="64K")
        assert not any(machine.read_memory(*machine.ram))
        machine.write_memory(machine.ram[0], b"secret" * 10_000)
        owners = vmm.kernel.allocator.owner
        assert all(owners[frame] == "guest" for frame in machine.vcpu.storage.frames)
        vmm.destroy("guest")
        assert vmm.kernel.allocator.free == free


def _random_checks(seed: int) -> dict[str, Callable[[], object]]:
    checks: dict[str, Callable[[], object]] = {
        f"random {name} {seed}": partial(compare_random, seed, config, 2000)
        for name, config in CONFIGS.items()
    }
    checks[f"rude {seed}"] = partial(compare_rude, seed, 800)
    checks[f"paged {seed}"] = partial(compare_paged, seed, 1000)
    return checks


CHECKS: dict[str, Callable[[], object]] = {
    "reservations": compare_reservations,
    "reused storage": compare_reused_storage,
    "writes from outside": compare_writes_from_outside,
    "two machines": partial(compare_two, 1, 2, 1500),
    **_random_checks(0),
    **{f"directed {name}": partial(compare_directed, p) for name, p in DIRECTED.items()},
    **{name: check for seed in (1, 2, 3) for name, check in _random_checks(seed).items()},
}
"""Those first that find most."""


def stillborn() -> str:
    """What is wrong with a kernel that cannot even make a machine, or nothing."""
    try:
        machine: Computer = VMM(Machine(memory="512K")).create("guest", memory="64K")
        machine.run(1)
    except Exception as error:
        return repr(error)
    return ""


def first_failure() -> str:
    """The first check that fails, and how; nothing if all pass."""
    for name, check in CHECKS.items():
        try:
            check()
        except Exception as error:
            text = str(error).partition("\n")[0]
            return f"{name}: {type(error).__name__} {text}"
    return ""
