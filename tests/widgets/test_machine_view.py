"""Recordings, and the machine view that lessons show them with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("anywidget", reason="the extra 'lab' is not installed")

from kit.errors import KitError
from kit.trace import Event, Frame, Recording, Region
from kit.widgets.machine_view import MachineView
from tests.browser.views import show, violations

pytestmark = pytest.mark.browser


def small_run(count: int = 0) -> Recording:
    """A job asks for a line; the monitor prints it and returns. `count` more device accesses."""
    rows: list[tuple[str, str, str, int, str, str]] = [
        ("emulate", "M", "M", 0x80000000, "illegal instruction", "csrw mtvec, t0"),
        ("return", "M", "U", 0x80000100, "illegal instruction", "mret to 0x80200000"),
        ("ecall", "U", "M", 0x80200010, "call from U-mode", ""),
        ("device", "M", "M", 0x80000200, "", "printer COMMAND = 1 </script><b>"),
        *[("device", "M", "M", 0x80000200, "", "")] * count,
        ("return", "M", "U", 0x80000100, "illegal instruction", ""),
    ]
    return Recording(
        events=tuple(
            Event(100 * n, "batch", kind, before, after, pc, cause, text)
            for n, (kind, before, after, pc, cause, text) in enumerate(rows)
        ),
        regions=(
            Region("batch", "monitor", 0x80000000, 0x8000, "kernel"),
            Region("batch", "job area", 0x80200000, 0x100000, "program", "rwx"),
        ),
        frames=(Frame("batch", 0x80000000, 0x400000, 0x80800000),),
    )


def lit(tab: Any) -> list[str]:
    """The letters of the lamps that are on: the real machine's, then each VM's."""
    letters: list[str] = tab.locator(".kit-lamp.lit").all_inner_texts()
    return letters


def words(tab: Any) -> str:
    text: str = tab.locator(".kit-words").inner_text()
    return text


def test_a_recording_is_drawn_with_lamps_timeline_and_map(tab: Any, tmp_path: Path) -> None:
    show(tab, tmp_path, MachineView(small_run(), event=2))
    assert lit(tab) == ["M", "U"]
    assert words(tab).startswith("batch · service call: call from U-mode")
    assert "Hardware calls the VMM: call from U-mode." in words(tab)
    assert "The guest's kernel handles it." in words(tab)
    assert tab.get_by_role("button", name="0x80200000 programs U:rwx 1 MiB").count() == 1
    assert tab.get_by_role("button", name="0x80800000 batch 4 MiB").count() == 1
    assert violations(tab) == []


def test_arrow_keys_step_forwards_and_backwards(tab: Any, tmp_path: Path) -> None:
    show(tab, tmp_path, MachineView(small_run()))
    tab.locator(".kit-stage").first.focus()
    tab.keyboard.press("ArrowRight")
    assert lit(tab) == ["U", "M"]
    assert "100 cycles from here to the next event" in words(tab)
    for _ in range(2):
        tab.keyboard.press("ArrowRight")
    assert lit(tab) == ["U", "U"]
    tab.keyboard.press("ArrowLeft")
    assert lit(tab) == ["M", "M"]
    tab.keyboard.press("End")
    assert words(tab).startswith("After the last recorded event.")


def test_text_of_a_guest_is_shown_and_never_becomes_markup(tab: Any, tmp_path: Path) -> None:
    show(tab, tmp_path, MachineView(small_run(), event=3))
    assert "printer COMMAND = 1 </script><b>" in words(tab)
    assert tab.locator(".kit b").count() == 0


def test_an_empty_recording_says_so(tab: Any, tmp_path: Path) -> None:
    show(tab, tmp_path, MachineView(Recording()))
    assert "No events were recorded." in words(tab)


def test_python_goes_to_events_that_there_are() -> None:
    view = MachineView(small_run())
    view.go(-1)
    assert view.moment == view.recorded.moment(4)
    with pytest.raises(KitError, match="no event 5; the run has 5"):
        view.go(5)


def test_a_saved_notebook_holds_a_text_and_a_page_piece() -> None:
    data, _ = MachineView(small_run())._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"].startswith("        step")
    assert "<script" in data["text/html"]
