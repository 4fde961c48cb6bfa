"""Driving machines from their views: steps, there and back, runs, and the operator's hands."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kit import VMM, Machine, assemble
from kit.widgets.live import Driver
from kit.widgets.run import record
from tests.widgets.runs import BARE, sum_deck, two_machines


class Listener:
    """Hears what a driver tells its views."""

    def __init__(self, system: Any, later: Any = None) -> None:
        self.run = record(system)
        self.heard: list[dict[str, Any]] = []
        self.driver = Driver(system, self.run, lambda message, _: self.heard.append(message), later)

    def ask(self, action: str, **values: Any) -> dict[str, Any]:
        self.driver.handle({"action": action, **values})
        return self.heard[-1]


@pytest.fixture
def bare() -> Listener:
    machine = Machine(memory="64K")
    machine.load(assemble(BARE))
    return Listener(machine)


def test_steps_go_forward_and_back(bare: Listener) -> None:
    machine = bare.run.recorder.machines[0]
    begin = machine.hart.pc
    after = bare.ask("step", count=3)
    assert machine.steps == 3
    assert after["moment"] == 3
    frame = after["live"]["frames"][0]
    assert frame["words"][31] == machine.hart.pc
    back = bare.ask("step", count=-3)
    assert (machine.hart.pc, back["moment"]) == (begin, 0)
    assert back["live"]["frames"][0]["before"] == frame["words"]


def test_what_was_recorded_stays_while_the_known_run_is_walked_along(bare: Listener) -> None:
    bare.ask("run")
    events = len(bare.run)
    bare.ask("step", count=-10)
    bare.ask("step", count=4)
    assert len(bare.run) == events
    bare.ask("run")
    assert len(bare.run) == events


def test_a_run_goes_to_a_symbol(bare: Listener) -> None:
    machine = bare.run.recorder.machines[0]
    answer = bare.ask("run to", place="handler")
    assert machine.hart.pc == machine.symbols["handler"]
    assert answer["problem"] == ""
    rows = answer["live"]["listings"][0]["rows"]
    assert any(row[0] == machine.hart.pc and row[3] == "handler" for row in rows)


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"action": "run to", "place": "nowhere"}, "no such symbol"),
        ({"action": "fly"}, "there is no action 'fly'"),
        ({"action": "step", "machine": 7}, "there is no machine 7"),
        ({"action": "hold"}, "only virtual machines"),
        ({"action": "explain"}, "has not taken a trap yet"),
    ],
)
def test_a_wrong_request_is_told_in_one_line(
    bare: Listener, request_: dict[str, Any], says: str
) -> None:
    bare.driver.handle(request_)
    assert re.search(says, bare.heard[-1]["problem"])


def test_the_last_trap_is_explained(bare: Listener) -> None:
    bare.ask("run to", place="handler")
    bare.ask("run to", place="handler")
    assert "U-mode" in bare.ask("explain")["answer"]


def test_a_part_has_only_what_is_new(bare: Listener) -> None:
    bare.ask("step", count=9)
    first = len(bare.run)
    part = bare.ask("run")["part"]
    assert (part["first"], part["count"]) == (first, len(bare.run))
    assert part["columns"]["t"]["count"] == len(bare.run) - first


def test_virtual_machines_are_stopped_and_started_one_by_one() -> None:
    vmm = two_machines()
    listener = Listener(vmm)
    answer = listener.ask("hold", machine=0, held=True)
    assert answer["room"]["batch"]["held"]
    listener.ask("run")
    assert vmm.machines["batch"].steps == 0
    assert vmm.machines["multi"].finisher.result is not None
    listener.ask("hold", machine=0, held=False)
    listener.ask("run")
    assert vmm.machines["batch"].finisher.result is not None


def test_cards_are_fed_and_keys_typed() -> None:
    vmm = VMM(Machine(memory="16M"))
    batch = vmm.create("batch", image="guests/batch", memory="1M")
    listener = Listener(vmm)
    answer = listener.ask("feed", machine=0, cards="".join(f"{x}\n" for x in sum_deck().lines()))
    assert answer["room"]["batch"]["hopper"] == len(sum_deck())
    listener.ask("run")
    assert "ENDED NORMALLY" in batch.printer.text
    listener.ask("type", machine=0, text="x")
    assert batch.uart.received == b"x" or batch.uart.line == b"x"


def test_in_a_notebook_a_run_is_made_in_slices_and_can_be_paused() -> None:
    machine = Machine(memory="64K")
    machine.load(assemble("_start: j _start"))
    waiting: list[Any] = []
    listener = Listener(machine, waiting.append)
    listener.ask("run")
    assert machine.steps == 0
    waiting.pop()()
    assert machine.steps > 0
    assert listener.heard[-1]["busy"]
    assert not listener.ask("pause")["busy"]
    here = machine.steps
    waiting.pop()()
    assert (machine.steps, waiting) == (here, [])


def test_a_walk_is_made_by_the_machines_own_definitions() -> None:
    vmm = two_machines()
    vmm.run(1_500_000)
    listener = Listener(vmm)
    answer = listener.ask("walk", machine=1, address=0x8000_0000)["walk"]
    assert answer["physical"] == 0x8000_0000
    assert answer["real"] == vmm.machines["multi"].vcpu.storage.real_address(0x8000_0000)
