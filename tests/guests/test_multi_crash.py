"""Stage 14: the power is cut at every write to the disk.

A session is recorded, write by write. From that, every disk follows that a power cut can leave:
what was written before the last flush is there; of what came after it, any part may be. The kernel
starts from each of them, and then the file system must be whole, with every change that was
acknowledged.
"""

from __future__ import annotations

import functools
import itertools
import random
import shutil
import struct
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kit import Machine
from kit.devices.disk_image import SECTOR, DiskImage
from kit.devices.virtio_block import FLUSH_REQUEST, VirtioBlock
from tests.guests.fsck import BLOCK, BrokenError, FileSystem, read, tree
from tests.guests.multi import disk, folder
from tests.toolchain import need_compiler

COMMANDS = (
    "echo one >a",
    "echo two >>a",
    "mkdir d",
    "cp fruit d/fruit",
    "cp /bin/echo big",  # longer than what fits into one change
    "ln a d/b",
    "mv d/b c",
    "echo three >a",  # what was there is given up first
    "rm d/fruit",
    "rm d",
    "orphan",
    "rm big",
    "echo end >d",
)

STAGE = folder("14")

Tree = dict[str, bytes | None]


@dataclass
class Write:
    sector: int
    data: bytes


@dataclass
class Recording:
    """What a session did to the disk: writes, and None for a flush."""

    before: bytes
    events: list[Write | None] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    """For each prompt, how many events came before it."""


class RecordedDisk(DiskImage):
    """A disk that writes down what is written to it."""

    def __init__(self, data: bytes, recording: Recording) -> None:
        super().__init__(data)
        self.recording = recording

    def write(self, sector: int, data: bytes) -> None:
        self.recording.events.append(Write(sector, bytes(data)))
        super().write(sector, data)


@functools.cache
def recording(kernel: Path = STAGE) -> Recording:
    """The session with a kernel: that of the stage, or another one."""
    found = Recording(disk("14"))
    typed = "".join(f"{line}\n" for line in COMMANDS) + "halt\n"

    def console(data: bytes) -> None:
        if data == b"$":
            found.ends.append(len(found.events))

    machine = Machine(disk=RecordedDisk(found.before, found), console=console, memory="8M")
    machine.load(kernel)
    machine.uart.feed(typed.encode())
    machine.board.refresh()
    device = machine.disk
    assert isinstance(device, VirtioBlock)
    serve = device._do

    def do(kind: int, sector: int, chain: object) -> tuple[int, int]:
        if kind == FLUSH_REQUEST:
            found.events.append(None)
        return serve(kind, sector, chain)  # type: ignore[arg-type]

    device._do = do  # type: ignore[assignment]
    assert machine.run(200_000_000).reason == "halt"
    assert len(found.ends) == len(COMMANDS) + 1
    return found


def late(found: Recording) -> list[Write]:
    """What the file system has written between the last flush before a prompt, and the prompt."""
    swap = FileSystem(found.before).swap * BLOCK // SECTOR
    return [
        one
        for end in found.ends
        for one in found.events[max([0, *flushes(found.events[:end])]) : end]
        if one is not None and one.sector < swap
    ]


def apply(image: bytearray, writes: list[Write]) -> None:
    for one in writes:
        image[one.sector * SECTOR : one.sector * SECTOR + len(one.data)] = one.data


def flushes(events: list[Write | None]) -> list[int]:
    return [at for at, event in enumerate(events) if event is None]


@functools.cache
def trees() -> tuple[Tree, ...]:
    """The file system before all changes, and after each: every second flush ends one."""
    found = recording()
    image = bytearray(found.before)
    states = [tree(bytes(image))]
    for number, event in enumerate(found.events):
        if event is not None:
            apply(image, [event])
        elif flushes(found.events).index(number) % 2:
            states.append(tree(bytes(image), running=True))
    return tuple(states)


