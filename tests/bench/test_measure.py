"""What is run, in which order, and which rows come out."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from kit.bench import measure as room
from kit.bench.engines import ENGINES, Engine, Outcome
from kit.bench.loads import KIT, LOADS, QUICK, SETTINGS, Load
from kit.bench.measure import QUICK_SECONDS, SECONDS, Plan, Row, measure, plan, warm_up
from kit.bench.table import tables

INTEGER, CALLS, TRAP = LOADS["integer"], LOADS["system-calls"], LOADS["trap-csr"]


class Fake(Engine):
    """An engine whose runs take no time: a process that prints one JSON object."""

    name = "qemu"
    advice = "nothing"
    settings = SETTINGS

    def __init__(self, name: str = "qemu", status: int = 0, **said: object) -> None:
        self.name = name  # type: ignore[misc]
        self.status = status
        self.said = {"printed": "00000001\n"} | said
        self.caches: list[str | None] = []

    def program(self) -> list[str]:
        return [sys.executable, "-S", "-c"]

    def runs(self, load: Load, setting: str) -> bool:
        return setting in load.settings

    def command(self, image: Path, setting: str) -> list[str]:
        assert image.read_bytes()[:4] == b"\x7fELF"
        program = (
            "import json, os, sys; "
            f"print(json.dumps([{self.said!r}, os.environ.get('VMM_KIT_CACHE')])); "
            f"sys.exit({self.status})"
        )
        return [*self.program(), program]

    def outcome(self, output: str) -> Outcome:
        said, cache = json.loads(output)
        self.caches.append(cache)
        return Outcome(**said)


def planned(*engines: Engine, load: Load = INTEGER, runs: int = 1) -> Plan:
    """One load on some engines, bare (a trap: in a virtual machine)."""
    seconds = dict.fromkeys((engine.name for engine in engines), 0.0)
    made = plan([load], engines, load.settings[:1], runs, seconds)
    return Plan(tuple(cell for cell in made.cells if cell.load is load), runs)


def test_a_row_has_what_the_manual_says(tmp_path: Path) -> None:
    rows = measure(planned(Fake(), runs=2), tmp_path).rows
    numbers = rows[0].numbers()
    assert 0 < numbers.pop("seconds") < 60
    assert numbers == {
        "load": "integer",
        "engine": "qemu",
        "setting": "bare",
        "instructions": INTEGER.steps(1, paged=False),
        "runs": 2,
    }


def test_the_seconds_are_the_median(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 3.0, 10.0, 11.0, 20.0, 29.0])
    monkeypatch.setattr(room.time, "perf_counter", lambda: next(clock))
    assert measure(planned(Fake(), runs=3), tmp_path).rows[0].seconds == 3.0


def test_every_cell_has_its_first_run_before_any_has_its_second() -> None:
    made = planned(Fake("qemu"), Fake("spike"), Fake("unicorn"), runs=3)
    names = [cell.engine.name for cell in made.order()]
    assert names == ["qemu", "spike", "unicorn", "unicorn", "spike", "qemu", "qemu", "spike",
                     "unicorn"]  # fmt: skip


def test_start_up_is_always_measured() -> None:
    made = plan([INTEGER], [Fake()], SETTINGS, 1, {"qemu": 1.0})
    starts = [cell.setting for cell in made.cells if cell.load.name == "start-up"]
    assert starts == list(SETTINGS)


def test_no_engine_makes_more_rounds_than_qemu_and_slow_ones_make_fewer() -> None:
    for load in LOADS.values():
        for setting in load.settings:
            qemu = load.rounds("qemu", "bare", SECONDS["qemu"])
            for engine, seconds in SECONDS.items():
                assert 1 <= load.rounds(engine, setting, seconds) <= max(qemu, 1) or load.exit_kind
    assert INTEGER.rounds("wasm", "vm", 6.0) == INTEGER.rounds("qemu", "bare", 6.0)
    assert INTEGER.rounds("reference", "bare", 1.0) < INTEGER.rounds("qemu", "bare", 1.0) / 1000
    assert CALLS.rounds("wasm", "vm", 1.0) < CALLS.rounds("wasm", "bare", 1.0)


def test_a_run_that_prints_something_else_has_no_row(tmp_path: Path) -> None:
    made = planned(Fake("qemu"), Fake("spike", printed="00000002\n"))
    results = measure(made, tmp_path)
    assert [row.engine for row in results.rows] == ["qemu"]
    assert len(results.failures) == 1
    assert "integer, bare, on spike: printed '00000002" in results.failures[0]


def test_a_run_with_other_steps_has_no_row(tmp_path: Path) -> None:
    results = measure(planned(Fake("wasm", steps=7)), tmp_path)
    assert results.rows == []
    assert f"made 7 steps, and not {INTEGER.steps(1, False):,}" in results.failures[0]


def test_a_run_that_fails_has_no_row_and_is_not_repeated(tmp_path: Path) -> None:
    shown: list[str] = []
    results = measure(planned(Fake(status=3), runs=3), tmp_path, shown.append)
    assert results.rows == []
    assert "ended with status 3" in results.failures[0]
    assert len(shown) == len(results.failures) == 1


def test_a_run_that_does_not_end_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "PATIENCE", 0.0)
    results = measure(planned(Fake()), tmp_path)
    assert "given up after 0 seconds" in results.failures[0]


def test_an_engine_that_cannot_be_started_is_left_out_and_named_once(tmp_path: Path) -> None:
    good, bad = Fake("qemu"), Fake("spike", status=1)
    made = plan([INTEGER], [good, bad], ["bare", "sv32"], 1, {"qemu": 0.0, "spike": 0.0})
    made, complaints = warm_up(made, tmp_path)
    assert {cell.engine for cell in made.cells} == {good}
    assert len(complaints) == 1
    assert complaints[0].startswith("spike is left out: ended with status 1")


def test_the_trap_is_measured_and_not_the_run(tmp_path: Path) -> None:
    fake = Fake("wasm", seconds=0.5, exits={"emulate csrrw": 50_000, "device": 18})
    row = measure(planned(fake, load=TRAP), tmp_path).rows[0]
    assert (row.seconds, row.instructions) == (0.00001, 1)


def test_a_cold_run_has_an_empty_cache(tmp_path: Path) -> None:
    warm, cold = Fake("wasm"), Fake("wasm")
    measure(planned(warm, load=LOADS["hello"]), tmp_path)
    measure(planned(cold, load=LOADS["hello-cold"], runs=2), tmp_path)
    assert warm.caches == [os.environ.get("VMM_KIT_CACHE")]
    assert None not in cold.caches
    assert len({*warm.caches, *cold.caches}) == 3


def test_the_quick_loads_fill_a_minute_at_most() -> None:
    """On a computer like that of the rates, where the kit starts in half a second."""
    loads = [LOADS[name] for name in QUICK]
    cells = plan(loads, list(ENGINES.values()), SETTINGS, 1, QUICK_SECONDS).cells
    seconds = sum(QUICK_SECONDS[cell.engine.name] for cell in cells if cell.load.per_round)
    starts = sum(0.5 for cell in cells if cell.engine.name in KIT)
    assert 10 < seconds + starts < 55


# -- tables ----------------------------------------------------------------------------------


def rows() -> list[Row]:
    """Two loads on two engines, in two settings."""
    return [
        Row("start-up", "qemu", "bare", 0.03, 107, 3),
        Row("integer", "wasm", "bare", 2.0, 4_000_000_000, 3),
        Row("integer", "wasm", "vm", 4.0, 4_000_000_000, 3),
        Row("integer", "qemu", "bare", 4.0, 4_000_000_000, 3),
        Row("sieve", "wasm", "bare", 4.0, 1_000_000_000, 3),
        Row("sieve", "wasm", "vm", 8.0, 1_000_000_000, 3),
        Row("sieve", "qemu", "bare", 8.0, 16_000_000_000, 3),
        Row("polling", "wasm", "bare", 1.0, 1_000_000, 3),
        Row("integer", "unicorn", "bare", 1.0, 200_000_000, 3),
        Row("trap-csr", "wasm", "vm", 0.0000095, 1, 3),
    ]


def line_of(text: str, start: str) -> list[str]:
    """The words behind the first line's head."""
    return next(line for line in text.splitlines() if line.startswith(start))[len(start) :].split()


