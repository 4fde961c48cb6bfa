"""Running, looking at and changing a machine."""

from __future__ import annotations

import pytest

from kit import VMM, Machine
from kit.errors import KitError
from kit.isa.assembler import assemble
from kit.machine.protocol import Stop

HALT = """
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
1:  j 1b
"""


def machine(source: str, modes: str = "MU") -> Machine:
    """A small machine with a program loaded."""
    result = Machine(modes=modes, memory="64K")
    result.load(assemble(source))
    return result


def test_a_halted_machine_stays_halted_until_it_is_reset() -> None:
    halted = machine(HALT)
    first = halted.run(100)
    assert first.reason == "halt"
    assert halted.run(100) == Stop("halt", 0, 0, first.pc)
    halted.reset()
    assert halted.run(100) == first


def test_a_register_is_a_number_also_where_it_came_from_a_comparison() -> None:
    compared = machine("li a0, 1\n slti a1, a0, 5\n slt a2, a1, a0\n")
    compared.run(3)
    assert [type(value) for value in compared.hart.x] == [int] * 32


@pytest.mark.parametrize("name", ["mcycle", "minstret", "mcycleh", "minstreth"])
@pytest.mark.parametrize("value", [0, 100, 0xFFFF_FFFF])
def test_a_counter_that_is_set_from_outside_has_that_value(name: str, value: int) -> None:
    running = machine(HALT)
    running.run(2)
    running.set_register(name, value)
    assert running.register(name) == value


def test_a_mode_that_the_machine_does_not_have_is_refused() -> None:
    small = machine(HALT, "MU")
    for mode in (1, 2, 4, -1):
        with pytest.raises(KitError, match="modes MU"):
            small.set_register("mode", mode)
    small.set_register("mode", 0)
    assert small.register("mode") == 0


@pytest.mark.parametrize(("isa", "pc"), [("rv32imac", 0x8000_0006), ("rv32im", 0x8000_0004)])
def test_a_program_counter_is_set_to_where_an_instruction_can_begin(isa: str, pc: int) -> None:
    aligned = Machine(isa, memory="64K")
    aligned.set_register("pc", 0x8000_0007)
    assert aligned.register("pc") == pc


@pytest.mark.parametrize("is_virtual", [False, True])
def test_a_write_by_a_debugger_or_by_dma_ends_no_reservation(is_virtual: bool) -> None:
    real = Machine(memory="1M")
    computer = VMM(real).create("guest", memory="64K") if is_virtual else real
    computer.load(
        assemble(
            """
                la a0, word
                li a1, 7
                lr.w a2, (a0)
            reserved:
                sc.w a3, a1, (a0)
            1:  j 1b
                .align 2
            word: .word 5
            """
        )
    )
    computer.breakpoints.add(computer.symbols["reserved"])
    assert computer.run(10).reason == "breakpoint"
    computer.write_memory(computer.symbols["word"], b"abcd")
    computer.board.write_bytes(computer.symbols["word"], b"efgh")  # what devices do
    computer.run(3)
    assert (computer.register("a2"), computer.register("a3")) == (5, 0)
    assert computer.read_memory(computer.symbols["word"], 4) == b"\7\0\0\0"


def test_after_reset_everything_is_zero_but_the_mode_and_the_address() -> None:
    fresh = Machine(memory="64K")
    state = fresh.hart.snapshot()
    assert (state.pop("mode"), state.pop("pc")) == (3, 0x8000_0000)
    assert state.pop("wires") == 1 << 7  # the timer, whose comparator is zero
    assert not any(any(value) if isinstance(value, list) else value for value in state.values())
