"""The hybrid VMM: right where theorem 3 holds, also on processors on which the ordinary VMM is not.

Those processors have a hole (`kit.isa.holes`). "Right" means: step for step as bare on that
processor.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from kit import VMM, Machine, assemble
from kit.control.hybrid import HybridVMM
from kit.devices.deck import Deck
from kit.isa.config import Config
from kit.isa.encoding import HOLES
from kit.isa.image import Image
from tests.conformance.generator import BASE, generate
from tests.guests.batch import SURVIVOR, as_deck, stage
from tests.vmm.checks import TABLES_AND_DATA
from tests.vmm.lockstep import Outside, Pair, difference
from tests.vmm.programs import CODE, Writer, set_register

THEOREM_3_HOLDS = ("jrst1", "rdmode", "noop", "sfence")
"""Holes with which theorem 1 fails and theorem 3 holds: see tests/proof/test_classify.py."""

MODES = f"""
        .equ RDMODE_S0, {HOLES["rdmode"].encode(rd=8)}
        .equ JRST1_T0, {HOLES["jrst1"].encode(rs1=5)}
        la t0, handler
        csrw mtvec, t0
        li t0, -1
        csrw pmpaddr0, t0
        li t0, 0x1f
        csrw pmpcfg0, t0
        li t0, 1 << 20          # TVM
        csrw mstatus, t0
"""
TO_S = """
        li t0, 1 << 11
        csrs mstatus, t0
        la t0, 1f
        csrw mepc, t0
        mret
    1:
"""
END = """
        ecall
        .align 2
handler:
        csrr a0, mcause
        csrr a1, mepc
    9:  j 9b
"""
PROGRAMS = {
    "jrst1": "la t0, 1f\n .word JRST1_T0\n 1: csrr t1, mscratch\n",
    "rdmode": ".word RDMODE_S0\n mv s1, s0\n" + TO_S + ".word RDMODE_S0\n",
    "noop": "la t0, 1f\n csrw mepc, t0\n mret\n j 2f\n 1: li s0, 1\n 2: mret\n",
    "sfence": TO_S + "sfence.vma\n",
}
"""For each hole a program in which supervisor code meets it."""


def machines(
    vmm: type[VMM], image: Image | bytes, holes: tuple[str, ...], config: Config, **devices: Any
) -> Pair:
    """A program bare and in a virtual machine, on processors with holes."""
    deck = devices.pop("deck", None)
    readers = [{"reader": Deck(list(deck))} if deck else {} for _ in range(2)]
    below = Machine(config.isa, "MSU", 16, "9M", config.ad, engine="reference", holes=holes)
    bare = Machine(
        config.isa, config.modes, config.pmp, "8M", config.ad, "reference", holes, **readers[0]
    )
    virtual = vmm(below).create(
        "guest", memory="8M", modes=config.modes, pmp=config.pmp, **readers[1]
    )
    bare.load(image)
    virtual.load(image)
    return Pair(bare, virtual)


def some_steps(seed: int) -> Callable[[], int]:
    source = random.Random(seed)
    return lambda: source.randrange(1, 60)


@pytest.mark.parametrize("hole", THEOREM_3_HOLDS)
def test_the_ordinary_vmm_fails_on_a_hole_in_supervisor_code(hole: str) -> None:
    guests = machines(VMM, assemble(MODES + PROGRAMS[hole] + END), (hole,), Config())
    with pytest.raises(AssertionError):
        guests.run_to(60, lambda: 1)
    assert difference(guests.bare, guests.virtual)


@pytest.mark.parametrize("hole", THEOREM_3_HOLDS)
def test_the_hybrid_vmm_does_not(hole: str) -> None:
    guests = machines(HybridVMM, assemble(MODES + PROGRAMS[hole] + END), (hole,), Config())
    guests.run_to(60, lambda: 1)


def test_without_the_hole_the_ordinary_vmm_gets_these_programs_right() -> None:
    for hole in ("noop", "sfence"):
        machines(VMM, assemble(MODES + PROGRAMS[hole] + END), (), Config()).run_to(60, lambda: 1)


# -- the batch monitor -----------------------------------------------------------------------


def batch(vmm: type[VMM]) -> tuple[str, str]:
    """The papers of a short deck, bare and in a virtual machine, where mret in U does nothing."""
    papers = []
    for virtual in (False, True):
        host = Machine(
            memory="3M" if virtual else "1M", engine="reference", holes=["noop"],
            **({} if virtual else {"reader": as_deck(SURVIVOR)}),
        )  # fmt: skip
        machine = vmm(host).create("m", memory="1M", reader=as_deck(SURVIVOR)) if virtual else host
        machine.load(stage())
        machine.run(200_000)
        papers.append(machine.printer.text)
    return papers[0], papers[1]


def test_the_batch_monitor_prints_in_a_hybrid_what_it_prints_bare() -> None:
    bare, virtual = batch(HybridVMM)
    assert "ALIVE" in bare
    assert virtual == bare


def test_the_batch_monitor_does_not_survive_the_ordinary_vmm() -> None:
    bare, virtual = batch(VMM)
    assert "ALIVE" in bare
    assert "ALIVE" not in virtual


# -- random guests ---------------------------------------------------------------------------


def compare_random(vmm: type[VMM], seed: int, hole: str, steps: int) -> Pair:
    """A random program with page tables; every other seed with interference from outside."""
    config = Config(ad=("update", "fault")[seed % 2])
    guests = machines(vmm, generate(seed, config).image(), (hole,), config)
    guests.over = range(BASE + 0xF00, BASE + 0xF20)
    outside = Outside(seed, 0.1, TABLES_AND_DATA) if seed % 2 else None
    guests.run_to(steps, some_steps(seed), outside)
    return guests


class HoledWriter(Writer):
    """Writes random programs in which the hole's instruction stands where wild words would."""

    def __init__(self, seed: int, hole: str) -> None:
        super().__init__(seed)
        self.row = HOLES[hole]

    def _wild(self) -> bytes:
        operands = dict.fromkeys(self.row.widths, 0)
        operands |= {"rs1": 7} if "rs1" in operands else {}
        operands |= {"rd": self._register()} if "rd" in operands else {}
        target = CODE + 4 * self.random.randrange(0x400)
        return set_register(7, target) + self.row.encode(**operands).to_bytes(4, "little")


