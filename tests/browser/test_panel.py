"""The panel alone in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("anywidget", reason="the extra 'lab' is not installed")

from kit.widgets.panel import Panel
from tests.browser.views import picture, show, violations
from tests.widgets.runs import bare_run, batch_and_multi

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("views")]


def test_registers_are_those_of_the_moment(tab: Any, tmp_path: Path) -> None:
    run, _ = batch_and_multi()
    event = run.find("ecall")
    show(tab, tmp_path, Panel(run, event=event))
    frame = run.film.frames[event]
    a7 = tab.locator("[data-register=a7] span").last.inner_text()
    assert int(a7, 16) == frame[16]
    assert "call from U-mode" in tab.locator("[data-csr=mcause]").inner_text()
    assert "MPP=U" in tab.locator("[data-csr=mstatus]").inner_text()
    assert tab.get_by_role("img", name="batch: mode U").count() == 1
    assert tab.get_by_role("img", name="real machine: mode M").count() == 1
    picture(tab, "panel")
    assert violations(tab) == []


def test_pc_is_shown_in_the_program_with_its_source(tab: Any, tmp_path: Path) -> None:
    run, _ = batch_and_multi()
    event = run.find("device")
    show(tab, tmp_path, Panel(run, event=event))
    here = tab.locator(".kit-code li[aria-current]")
    assert f"{run.film.columns['pc'][event]:08x}" in here.first.inner_text()
    assert here.count() == 2


def test_what_an_event_changed_is_marked(tab: Any, tmp_path: Path) -> None:
    run, _ = bare_run()
    show(tab, tmp_path, Panel(run, event=run.find("trap")))
    assert "kit-changed" in (tab.locator("[data-csr=mcause]").get_attribute("class") or "")
    assert "kit-changed" not in (tab.locator("[data-register=sp]").get_attribute("class") or "")


def test_another_machine_can_be_chosen(tab: Any, tmp_path: Path) -> None:
    run, _ = batch_and_multi()
    show(tab, tmp_path, Panel(run, event=len(run) - 1))
    tab.get_by_role("button", name="batch").click()
    assert tab.get_by_role("button", name="batch").get_attribute("aria-pressed") == "true"
    assert tab.get_by_role("img", name="batch: mode").count() == 1
