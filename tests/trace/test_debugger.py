"""Breakpoints and watchpoints, forwards and backwards."""

from __future__ import annotations

import pytest

from kit import VMM, Machine, assemble
from kit.control.paging import BackingStore
from kit.devices.disk_image import DiskImage
from kit.engine.fast import FastEngine
from kit.errors import KitError
from kit.machine.computer import Computer
from kit.resources import guests_dir
from kit.trace.debugger import Debugger
from tests.trace.programs import CALLS, PAGES

HOSTILE = guests_dir() / "hostile" / "machine"


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


Watched = list[tuple[int, int]]
Places = list[tuple[str, int, int]]


def machine_of(kind: str, program: str) -> Computer:
    devices = {"disk": DiskImage(bytes(4096))}
    machine: Computer
    if kind == "vm":
        machine = VMM(Machine(memory="2M")).create("vm", memory="256K", **devices)
    else:
        machine = Machine(memory="256K", engine=kind, **devices)
    machine.load(assemble(PAGES) if program == "pages" else HOSTILE / f"{program}.s")
    return machine


def there_and_back(kind: str, program: str, watched: Watched) -> tuple[Places, Places]:
    """Where the first watchpoints of a run are, going forth and going back."""
    machine = machine_of(kind, program)
    debug = Debugger(machine)
    for address, length in watched:
        debug.watch(address, length)
    forth, back = [], []
    while len(forth) < 12 and (not forth or forth[-1][0] == "watchpoint"):
        hit = debug.run(34_000 - machine.steps)
        forth.append((hit.reason, machine.steps, machine.hart.pc))
    while not back or back[-1][0] == "watchpoint":
        hit = debug.back()
        back.append((hit.reason, machine.steps, machine.hart.pc))
    return forth, back


@pytest.mark.parametrize(
    ("program", "watched"),
    [
        ("pages", [(0x8000_2000, 1), (0x8000_2008, 1), (0x8000_2801, 1)]),  # A and D, set by walks
        ("pages", [(0x8000_2800, 1), (0x8000_3000, 4)]),
        ("pages", [(0x8000_3FFE, 4)]),  # bytes of two pages, that stores of all sizes touch or miss
        ("disk-anywhere", [(0x8000_09FF, 1)]),  # the disk writes
        ("self-changing", [(0x8000_001C, 8)]),  # code is written
        ("table-of-itself", [(0x8000_2AA6, 4), (0x8000_2FFA, 4)]),
    ],
)
def test_engines_stop_at_the_same_writes(program: str, watched: Watched) -> None:
    forth, back = there_and_back("reference", program, watched)
    assert "watchpoint" in [reason for reason, *_ in forth]
    assert there_and_back("wasm", program, watched) == (forth, back)
    assert there_and_back("vm", program, watched) == (forth, back)


def test_a_watchpoint_does_not_need_the_reference_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(engine: FastEngine, limit: int, breakpoints: object) -> int:
        raise AssertionError("executed by the reference engine")

    machine = Machine(memory="256K", engine="wasm")
    machine.load(assemble(CALLS))
    debug = Debugger(machine)
    debug.watch("count", when=lambda m: m.register("s0") == 1_000)
    monkeypatch.setattr(FastEngine, "_by_reference", refuse)
    assert debug.run().reason == "watchpoint"
    assert machine.read_memory(machine.symbols["count"], 4) == (1_000).to_bytes(4, "little")


def test_pages_that_move_are_watched_where_they_are() -> None:
    vmm = VMM(Machine(memory="416K"))
    machine = vmm.create("vm", assemble(CALLS), memory="256K", pager=BackingStore())
    debug = Debugger(machine)
    debug.watch("count", when=lambda m: m.register("s0") == 20)
    assert debug.run(5_000).reason == "watchpoint"
    assert machine.register("s0") == 20


WAITER = """
        li t0, 0x80
        csrw mie, t0
        li t0, 0x2004000
        li t1, 500
        sw t1, 0(t0)
        sw zero, 4(t0)
        wfi
1:      j 1b
"""


@pytest.mark.parametrize("kind", ["wasm", "reference", "vm", "vmm"])
def test_what_is_written_while_a_machine_waits_stops_it_at_once(kind: str) -> None:
    vmm = VMM(Machine(memory="2M"))
    machine: Computer = vmm.create("vm", memory="64K")
    if not kind.startswith("vm"):
        machine = Machine(memory="64K", engine=kind)
    machine.load(assemble(WAITER))
    debug = Debugger(vmm if kind == "vmm" else machine)
    point = debug.watch(0x8000_1000)
    act = machine.board.advance

    def advance() -> None:
        act()
        if machine.hart.mtime == 500:  # as a device whose work is done
            machine.bus.write_bytes(0x8000_1000, b"done")

    machine.board.advance = advance  # type: ignore[method-assign]
    assert debug.run(1_000).point is point
    assert machine.hart.mtime in (500, 501)
    assert machine.steps < 12
