"""A saved machine goes on as the one that was saved, on any machine built alike."""

from __future__ import annotations

import pytest

from kit import VMM, KitError, Machine
from kit.isa.assembler import assemble
from kit.machine.computer import Computer
from kit.resources import guests_dir
from tests.vmm.test_equivalence import state

DECK = guests_dir() / "batch" / "jobs" / "monday.deck"


def bare() -> Machine:
    """A machine that could run the batch."""
    return Machine(memory="1M", reader=DECK)


def virtual() -> Computer:
    """A virtual machine like it."""
    return VMM(Machine(memory="4M")).create("guest", memory="1M", reader=DECK)


@pytest.mark.parametrize("make", [bare, virtual])
def test_a_batch_saved_in_the_middle_prints_the_same_paper_elsewhere(make: object) -> None:
    first: Computer = make()  # type: ignore[operator]
    first.load("guests/batch")
    first.run(60_000)
    saved = first.save()
    first.run(80_000)
    second: Computer = make()  # type: ignore[operator]
    second.restore(saved)
    second.run(80_000)
    assert state(first) == state(second)
    assert first.printer.text == second.printer.text
    assert first.read_memory(*first.ram) == second.read_memory(*second.ram)
    assert second.symbols == first.symbols


def test_a_reset_after_restoring_starts_the_saved_program_again() -> None:
    first = Machine(memory="64K")
    first.load(assemble("_start: li a5, 7\n1: j 1b\n"))
    first.run(5)
    second = Machine(memory="64K")
    second.restore(first.save())
    second.write_memory(0x80000000, bytes(16))
    second.reset()
    second.run(5)
    first.reset()
    first.run(5)
    assert state(first)["x"] == state(second)["x"]
    assert second.register("a5") == 7


@pytest.mark.parametrize(
    "spoil", [lambda d: d[:-1], lambda d: b"", lambda d: d[:50] + b"?" + d[51:]]
)
def test_a_damaged_state_is_refused_and_changes_nothing(spoil: object) -> None:
    machine = Machine(memory="64K")
    machine.load(assemble("1: j 1b\n"))
    saved = machine.save()
    before = state(machine)
    with pytest.raises(KitError, match="damaged"):
        machine.restore(spoil(saved))  # type: ignore[operator]
    assert state(machine) == before


def test_a_state_of_another_kind_of_machine_is_refused() -> None:
    with pytest.raises(KitError, match="configured otherwise"):
        Machine(memory="64K").restore(Machine(memory="128K").save())
