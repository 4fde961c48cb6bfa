"""Recordings: plain data about a run, as rows for a view and as text."""

from __future__ import annotations

import json

import pytest

from kit.errors import KitError
from kit.trace import Event, Frame, Recording, Region

RUN = Recording(
    events=(
        Event(0, "batch", "emulate", "M", "M", text="csrw mtvec, t0"),
        Event(40, "batch", "return", "M", "U", pc=0x80000100),
        Event(1250, "batch", "ecall", "U", "M", cause="call from U-mode"),
    )
)


def test_the_names_of_the_machines_are_found_in_everything() -> None:
    regions = (Region("b", "kernel", 0, 16, "kernel"),)
    recording = Recording(RUN.events, regions, (Frame("c", 0, 16, 4096),))
    assert recording.vms == ("batch", "b", "c")


def test_an_event_is_found_by_its_kind() -> None:
    assert RUN.find("return") == 1
    with pytest.raises(KitError, match="no event of kind 'return' from event 2 on"):
        RUN.find("return", start=2)


def test_a_run_of_device_accesses_becomes_one_event() -> None:
    device = [Event(n, "a", "device", "M", "M", text=f"access {n}") for n in range(4)]
    device[2] = Event(2, "a", "wait", "M", "M", text="wfi")
    other = Event(9, "b", "device", "M", "M", text="b's own")
    condensed = Recording((*device[:3], RUN.events[0], device[3], other)).condensed()
    assert [event.text for event in condensed.events] == [
        "3 accesses to devices and waits, the last: wfi",
        "csrw mtvec, t0",
        "access 3",
        "b's own",
    ]
    assert condensed.events[0].step == 2


def test_json_rows_refer_to_strings_and_survive_the_way_to_javascript() -> None:
    data = json.loads(json.dumps(RUN.to_json()))
    row = dict(zip(data["columns"], data["events"][2], strict=True))
    assert data["strings"][row["kind"]] == "ecall"
    assert data["strings"][row["cause"]] == "call from U-mode"
    assert data["modes"][row["before"]] + data["modes"][row["after"]] == "UM"
    assert data["vms"][row["vm"]] == "batch"


def test_the_text_draws_one_line_for_each_event() -> None:
    lines = RUN.text().splitlines()
    assert len(lines) == 4
    assert lines[1].split() == ["0", "batch", "·", "@", "#", "emulate:", "csrw", "mtvec,", "t0"]
    assert lines[3].split()[:5] == ["1,250", "batch", "o", ">", "#"]


def test_the_text_says_how_much_it_leaves_out() -> None:
    assert RUN.text(count=1).endswith("… and 2 more events")
    assert Recording().text() == "No events were recorded."


@pytest.mark.parametrize(("kind", "mode"), [("frobnicate", "M"), ("device", "H")])
def test_an_event_that_means_nothing_is_refused(kind: str, mode: str) -> None:
    with pytest.raises(ValueError, match=r"unknown kind|virtual modes"):
        Event(0, "a", kind, mode, "M")
