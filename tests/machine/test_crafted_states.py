"""Saved states that are whole, but that nobody saved: refused, or the machine runs on with them."""

from __future__ import annotations

import copy
import random
import zlib
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from kit import VMM, KitError, Machine
from kit.devices.channel import Channel
from kit.devices.deck import Deck
from kit.devices.disk_image import DiskImage
from kit.devices.overlay import Overlay
from kit.isa.csr import CSRS, existing_numbers
from kit.machine.computer import Computer
from kit.machine.saved import pack, unpack
from kit.resources import guests_dir

MEMORY = "256K"
JOBS = "$JOB A,me,1,1\nDATA\n$EOJ\n$JOB B,me,1,1\n$EOJ\n" * 20
SETTINGS: dict[str, Any] = {"memory": MEMORY, "channel": True}
ODD: tuple[object, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    7,
    255,
    1 << 16,
    0x8000_0001,
    1 << 31,
    (1 << 32) - 1,
)
ODD += (1 << 32, 1 << 64, 1 << 70, 1.5, float("nan"), "", "0", "zz", "00", "\f", "é\n")


def bare() -> Computer:
    return Machine(**SETTINGS, disk=DiskImage(bytes(2048)), reader=Deck.from_text(JOBS))


def virtual() -> Computer:
    disk = Overlay(DiskImage(bytes(2048)))
    disk.write(2, b"x" * 512)
    vmm = VMM(Machine(memory="1M"))
    return vmm.create("guest", **SETTINGS, disk=disk, reader=Deck.from_text(JOBS))


def saved(make: Callable[[], Computer]) -> bytes:
    """The batch monitor in the middle of its work, with messages on their way."""
    machine, other = make(), Machine(memory="64K", channel=True)
    Channel.join(machine.channel, other.channel)
    machine.load(guests_dir() / "batch")
    machine.run(30_000)
    machine.channel.coming.append((machine.hart.mtime + 100, b"message"))
    machine.channel.inbox.append(b"another")
    machine.uart.feed(b"typed")
    return machine.save()


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container within a value, with every key that it has."""
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else list(range(min(len(value), 40)))
    found: list[tuple[Any, Any]] = [(value, key) for key in keys]
    return found + [place for key in keys for place in places(value[key])]


def spoil(state: Any, chance: random.Random) -> None:
    """Changes one thing anywhere in a state."""
    container, key = chance.choice(places(state))
    how = chance.randrange(8)
    if how == 0:
        del container[key]
    elif how == 1 and isinstance(container, dict):
        container[chance.choice(["other", "x", "0"])] = container[key]
    elif how == 1:
        container.append(container[key])
    elif how == 2:
        container[key] = [container[key]]
    elif how == 3 and type(container[key]) is int:
        container[key] ^= 1 << chance.randrange(34)
    elif how == 4 and isinstance(container[key], str):
        container[key] += container[key][:3]
    else:
        container[key] = chance.choice(ODD)


def refused(machine: Computer, data: bytes) -> str:
    """Why a machine does not take on a state, or nothing if it has."""
    try:
        machine.restore(data)
    except KitError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("make", [bare, virtual])
def test_a_crafted_state_is_refused_or_the_machine_runs_on(make: Callable[[], Computer]) -> None:
    machine = make()
    original = saved(make)
    state, storage = unpack(original, machine.memory)
    chance = random.Random(3)
    machine.restore(original)
    accepted = 0
    for _ in range(600):
        crafted = copy.deepcopy(state)
        for _ in range(chance.choice((1, 1, 1, 2))):
            spoil(crafted, chance)
        spoilt_storage = storage if chance.random() < 0.97 else storage[: chance.randrange(9999)]
        refusal = refused(machine, pack(crafted, spoilt_storage))
        if refusal:
            assert "\n" not in refusal
            assert unpack(machine.save(), machine.memory)[0] == state
            continue
        accepted += 1
        machine.run(300)
        assert not getattr(machine, "failure", "")
        machine.restore(machine.save())
        machine.reset()
        machine.run(50)
        machine.restore(original)
    assert 20 < accepted < 300


@pytest.mark.parametrize(("modes", "pmp"), [("M", 0), ("MU", 16), ("MSU", 16)])
def test_every_state_that_programs_and_debuggers_get_to_is_accepted(modes: str, pmp: int) -> None:
    machine = Machine(modes=modes, pmp=pmp, memory="64K")
    names = [CSRS[number].name for number in existing_numbers(machine.config)]
    for seed in range(40):
        chance = random.Random(seed)
        machine.reset()
        machine.write_memory(0x8000_0000, chance.randbytes(65536))
        for name in chance.choices(names, k=20):
            machine.set_register(name, chance.choice((chance.getrandbits(32), 0xFFFF_FFFF, 0x8000)))
        for _ in range(4):
            machine.set_register("pc", 0x8000_0000 + 2 * chance.randrange(32768))
            machine.run(50)
            machine.restore(machine.save())


NONSENSE = {
    "no compressed data": b"nothing",
    "no words": zlib.compress(b"\xff\xff\xff\xff"),
    "no JSON": zlib.compress(b"\x02\0\0\0{["),
    "deep": zlib.compress((200_000).to_bytes(4, "little") + b"[" * 200_000),
    "a list": zlib.compress(b"\x02\0\0\0[]"),
    "a large number of zeros": zlib.compress(bytes(50_000_000), 9),
}


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE)
def test_a_body_that_is_no_state_is_refused(body: bytes) -> None:
    machine = Machine(memory="64K")
    head = machine.save()[:16] + zlib.crc32(body).to_bytes(4, "little")
    before = machine.save()
    with pytest.raises(KitError, match="makes no sense"):
        machine.restore(head + body)
    assert machine.save() == before


def test_a_reservation_must_be_of_storage_that_is_there() -> None:
    machine = VMM(Machine(memory="1M")).create("guest", memory="64K")
    state, storage = unpack(machine.save(), machine.memory)
    state["hart"] |= {"reservation_valid": 1, "reservation": 0x9000_0000}
    with pytest.raises(KitError, match="no machine has this reservation"):
        machine.restore(pack(state, storage))


def test_a_compressed_disk_that_grows_without_end_is_cut_off() -> None:
    bomb = b64encode(zlib.compress(bytes(50_000_000), 9)).decode()
    image = DiskImage(bytes(512))
    with pytest.raises(KitError, match="the saved disk has 513 bytes, this one 512"):
        image.restore({"contents": bomb})
    overlay = Overlay(DiskImage(bytes(512)))
    with pytest.raises(KitError, match="no whole number of sectors"):
        overlay.restore(overlay.save() | {"overlay": bomb})


def test_of_several_devices_none_is_changed_where_one_makes_no_sense() -> None:
    machine = bare()
    state, storage = unpack(saved(bare), machine.memory)
    state["devices"]["channel"]["length"] = 257
    before = machine.save()
    with pytest.raises(KitError, match="channel: no machine has this length"):
        machine.restore(pack(state, storage))
    assert machine.save() == before
