"""Exercises in a real JupyterLab: checked, explained by hints, opened as a run, and solved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("jupyterlab", reason="the extra 'lab' is not installed")

from kit.classroom.lesson import lesson_named
from tests.browser.conftest import Lab, run_last
from tests.browser.views import picture

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("lab")]

LOSES_S0 = """
sum:    li      s0, 0
        beqz    a1, 2f
1:      lw      t1, 0(a0)
        add     s0, s0, t1
        addi    a0, a0, 4
        addi    a1, a1, -1
        bnez    a1, 1b
2:      mv      a0, s0
        ret
"""


def test_a_failing_check_gives_hints_and_opens_the_run_and_a_right_file_passes(
    lab_server: Lab, opened: Callable[..., Any]
) -> None:
    file = lab_server.folder / "lessons" / "01" / "sum.s"
    file.write_text(LOSES_S0, encoding="utf-8")
    cells = ["from kit.classroom import check\ncheck('01.2')", "check('01.2')"]
    page = opened("exercise.ipynb", cells)
    page.get_by_text("Register s0 was", exact=False).first.wait_for()
    page.get_by_role("button", name="Hint").click()
    page.get_by_text("relies on the convention", exact=False).wait_for()
    page.get_by_role("button", name="Open the run").click()
    panel = page.locator(".kit-panel")
    panel.wait_for()
    panel.get_by_role("button", name="◀ back").click()
    panel.locator(".kit-code").get_by_text("mv", exact=False).first.wait_for(timeout=10_000)
    picture(page, "lab-exercise")
    file.write_text(lesson_named("01").files(solution=True)["01/sum.s"], encoding="utf-8")
    run_last(page)
    page.get_by_text("10 of 10 points", exact=False).first.wait_for()


def test_a_guests_file_opens_beside_its_lesson(lab_server: Lab, chromium: Any) -> None:
    page = chromium.new_page(viewport={"width": 1366, "height": 900})
    page.goto(f"{lab_server.address}/tree/lessons/01-instructions.ipynb?reset")
    page.locator(".jp-Notebook").wait_for()
    page.evaluate(
        """async () => {
            const notebook = jupyterapp.shell.currentWidget.content;
            const at = notebook.widgets.findIndex(
                cell => cell.model.sharedModel.source.includes("(01/sum.s)"));
            await notebook.scrollToItem(at, "center");
        }"""
    )
    page.get_by_role("link", name="01/sum.s").first.click()
    page.locator(".jp-FileEditor").get_by_text("adds up an array", exact=False).wait_for()
    page.close()
