"""The machine view, alone on a page in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("anywidget", reason="the extra 'lab' is not installed")

from kit.errors import KitError
from kit.trace import Event, Frame, Recording, Region
from kit.widgets.machine_view import MachineView

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


@pytest.fixture
def shown(tab: Any, tmp_path: Path) -> Any:
    """A page that shows the small run from its first event."""
    return show(tab, tmp_path, small_run())


def show(tab: Any, folder: Path, run: Recording) -> Any:
    path = folder / "view.html"
    MachineView(run).save(path)
    tab.goto(path.as_uri())
    tab.wait_for_selector(".kit-mv .words strong")
    return tab


def lit(tab: Any) -> list[str]:
    """The letters of the lamps that are on: the real machine's, then each VM's."""
    letters: list[str] = tab.locator(".lamp.lit").all_inner_texts()
    return letters


def words(tab: Any) -> str:
    text: str = tab.locator(".words").inner_text()
    return text


def test_a_frame_is_drawn_before_anyone_touches_it(shown: Any) -> None:
    assert lit(shown) == ["M", "M"]
    lamps = shown.locator(".lamps").all_inner_texts()
    assert [re.sub(r"\s", "", text) for text in lamps] == ["realmachineMSU", "batchMSU"]
    labels = shown.locator(".lanes svg > text").all_text_contents()
    assert labels[:3] == ["batch: program (U)", "batch: kernel (M)", "VMM (real M)"]
    assert words(shown).startswith("emulate in batch at pc 0x80000000")


def test_arrow_keys_step_forwards_and_backwards(shown: Any) -> None:
    shown.focus(".lanes")
    shown.keyboard.press("ArrowRight")
    assert lit(shown) == ["U", "M"]
    assert "100 steps from here to the next event, and the VMM is not called" in words(shown)
    for _ in range(2):
        shown.keyboard.press("ArrowRight")
    assert lit(shown) == ["U", "U"]
    shown.keyboard.press("ArrowLeft")
    assert lit(shown) == ["M", "M"]
    shown.keyboard.press("End")
    assert words(shown).startswith("After the last recorded event.")


def test_a_click_on_a_trap_moves_all_views_there(shown: Any) -> None:
    # Five events fill the lanes at 40 pixels each, beginning after 150 pixels of labels.
    box = shown.locator(".lanes").bounding_box()
    shown.mouse.click(box["x"] + 150 + 2.5 * 40, box["y"] + 40)
    assert "ecall in batch at pc 0x80200010" in words(shown)
    assert "hands it to the guest's kernel" in words(shown)
    assert lit(shown) == ["M", "U"]
    assert shown.locator("rect.here + text").text_content() == "job area rwx"


def test_text_of_a_guest_is_shown_and_never_becomes_markup(shown: Any) -> None:
    shown.focus(".lanes")
    for _ in range(6):
        shown.keyboard.press("ArrowRight")
    assert "printer COMMAND = 1 </script><b>" in words(shown)
    assert shown.locator(".kit-mv b").count() == 0


def test_the_wheel_zooms_only_the_timeline_that_was_clicked(shown: Any) -> None:
    def width() -> float:
        return float(shown.locator("rect.cursor").get_attribute("width"))

    shown.locator(".lanes").hover()
    before = width()
    shown.mouse.wheel(0, -100)
    shown.wait_for_timeout(50)
    assert width() == before
    shown.focus(".lanes")
    shown.mouse.wheel(0, -100)
    shown.wait_for_function(
        "before => +document.querySelector('rect.cursor').getAttribute('width') > before",
        arg=before,
    )


def test_dragging_moves_the_window_and_not_the_cursor(tab: Any, tmp_path: Path) -> None:
    page = show(tab, tmp_path, small_run(300))
    box = page.locator(".lanes").bounding_box()
    page.mouse.move(box["x"] + 600, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 30, steps=5)
    page.mouse.up()
    assert words(page).startswith("emulate in batch")
    assert float(page.locator("rect.cursor").get_attribute("x")) < 0


def test_it_can_be_read_without_seeing_it(shown: Any) -> None:
    assert shown.get_by_role("img", name="batch: mode M").count() == 1
    assert (
        "job area at 0x80200000, 1 MiB, program rwx"
        in shown.locator("svg title").all_text_contents()[1]
    )
    slider = shown.get_by_role("slider", name="position in the run")
    assert "emulate in batch" in slider.get_attribute("aria-valuetext")
    assert all(shown.locator("button").evaluate_all("all => all.map(b => b.ariaLabel)"))


def test_a_page_without_scripts_shows_the_timeline_as_text(chromium: Any, tmp_path: Path) -> None:
    path = tmp_path / "view.html"
    MachineView(small_run()).save(path)
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert "ecall: call from U-mode" in page.locator("pre").inner_text()
    context.close()


def test_an_empty_recording_says_so(tab: Any, tmp_path: Path) -> None:
    assert "No events were recorded." in words(show(tab, tmp_path, Recording()))


def test_the_cursor_can_be_set_from_python() -> None:
    view = MachineView(small_run())
    view.go(-1)
    assert view.cursor == 8
    with pytest.raises(KitError, match="no event 5; the recording has 5"):
        view.go(5)


def test_a_saved_notebook_holds_a_text_and_a_page_piece() -> None:
    data, _ = MachineView(small_run())._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"].startswith("        step")
    assert "<script" in data["text/html"]
