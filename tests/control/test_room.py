"""A machine room from its plan: what goes in, what comes out, saving, and plans that are wrong."""

from __future__ import annotations

import json
import random
import re
import zlib
from pathlib import Path

import pytest

from kit.control.operator import COMMANDS, Operator
from kit.control.policies import POLICIES
from kit.control.room import _STATE, Room
from kit.control.room_plan import MACHINE_KEYS, ROOM_KEYS, read_room
from kit.errors import KitError
from kit.machine.bus import PAGE
from kit.vmm.shadow import POOL
from tests.control.guests import CLERK, COPIER, CRASHER, ECHO, SLEEPER, SPINNER, TALKER

SOURCES = {
    "clerk": CLERK,
    "copier": COPIER,
    "crasher": CRASHER,
    "echo": ECHO,
    "sleeper": SLEEPER,
    "spinner": SPINNER,
    "talker": TALKER,
}


def plan_file(folder: Path, machines: dict[str, str], room: str = "") -> Path:
    """A plan in a folder: the machines' guests by name, with more lines for each of them."""
    for name, source in SOURCES.items():
        (folder / f"{name}.s").write_text(source)
    text = f"[room]\n{room}\n"
    for name, lines in machines.items():
        guest = name.split("-")[0]
        text += f'[vm.{name}]\nimage = "{guest}.s"\nmemory = "64K"\nmodes = "M"\n{lines}\n'
    file = folder / "room.toml"
    file.write_text(text)
    return file


def make(folder: Path, machines: dict[str, str], room: str = "") -> tuple[Room, list[str]]:
    """The room of such a plan, and what it shows."""
    shown: list[str] = []
    return Room(read_room(plan_file(folder, machines, room)), shown.append), shown


THREE = {"talker": "share = 2", "crasher": "", "clerk": "priority = 3"}


@pytest.mark.parametrize("policy", ["round-robin", "priority", "shares", "preferred"])
def test_three_machines_print_what_each_prints_alone(tmp_path: Path, policy: str) -> None:
    settings = f'policy = "{policy}"\npreferred = "crasher"\nquantum = 300\nbudget = 15000'
    room, shown = make(tmp_path, THREE, settings)
    stops = room.run()
    assert {name: stop.reason for name, stop in stops.items()} == {
        "talker": "halt", "clerk": "halt", "crasher": "budget",
    }  # fmt: skip
    for name in THREE:
        alone, lines = make(tmp_path, {name: ""}, "budget = 15000")
        alone.run()
        assert [line for line in shown if f"{name}" in line.split("]")[0]] == [
            line for line in lines if not line.startswith("[room]")
        ]
    assert [line for line in shown if line.startswith("[clerk printer]")] == [
        f"[clerk printer] {n}" for n in (4, 3, 2, 1)
    ]
    assert "[crasher] !" in shown
    assert "[room] crasher: has used up its budget" in shown


def test_outputs_go_to_their_files(tmp_path: Path) -> None:
    (tmp_path / "in.deck").write_text("ONE\nTWO\n")
    room, shown = make(
        tmp_path,
        {
            "copier": 'reader = "in.deck"\nprinter = "paper.txt"',
            "talker": 'console = "talk.txt"\npunch = "cards.deck"',
        },
    )
    room.run()
    assert (tmp_path / "paper.txt").read_text() == "ONE\nTWO\n"
    assert (tmp_path / "talk.txt").read_text() == "g\nf\ne\nd\nc\nb\n"
    assert (tmp_path / "cards.deck").read_text() == ""
    assert shown == ["[room] copier: halted", "[room] talker: halted"]


