"""Stage 13: demand paging, and which page has to leave."""

from __future__ import annotations

import re

import pytest

from tests.guests.multi import console, disk, own, started

TEXTBOOK = "70120304230321201701"
"""The reference string of Silberschatz, Galvin and Gagne, Operating System Concepts, 10.4."""

BELADY = "123412512345"
"""Belady, Nelson and Shedler, CACM 12(6), 1969: with FIFO, more storage can be worse."""

# Worked out by hand: the three frames after each reference to TEXTBOOK; * marks a fault. For FIFO
# and LRU, the page that leaves next stands first. For the clock, > is the hand, and ' a page that
# was used since the hand passed.
BY_HAND = {
    "fifo": """
        7* 7     0* 70    1* 701   2* 012   0  012   3* 123   0* 230   4* 304   2* 042   3* 423
        0* 230   3  230   2  230   1* 301   2* 012   0  012   1  012   7* 127   0* 270   1* 701
    """,
    "lru": """
        7* 7     0* 70    1* 701   2* 012   0  120   3* 203   0  230   4* 304   2* 042   3* 423
        0* 230   3  203   2  032   1* 321   2  312   0* 120   1  201   7* 017   0  170   1  701
    """,
    "clock": """
        7* >7'        0* >7'0'      1* >7'0'1'    2* 2'>01      0  2'>0'1
        3* >2'03'     0  >2'0'3'    4* 4'>03      2* 4'2'>3     3  4'2'>3'
        0* >420'      3* 3'>20'     2  3'>2'0'    1* 31'>0      2* >31'2'
        0* 0'>1'2'    1  0'>1'2'    7* 07'>2      0  0'7'>2     1* >0'7'1'
    """,
}

COUNTS = {("fifo", 3): 15, ("lru", 3): 12, ("clock", 3): 14}

BELADYS = {("fifo", 3): 9, ("fifo", 4): 10, ("lru", 3): 10, ("lru", 4): 8}

WORKING_SET = {2: 17, 3: 13, 4: 10, 5: 8}
"""Faults for TEXTBOOK: references to a page that is not among the last so many."""


def referred(append: str, string: str = TEXTBOOK) -> tuple[str, int]:
    """The references, those that were faults marked, and how many these were."""
    text = console("13", f"{append} refer:{string}")
    found = re.search(r"^refer: (.*): (\d+) faults$", text, re.M)
    assert found, text
    assert found[1].replace("*", "").replace(" ", "") == string
    return found[1], int(found[2])


@pytest.mark.parametrize("policy", BY_HAND)
def test_a_policy_gives_the_faults_that_were_worked_out_by_hand(policy: str) -> None:
    by_hand = " ".join(BY_HAND[policy].split()[::2])
    assert referred(f"replace={policy} frames=3") == (by_hand, COUNTS[policy, 3])
    assert by_hand.count("*") == COUNTS[policy, 3]


@pytest.mark.parametrize(("policy", "frames"), BELADYS)
def test_fifo_can_have_more_faults_with_more_storage_and_lru_cannot(
    policy: str, frames: int
) -> None:
    _, faults = referred(f"replace={policy} frames={frames}", BELADY)
    assert faults == BELADYS[policy, frames]


@pytest.mark.parametrize("window", WORKING_SET)
def test_the_working_set_is_what_was_used_last(window: int) -> None:
    expected = [
        page + ("" if page in TEXTBOOK[max(0, n - window) : n] else "*")
        for n, page in enumerate(TEXTBOOK)
    ]
    found = referred(f"replace=working-set window={window} quantum=1000000")
    assert found == (" ".join(expected), WORKING_SET[window])


@pytest.mark.parametrize("ad", ["update", "fault"])
def test_who_notes_the_use_of_pages_makes_no_difference(ad: str) -> None:
    """The processor, or the kernel, which then has one more trap for each page."""
    text = console("13", "replace=clock frames=3 refer", ad=ad)
    assert text.splitlines()[0].endswith("14 faults")


@pytest.mark.parametrize("policy", ["fifo", "clock", "lru", "working-set"])
def test_more_is_sorted_than_there_are_frames(policy: str) -> None:
    """16 pages of numbers and the program itself, in 6 frames."""
    text = console("13", f"replace={policy} frames=6 bigsort")
    assert "bigsort: 16384 numbers, 0 out of order" in text
    assert "init: bigsort has ended with code 0" in text


def test_programs_that_fight_for_frames_disturb_each_other_in_nothing_but_time() -> None:
    text = console("13", "frames=5 bigsort family victim same")
    assert "bigsort: 16384 numbers, 0 out of order" in text
    assert "family: the children's codes make 69, and mine is still 1" in text
    assert "victim: 0 went wrong" in text
    assert own(text, "same")[0].endswith("has not changed")


def test_all_programs_together_find_room_in_a_storage_that_is_too_small() -> None:
    """Nothing is said of frames here: there are simply none left."""
    text = console("13", "bigsort bigsort bigsort bigsort", memory="384K")
    assert text.count("bigsort: 16384 numbers, 0 out of order") == 4


def test_a_page_is_fetched_only_when_it_is_used() -> None:
    """A heap of a gigabyte costs what is used of it."""
    text = console("13", "sparse")
    assert re.search(
        r"^sparse: \d+ pages of storage for 100 used, all as they were left$", text, re.M
    )


def test_a_program_for_whose_pages_there_is_no_room_any_more_is_stopped_and_told_so() -> None:
    text = console("13", "exhaust family", memory="1M")
    assert re.search(r"^exhaust: stopped: there is no room for its page, at ", text, re.M)
    assert "family: the children's codes make 69, and mine is still 1" in text


def test_no_program_gets_out_of_its_space() -> None:
    lines = own(console("13", "intruder frames=4"), "intruder:")
    assert lines[-1] == "intruder: 0 of 12 survived, 0 pointers were believed"


@pytest.mark.parametrize("programs", ["forks", "family", "victim", "bigsort frames=5"])
def test_all_frames_and_all_slots_of_the_disk_come_back(programs: str) -> None:
    assert left_over(programs) == left_over("nonsense")


def left_over(programs: str) -> tuple[int, int, int]:
    """Pages in storage, free frames, and slots that are taken, as init is about to end."""
    machine = started("13", programs)
    machine.breakpoints = {machine.symbols["power_off"]}
    assert machine.run(200_000_000).reason == "breakpoint"
    residents, slots = machine.symbols["residents"], machine.symbols["slot_taken"]
    pages = sum(machine.read_memory(residents + n * 32, 4) != bytes(4) for n in range(512))
    free = int.from_bytes(machine.read_memory(machine.symbols["free_count"], 4), "little")
    return pages, free, sum(machine.read_memory(slots, 2048))


@pytest.mark.parametrize("policy", ["fifo", "clock", "lru", "working-set"])
def test_the_fewest_frames_that_an_instruction_may_need_are_enough(policy: str) -> None:
    text = console("13", f"replace={policy} frames=1 family")
    assert "init: family has ended with code 0" in text


def test_the_programs_on_the_disk_stay_as_they_were() -> None:
    before = disk("13")
    machine = started("13", "frames=4 bigsort")
    assert machine.run(200_000_000).reason == "halt"
    assert machine.disk is not None
    after = machine.disk.image.read(0, len(before))
    end = 512 * int.from_bytes(before[4:8], "little")
    assert after[:end] == before[:end]
    assert after[end:] != before[end:]  # pages went there
