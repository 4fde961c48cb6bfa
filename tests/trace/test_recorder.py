"""The recorder and the recordings it makes."""

from __future__ import annotations

import json

import pytest

from kit.trace import Event, Frame, Recorder, Recording, Region


def three_events() -> Recorder:
    recorder = Recorder()
    recorder.event("start", step=0, vm="batch", before="M", after="M", text="loaded")
    recorder.event("return", step=40, vm="batch", before="M", after="U", pc=0x80000100)
    recorder.event("ecall", step=1250, vm="batch", before="U", after="M", cause="ecall from U")
    return recorder


def test_a_recording_holds_the_events_in_order() -> None:
    recording = three_events().recording()
    assert [event.kind for event in recording.events] == ["start", "return", "ecall"]
    assert recording.vms == ("batch",)
    assert recording.dropped == 0


def test_a_recorder_forgets_the_oldest_events_and_counts_them() -> None:
    recorder = Recorder(capacity=2)
    for step in range(5):
        recorder.event("device", step=step, vm="a", before="M", after="M")
    recording = recorder.recording()
    assert [event.step for event in recording.events] == [3, 4]
    assert recording.dropped == 3


def test_the_latest_note_on_storage_counts() -> None:
    recorder = Recorder()
    recorder.storage("a", (Region("a", "old", 0, 16, "free"),))
    recorder.storage("a", (Region("a", "new", 0, 16, "job"),), (Frame("a", 0, 16, 4096),))
    recording = recorder.recording()
    assert [region.name for region in recording.regions] == ["new"]
    assert recording.frames == (Frame("a", 0, 16, 4096),)


def test_modes_follow_the_events() -> None:
    recording = three_events().recording()
    assert [recording.modes_before(index)["batch"] for index in range(4)] == ["M", "M", "U", "M"]


def test_the_part_around_an_event_keeps_count_of_what_is_left_out() -> None:
    events = tuple(Event(step, "a", "device", "M", "M") for step in range(100))
    part = Recording(events).around(50, 10)
    assert [part.events[0].step, part.events[-1].step, part.dropped] == [40, 60, 40]


def test_json_rows_refer_to_strings_and_survive_the_way_to_javascript() -> None:
    data = json.loads(json.dumps(three_events().recording().to_json()))
    row = dict(zip(data["columns"], data["events"][2], strict=True))
    assert data["strings"][row["kind"]] == "ecall"
    assert data["strings"][row["cause"]] == "ecall from U"
    assert data["modes"][row["before"]] + data["modes"][row["after"]] == "UM"
    assert data["vms"][row["vm"]] == "batch"


def test_the_text_draws_one_line_for_each_event() -> None:
    lines = three_events().recording().text().splitlines()
    assert len(lines) == 4
    assert lines[1].split() == ["0", "batch", "·", "@", "#", "start:", "loaded"]
    assert lines[3].split()[:5] == ["1,250", "batch", "o", ">", "#"]


def test_the_text_says_how_much_it_leaves_out() -> None:
    assert three_events().recording().text(count=1).endswith("… and 2 more events")
    assert Recording().text() == "No events were recorded."


@pytest.mark.parametrize(("kind", "mode"), [("frobnicate", "M"), ("device", "H")])
def test_an_event_that_means_nothing_is_refused(kind: str, mode: str) -> None:
    with pytest.raises(ValueError, match=r"unknown kind|virtual modes"):
        Recorder().event(kind, step=0, vm="a", before=mode, after="M")
