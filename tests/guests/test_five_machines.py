"""A machine room of five: two batch monitors, two kernels at their prompts, one memory test."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit import VMM, Machine
from kit.control.room import Room
from kit.control.room_plan import read_room
from kit.devices.disk_image import DiskImage
from kit.resources import guests_dir
from tests.guests.multi import GREETING, disk

BUDGET = 100_000_000

TYPED = {
    "ann": "cat fruit | sort | head 3\nmkdir d; cd d\necho mine >x; cat x\nls ..\nhalt\n",
    "bob": "ls\nspin &\nps\nkill 3\nfamily\necho yours >x; cat x\nhalt\n",
}

DECKS = {"monday": "batch/jobs/monday.deck", "tuesday": "batch/jobs/tuesday.deck"}


def plan_file(folder: Path) -> Path:
    """The room's plan, with the kernels' disk, which each of them sees in its own way."""
    guests = guests_dir().as_posix()
    (folder / "files.img").write_bytes(disk("14"))
    text = '[room]\nquantum = 20000\npolicy = "round-robin"\n'
    for name, deck in DECKS.items():
        text += f'[vm.{name}]\nimage = "{guests}/batch"\nmemory = "1M"\n'
        text += f'reader = "{guests}/{deck}"\n'
    for name, typed in TYPED.items():
        (folder / f"{name}.txt").write_text(typed)
        text += f'[vm.{name}]\nimage = "{guests}/multi"\nmemory = "4M"\ninput = "{name}.txt"\n'
        text += 'disk = "files.img"\noverlay = "memory"\n'
    text += f'[vm.test]\nimage = "{guests}/standalone/memory-test.c"\nmemory = "256K"\n'
    file = folder / "room.toml"
    file.write_text(text)
    return file


def alone(name: str) -> tuple[str, str]:
    """Console and paper of one of them on a bare machine."""
    if name in DECKS:
        machine = Machine(memory="1M", reader=guests_dir() / DECKS[name])
        machine.load(guests_dir() / "batch")
    elif name in TYPED:
        machine = Machine(memory="4M", disk=DiskImage(disk("14")))
        machine.load(guests_dir() / "multi")
        machine.uart.feed(TYPED[name].encode())
        machine.board.refresh()
    else:
        machine = Machine(memory="256K")
        machine.load(guests_dir() / "standalone" / "memory-test.c")
    assert machine.run(BUDGET).reason == "halt"
    return machine.uart.text, machine.printer.text


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    """The room, when all have ended."""
    room = Room(read_room(plan_file(tmp_path_factory.mktemp("room"))))
    stops = room.run()
    assert {name: stop.reason for name, stop in stops.items()} == dict.fromkeys(stops, "halt")
    assert len(stops) == 5
    return room


@pytest.mark.parametrize("name", [*DECKS, *TYPED, "test"])
def test_each_of_five_machines_puts_out_what_it_does_alone(room: Room, name: str) -> None:
    machine = room.machine(name)
    assert (machine.uart.text, machine.printer.text) == alone(name)


def test_two_kernels_at_their_prompts_wait_side_by_side_and_answer_who_types() -> None:
    vmm = VMM(Machine(memory="16M"))
    machines = [
        vmm.create(name, image=guests_dir() / "multi", memory="4M", disk=DiskImage(disk("14")))
        for name in ("one", "two")
    ]
    assert {stop.reason for stop in vmm.run(BUDGET).values()} == {"idle"}
    assert [machine.uart.text for machine in machines] == [GREETING + "$ "] * 2
    machines[0].uart.feed(b"echo hello\n")
    machines[0].board.refresh()
    vmm.run(BUDGET)
    assert machines[0].uart.text == GREETING + "$ echo hello\nhello\n$ "
    assert machines[1].uart.text == GREETING + "$ "
