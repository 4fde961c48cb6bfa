"""Programs that attack the last stage of the multiprogramming kernel: none of them wins.

Whatever they do, the shell answers, programs next to them and after them do right, the file system
is whole, and in the end as many frames, slots, processes and files are free as without them.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from kit import Machine
from kit.resources import guests_dir
from tests.guests.fsck import tree
from tests.guests.hostile import ATTACKERS, ENDLESS, Seat
from tests.guests.multi import virtual

FOLDER = guests_dir() / "hostile" / "multi"
SORTED = ["apple", "apple", "banana", "cherry", "medlar", "pear", "quince"]
QUICK = ("closed", "files", "jump", "locks", "names", "numbers", "pointers", "readers", "stack")


def word(machine: Machine, name: str, place: int = 0) -> int:
    return int.from_bytes(machine.read_memory(machine.symbols[name] + place, 4), "little")


def words(machine: Machine, name: str, size: int, place: int) -> list[int]:
    """In a table of the kernel with entries of `size` bytes: what they have at a place."""
    start = machine.symbols[name]
    end = min(at for at in machine.symbols.values() if at > start)
    return [word(machine, name, at + place) for at in range(0, end - start - size + 1, size)]


def in_use(machine: Machine) -> dict[str, int]:
    """What is taken while nobody but init is there; a page of it is either in storage or not."""
    residents = words(machine, "residents", 32, 0)
    return {
        "frames": word(machine, "free_count") + sum(frame != 0 for frame in residents),
        "files": sum(users != 0 for users in words(machine, "files", 24, 4)),
        "inodes": sum(words(machine, "inodes", 76, 4)),
        "pipes": sum(ends & 0xFFFF != 0 for ends in words(machine, "pipes", 524, 0)),
        "semaphores": sum(users != 0 for users in words(machine, "semaphores", 16, 8)),
    }


def at_the_end(seat: Seat) -> tuple[dict[str, int], int]:
    """What is taken, and how many slots, when the shell has ended and init is about to."""
    machine = seat.machine
    machine.breakpoints = {machine.symbols["power_off"]}
    seat.type("exit\n")
    assert machine.run(10_000_000).reason == "breakpoint"
    assert machine.disk is not None
    data = machine.disk.image.read(0, machine.disk.image.size)
    assert tree(data, running=True) == tree((FOLDER / "built" / "hostile.img").read_bytes())
    slots = machine.read_memory(machine.symbols["slot_taken"], 2048)
    return in_use(machine), sum(slots)


@functools.cache
def without(memory: str) -> dict[str, int]:
    """What is taken in the end where nobody has attacked."""
    seat = Seat(memory=memory)
    assert seat.do("sort <fruit") == SORTED
    found, slots = at_the_end(seat)
    assert slots == 0
    assert found["files"] == 1  # the terminal
    return found


def all_is_well(seat: Seat, memory: str = "4M") -> None:
    """A good program does right, and what the attackers had is there again."""
    assert seat.do("sort <fruit") == SORTED
    found, slots = at_the_end(seat)
    assert found == without(memory)
    assert slots <= 8  # of init, whose pages may have left storage


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.c")), ids=lambda path: path.stem)
def test_a_hostile_program_begins_with_what_it_tries(path: Path) -> None:
    first = path.read_text(encoding="ascii").splitlines()[0]
    assert first.startswith("// ")
    assert "ries" in first


@pytest.mark.parametrize("name", ATTACKERS)
def test_an_attacker_wins_nothing_and_leaves_everything_as_it_was(name: str) -> None:
    seat = Seat()
    assert f"{name}: won 0 times" in seat.do(name)
    all_is_well(seat)


def test_none_wins_while_its_pages_leave_storage_and_others_disturb() -> None:
    seat = Seat(append="frames=3 policy=fair")
    seat.do("loop &")
    for name in ("readers", "letters", "pointers", "closed", "locks", "killer"):
        assert f"{name}: won 0 times" in seat.do(name)
    seat.do("")  # another shell's first prompt
    seat.type("\x18")
    seat.await_prompt()
    all_is_well(seat)


@pytest.mark.parametrize("name", ENDLESS)
def test_one_that_never_ends_is_ended_by_control_x(name: str) -> None:
    seat = Seat()
    seat.type(f"{name}\n")
    seat.machine.run(12_000_000)
    assert not seat.machine.uart.text.endswith("\n$ ")
    seat.type("\x18")
    assert f"sh: {name} was stopped" in seat.await_prompt()
    all_is_well(seat)


@pytest.mark.parametrize("memory", ["1M", "4M"])
@pytest.mark.parametrize("name", sorted({*ENDLESS} - {"bomb"}))
def test_programs_next_to_one_that_never_ends_do_right(name: str, memory: str) -> None:
    seat = Seat(memory=memory)
    seat.do(f"{name} &")
    seat.machine.run(12_000_000)
    seat.do("")
    for command in ("sort <fruit | sort | cat >/out", "sort </out"):
        found = seat.do(command)
    assert [line for line in found if ":" not in line] == SORTED  # somebody may be told of, too
    seat.do("rm /out")
    seat.type("\x18")
    seat.await_prompt()
    all_is_well(seat, memory)


def test_where_storage_is_full_the_one_that_has_most_has_to_go() -> None:
    seat = Seat(memory="1M")
    seat.do("tables &")
    seat.machine.run(30_000_000)
    assert seat.do("sort <fruit")[-len(SORTED) :] == SORTED
    text = seat.machine.uart.text
    assert "tables: stopped: storage is full, and it has most of it" in text
    assert set(re.findall(r"(\w+): stopped", text)) == {"tables"}


def test_where_all_processes_are_taken_the_shell_says_so_and_goes_on() -> None:
    seat = Seat()
    seat.do("bomb &")
    seat.machine.run(3_000_000)
    assert seat.do("") is not None
    assert seat.do("sort <fruit") == ["sh: there is no room for sort"]
    assert seat.do("echo x | wc")[-1].startswith("sh: there is no room for ")
    seat.type("\x18")
    seat.await_prompt()
    all_is_well(seat)


def test_a_secret_stays_one_even_if_it_has_to_leave_storage() -> None:
    """Who looks for it takes all storage there is, and reads whatever the kernel will give it."""
    seat = Seat()
    seat.do("secret &")
    seat.machine.run(12_000_000)
    for name in ("scavenger", "neighbour", "spy"):
        assert f"{name}: won 0 times" in seat.do(name)


def test_a_shell_that_is_killed_is_followed_by_another_one() -> None:
    seat = Seat()
    assert seat.do("killer")[-1] == "init: the shell was killed; here is another one"
    assert seat.do("sort <fruit") == SORTED


def test_attacks_look_the_same_in_a_virtual_machine() -> None:
    typed = "".join(f"{name}\n" for name in QUICK) + "exit\n"
    disk = (FOLDER / "built" / "hostile.img").read_bytes()
    seat = Seat()
    seat.type(typed)
    assert seat.machine.run(200_000_000).reason == "halt"
    assert virtual("14", typed=typed, disk=disk) == seat.machine.uart.text