@functools.cache
def ready(kernel: Path = STAGE) -> tuple[Machine, bytes]:
    """A machine that is about to look at its disk for the first time."""
    machine = Machine(disk=DiskImage(disk("14")), memory="1M")
    machine.load(kernel)
    machine.breakpoints = {machine.symbols["journal_recover"]}
    assert machine.run(10_000_000).reason == "breakpoint"
    machine.breakpoints = {machine.symbols["process_load"]}
    return machine, machine.save()


def recovered(image: bytes, kernel: Path = STAGE) -> bytes:
    """The disk after the kernel has started from it, and before the first program runs."""
    machine, state = ready(kernel)
    machine.restore(state)
    assert machine.disk is not None
    machine.disk.image.write(0, image)
    assert machine.run(20_000_000).reason == "breakpoint", machine.uart.text
    return machine.disk.image.read(0, len(image))


def changes_until(events: list[Write | None]) -> int:
    """How many changes are complete and flushed: the first of each two flushes decides."""
    return (len(flushes(events)) + 1) // 2


def check(image: bytes, number: int) -> None:
    """After a cut behind `number` events: each change that is complete is there, maybe one more."""
    done = changes_until(recording().events[:number])
    after = tree(recovered(image))  # raises if anything is wrong
    assert after in trees()[done : done + 2], f"behind event {number}"


def cuts() -> list[int]:
    return list(range(len(recording().events) + 1))


def test_the_recorded_session_does_what_it_says() -> None:
    last = trees()[-1]
    assert last["/a"] == b"three\n"
    assert last["/c"] == b"three\n"
    assert last["/d"] == b"end\n"
    assert "/big" not in last
    assert len(trees()) > 20
    assert len(recording().events) > 150


def test_nothing_is_acknowledged_before_it_is_on_the_disk_for_good() -> None:
    assert late(recording()) == []


@pytest.mark.parametrize("part", range(8))
def test_after_a_cut_at_any_write_the_file_system_is_whole_and_nothing_is_lost(part: int) -> None:
    found = recording()
    image = bytearray(found.before)
    for number in cuts():
        if number % 8 == part:
            check(bytes(image), number)
        if number < len(found.events) and (event := found.events[number]) is not None:
            apply(image, [event])


