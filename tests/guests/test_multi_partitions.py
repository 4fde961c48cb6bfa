"""Stage 09: two programs in storage."""

from __future__ import annotations

import re

import pytest

from tests.guests.multi import console, let_time_pass, own, started, window

PARTITION = 0x80100000
SIZE = 0x10000


def ticks(text: str) -> tuple[int, int]:
    """How long all took, and how much of it the processor was idle."""
    found = re.search(r"all have ended, (\d+) ticks, (\d+) of them idle", text)
    assert found, text
    return int(found[1]), int(found[2])


def test_each_program_does_what_it_does_alone() -> None:
    both = console("09")
    for name in ("count", "wait"):
        assert own(both, name) == own(console("09", name), name)
    assert own(both, "count")[-1] == "count: ended with code 0"


def test_while_one_waits_the_other_runs() -> None:
    together, idle = ticks(console("09"))
    (count, _), (wait, waiting) = ticks(console("09", "count")), ticks(console("09", "wait"))
    assert waiting > 150_000  # of its time: nothing else can run
    assert idle == 0
    assert together < count + wait - 150_000


def test_a_program_that_reaches_out_is_stopped_and_the_others_go_on() -> None:
    text = console("09", "count wait intruder privileged")
    intruder = own(text, "intruder")
    assert all(line.endswith(": -1") for line in intruder[:-1])
    assert re.fullmatch(
        r"intruder: stopped: store outside its storage, at 801\w+, address 80110000", intruder[-1]
    )
    assert own(text, "privileged")[-1].startswith("privileged: stopped: illegal instruction")
    alone = console("09")
    for name in ("count", "wait"):
        assert own(text, name) == own(alone, name)


def test_what_the_kernel_says_of_a_program_that_it_does_not_have() -> None:
    assert "kernel: nonsense cannot be started" in console("09", "nonsense wait")


def test_a_partition_holds_one_program_at_a_time() -> None:
    text = console("09", "wait wait")
    assert "kernel: wait cannot be started" in text
    assert own(text, "wait") == own(console("09", "wait"), "wait")


@pytest.mark.parametrize("partition", range(3))
def test_the_fence_stands_at_both_ends_of_the_partition(partition: int) -> None:
    """It is looked at where the program runs, at each of its first calls."""
    machine = started("09", "count wait intruder")
    start = PARTITION + partition * SIZE
    seen = 0
    for _ in range(400):
        if machine.run(997).reason == "halt":
            break
        if start <= machine.hart.pc < start + SIZE:
            assert machine.register("mode") == 0
            assert machine.register("pmpcfg0") == 0x1F  # one entry: NAPOT, execute, write, read
            assert machine.register("pmpaddr0") == (start >> 2) + (SIZE >> 3) - 1
            seen += 1
    assert seen


def test_a_switch_restores_all_registers_that_count() -> None:
    """A program goes on with the registers that it had when it called, but for the result."""
    machine = started("09")
    machine.breakpoints = {machine.symbols["serve"]}
    calls: dict[int, list[int]] = {}  # by the address behind the call
    checked = 0
    for _ in range(12):
        if machine.run(1_000_000).reason != "breakpoint":
            break
        frame = machine.register("a0")
        words = machine.read_memory(frame, 33 * 4)
        saved = [int.from_bytes(words[at : at + 4], "little") for at in range(0, 132, 4)]
        calls[saved[32] + 4] = saved
        machine.breakpoints = {machine.symbols["serve"], *calls}
        while machine.run(1_000_000).reason == "breakpoint" and machine.hart.pc in calls:
            before = calls[machine.hart.pc]
            now = [machine.register(f"x{n}") for n in range(32)]
            assert now[1:10] + now[11:] == before[1:10] + before[11:32]
            checked += 1
            break
        machine.breakpoints = {machine.symbols["serve"]}
    assert checked >= 4


def test_an_interrupt_before_any_instruction_of_the_switch_changes_nothing() -> None:
    machine = started("09")
    expected = {name: own(console("09"), name) for name in ("count", "wait")}
    tried = 0
    for state in window(machine, ("switch_context", "leave", "sleep"), after=430_000, most=60):
        machine.restore(state)
        let_time_pass(machine)
        text_before = machine.uart.text
        assert machine.run(2_000_000).reason == "halt", text_before
        for name, lines in expected.items():
            assert own(machine.uart.text, name) == lines
        machine.restore(state)
        tried += 1
    assert tried >= 40
