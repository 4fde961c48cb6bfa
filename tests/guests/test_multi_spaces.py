"""Stage 12: address spaces."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from kit import Machine
from tests.guests.multi import console, let_time_pass, own, started, window

START = 0x40000000
PROCESSES = 16
VALID, READ, WRITE, EXECUTE, USER = 1, 2, 4, 8, 16


def word(machine: Machine, address: int) -> int:
    return int.from_bytes(machine.read_memory(address, 4), "little")


def mapped(machine: Machine, root: int) -> dict[int, int]:
    """The entry of each page that has one, in the page table at an address."""
    found = {}
    for high in range(1024):
        entry = word(machine, root + 4 * high)
        if entry & VALID:
            assert not entry & (READ | WRITE | EXECUTE)  # this kernel has no large pages
            second = machine.read_memory(entry >> 10 << 12, 4096)
            for low in range(1024):
                leaf = int.from_bytes(second[4 * low : 4 * low + 4], "little")
                if leaf & VALID:
                    found[high << 22 | low << 12] = leaf
    return found


def tables(machine: Machine) -> list[int]:
    """The page tables of all processes; the current one's, which the processor uses, is known."""
    root = (machine.register("satp") & 0x3FFFFF) << 12
    start, current = machine.symbols["processes"], word(machine, machine.symbols["current"])
    end = min(at for at in machine.symbols.values() if at > start)
    size = (end - start) // PROCESSES
    where = next(at for at in range(0, size, 4) if word(machine, current + at) == root)
    found = [word(machine, start + n * size + where) for n in range(PROCESSES)]
    return [table for table in found if table]


def starts(append: str) -> Iterator[Machine]:
    """The machine at the first instruction of each program: twice, if it was interrupted there."""
    machine = started("12", append)
    machine.breakpoints = {START}
    while machine.run(100_000_000).reason == "breakpoint":
        assert machine.register("mode") == 0
        yield machine


def test_the_same_address_holds_what_each_has_stored_there() -> None:
    text = console("12", "same same same")
    lines = own(text, "same:")
    assert len(lines) == 3
    assert len(set(lines)) == 1  # the same address
    assert lines[0].endswith("has not changed")


def test_no_program_gets_out_of_its_space_by_itself_or_through_a_pointer() -> None:
    lines = own(console("12", "intruder"), "intruder:")
    assert lines[-1] == "intruder: 0 of 12 survived, 0 pointers were believed"
    assert len(lines) == 13


def test_no_user_page_is_the_kernels_or_another_spaces() -> None:
    most = 0
    for machine in starts("same same same"):
        kernels, frames = [], []
        for root in tables(machine):
            table = mapped(machine, root)
            users = {page: entry for page, entry in table.items() if entry & USER}
            assert users
            assert all(START <= page < 2 * START for page in users)
            frames += [entry >> 10 << 12 for entry in users.values()]
            assert not any(entry & WRITE and entry & EXECUTE for entry in table.values())
            kernels.append({page: entry for page, entry in table.items() if not entry & USER})
        assert len(frames) == len(set(frames))
        assert min(frames) >= machine.symbols["image_end"]
        assert all(kernel == kernels[0] for kernel in kernels)
        text = range(0x80000000, machine.symbols["text_end"], 4096)
        assert all(not kernels[0][page] & WRITE for page in text)
        most = max(most, len(kernels))
    assert most >= 3


def test_an_interrupt_before_any_instruction_of_traps_and_switches_changes_nothing() -> None:
    """M-mode takes it whatever the kernel does, and tells it later."""
    machine = started("12", "family")
    expected = console("12", "family")
    names = ("trap_entry", "trap_return", "switch_context", "leave", "machine_trap")
    tried = 0
    for state in window(machine, names, after=700_000, most=110):
        machine.restore(state)
        let_time_pass(machine)
        assert machine.run(5_000_000).reason == "halt", machine.uart.text
        assert machine.uart.text == expected
        machine.restore(state)
        tried += 1
    assert tried >= 100


def test_children_have_copies_and_share_nothing() -> None:
    text = console("12", "family")
    assert "family: the children's codes make 69, and mine is still 1" in text


def test_killed_processes_end_wherever_they_are() -> None:
    assert "victim: 0 went wrong" in console("12", "victim")


def test_who_takes_all_storage_harms_only_itself_and_gives_it_back() -> None:
    text = console("12", "exhaust")
    assert "exhaust: got something, and a child found nothing" in text
    assert "init: exhaust has ended with code 0" in text


@pytest.mark.parametrize("programs", ["forks", "exhaust", "intruder", "victim"])
def test_all_storage_comes_back(programs: str) -> None:
    """As many frames are free in the end as after a start of nothing at all."""
    assert free_frames(programs) == free_frames("nonsense")


def free_frames(programs: str) -> int:
    machine = started("12", programs)
    machine.breakpoints = {machine.symbols["power_off"]}
    assert machine.run(100_000_000).reason == "breakpoint"
    return word(machine, machine.symbols["free_count"])


def test_fork_exec_and_wait_a_thousand_times_and_to_the_limit() -> None:
    text = console("12", "forks policy=fair quantum=3000")
    assert "forks: 0 went wrong" in text


def test_a_program_that_is_not_there_is_told() -> None:
    assert re.match(r"init: nonsense cannot be started\n", console("12", "nonsense"))


@pytest.mark.parametrize("memory", ["96K", "128K"])
def test_a_machine_that_is_too_small_is_told_so(memory: str) -> None:
    text = console("12", memory=memory, code=1)
    assert text in (
        "panic: no storage for the kernel's page table\n",
        "panic: init cannot be started\n",
    )
