"""The trap timeline alone in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("anywidget", reason="the extra 'lab' is not installed")

from kit.widgets.timeline import Timeline
from tests.browser.views import picture, show, violations
from tests.widgets.runs import batch_and_multi, long_run

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("views")]


def words(tab: Any) -> str:
    text: str = tab.locator(".kit-words").inner_text()
    return text


def test_it_draws_before_anyone_touches_it(tab: Any, tmp_path: Path) -> None:
    run, _ = batch_and_multi()
    show(tab, tmp_path, Timeline(run, event=run.find("ecall")))
    assert "service call: service 0x" in words(tab)
    assert "The mode goes from U to M. It costs 120 cycles." in words(tab)
    picture(tab, "timeline")
    assert violations(tab) == []


def test_keys_step_through_an_event_and_back(tab: Any, tmp_path: Path) -> None:
    run, _ = batch_and_multi()
    columns = run.film.columns
    event = next(i for i in range(len(run)) if columns["run"][i + 1] and columns["kind"][i] == 1)
    cost = list(run.film.kinds)[1].cost
    show(tab, tmp_path, Timeline(run, event=event))
    before = words(tab)
    stage = tab.get_by_role("slider", name="Trap timeline.")
    stage.focus()
    tab.keyboard.press("ArrowRight")
    assert words(tab).startswith("Hardware runs batch directly, in real mode U and virtual mode M.")
    assert stage.get_attribute("aria-valuenow") == str(run.moment(event) + cost)
    tab.keyboard.press("ArrowLeft")
    assert words(tab) == before
    tab.keyboard.press("End")
    assert words(tab).startswith("After the last recorded event.")


def test_a_click_on_an_event_goes_there(tab: Any, tmp_path: Path) -> None:
    run, _ = batch_and_multi()
    event = run.find("ecall")
    show(tab, tmp_path, Timeline(run, event=event, near=True))
    tab.wait_for_timeout(50)
    clicked = run.moment(event + 1)
    box = tab.locator(".kit-stage canvas").first.bounding_box()
    share = tab.evaluate(
        "clock => { const [a, b] = document.querySelector('.kit').kitTimeline.range();"
        " return (clock - a) / (b - a); }",
        clicked,
    )
    tab.mouse.click(box["x"] + 132 + share * (box["width"] - 138) + 1, box["y"] + 60)
    assert tab.locator(".kit-stage").first.get_attribute("aria-valuenow") == str(clicked)


def test_the_wheel_zooms_only_the_timeline_that_was_clicked(tab: Any, tmp_path: Path) -> None:
    run, _ = batch_and_multi()
    show(tab, tmp_path, Timeline(run))

    def span() -> float:
        a, b = tab.evaluate("document.querySelector('.kit').kitTimeline.range()")
        return float(b - a)

    before = span()
    tab.locator(".kit-stage").first.hover()
    tab.mouse.wheel(0, -100)
    tab.wait_for_timeout(50)
    assert span() == before
    tab.locator(".kit-stage").first.focus()
    tab.mouse.wheel(0, -100)
    tab.wait_for_timeout(50)
    assert span() < before


def test_the_events_are_a_table_too(tab: Any, tmp_path: Path) -> None:
    run, _ = batch_and_multi()
    show(tab, tmp_path, Timeline(run, event=run.find("ecall")))
    tab.get_by_text("Events as a table").click()
    row = tab.locator("tr[aria-current=true]")
    assert "U → M" in row.inner_text()
    tab.get_by_label("kind of event").select_option("interrupt")
    tab.get_by_label("next event of this kind").click()
    assert "interrupt" in words(tab)
    assert violations(tab) == []


def test_text_of_a_guest_never_becomes_markup(tab: Any, tmp_path: Path) -> None:
    run = long_run(10)
    film = run.film
    film.columns["text"][0] = film.string("event.emulate", "</script><b>bold</b>")
    show(tab, tmp_path, Timeline(run, event=0))
    assert "</script><b>bold</b>" in words(tab)
    assert tab.locator(".kit-words b").count() == 0


def test_a_page_without_scripts_shows_the_events_as_text(chromium: Any, tmp_path: Path) -> None:
    run, _ = batch_and_multi()
    Timeline(run, event=run.find("ecall")).save(tmp_path / "view.html")
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "view.html").as_uri())
    assert "service call: service" in page.locator("pre").inner_text()
    context.close()


@pytest.mark.slow
def test_a_million_events_are_drawn_at_once_and_move_smoothly(tab: Any, tmp_path: Path) -> None:
    show(tab, tmp_path, Timeline(long_run(1_000_000)))
    first = tab.evaluate("performance.getEntriesByName('kit timeline drawn')[0].startTime")
    rates = tab.evaluate(
        """async () => {
            const view = document.querySelector(".kit").kitTimeline, [a, b] = view.range();
            const frame = () => new Promise(requestAnimationFrame), rates = [], span = b - a;
            for (const move of [
                i => view.show(a + span * (0.2 + i * 0.004), a + span * (0.6 + i * 0.004)),
                i => view.show(a + span * 0.5 * (1 - 0.93 ** i), b - span * 0.5 * (1 - 0.93 ** i)),
            ]) {
                const start = performance.now();
                for (let i = 0; i < 60; i++) { move(i); await frame(); }
                rates.push(60000 / (performance.now() - start));
            }
            return rates;
        }"""
    )
    print(f"first picture after {first:.0f} ms; {rates[0]:.0f} and {rates[1]:.0f} frames a second")
    assert first < 1500
    assert min(rates) > 30
