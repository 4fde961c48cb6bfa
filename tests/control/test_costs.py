"""The report on what virtualisation has cost."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

from kit import VMM, Machine
from kit.control.costs import COSTS, OTHER, cost_of, report
from tests.control.guests import TALKER, image


def test_virtual_time_is_the_guests_own_steps() -> None:
    vmm = VMM(Machine(memory="1M"))
    guest = vmm.create("talker", image(TALKER), memory="64K", modes="M")
    vmm.run()
    usage = vmm.report().of("talker")
    assert usage.virtual_time == guest.steps
    assert usage.exits["device"] == 13  # twelve bytes, and the finisher
    assert usage.direct + usage.exits["device"] == guest.steps


def test_cycles_are_counted_by_the_table() -> None:
    counts = Counter({"direct": 1000, "emulate csrrw": 2, "emulate mret": 3, "refill": 4, "new": 5})
    usage = report({"a": counts}).of("a")
    assert usage.virtual_time == 1010
    assert usage.emulations == 5
    assert usage.refills == 4
    cycles = 2 * COSTS["emulate csr"] + 3 * COSTS["emulate mret"] + 4 * COSTS["refill"] + 5 * OTHER
    assert usage.vmm_cycles == cycles
    assert usage.total_cycles == 1000 + cycles
    assert usage.ratio == (1000 + cycles) / 1010


def test_every_csr_instruction_costs_the_same() -> None:
    assert {cost_of(f"emulate csrr{kind}") for kind in ("w", "s", "c", "wi", "si", "ci")} == {
        COSTS["emulate csr"]
    }


def test_the_report_is_a_table_and_an_object() -> None:
    made = report(
        {"batch": Counter({"direct": 12_345, "reflect": 2, "timer": 1}), "new": Counter()}
    )
    lines = made.text().splitlines()
    assert lines[0].split() == ["steps", "direct", "emulated", "refills", "VMM", "cycles", "T/V"]
    assert lines[1].split() == ["batch", "12,347", "12,345", "0", "0", "330", "1.03"]
    assert lines[2].split() == ["new", "0", "0", "0", "0", "0", "1.00"]
    assert ["reflect", "2", "240"] in [line.split() for line in lines]
    data = json.loads(made.to_json())
    assert data["machines"]["batch"]["exits"] == {"reflect": 2, "timer": 1}
    assert data["machines"]["batch"]["vmm_cycles"] == 330
    assert data["costs"]["reflect"] == 120


def test_the_documented_table_is_the_one_that_is_used() -> None:
    page = (Path(__file__).parents[2] / "docs" / "explanation" / "costs.md").read_text("utf-8")
    documented: dict[str, int] = {}
    for kinds, cycles in re.findall(r"^\| (`.*`) \| (\d+) \|", page, re.MULTILINE):
        for kind in re.findall(r"`([^`]+)`", kinds):
            documented[kind.rstrip("…")] = int(cycles)
    assert documented == COSTS
    assert f"Any other kind costs {OTHER}." in page