def test_a_table_has_seconds_speed_and_ratio_to_qemu() -> None:
    text = tables(rows(), ["wasm", "qemu", "unicorn"])
    assert line_of(text, "integer") == [
        "2.00", "2,000", "2.00", "4.00", "1,000", "1.00", "1.00", "200", "0.20",
    ]  # fmt: skip
    assert line_of(text, "polling") == ["1.00", "1.00", *"-------"]


def test_a_table_has_the_geometric_mean_of_the_cpu_bound_loads() -> None:
    """Of 2 and 1/8: a half."""
    text = tables(rows(), ["wasm", "qemu", "unicorn"])
    assert line_of(text, "CPU-bound") == ["0.50", "1.00", "0.20"]
    assert "CPU-bound, wasm against unicorn: 10.0\n" in text


def test_a_virtual_machine_is_compared_with_the_machine() -> None:
    text = tables(rows(), ["wasm", "qemu", "unicorn"]).split("In a virtual machine, physical")[1]
    assert line_of(text, "integer") == ["4.00", "1,000", "0.50"]
    assert line_of(text, "CPU-bound") == ["0.50"]


def test_start_up_and_single_traps_have_tables_of_their_own() -> None:
    text = tables(rows(), ["wasm", "qemu", "unicorn"])
    assert line_of(text, "start-up, bare") == ["-", "0.03", "-"]
    assert line_of(text, "trap-csr, vm") == ["9.50"]
    assert "vm-sv32" not in text
