"""Accidents that every trial notices by itself."""

from __future__ import annotations

from typing import Any

import pytest

from kit import assemble
from kit.classroom.trial import POISON, Trial

HANDLER = """
_start: la      t0, handler
        csrw    mtvec, t0
        li      t0, -1
        csrw    pmpaddr0, t0
        li      t0, 0x1f
        csrw    pmpcfg0, t0
"""
ACCIDENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "trap_loop": (
        "_start: la t0, here\ncsrw mtvec, t0\necall\n.balign 4\nhere: .word 0\n",
        {"handles": (2, 11)},
    ),
    "jump_to_zero": ("_start: li ra, 0\nret\n", {}),
    "nothing_there": ("_start: li t0, 0x40000000\nlw t1, 0(t0)\n", {}),
    "poison": ("_start: sw zero, 4(t5)\n", {}),
    "stack": ("_start: li sp, 0x80010000\n1: addi sp, sp, -16\nj 1b\n",
              {"stack": (0x8000F000, 0x80010000), "closely": True}),
    "trap": ("_start: nop\n.word 0\n", {}),
    "scratch": (
        HANDLER + "la t0, user\ncsrw mepc, t0\ncsrw mscratch, zero\nmret\nuser: ecall\n"
        ".balign 4\nhandler: j handler\n", {"scratch": (0x80010000, 0x80011000)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ACCIDENTS)
def test_an_accident_is_noticed_and_named(name: str) -> None:
    source, settings = ACCIDENTS[name]
    if name == "stack":
        settings = settings | {"before": lambda machine: machine.set_register("sp", 0x80010000)}
    trial = Trial(assemble(source), **settings)
    stop = trial.run(5_000)
    assert stop.reason == "stopped"
    assert trial.accident is not None
    assert trial.accident.id == name
    assert trial.accident.place.instruction or name == "trap"


def test_the_place_of_a_jump_to_nowhere_is_the_jump() -> None:
    trial = Trial(assemble("_start: li ra, 0\nnop\nret\n", name="mine.s"))
    trial.run(100)
    assert trial.accident is not None
    assert (trial.accident.place.where, trial.accident.place.instruction) == ("mine.s:3", "ret")


def test_what_nobody_has_set_is_poison_in_registers_and_storage() -> None:
    trial = Trial(assemble("_start: lw a2, far\nstop: j stop\n.bss\n.space 64\nfar: .word 0\n"))
    assert trial.machine.register("s5") == POISON
    assert trial.word(0x80010000) == POISON


def test_a_program_that_never_ends_uses_up_its_budget() -> None:
    trial = Trial(assemble("_start: j _start\n"))
    assert trial.run(10_000).reason == "budget"
    assert trial.accident is None


def test_a_call_ends_where_it_was_to_come_back_to() -> None:
    trial = Trial(assemble("double: add a0, a0, a0\nret\nback: j back\n"), closely=True)
    stop = trial.call("double", [21], sp=0x80010000, back=trial.address("back"))
    assert (stop.reason, trial.machine.register("a0")) == ("breakpoint", 42)