def compare_rude(vmm: type[VMM], seed: int, hole: str, steps: int) -> Pair:
    """A random program with modes M and U that spoils its own registers and protection."""
    program = HoledWriter(seed, hole).program(60)
    guests = machines(vmm, program, (hole,), Config(modes="MU"))
    guests.run_to(steps, some_steps(seed))
    return guests


@pytest.mark.parametrize("hole", THEOREM_3_HOLDS)
def test_random_guests_run_in_a_hybrid_step_for_step_as_bare(hole: str) -> None:
    for seed in range(4):
        compare_random(HybridVMM, seed, hole, 1000)
        compare_rude(HybridVMM, seed, hole, 500)


@pytest.mark.parametrize("hole", THEOREM_3_HOLDS)
def test_random_guests_show_that_the_ordinary_vmm_is_wrong_there(hole: str) -> None:
    wrong = 0
    for seed in range(4):
        try:
            compare_rude(VMM, seed, hole, 500)
        except AssertionError:
            wrong += 1
    assert wrong


# -- as any VMM ------------------------------------------------------------------------------

SPINNER = "1: addi a0, a0, 1\n j 1b\n"


def test_a_hybrid_guest_can_be_stopped_at_a_breakpoint_in_either_half() -> None:
    guest = HybridVMM(Machine(memory="2M")).create("guest", memory="64K")
    guest.load(assemble(MODES + "la t0, user\n csrw mepc, t0\n mret\n user: nop\n ecall\n" + END))
    for place in ("user", "handler"):
        guest.breakpoints = {guest.symbols[place]}
        assert guest.run(1000).reason == "breakpoint"
        assert guest.hart.pc == guest.symbols[place]


def test_it_makes_exactly_the_steps_of_its_budget_and_counts_those_it_interpreted() -> None:
    vmm = HybridVMM(Machine(memory="2M"))
    guest = vmm.create("guest", assemble(SPINNER), memory="64K")
    assert guest.run(123).steps == 123
    assert guest.counts["interpreted"] == 123
    assert vmm.report().of("guest").virtual_time == 123


def test_two_hybrid_guests_run_in_turns() -> None:
    vmm = HybridVMM(Machine(memory="2M"))
    for name in ("one", "two"):
        vmm.create(name, assemble(SPINNER), memory="64K")
    stops = vmm.run(500, quantum=70)
    assert {name: stop.steps for name, stop in stops.items()} == {"one": 500, "two": 500}


def test_a_recorder_hears_of_traps_of_interpreted_code() -> None:
    vmm = HybridVMM(Machine(memory="2M"))
    guest = vmm.create("guest", assemble(MODES + END), memory="64K")
    seen: list[tuple[str, int, int]] = []
    vmm.record(lambda vcpu, kind, before, cause: seen.append((kind, before, cause)))
    guest.run(40)
    assert seen == [("reflect", 3, 11)]


def test_a_vmm_runs_on_a_hybrid_guest() -> None:
    outer = HybridVMM(Machine(memory="4M")).create("outer", memory="2M")
    inner = VMM(outer).create("inner", assemble(SPINNER), memory="64K")
    assert inner.run(300).steps == 300
    assert inner.hart.x[10] == 150
