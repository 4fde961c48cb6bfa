"""Stage 11: waiting for each other, and deadlocks."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from kit import Machine
from kit.resources import guests_dir
from tests.guests.multi import console, let_time_pass, own, started, window
from tests.toolchain import need_compiler

TABLE = "philosopher-0 philosopher-1 philosopher-2"
SEMAPHORES, SIZE = 16, 16
PLACES, NUMBERS = 4, 200
WAITING = 3
OPERATIONS = ("semaphore_down", "semaphore_up", "sleep", "wake", "make_ready", "leave")


def word(machine: Machine, address: int) -> int:
    return int.from_bytes(machine.read_memory(address, 4), "little") if address else 0


def semaphores(machine: Machine) -> list[tuple[int, bool, int]]:
    """Value, whether it is a lock, and the address of the holder, of each semaphore."""
    data = machine.read_memory(machine.symbols["semaphores"], SEMAPHORES * SIZE)
    words = [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]
    return [(words[4 * n], bool(words[4 * n + 1] & 1), words[4 * n + 3]) for n in range(SEMAPHORES)]


def check_semaphores(machine: Machine) -> None:
    """What must hold whenever a program runs."""
    all_of_them = semaphores(machine)
    for value, is_lock, holder in all_of_them:
        assert 0 <= value < 1 << 31
        if is_lock:
            assert value + (holder != 0) == 1  # it is free, or somebody has it
    (empty, _, _), (full, _, _) = all_of_them[:2]
    if all_of_them[2][1]:
        # Places are empty or full, but for the two that producer and consumer have in hand.
        assert PLACES - 2 <= empty + full <= PLACES


def test_producer_and_consumer_lose_nothing_and_double_nothing() -> None:
    text = console("11", "producer-0 consumer-1")
    assert f"consumer: {NUMBERS} numbers taken, 0 wrong" in text.splitlines()
    assert f"producer: {NUMBERS} numbers made" in text.splitlines()


@pytest.mark.parametrize("quantum", [700, 2900, 100_000])
def test_so_it_is_with_any_quantum(quantum: int) -> None:
    text = console("11", f"producer-0 consumer-1 quantum={quantum}")
    assert f"consumer: {NUMBERS} numbers taken, 0 wrong" in text.splitlines()


def test_without_the_lock_counts_are_lost_and_with_it_none() -> None:
    careless = console("11", "careless-0 careless-1 quantum=700")
    found = re.search(r"counter: 2 times 1000 makes (\d+)", careless)
    assert found
    assert int(found[1]) < 2000
    careful = console("11", "careful-0 careful-1 quantum=2000")
    assert "counter: 2 times 1000 makes 2000" in careful


def test_messages_arrive_once_and_in_order() -> None:
    text = console("11", "client-2 server-3")
    assert "client: the squares up to 10 make 385" in text
    assert "server: 10 questions answered" in text


def test_an_interrupt_before_any_instruction_of_a_semaphore_operation_breaks_nothing() -> None:
    machine = started("11", "producer-0 consumer-1 quantum=3000")
    user = range(0x80100000, 0x80200000)
    tried = 0
    for state in window(machine, OPERATIONS, after=740_000, most=70):
        machine.restore(state)
        let_time_pass(machine)
        for _ in range(3):
            while machine.run(1).reason == "budget" and machine.hart.pc not in user:
                pass
            check_semaphores(machine)
        assert machine.run(3_000_000).reason == "halt", machine.uart.text
        assert f"consumer: {NUMBERS} numbers taken, 0 wrong" in machine.uart.text.splitlines()
        machine.restore(state)
        tried += 1
    assert tried >= 60


@pytest.fixture(scope="module")
def interruptible(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kernel with a mistake: it lets itself be interrupted, and gives the processor away then."""
    need_compiler()
    target = tmp_path_factory.mktemp("mutant") / "multi"
    for name in ("common", "user", "11"):
        shutil.copytree(
            guests_dir() / "multi" / name, target / name, ignore=shutil.ignore_patterns("built")
        )
    trap = target / "11" / "trap.c"
    text = trap.read_text()
    assert "if (from_program && must_yield())" in text
    trap.write_text(
        text.replace("if (from_program && must_yield())", "if (current && must_yield())")
    )
    return target / "11"


