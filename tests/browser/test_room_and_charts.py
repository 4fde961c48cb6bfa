"""Machine room, devices, charts, proof and overview alone in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("anywidget", reason="the extra 'lab' is not installed")

from kit.widgets import Charts, Devices, MachineRoom, Overview, ProofView
from tests.browser.views import picture, show, violations
from tests.widgets.runs import batch_and_multi, sum_deck

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("views")]


def test_the_room_tells_what_each_machine_has_cost(tab: Any, tmp_path: Path) -> None:
    run, vmm = batch_and_multi()
    show(tab, tmp_path, MachineRoom(run, event=len(run) - 1))
    tab.locator(".kit-room").press("End")
    for name in vmm.machines:
        usage = vmm.report().of(name)
        facts = tab.get_by_role("group", name=name, exact=True).locator("dl").inner_text()
        assert f"{usage.ratio:.2f}" in facts
        assert f"{usage.virtual_time:,}" in facts
        assert "halted" in tab.get_by_role("group", name=name, exact=True).inner_text()
    picture(tab, "machine-room")
    assert violations(tab) == []


def test_the_room_at_an_earlier_moment_knows_less(tab: Any, tmp_path: Path) -> None:
    run, _ = batch_and_multi()
    show(tab, tmp_path, MachineRoom(run, event=100))
    text = tab.locator(".kit-room").inner_text()
    assert "halted" not in text
    assert "APPLES" not in text


def test_paper_cards_and_terminal_are_those_of_the_moment(tab: Any, tmp_path: Path) -> None:
    run, _ = batch_and_multi()
    show(tab, tmp_path, Devices(run, event=len(run) - 1))
    tab.get_by_role("button", name="batch").click()
    paper = tab.get_by_role("region", name="Line printer")
    assert "120 APPLES" in paper.inner_text()
    assert paper.locator(".kit-sheet").count() >= 2
    card = tab.get_by_role("img", name="punched card: $EOJ")
    assert card.count() == 1
    assert f"{len(sum_deck())} cards read, 0 in the hopper" in tab.locator(".kit").inner_text()
    picture(tab, "devices-batch")
    assert violations(tab) == []
    tab.get_by_role("button", name="multi").click()
    tab.wait_for_function("document.querySelector('.xterm-rows').textContent.includes('hello')")
    assert "blocks read" in tab.locator(".kit-disk").get_attribute("aria-label")
    picture(tab, "devices-multi")
    assert violations(tab) == []
    tab.locator(".kit-desk").press("Home")
    assert "No card has been read yet." in tab.locator(".kit").inner_text()


def test_a_letter_is_punched_as_the_029_punched_it(tab: Any, tmp_path: Path) -> None:
    run, _ = batch_and_multi()
    show(tab, tmp_path, Devices(run, event=len(run) - 1))
    tab.get_by_role("button", name="batch").click()
    holes = tab.locator(".kit-card .hole").get_attribute("d").split("M")[1:]
    # "$EOJ" has the holes 11-3-8, 12-5, 11-6 and 11-1.
    assert len(holes) == 3 + 2 + 2 + 2


def test_charts_agree_with_the_report(tab: Any, tmp_path: Path) -> None:
    run, vmm = batch_and_multi()
    show(tab, tmp_path, Charts(run, event=len(run) - 1))
    refills = vmm.report().of("multi").refills
    row = tab.locator(".kit-bars tr", has_text="refill").inner_text()
    assert f"{refills:,}" in row
    assert f"{refills * 210:,}" in row
    whole = sum(usage.vmm_cycles for usage in vmm.report().machines)
    assert f"{whole:,} were the VMM's work" in tab.locator(".kit").inner_text()
    picture(tab, "charts")
    assert violations(tab) == []


RESULTS = [
    {"lemma": lemma, "instruction": name, "verdict": verdict, "seconds": 0.25}
    for lemma in ("direct execution", "emulation")
    for name, verdict in (("add", "proved"), ("mret", "refuted"), ("div", "unknown"))
]
EXAMPLE = {
    "title": "emulation of mret: MPRV is not cleared",
    "program": "mret",
    "registers": {"mode": 3, "mstatus": 0x21800, "pc": 0x80000000},
    "bare": {"mode": 3, "mstatus": 0x80, "pc": 0x80000100},
    "vm": {"mode": 3, "mstatus": 0x20080, "pc": 0x80000100},
    "differing": ["mstatus"],
}


def test_a_proof_is_a_matrix_and_its_counterexample_two_machines(tab: Any, tmp_path: Path) -> None:
    proof = {"results": RESULTS, "seconds": 2, "mutants": [{"name": "bug", "verdict": "refuted"}]}
    show(tab, tmp_path, ProofView(proof, [EXAMPLE]))
    assert "2 of 6 cases are proved" in tab.locator(".kit").inner_text()
    tab.get_by_role("button", name="emulation, mret: refuted, 0.25 s").click()
    assert "emulation, mret: refuted" in tab.locator(".kit-words").inner_text()
    picture(tab, "proof")
    assert violations(tab) == []
    tab.get_by_role("button", name="counterexamples").click()
    marked = tab.locator("tr.differs").inner_text()
    assert "≠ mstatus" in marked
    assert "0x00000080" in marked
    assert "0x00020080" in marked
    picture(tab, "counterexample")
    assert violations(tab) == []


def test_all_views_of_the_overview_move_together(tab: Any, tmp_path: Path) -> None:
    run, _ = batch_and_multi()
    show(tab, tmp_path, Overview(run))
    tab.get_by_role("button", name="play").press("End")
    for name in ("Machine room", "Panel", "Memory map", "Devices", "Charts"):
        tab.get_by_role("tab", name=name).click()
        assert tab.get_by_role("tabpanel", name=name).count() == 1
        assert violations(tab) == []
    assert "were the VMM's work" in tab.locator(".kit-charts").inner_text()
    tab.get_by_role("tab", name="Charts").press("ArrowRight")
    assert tab.get_by_role("tab", name="Machine room").get_attribute("aria-selected") == "true"
    assert tab.locator(".kit-machine", has_text="halted").count() == 2
    picture(tab, "overview")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough_in_light_and_dark(chromium: Any, tmp_path: Path, scheme: str) -> None:
    run, _ = batch_and_multi()
    Overview(run, event=run.find("ecall", vm="multi"), near=True).save(tmp_path / "run.html")
    page = chromium.new_page(viewport={"width": 1366, "height": 768}, color_scheme=scheme)
    page.goto((tmp_path / "run.html").as_uri())
    for name in ("Machine room", "Panel", "Memory map"):
        page.get_by_role("tab", name=name).click()
        assert violations(page) == []
        picture(page, f"overview-{name.lower().replace(' ', '-')}-{scheme}")
    wider = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.close()
    assert not wider


def test_words_are_in_the_readers_language(tab: Any, tmp_path: Path) -> None:
    run, _ = batch_and_multi()
    show(tab, tmp_path, Overview(run, event=run.find("ecall"), language="ja"))
    assert tab.locator("html").get_attribute("lang") == "ja"
    stage = tab.locator(".kit-stage").first
    assert "タイムライン" in stage.get_attribute("aria-label")
    assert "カーネル" in tab.locator(".kit-legend").first.inner_text()