def test_an_output_that_cannot_be_written_is_said_and_ends_nobody(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    room, shown = make(tmp_path, {"clerk": 'printer = "out/paper"', "talker": ""})
    (tmp_path / "out").rmdir()
    stops = room.run()
    assert {stop.reason for stop in stops.values()} == {"halt"}
    assert len(room.problems) == 1
    assert "paper: cannot write it" in room.problems[0]
    assert "[talker] b" in shown


def test_a_disk_can_be_shared_by_overlays(tmp_path: Path) -> None:
    (tmp_path / "base.img").write_bytes(b"base".ljust(1024, b"."))
    room, _ = make(
        tmp_path,
        {
            "sleeper-1": 'disk = "base.img"\noverlay = "one.overlay"',
            "sleeper-2": 'disk = "base.img"\noverlay = "memory"',
        },
    )
    one, two = (machine.disk for machine in room.vmm.machines.values())
    assert one is not None
    assert two is not None
    one.image.write(0, b"X" * 512)
    assert two.image.read(0, 4) == b"base"
    assert (tmp_path / "base.img").read_bytes()[:4] == b"base"


def test_what_a_guest_sends_cannot_reach_the_operators_terminal(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(b"\x1b[2Jab\xff\nq")
    room, shown = make(tmp_path, {"echo": 'input = "keys"'})
    room.run()
    assert shown == ["[echo] ?[2Jab\ufffd", "[room] echo: halted"]


def test_a_guest_without_newlines_fills_no_storage(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(b"x" * 2500 + b"q")
    room, shown = make(tmp_path, {"echo": 'input = "keys"'})
    room.run()
    assert [len(line) for line in shown[:-1]] == [1007, 1007, 507]


def test_the_same_room_runs_the_same_again(tmp_path: Path) -> None:
    first, shown = make(tmp_path, THREE, "budget = 9000\nquantum = 77")
    second, again = make(tmp_path, THREE, "budget = 9000\nquantum = 77")
    assert first.run() == second.run()
    assert shown == again
    assert first.save() == second.save()


def test_spool_files_hold_what_was_printed(tmp_path: Path) -> None:
    room, shown = make(tmp_path, {"clerk": ""}, 'spool = "spool"')
    operator = Operator(room, tmp_path)
    room.run()
    assert operator.execute("spool 1") == "4\n3\n2\n1"
    assert operator.execute("spool clerk").split()[:3] == ["1", "clerk", "printer"]
    assert shown[:2] == ["[clerk printer] 4", "[clerk printer] 3"]


def test_machines_may_have_more_storage_than_there_is(tmp_path: Path) -> None:
    machines = {
        "talker": 'backing = "pages"',
        "clerk": 'backing = "memory"\npaging = "random"',
        "crasher": "fixed = true",
    }
    with pytest.raises(KitError, match=r"vm\.crasher: VMM: .* needs 64K"):
        make(tmp_path, dict.fromkeys(machines, ""), f"memory = {3 * POOL * PAGE + 40 * PAGE}")
    room, _ = make(tmp_path, machines, f"memory = {3 * POOL * PAGE + 40 * PAGE}\nbudget = 9000")
    room.run()
    assert room.machine("talker").uart.text == "g\nf\ne\nd\nc\nb\n"
    assert room.machine("clerk").printer.text == "4\n3\n2\n1\n"
    room.close()
    assert (tmp_path / "pages").exists()


# Saving


def test_a_saved_room_goes_on_where_it_was(tmp_path: Path) -> None:
    room, _ = make(tmp_path, {"talker": "", "clerk": ""})
    for _ in range(3):
        room.scheduler.turn()
    room.stop("clerk")
    state = room.save()
    room.start("clerk")
    room.run()
    other, _ = make(tmp_path, {"talker": "", "clerk": ""})
    other.restore(state)
    assert other.state("clerk") == "stopped"
    other.start("clerk")
    other.run()
    for name in ("talker", "clerk"):
        assert room.machine(name).save() == other.machine(name).save()


def test_a_restored_machine_that_had_halted_has_halted(tmp_path: Path) -> None:
    room, _ = make(tmp_path, {"talker": ""})
    room.run()
    state = room.save_machine("talker")
    room.reset("talker")
    assert room.state("talker") == "running"
    room.restore_machine("talker", state)
    assert room.state("talker") == "halted"
    assert room.scheduler.turn() is None


def packed(body: bytes) -> bytes:
    """A saved room with a right checksum."""
    return _STATE + zlib.crc32(body).to_bytes(4, "little") + body


def header(entries: object) -> bytes:
    """The body of a saved room that has this header and nothing else."""
    words = json.dumps(entries).encode()
    return len(words).to_bytes(4, "little") + words


DAMAGED_ROOMS = {
    "nothing": b"",
    "another file": b"hello" * 10,
    "wrong checksum": _STATE + bytes(100),
    "no header": packed(b""),
    "no table": packed(header([1])),
    "no lengths": packed(header({"talker": {}})),
    "other machines": packed(header({"x": {"held": False, "length": 0}})),
    "no state": packed(header({"talker": {"held": False, "length": 0}})),
    "a wrong length": packed(header({"talker": {"held": False, "length": "1"}})),
}


@pytest.mark.parametrize("data", DAMAGED_ROOMS.values(), ids=DAMAGED_ROOMS)
def test_a_damaged_room_is_refused_in_one_line_and_changes_nothing(
    tmp_path: Path, data: bytes
) -> None:
    room, _ = make(tmp_path, {"talker": ""})
    room.scheduler.turn()
    before = room.save()
    with pytest.raises(KitError) as caught:
        room.restore(data)
    assert "\n" not in str(caught.value)
    assert room.save() == before


def test_every_cut_and_every_flipped_byte_of_a_state_is_noticed(tmp_path: Path) -> None:
    room, _ = make(tmp_path, {"talker": ""})
    state = room.save()
    for at in range(0, len(state), 97):
        for wrong in (state[:at], state[:at] + bytes([state[at] ^ 1]) + state[at + 1 :]):
            with pytest.raises(KitError, match="damaged"):
                room.restore(wrong)


def test_a_whole_state_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    room, _ = make(tmp_path, {"talker": "", "clerk": ""})
    room.scheduler.turn()
    before = room.save()
    machine = room.machine("talker")
    good = machine.board.save
    machine.board.save = lambda: good() | {"uart": {}}  # type: ignore[method-assign]
    wrong = machine.save()
    machine.board.save = good  # type: ignore[method-assign]
    with pytest.raises(KitError, match="talker: uart: this is not what is saved of it"):
        room.restore_machine("talker", wrong)
    assert room.save() == before


# The manual


def documented(heading: str) -> list[str]:
    """The words in code in the first column of the table below a heading of the room's page."""
    page = (Path(__file__).parents[2] / "docs" / "reference" / "room.md").read_text("utf-8")
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    first = "".join(line.split("|")[1] for line in section.splitlines() if line.startswith("| "))
    return [words.split()[0] for words in re.findall("`([^`]+)`", first)]


def test_the_manual_has_every_key_and_every_command() -> None:
    assert sorted(documented("`[room]`")) == sorted(ROOM_KEYS)
    assert sorted(documented("`[vm.NAME]`")) == sorted(MACHINE_KEYS)
    assert documented("The console") == [*COMMANDS]
    assert sorted(documented("Policies")) == sorted(POLICIES)


def test_the_manuals_example_is_a_plan(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "room.md").read_text("utf-8")
    file = tmp_path / "room.toml"
    file.write_text(page.split("```toml\n")[1].split("```")[0])
    plan = read_room(file)
    assert [(machine.name, machine.share) for machine in plan.machines] == [
        ("batch", 3), ("hello", 1),
    ]  # fmt: skip


# Plans that are wrong

VM = '[vm.a]\nimage = "talker.s"\n'
WRONG = {
    "not TOML": ("[vm.a\n", "no room in TOML"),
    "no machine": ("[room]\n", "vm: expected at least one"),
    "machines are no table": ("vm = 3\n", "vm: expected at least one"),
    "unknown table": (VM + "[machine]\n", "machine: there is no such key"),
    "unknown room key": (VM + "[room]\nspeed = 3\n", "room.speed: there is no such key"),
    "unknown key": (VM + "card = 1\n", "vm.a.card: there is no such key"),
    "a machine is no table": ("[vm]\na = 1\n", "vm.a: expected a table"),
    "no image": ("[vm.a]\n", "vm.a.image: is missing"),
    "image is a number": ("[vm.a]\nimage = 1\n", "vm.a.image: expected the name of a file"),
    "bad name": ('[vm."a b"]\nimage = "x"\n', "vm.a b: a name has letters"),
    "everybody": ('[vm.all]\nimage = "x"\n', "vm.all: a name has letters"),
    "strange memory": (VM + 'memory = "much"\n', "vm.a.memory: memory 'much': expected a size"),
    "memory of a kind": (VM + "memory = 1.5\n", "vm.a.memory: expected a size"),
    "far too much memory": (VM + 'memory = "9999999G"\n', "vm.a.memory: more than"),
    "modes": (VM + 'modes = "SU"\n', "vm.a.modes: expected M or MU or MSU; it is SU"),
    "pmp": (VM + "pmp = true\n", "vm.a.pmp: expected 0 or 16"),
    "start": (VM + "start = 1\n", "vm.a.start: expected true or false"),
    "share": (VM + "share = 0\n", "vm.a.share: expected a whole number from 1"),
    "list for a choice": (VM + "[room]\npolicy = []\n", "room.policy: expected round-robin or"),
    "policy": (VM + '[room]\npolicy = "luck"\n', "room.policy: expected round-robin or"),
    "quantum": (VM + "[room]\nquantum = 0\n", "room.quantum: expected a whole number from 1"),
    "preferred": (VM + '[room]\npolicy = "preferred"\n', "room.preferred: expected one of a"),
    "channel": (VM + '[room]\nchannels = [["a", "b"]]\n', "room.channels: b is no virtual"),
    "channel to itself": (VM + '[room]\nchannels = [["a", "a"]]\n', "room.channels: a has two"),
    "channels": (VM + '[room]\nchannels = ["a"]\n', "room.channels: expected a list of pairs"),
    "fixed pages": (VM + 'fixed = true\nbacking = "memory"\n', "vm.a.backing: fixed storage"),
    "paging": (VM + 'paging = "luck"\n', "vm.a.paging: expected fifo or"),
    "a long name": ('[vm.a]\nimage = "' + "x" * 5000 + '"\n', "vm.a"),
    "overlay alone": (VM + 'overlay = "memory"\n', "vm.a.overlay: needs a disk"),
    "one file twice": (VM + 'printer = "x"\npunch = "x"\n', "vm.a.punch: "),
    "isa": (VM + '[room]\nisa = "rv64"\n', "room: "),
    "missing image": ('[vm.a]\nimage = "none.s"\n', "vm.a: "),
    "an output without a folder": (VM + 'punch = "none/cards"\n', "vm.a: punch: "),
    "missing deck": (VM + 'reader = "none"\n', "vm.a: "),
    "missing disk": (VM + 'disk = "none"\n', "vm.a: "),
    "missing input": (VM + 'input = "none"\n', "vm.a: "),
    "too little memory": (VM + '[room]\nmemory = "64K"\n', "vm.a: "),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_plan_is_one_line_with_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "talker.s").write_text(TALKER)
    file = tmp_path / "room.toml"
    file.write_text(text)
    with pytest.raises(KitError) as caught:
        Room(read_room(file))
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert said in message
    assert "\n" not in message


def test_a_plan_with_random_damage_is_a_plan_or_one_line(tmp_path: Path) -> None:
    file = plan_file(
        tmp_path,
        {"talker": 'reader = "a"\nshare = 3\noverlay = "memory"\ndisk = "b"', "clerk": ""},
        'policy = "shares"\nquantum = 10\nchannels = [["talker", "clerk"]]',
    )
    whole, chance = file.read_bytes(), random.Random(1982)
    messages = []
    for _ in range(1000):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(damaged))
            piece = bytes(chance.choice(b"\"'[]{}=.,#\n\\09az\xff") for _ in range(3))
            damaged[at : at + chance.randrange(5)] = piece[: chance.randrange(4)]
        file.write_bytes(damaged)
        try:
            read_room(file)
        except KitError as error:
            messages.append(str(error))
    assert len(messages) > 500
    assert [message for message in messages if not message.isprintable()] == []


def test_bytes_that_are_no_text_are_no_plan(tmp_path: Path) -> None:
    file = tmp_path / "room.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KitError, match=r"room\.toml: no room in TOML"):
        read_room(file)
    with pytest.raises(KitError, match="cannot read the room"):
        read_room(tmp_path / "none.toml")


# Dedicated devices

EVERYTHING = 'dedicated = ["reader", "printer", "punch", "uart"]'


def test_a_dedicated_device_is_the_real_machines_and_works_like_an_own_one(tmp_path: Path) -> None:
    own, shown_of_own = make(tmp_path, {"clerk": "", "talker": ""})
    own.run()
    room, shown = make(tmp_path, {"clerk": EVERYTHING, "talker": ""})
    real, clerk = room.vmm.machine, room.machine("clerk")
    assert clerk.board.lenders["printer"] is real.board
    assert "printer" not in real.devices
    assert room.machine("talker").uart is not clerk.uart
    assert {stop.reason for stop in room.run().values()} == {"halt"}
    assert shown == shown_of_own
    assert clerk.save() == own.machine("clerk").save()


def test_a_dedicated_reader_and_disk_have_what_the_plan_says(tmp_path: Path) -> None:
    (tmp_path / "cards").write_text("FIRST\nSECOND\n")
    (tmp_path / "disk").write_bytes(b"sector".ljust(1024))
    machine = (
        'dedicated = ["reader", "disk"]\nreader = "cards"\ndisk = "disk"\nlegacy_virtio = false'
    )
    room, _ = make(tmp_path, {"clerk": machine})
    clerk = room.machine("clerk")
    assert [card.rstrip() for card in clerk.reader.hopper] == [b"FIRST", b"SECOND"]
    assert clerk.disk is not None
    assert (clerk.disk.image.sectors, clerk.disk.legacy) == (2, False)
    assert clerk.board.lenders.keys() == {"reader", "disk"}


def test_output_of_dedicated_devices_goes_to_the_files_of_the_plan(tmp_path: Path) -> None:
    room, _ = make(tmp_path, {"clerk": f'{EVERYTHING}\nprinter = "paper"\nconsole = "sent"'})
    room.run()
    assert (tmp_path / "paper").read_text() == "4\n3\n2\n1\n"


@pytest.mark.parametrize(
    ("machines", "message"),
    [
        ({"clerk": 'dedicated = ["clint"]'}, "expected a list of devices: reader, printer, punch"),
        ({"clerk": 'dedicated = "printer"'}, "expected a list of devices"),
        ({"clerk": 'dedicated = ["disk"]'}, "disk: is missing; it is the image of the dedicated"),
        ({"clerk": EVERYTHING, "talker": EVERYTHING}, "the real machine has one reader; dedicate"),
    ],
)
def test_what_cannot_be_dedicated_is_refused(
    tmp_path: Path, machines: dict[str, str], message: str
) -> None:
    with pytest.raises(KitError, match=message):
        make(tmp_path, machines)