def test_a_kernel_that_can_be_interrupted_there_is_found(interruptible: Path) -> None:
    """Else the test above would prove nothing."""
    machine = Machine(memory="4M")
    machine.load(interruptible, append="producer-0 consumer-1 quantum=30000")
    broken = False
    for state in window(machine, ("semaphore_down",), after=600_000, most=60):
        machine.restore(state)
        machine.set_register("mstatus", machine.register("mstatus") | 8)  # MIE
        let_time_pass(machine)
        machine.run(1)
        stop = machine.run(3_000_000)
        good = f"consumer: {NUMBERS} numbers taken, 0 wrong" in machine.uart.text.splitlines()
        broken = stop.reason != "halt" or stop.code != 0 or not good
        machine.restore(state)
        if broken:
            break
    assert broken


# Deadlocks


def test_four_philosophers_with_a_fork_each_are_found_and_go_on() -> None:
    text = console("11", f"{TABLE} philosopher-3")
    deadlocks = [line for line in text.splitlines() if line.startswith("deadlock:")]
    assert deadlocks
    edges = re.findall(r"philosopher-(\d) waits for (\d+), held by philosopher-(\d);", deadlocks[0])
    assert len(edges) == 4
    # It is a circle: each holds what the one before waits for, and the last waits for the first.
    assert [edge[2] for edge in edges] == [edge[0] for edge in edges[1:] + edges[:1]]
    assert {edge[0] for edge in edges} == set("0123")
    for n in range(4):
        assert any(line.startswith(f"philosopher-{n}: 3 meals") for line in text.splitlines())


def test_one_who_begins_with_the_other_hand_breaks_the_circle() -> None:
    text = console("11", f"{TABLE} lefty-3")
    assert "deadlock" not in text
    assert text.count("3 meals") == 4


def test_the_wait_for_graph_has_a_circle_exactly_where_the_kernel_says_so() -> None:
    """The graph as a test sees it, each time that a process is about to wait for a lock."""
    machine = started("11", f"{TABLE} philosopher-3")
    machine.breakpoints = {machine.symbols["closes_circle"]}
    asked = found = 0
    while machine.run(10_000_000).reason == "breakpoint":
        wanted = machine.register("a0")
        current = word(machine, machine.symbols["current"])
        expected = _is_circle(machine, current, wanted)
        behind = machine.register("ra")
        machine.breakpoints = {behind}
        machine.run(1_000_000)
        assert machine.register("a0") == expected
        machine.breakpoints = {machine.symbols["closes_circle"]}
        asked += 1
        found += expected
    assert asked > found > 0


def _is_circle(machine: Machine, current: int, wanted: int) -> bool:
    """Whether `current` would wait for itself: whether it can be reached from what it wants."""
    first = machine.symbols["semaphores"]
    reached: set[int] = set()
    while wanted not in reached:
        reached.add(wanted)
        holder = word(machine, wanted + 12)
        if holder == current:
            return True
        state, channel = word(machine, holder + 4), word(machine, holder + 8)
        if not holder or state != WAITING or not first <= channel < first + SEMAPHORES * SIZE:
            return False
        wanted = channel
    return False


def test_a_standstill_that_is_no_circle_ends_the_machine_and_says_who_waits() -> None:
    text = console("11", "selfish-0 selfish-1", code=1)
    assert own(text, "kernel:") == [
        "kernel: selfish-0 waits",
        "kernel: selfish-1 waits for 5, held by selfish-0;",
    ]
    assert text.endswith("panic: nobody can go on\n")


def test_what_a_program_holds_is_free_when_it_has_ended() -> None:
    machine = started("11", "careful-0 careful-1 quantum=2000")
    machine.run(500_000)
    first = machine.symbols["processes"]
    while machine.hart.mode != 0 or semaphores(machine)[3][2] != first:
        machine.run(37)
    machine.set_register("pc", 0)  # it jumps to nowhere, with the lock in its hands
    assert machine.run(10_000_000).code == 0
    assert "careful-0: stopped: fetch outside its storage, at 0, address 0" in machine.uart.text
    assert "careful-1: ended with code 0" in machine.uart.text
