"""The memory map alone in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("anywidget", reason="the extra 'lab' is not installed")

from kit.widgets.memory_map import MemoryMap
from tests.browser.views import picture, show, violations
from tests.widgets.runs import batch_and_multi

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("views")]


def paged_event() -> int:
    """An event of the kernel that has tables, when it has programs."""
    run, _ = batch_and_multi()
    return run.find("ecall", start=len(run) // 2, vm="multi")


def test_three_columns_and_ribbons_between_them(tab: Any, tmp_path: Path) -> None:
    run, _ = batch_and_multi()
    show(tab, tmp_path, MemoryMap(run, event=paged_event()))
    texts = tab.locator(".kit-map svg text").all_text_contents()
    assert {"guest virtual", "guest-physical", "real storage"} <= set(texts)
    assert tab.locator(".kit-ribbon").count() > 10
    assert tab.locator(".kit-box.program").count() > 1
    assert tab.locator(".kit-box.table").count() > 1
    assert tab.get_by_role("button", name="tables for multi").count() == 1
    picture(tab, "memory-map")
    assert violations(tab) == []


def test_a_box_shows_its_walk_step_by_step(tab: Any, tmp_path: Path) -> None:
    run, _ = batch_and_multi()
    show(tab, tmp_path, MemoryMap(run, event=paged_event()))
    tab.get_by_role("button", name="0x80000000 RXAD 36 KiB").first.click()
    steps = tab.locator(".kit-steps li")
    assert steps.nth(0).get_attribute("aria-current") == "step"
    assert "the root table is at" in steps.nth(0).inner_text()
    assert steps.nth(1).inner_text().startswith("Level 1: entry 512")
    tab.get_by_label("next step of the walk").click()
    assert steps.nth(1).get_attribute("aria-current") == "step"
    assert "at real 0x" in steps.last.inner_text()
    assert tab.locator(".kit-ribbon.chosen").count() == 2


def test_shadow_tables_stand_beside_the_guests(tab: Any, tmp_path: Path) -> None:
    run, _ = batch_and_multi()
    show(tab, tmp_path, MemoryMap(run, event=paged_event(), tab="shadow"))
    table = tab.locator(".kit-map table")
    assert "pages" in table.inner_text()
    assert "not filled in yet" in table.inner_text()
    assert violations(tab) == []


def test_without_tables_the_fence_is_shown(tab: Any, tmp_path: Path) -> None:
    run, _ = batch_and_multi()
    show(tab, tmp_path, MemoryMap(run, event=run.find("ecall", vm="batch"), tab="pmp"))
    assert "NAPOT" in tab.locator(".kit-map table").inner_text()
    assert tab.get_by_role("button", name="programs U:rwx").count() == 1


def test_what_changed_since_a_moment_is_marked(tab: Any, tmp_path: Path) -> None:
    run, _ = batch_and_multi()
    show(tab, tmp_path, MemoryMap(run, event=paged_event()))
    tab.get_by_role("button", name="mark changes from here").click()
    tab.locator(".kit-map").press("End")
    tab.get_by_role("button", name="changes", exact=True).click()
    text = tab.locator(".kit-map").inner_text()
    assert "runs of pages are new" in text
    assert tab.locator(".kit-chip").inner_text().startswith("marked: new since cycle")