@pytest.mark.parametrize("seed", range(4))
def test_so_it_is_if_the_disk_has_lost_or_reordered_what_was_not_flushed(seed: int) -> None:
    """Any part of the writes since the last flush may be missing; a sector is written or not."""
    found = recording()
    chance = random.Random(seed)
    points = [0, *flushes(found.events), len(found.events)]
    stable = bytearray(found.before)
    for start, end in itertools.pairwise(points):
        writes = [one for one in found.events[start:end] if one is not None]
        if writes:
            image = bytearray(stable)
            pieces = [
                Write(one.sector + n, one.data[n * SECTOR : (n + 1) * SECTOR])
                for one in writes
                for n in range(len(one.data) // SECTOR)
            ]
            apply(image, [piece for piece in pieces if chance.random() < 0.6])
            done = changes_until(found.events[: start + 1] if start else [])
            after = tree(recovered(bytes(image)))
            assert after in trees()[done : done + 2]
        apply(stable, writes)


def test_what_a_command_has_done_is_there_from_its_end_on() -> None:
    """In the words of the session, without a look at the journal."""
    found = recording()
    image = bytearray(found.before)
    after = []
    for number, event in enumerate([*found.events, None]):
        if number in found.ends:
            after.append(tree(recovered(bytes(image))))
        if event is not None:
            apply(image, [event])
    assert after[0] == tree(found.before)
    assert after[1]["/a"] == b"one\n"
    assert after[2]["/a"] == b"one\ntwo\n"
    assert after[3]["/d"] is None
    assert after[4]["/d/fruit"] == after[0]["/fruit"]
    assert after[5]["/big"] == read(found.before)["/bin/echo"]
    assert after[6]["/d/b"] == b"one\ntwo\n"
    assert after[7]["/c"] == b"one\ntwo\n"
    assert "/d/b" not in after[7]
    assert after[8]["/a"] == after[8]["/c"] == b"three\n"
    assert "/d/fruit" not in after[9]
    assert "/d" not in after[10]
    assert "/orphan" not in after[11]
    assert "/big" not in after[12]
    assert after[13]["/d"] == b"end\n"


def test_recovery_that_is_itself_cut_off_is_done_again() -> None:
    found = recording()
    second = flushes(found.events)[10]  # a change is complete in the journal, and nowhere else
    image = bytearray(found.before)
    apply(image, [one for one in found.events[: second + 1] if one is not None])
    again = Recording(bytes(image))
    machine, state = ready()
    machine.restore(state)
    assert machine.disk is not None
    plain = machine.disk.image
    machine.disk.image = RecordedDisk(bytes(image), again)
    machine.run(20_000_000)
    machine.disk.image = plain
    assert len(again.events) > 1
    for n in range(len(again.events) + 1):
        partly = bytearray(image)
        apply(partly, [one for one in again.events[:n] if one is not None])
        assert recovered(bytes(partly)) == recovered(bytes(image))


@pytest.mark.parametrize("damage", ["checksum", "count", "copy"])
def test_a_damaged_journal_counts_as_empty(damage: str) -> None:
    found = recording()
    image = bytearray(found.before)
    apply(image, [one for one in found.events if one is not None])
    complete = tree(bytes(image))
    journal = FileSystem(found.before).journal * BLOCK
    place = {"checksum": journal, "count": journal + 4, "copy": journal + BLOCK}[damage]
    image[place : place + 4] = struct.pack("<I", 0xFFFFFFFF)
    assert tree(recovered(bytes(image))) == complete


def test_a_checker_finds_what_is_wrong() -> None:
    """Else the tests above would prove nothing: each of these disks is broken in one place."""
    good = disk("14")
    system = FileSystem(good)
    inodes, bits = system.inode_start * BLOCK, system.map * BLOCK
    damages = {
        "links": (inodes + 3 * 64 + 2, 2),
        "size": (inodes + 3 * 64 + 4, 0x7FFFFFFF),
        "type": (inodes + 3 * 64, 7),
        "block outside": (inodes + 3 * 64 + 8, 0x00FFFFFF),
        "block of another": (inodes + 3 * 64 + 8, system.table[4].blocks[0]),
        "map: free but used": (bits + system.data // 8, 0),
        "map: used but free": (bits + system.count // 8 - 4, 0xFFFFFFFF),
        "entry of nothing": (system.table[1].blocks[0] * BLOCK + 64, 200),
    }
    for place, value in damages.values():
        image = bytearray(good)
        size = 2 if value in (2, 7) else 4
        image[place : place + size] = value.to_bytes(size, "little")
        with pytest.raises(BrokenError):
            read(bytes(image))


# Kernels with mistakes: else the tests above would prove nothing


def mutant(target: Path, before: str, after: str) -> Path:
    """The stage with another journal.c."""
    for name in ("common", "user", "14"):
        shutil.copytree(
            STAGE.parent / name, target / name, ignore=shutil.ignore_patterns("built", "programs")
        )
    build = target / "14" / "build.toml"
    build.write_text(build.read_text().partition('[[program]]\nname = "sh"')[0])
    source = target / "14" / "journal.c"
    assert before in source.read_text()
    source.write_text(source.read_text().replace(before, after))
    return target / "14"


def test_a_kernel_that_does_not_wait_for_the_disk_is_found(tmp_path: Path) -> None:
    need_compiler()
    kernel = mutant(tmp_path, "disk_wait(DISK_FLUSH, 0, 0, 0);", "")
    assert late(recording(kernel))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("block_write(super.journal, header);", ""),
        ("return sum == header->checksum;", "return true;"),
    ],
    ids=["no journal", "no checksum"],
)
def test_a_kernel_with_a_wrong_journal_is_found(before: str, after: str, tmp_path: Path) -> None:
    need_compiler()
    kernel = mutant(tmp_path, before, after)
    found = recording(kernel)
    image = bytearray(found.before)
    for event in found.events:
        try:
            if tree(recovered(bytes(image), kernel)) not in trees():
                return
        except BrokenError:
            return
        if event is not None:
            apply(image, [event])
    pytest.fail("the tests do not see this mistake")
