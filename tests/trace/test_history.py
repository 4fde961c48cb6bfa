"""Going back: everything is as it was, and the same steps lead to the same place again."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from kit import VMM, Machine, assemble
from kit.devices.deck import Deck
from kit.devices.disk_image import DiskImage
from kit.errors import KitError
from kit.machine.computer import Computer
from kit.trace.history import History
from kit.trace.snapshot import take_picture
from tests.control.guests import HALT, TALKER
from tests.trace.programs import CALLS, ECHO

PUNCHER = f"""
        li s1, 0x10010000       # reader
        li s2, 0x10012000       # punch
        li s3, 3
1:      li t0, 1
        sw t0, 4(s1)
2:      lw t0, 0(s1)
        andi t0, t0, 2
        beqz t0, 2b
        sw t0, 0x18(s1)
        lbu t1, 0x80(s1)
        sb t1, 0x80(s2)
        li t0, 1
        sw t0, 4(s2)
        addi s3, s3, -1
        bnez s3, 1b
        {HALT}
"""


def machine_of(kind: str, source: str, **devices: Any) -> Computer:
    if kind == "vm":
        vmm = VMM(Machine(memory="2M"))
        return vmm.create("guest", assemble(source), memory="256K", **devices)
    machine = Machine(memory="256K", engine=kind, **devices)
    machine.load(assemble(source))
    return machine


KINDS = ["wasm", "reference", "vm"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", [CALLS, ECHO], ids=["calls", "echo"])
def test_every_step_back_comes_to_the_state_before_it(kind: str, source: str) -> None:
    machine = machine_of(kind, source)
    History(machine)
    states = []
    for step in range(120):
        if step in (40, 41, 90):
            machine.uart.feed(b"k%d" % step)
        states.append(take_picture(machine).digest())
        machine.step()
    for step in reversed(range(120)):
        machine.step(-1)
        inputs = step in (40, 41, 90)  # the state before a key came is another one
        assert inputs or take_picture(machine).digest() == states[step], step
    machine.run(120)
    machine.step(-1)
    assert take_picture(machine).digest() == states[119]


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_run_leads_to_the_same_state_again(kind: str) -> None:
    machine = machine_of(kind, CALLS)
    history = History(machine)
    machine.run(150_000)
    machine.uart.feed(b"x")
    machine.run(50_000)
    end = take_picture(machine).digest()
    machine.step(-170_000)
    assert machine.steps == 30_000
    machine.run(170_000)
    assert take_picture(machine).digest() == end
    history.go(3)
    history.go(200_000)
    assert take_picture(machine).digest() == end


def test_listeners_hear_nothing_twice_and_the_record_goes_back() -> None:
    heard: list[bytes] = []
    machine = machine_of("wasm", TALKER, console=heard.append)
    history = History(machine)
    assert machine.run().reason == "halt"
    text = machine.uart.text
    assert b"".join(heard).decode() == text
    machine.step(-5000)
    assert text.startswith(machine.uart.text)
    undone = bytes(history.undone()["uart"]).decode()
    assert machine.uart.text + undone == text
    assert machine.run().reason == "halt"
    assert machine.uart.text == text
    assert b"".join(heard).decode() == text


def test_another_past_has_another_future_and_says_what_is_undone() -> None:
    heard: list[bytes] = []
    machine = machine_of("reference", ECHO, console=heard.append)
    history = History(machine)
    lost: list[Any] = []
    history.on_undone = lambda *what: lost.append(what)
    machine.run(100)
    machine.uart.feed(b"a")
    machine.run(100)
    machine.step(-101)
    assert machine.uart.text == ""
    machine.uart.feed(b"b")
    machine.run(101)
    assert machine.uart.text == "b"
    assert machine.printer.text == "b\n"
    assert ("", "uart", [ord("a")]) in lost
    assert b"".join(heard) == b"ab"
    assert not history.is_past


def test_a_place_is_before_what_came_in_there_whatever_snapshots_there_are() -> None:
    machine = machine_of("wasm", ECHO)
    history = History(machine)
    machine.run(50)
    before = take_picture(machine).digest()
    machine.uart.feed(b"a")
    after = take_picture(machine).digest()
    history.go(20)
    history.go(50)
    assert take_picture(machine).digest() == after, "the end is after what came in"
    machine.uart.feed(b"b")
    history.keep()
    machine.run(50)
    end = take_picture(machine).digest()
    for start in (0, 50, 60, 100):
        history.go(start)
        history.go(50)
        assert take_picture(machine).digest() == before
    machine.run(0)
    assert machine.uart.save()["line"] == b"b".hex()
    state = take_picture(machine).digest()
    with history.excursion():
        history.go(3)
    assert take_picture(machine).digest() == state
    machine.run(50)
    assert take_picture(machine).digest() == end


def test_steps_made_again_need_no_more_snapshots() -> None:
    machine = machine_of("wasm", CALLS)
    history = History(machine, clock=lambda: 1e-5 * machine.steps)
    machine.run(40_000)
    count = len(history.snapshots)
    for _ in range(10):
        history.go(0)
        machine.run(40_000)
    assert len(history.snapshots) <= count + 4


def test_cards_and_disk_go_back_too(tmp_path: Path) -> None:
    deck = Deck.from_text("one\ntwo\nthree\n")
    machine = machine_of("wasm", PUNCHER, reader=deck)
    History(machine)
    machine.run(50)
    after: list[int] = [len(machine.punch.cards)]
    machine.run()
    cards = list(machine.punch.cards)
    assert [card[:1] for card in cards][:2] == [b"o", b"t"]
    machine.step(50 - machine.steps)
    assert [len(machine.punch.cards)] == after
    assert len(machine.reader.hopper) == 3
    machine.run()
    assert machine.punch.cards == cards


def test_what_a_disk_was_written_is_taken_back() -> None:
    machine = machine_of("reference", ECHO, disk=DiskImage(bytes(512 * 20)))
    history = History(machine)
    machine.run(10)
    assert machine.disk is not None
    history.keep()
    machine.run(10)
    machine.disk.image.write(9, b"x" * 512)  # as the device does
    history.keep()
    history.go(5)
    assert machine.disk.image.read(9, 512) == bytes(512)


def test_decks_from_outside_are_asked_for_once() -> None:
    given: list[str] = []

    def source() -> Deck | None:
        given.append("deck")
        return Deck.from_text("a\n") if len(given) < 4 else None

    machine = machine_of("wasm", PUNCHER)
    machine.reader.source = source
    History(machine)
    machine.run()
    cards = list(machine.punch.cards)
    assert len(cards) == 2
    machine.step(-machine.steps)
    machine.run()
    assert machine.punch.cards == cards
    assert len(given) == 3


def test_several_virtual_machines_go_back_together() -> None:
    vmm = VMM(Machine(memory="4M"))
    names = ("one", "two", "three")
    machines = [vmm.create(name, assemble(CALLS), memory="256K") for name in names]
    history = History(vmm)
    vmm.run(5_000, quantum=700)
    end = [take_picture(m).digest() for m in machines]
    machines[1].step(-2_000)
    assert machines[1].steps == 3_000
    assert max(machines[0].steps, machines[2].steps) < 5_000
    history.go(history.end)
    assert [take_picture(m).digest() for m in machines] == end


def test_snapshots_stay_within_their_bound() -> None:
    machine = machine_of("reference", CALLS)
    history = History(machine, memory=600_000)
    for _ in range(40):
        machine.run(100)
        machine.write_memory(0x8001_0000, bytes([machine.steps & 0xFF]) * 100_000)
        history.keep()
    assert sum(snapshot.size for snapshot in history.snapshots) <= 600_000
    assert 2 < len(history.snapshots) < 40
    machine.step(-3_900)
    assert machine.steps == 100


@pytest.mark.parametrize("kind", ["wasm", "vm"])
def test_snapshots_are_as_close_as_it_takes_to_go_back_quickly(kind: str) -> None:
    machine = machine_of(kind, CALLS)
    dear = 20_000  # steps from here on take ten times as long

    def clock() -> float:
        return 1e-5 * (min(machine.steps, dear) + 10 * max(machine.steps - dear, 0))

    history = History(machine, clock=clock)
    machine.run(2 * dear)
    costs = [snapshot.cost for snapshot in history.snapshots]
    assert max(b - a for a, b in pairwise(costs)) < 0.2
    places = [snapshot.place for snapshot in history.snapshots]
    cheap = sum(place <= dear for place in places)
    assert 3 <= cheap < 10
    assert 20 < len(places) - cheap < 70


def test_what_cannot_be_gone_back_to_is_refused() -> None:
    machine = machine_of("reference", CALLS)
    with pytest.raises(KitError, match="no history"):
        machine.step(-1)
    machine.run(10)
    History(machine)
    with pytest.raises(KitError, match="begins at step 10"):
        machine.step(-1)
    with pytest.raises(KitError, match="kept of this machine already"):
        History(machine)
    VMM(host := Machine(memory="2M"))
    with pytest.raises(KitError, match="in Python"):
        History(host)


def test_without_history_everything_is_as_before() -> None:
    heard: list[bytes] = []
    machine = machine_of("wasm", TALKER, console=heard.append)
    sink = machine.uart.sink
    History(machine).close()
    assert machine.uart.sink is sink
    assert machine.history is None
    assert machine.board.door is None
    machine.run()
    assert b"".join(heard)
