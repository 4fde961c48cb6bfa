"""Breakpoints and watchpoints, forwards and backwards."""

from __future__ import annotations

import pytest

from kit import VMM, Machine, assemble
from kit.errors import KitError
from kit.machine.computer import Computer
from kit.trace.debugger import Debugger
from tests.trace.programs import CALLS


def debugger(kind: str) -> tuple[Debugger, Computer]:
    image = assemble(CALLS)
    machine: Computer = Machine(memory="256K")
    if kind == "vm":
        machine = VMM(Machine(memory="2M")).create("vm", memory="256K")
    machine.load(image)
    return Debugger(machine), machine


@pytest.mark.parametrize("kind", ["bare", "vm"])
def test_there_and_back_from_breakpoint_to_breakpoint(kind: str) -> None:
    debug, machine = debugger(kind)
    point = debug.break_at("handler")
    steps = []
    for _ in range(5):
        hit = debug.run()
        assert hit.point is point
        assert machine.hart.pc == machine.symbols["handler"]
        steps.append(machine.steps)
    assert machine.register("s0") == 5
    for wanted in (4, 3, 2, 1):
        assert debug.back().point is point
        assert machine.register("s0") == wanted
        assert machine.steps == steps[wanted - 1]
    assert debug.back().reason == "begin"
    assert machine.steps == 0
    assert debug.run().point is point
    assert machine.steps == steps[0]
    assert point.hits == 10


@pytest.mark.parametrize("kind", ["bare", "vm"])
def test_a_watchpoint_stops_after_the_write_and_back_before_it(kind: str) -> None:
    debug, machine = debugger(kind)
    count = machine.symbols["count"]
    point = debug.watch("count", when=lambda m: m.register("s0") == 3)
    assert debug.run().reason == "watchpoint"
    assert machine.read_memory(count, 4)[0] == 3
    after = machine.steps
    machine.run(5_000)
    point.when = None
    debug.remove(point)
    point = debug.watch("count", when=lambda m: m.register("s0") == 3)
    assert debug.back().point is point
    assert machine.steps == after - 1
    assert machine.read_memory(count, 4)[0] == 2
    machine.step()
    assert machine.read_memory(count, 4)[0] == 3


def test_lines_modes_and_processes() -> None:
    debug, machine = debugger("bare")
    line = debug.break_at("<input>:15")
    debug.run()
    assert machine.hart.pc == machine.symbols["user"] + 0x14
    debug.remove(line)
    debug.break_at("handler", mode="U")
    debug.break_at("user", process=5)
    assert debug.run(2_000).reason == "budget"
    with pytest.raises(KitError, match="no such symbol"):
        debug.break_at("nowhere")
    with pytest.raises(KitError, match="mode 'X'"):
        debug.break_at(0, mode="X")


def test_several_virtual_machines() -> None:
    vmm = VMM(Machine(memory="4M"))
    machines = [vmm.create(name, assemble(CALLS), memory="256K") for name in ("one", "two")]
    debug = Debugger(vmm)
    debug.break_at("handler", vm="two", when=lambda m: m.register("s0") == 200)
    hit = debug.run()
    assert hit.vm == "two"
    assert machines[1].register("s0") == 200
    place = debug.history.place
    vmm.run(1_000)
    hit = debug.back()
    assert (hit.vm, debug.history.place) == ("two", place)
    debug.history.go(10)
    assert debug.run().vm == "two"
    assert debug.history.place == place
