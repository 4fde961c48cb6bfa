"""Stage 10: who runs next, and for how long."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from tests.guests.multi import console, let_time_pass, own, started, window

THREE = "number-0/1 number-1/2 number-2/2"


@dataclass
class Statistics:
    """A line of the table that the kernel prints in the end; times in ticks."""

    owner: int
    priority: int
    turnaround: int
    running: int
    ready: int
    waiting: int
    runs: int


def statistics(text: str) -> tuple[dict[str, Statistics], int, int, int]:
    """The table, by program; all ticks, idle ticks, and switches."""
    table = {
        found[1]: Statistics(*map(int, found[2].split()))
        for found in re.finditer(r"^(\w+-\d) +((?:\d+ *){7})$", text, re.M)
    }
    total = re.search(r"^(\d+) ticks, (\d+) of them idle, (\d+) switches$", text, re.M)
    assert total, text
    return table, int(total[1]), int(total[2]), int(total[3])


def ended(text: str) -> list[str]:
    """The programs, in the order in which they ended."""
    return re.findall(r"^(\S+): ended", text, re.M)


@pytest.mark.parametrize("policy", ["round-robin", "priority", "fair"])
def test_each_tick_of_a_process_is_counted_once(policy: str) -> None:
    table, total, idle, switches = statistics(console("10", f"policy={policy}"))
    assert set(table) == {"number-0", "number-1", "clerk-3"}
    for one in table.values():
        assert one.turnaround == one.running + one.ready + one.waiting
        assert one.turnaround < total
    running = sum(one.running for one in table.values())
    assert running + idle < total
    assert switches <= sum(one.runs for one in table.values())


def test_in_turns_equal_programs_get_the_same() -> None:
    text = console("10", THREE)
    table, _, _, _ = statistics(text)
    running = [one.running for one in table.values()]
    assert max(running) - min(running) < 0.02 * max(running)
    assert ended(text) == ["number-0", "number-1", "number-2"]
    # Each waits for the two others, but for the one quantum by which they are apart.
    for one in table.values():
        assert one.runs == pytest.approx(one.running / 10_000, abs=2)


def test_a_program_that_never_waits_is_interrupted() -> None:
    table, _, _, switches = statistics(console("10", THREE))
    assert switches > 40
    assert all(one.waiting == 0 for one in table.values())


def test_a_longer_quantum_makes_fewer_switches_and_longer_waits() -> None:
    waits, counts = [], []
    for quantum in (2_000, 10_000, 50_000):
        text = console("10", f"quantum={quantum}")
        _, _, _, switches = statistics(text)
        counts.append(switches)
        found = re.search(r"the longest wait was (\d+)", text)
        assert found
        waits.append(int(found[1]))
    assert counts == sorted(counts, reverse=True)
    assert waits == sorted(waits)
    assert waits[2] > 5 * waits[0]


def test_priority_the_urgent_one_hardly_waits() -> None:
    text = console("10", "policy=priority")
    found = re.search(r"the longest wait was (\d+)", text)
    assert found
    assert int(found[1]) < 2_500  # it takes over in the middle of a quantum
    assert ended(text)[0] == "clerk-3"
    table, _, _, _ = statistics(text)
    assert table["clerk-3"].ready < 0.1 * table["clerk-3"].turnaround


def test_priority_among_two_that_compute_the_lower_one_waits_for_the_end_of_the_other() -> None:
    text = console("10", "policy=priority number-0/1/1 number-1/1/2")
    assert ended(text) == ["number-1", "number-0"]
    table, _, _, _ = statistics(text)
    # Nobody forgets it, and nobody else gets anything before.
    assert table["number-0"].ready > table["number-1"].running
    assert table["number-1"].ready < 150_000  # while the partitions are loaded


def test_fair_owners_get_the_same_whatever_they_run() -> None:
    """In turns, one program among three has a third; alone of its owner it has a half."""
    text = console("10", f"policy=fair {THREE}")
    assert ended(text)[0] == "number-0"
    fair, in_turns = statistics(text)[0], statistics(console("10", THREE))[0]
    assert fair["number-0"].running == pytest.approx(in_turns["number-0"].running, rel=0.02)
    assert fair["number-0"].ready < 0.85 * in_turns["number-0"].ready


def test_fair_shares_while_all_run() -> None:
    """Looked at in the middle: owner 1 with one program has had as much as owner 2 with two."""
    machine = started("10", f"policy=fair {THREE}")
    machine.run(500_000)
    used = machine.read_memory(machine.symbols["used"], 12)
    one, two = (int.from_bytes(used[at : at + 4], "little") for at in (4, 8))
    assert one == pytest.approx(two, rel=0.3)


def test_a_policy_that_is_not_there_is_told() -> None:
    assert console("10", "policy=lottery", code=1) == (
        "panic: policy=lottery: there is no such policy\n"
    )


def test_an_interrupt_before_any_instruction_of_the_scheduler_changes_no_result() -> None:
    machine = started("10", "number-0 number-1 quantum=3000")
    names = ("switch_context", "leave", "make_ready", "run_processes", "yield", "trap")
    expected = sorted(own(console("10", "number-0 number-1"), "number")[:4])
    tried = 0
    for state in window(machine, names, after=450_000, most=110):
        machine.restore(state)
        let_time_pass(machine)
        assert machine.run(3_000_000).reason == "halt", machine.uart.text
        assert sorted(own(machine.uart.text, "number")[:4]) == expected
        table, _, _, _ = statistics(machine.uart.text)
        for one in table.values():
            assert one.turnaround == one.running + one.ready + one.waiting
        machine.restore(state)
        tried += 1
    assert tried == 110


def test_an_interrupt_before_any_instruction_of_a_program_changes_no_result() -> None:
    """Its registers survive, whatever it is doing."""
    machine = started("10", "number-0 number-1")
    expected = sorted(own(console("10", "number-0 number-1"), "number")[:4])
    machine.run(460_000)
    tried = 0
    while tried < 50:
        if machine.register("mode") == 0:
            state = machine.save()
            let_time_pass(machine)
            assert machine.run(3_000_000).reason == "halt"
            assert sorted(own(machine.uart.text, "number")[:4]) == expected
            machine.restore(state)
            tried += 1
        machine.run(1)
