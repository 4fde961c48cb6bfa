"""Events of bare and virtual machines, selected by kind and machine."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from kit import VMM, Machine, assemble
from kit.errors import KitError
from kit.trace.debugger import Debugger
from kit.trace.history import History
from kit.trace.tracer import KINDS, Trace
from tests.trace.programs import CALLS, ECHO

PAGED = """
        la t0, root
        srli t1, t0, 12
        li t2, 0x80000000
        or t1, t1, t2
        csrw satp, t1
        sw t2, 0(t0)
        sw t2, 4(t0)
        sw t2, -4(t0)
1:      j 1b
        .balign 4096
        .fill 1024, 4, 0
root:   .fill 1024, 4, 0
"""


def bare(source: str, engine: str = "wasm") -> Machine:
    machine = Machine(memory="256K", engine=engine)
    machine.load(assemble(source))
    return machine


def kinds_of(trace: Trace) -> Counter[str]:
    return Counter(event.kind for event in trace.events)


def test_calls_and_returns_have_their_steps_places_and_modes() -> None:
    machine = bare(CALLS)
    with Trace(machine) as trace:
        machine.run(200)
    calls = [event for event in trace.events if event.kind == "call"]
    assert {event.mode for event in calls} == {"U"}
    assert {event.symbol for event in calls} == {"user+0x14"}
    assert {event.line for event in calls} == {"<input>:15"}
    returns = [event for event in trace.events if event.kind == "return"]
    assert [event.mode for event in returns] == ["M"] * len(returns)
    assert len(returns) - len(calls) in (0, 1)
    # The number of a step is that of the machine when it was over.
    again = bare(CALLS, "reference")
    again.run(calls[3].step - 1)
    assert again.hart.pc == calls[3].pc
    again.step()
    assert again.hart.pc == again.symbols["handler"]


def test_the_vm_sees_the_same_calls_at_the_same_steps() -> None:
    machine = bare(CALLS)
    with Trace(machine, ["call"]) as trace:
        machine.run(1_000)
    vm = VMM(Machine(memory="2M")).create("vm", assemble(CALLS), memory="256K")
    with Trace(vm, ["call"]) as virtual:
        vm.run(1_000)
    assert [(e.step, e.pc, e.mode) for e in virtual.events] == [
        (e.step, e.pc, e.mode) for e in trace.events
    ]
    assert len(trace.events) > 20


def test_kinds_and_machines_are_selected() -> None:
    vmm = VMM(Machine(memory="4M"))
    for name in ("one", "two"):
        vmm.create(name, assemble(CALLS), memory="256K")
    with Trace(vmm, vms=["two"]) as trace, Trace(vmm, ["switch"]) as switches:
        vmm.run(2_000, quantum=300)
    assert {event.vm for event in trace.events} == {"two"}
    assert set(kinds_of(trace)) >= {"call", "return", "emulation", "refill", "mode"}
    assert set(kinds_of(switches)) == {"switch"}
    assert [e.vm for e in switches.events][:4] == ["one", "two", "one", "two"]
    with pytest.raises(KitError, match="no kind 'nothing'"):
        Trace(vmm, ["nothing"])
    with pytest.raises(KitError, match="no virtual machine 'three'"):
        Trace(vmm, vms=["three"])


def test_devices_and_interrupts() -> None:
    machine = bare(ECHO)
    with Trace(machine, ["device", "interrupt"]) as trace:
        machine.run(100)
        machine.uart.feed(b"x")
        machine.run(100)
    texts = [event.text for event in trace.events]
    assert any("machine external interrupt" in text for text in texts)
    assert "uart+0x0 is 0x78" in texts
    assert "printer+0x4 = 0x1" in texts


def test_page_tables() -> None:
    machine = bare(PAGED)
    with Trace(machine, ["table"]) as trace:
        machine.run(100)
    assert [event.text for event in trace.events] == [
        "satp is 0x80080002", "4 bytes at 0x80002000", "4 bytes at 0x80002004",
    ]  # fmt: skip


def test_a_debugger_takes_nothing_from_a_trace() -> None:
    machine = bare(PAGED)
    with Trace(machine, ["table"]) as trace:
        watch = machine.bus.watch
        debug = Debugger(machine)
        debug.watch(0x8000_2000)
        assert debug.run().reason == "watchpoint"
        assert machine.bus.watch is watch
        machine.run(100)
        debug.run(10)
    assert len(trace.events) == 3


def test_a_run_stops_after_an_event() -> None:
    machine = bare(CALLS)
    with Trace(machine, [], stop=["call"]) as trace:
        assert machine.run().reason == "stopped"
        assert machine.hart.pc == machine.symbols["handler"]
        assert [event.step for event in trace.events] == [machine.steps]


def test_it_is_bounded_saved_and_loaded(tmp_path: Path) -> None:
    machine = bare(CALLS)
    with Trace(machine, capacity=10) as trace:
        machine.run(500)
    assert len(trace.events) == 10
    assert trace.dropped > 10
    trace.save(tmp_path / "trace")
    assert Trace.load(tmp_path / "trace") == list(trace.events)
    (tmp_path / "wrong").write_bytes(b"something")
    with pytest.raises(KitError, match="no trace"):
        Trace.load(tmp_path / "wrong")
    assert len(trace.text().splitlines()) == 10


def test_a_table_needs_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = bare(CALLS)
    with Trace(machine, ["call"]) as trace:
        machine.run(100)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(KitError, match="pip install pandas"):
        trace.table()
    pandas = SimpleNamespace(DataFrame=lambda rows, columns: (rows, columns))
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    rows, columns = trace.table()
    assert columns == "step vm kind mode pc symbol line text".split()
    assert [row["step"] for row in rows] == [event.step for event in trace.events]


def test_what_is_gone_back_is_not_traced_twice() -> None:
    machine = bare(CALLS)
    History(machine)
    with Trace(machine) as trace:
        machine.run(300)
        before = list(trace.events)
        machine.step(-150)
        machine.run(150)
        assert list(trace.events) == before


def test_afterwards_nothing_is_left_behind() -> None:
    machine = bare(CALLS)
    engine, attributes = machine.engine, set(vars(machine.bus))
    with Trace(machine, KINDS):
        machine.run(10)
        assert machine.engine is not engine
    assert machine.engine is engine
    assert machine.on_trap is None
    assert machine.bus.watch is None
    assert set(vars(machine.bus)) == attributes
