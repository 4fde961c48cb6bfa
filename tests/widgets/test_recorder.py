"""Recording a run for the views: it agrees with the machines, and does them no harm."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from kit import VMM, Machine, assemble
from kit.errors import KitError
from kit.resources import guests_dir
from kit.trace import History
from kit.widgets.film import CSR_WORDS
from kit.widgets.listing import code_rows
from kit.widgets.run import record
from tests.widgets.runs import BARE, bare_run, batch_and_multi, sum_deck, two_machines


def test_the_clock_of_a_run_is_what_the_report_says_it_cost() -> None:
    run, vmm = batch_and_multi()
    film, kinds = run.film, list(run.film.kinds)
    for number, name in enumerate(vmm.machines):
        rows = [i for i, vm in enumerate(film.columns["vm"]) if vm == number]
        usage = vmm.report().of(name)
        assert sum(film.columns["run"][i] for i in rows) == usage.direct
        assert sum(kinds[film.columns["kind"][i]].cost for i in rows) == usage.vmm_cycles
        exits = Counter(kinds[film.columns["kind"][i]].name for i in rows)
        assert exits == usage.exits
    times = film.columns["t"]
    assert all(before <= after for before, after in pairwise(times))


def test_recording_changes_nothing() -> None:
    run, recorded = batch_and_multi()
    plain = two_machines()
    plain.run(100_000_000)
    for name, machine in plain.machines.items():
        assert machine.save() == recorded.machines[name].save()
    assert len(run) > 10_000


def test_a_frame_has_the_registers_after_its_event() -> None:
    run, vmm = batch_and_multi()
    last = max(run.film.frames)
    machine = list(vmm.machines.values())[run.film.columns["vm"][last]]
    frame = run.film.frames[last]
    assert list(frame[:31]) == machine.hart.x[1:]
    assert frame[31] == machine.hart.pc
    assert frame[32 + CSR_WORDS.index("mtvec")] == machine.hart.mtvec


def test_paper_and_console_have_their_moments() -> None:
    run, vmm = batch_and_multi()
    paper = [row for row in run.film.outputs if row[2] == "paper"]
    assert "".join(row[3] for row in paper) == vmm.machines["batch"].printer.text
    console = "".join(r[3] for r in run.film.outputs if r[2] == "console" and r[1] == 1)
    assert console.encode("latin-1") == bytes(vmm.machines["multi"].uart.output)
    cards = [row for row in run.film.outputs if row[2] == "card"]
    assert len(cards) == len(sum_deck())
    moments = [row[0] for row in run.film.outputs]
    assert moments == sorted(moments)
    assert any(row[2] == "disk write" for row in run.film.outputs)


def test_a_bare_machine_tells_of_calls_returns_and_faults() -> None:
    run, machine = bare_run()
    kinds = list(run.film.kinds)
    seen = [kinds[number].id for number in run.film.columns["kind"]]
    assert seen.count("ecall") == 1
    assert seen.count("trap") == 1
    assert seen.count("return") == 2
    assert seen[-1] == "device"
    assert "service 0x7 in a7" in run.words(run.find("ecall"))
    assert "load access fault" in run.words(run.find("trap")) or "page" in run.words(
        run.find("trap")
    )
    assert run.film.end == machine.steps


def test_a_bare_machine_that_went_back_forgets_the_future_it_left() -> None:
    machine = Machine(memory="64K")
    machine.load(assemble(BARE))
    History(machine)
    with record(machine) as run:
        machine.run(1000)
        before = list(run.film.columns["t"])
        machine.step(-8)
        machine.run(1000)
        assert list(run.film.columns["t"]) == before


def test_what_does_not_fit_is_counted() -> None:
    vmm = VMM(Machine(memory="16M"))
    vmm.create("batch", image="guests/batch", memory="1M", reader=sum_deck())
    with record(vmm, events=100, frames=10, maps=4) as run:
        vmm.run()
    assert len(run) == 100
    assert run.film.lost > 100
    assert len(run.film.frames) <= 11


def test_a_run_without_events_says_so() -> None:
    run = record(Machine(memory="64K"))
    assert run.text() == "No events were recorded."
    with pytest.raises(KitError, match="no event of kind 'trap'"):
        run.find("trap")
    with pytest.raises(KitError, match="there is no event 0"):
        run.moment(0)
    run.close()


def test_the_program_of_an_event_is_the_one_that_ran_then() -> None:
    vmm = VMM(Machine(memory="16M"))
    deck = guests_dir() / "batch" / "jobs" / "monday.deck"
    vmm.create("batch", image="guests/batch", memory="1M", reader=deck)
    with record(vmm) as run:
        vmm.run()
    event = run.find("trap")
    pc, code = (run.film.columns[name][event] for name in ("pc", "code"))
    where, before, data = list(run.film.codes)[code]
    rows = {row[0]: row[2] for row in code_rows(where, before, data)}
    assert rows[pc] == "sw t1, 0(t0)"  # SMASH; by now another job is there
    assert vmm.machines["batch"].read_memory(pc, 4) != data[before : before + 4]


def test_a_bare_machine_may_be_recorded_without_slowing_it_down() -> None:
    machine = Machine(memory="64K")
    machine.load(assemble(BARE))
    engine = machine.engine
    with record(machine, exact=False) as run:
        machine.run(1000)
        assert machine.engine is engine
    seen = {list(run.film.kinds)[number].id for number in run.film.columns["kind"]}
    assert seen == {"ecall", "trap", "device"}
    assert run.film.end == machine.steps


def test_a_moment_is_found_at_once_and_by_looking_through_all_events() -> None:
    vmm = two_machines()
    with record(vmm) as run:
        vmm.run(60_000)
        quick = [run.moment_of(machine) for machine in vmm.machines.values()]
        run.recorder._last.clear()
        assert [run.moment_of(machine) for machine in vmm.machines.values()] == quick
