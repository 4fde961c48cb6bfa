"""Lessons and views in a real JupyterLab: drawn, clicked, scrubbed and driven."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("jupyterlab", reason="the extra 'lab' is not installed")

from tests.browser.conftest import Lab, run_last
from tests.browser.views import picture, violations

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("lab")]

RECORDED = """
from kit import VMM, Machine, assemble
from kit.widgets import *
from tests.widgets.runs import BARE, two_machines

vmm = two_machines()
with record(vmm, "batch and multi") as run:
    vmm.run(3_000_000)
timeline = Timeline(run, event=run.find("ecall"), near=True)
timeline
"""


def test_a_click_in_the_view_reaches_python(opened: Callable[..., Any]) -> None:
    page = opened(
        "view.ipynb",
        [
            "from kit.trace import Event, Recording\n"
            "from kit.widgets.machine_view import MachineView\n"
            "events = [Event(10 * n, 'a', 'device', 'M', 'M', pc=n) for n in range(5)]\n"
            "view = MachineView(Recording(tuple(events)))\n"
            "view",
            "print('moment', view.moment)",
        ],
    )
    page.locator(".kit-stage").first.focus()
    page.keyboard.press("End")
    run_last(page)
    page.get_by_text("moment 840", exact=True).wait_for()


def test_all_views_of_a_run_follow_one_moment_and_python_does_too(
    opened: Callable[..., Any],
) -> None:
    page = opened(
        "views.ipynb",
        [
            RECORDED,
            "Panel(run)",
            "MemoryMap(run)",
            "Devices(run)",
            "Charts(run)",
            "run",
            "print('moment', timeline.moment)",
        ],
    )
    page.locator(".kit-overview").wait_for()
    views = ["timeline", "panel", "memory_map", "devices", "charts", "overview"]
    for name in views:
        assert page.locator(f".kit-{name}").count() >= 1
    before = page.locator(".kit-panel .kit-clock").first.text_content()
    page.locator(".kit-timeline .kit-stage").first.focus()
    page.keyboard.press("PageDown")
    page.wait_for_function(
        "before => document.querySelector('.kit-panel .kit-clock').textContent !== before",
        arg=before,
    )
    clocks = page.locator(".kit-clock").all_text_contents()
    assert len(set(clocks)) == 1
    assert len(clocks) == len(views)
    for name in views:
        assert violations(page, f".kit-{name}") == []
    run_last(page)
    clock = clocks[0].removeprefix("cycle ").replace(",", "")
    page.get_by_text(f"moment {clock}", exact=True).wait_for()
    picture(page, "lab-views")


def test_a_bare_machine_is_driven_from_its_panel(opened: Callable[..., Any]) -> None:
    page = opened(
        "drive.ipynb",
        [
            RECORDED.replace("timeline = ", "# ").replace("\ntimeline\n", "\n")
            + 'machine = Machine(memory="64K")\nmachine.load(assemble(BARE))\nmachine',
            "print('steps', machine.steps, hex(machine.hart.pc))",
        ],
    )
    panel = page.locator(".kit-panel")
    panel.wait_for()
    panel.get_by_role("button", name="step ▶: make one step (S)").click()
    panel.get_by_text("cycle 1", exact=True).wait_for()
    panel.get_by_label("symbol, file:line or address").fill("handler")
    panel.get_by_role("button", name="run to").click()
    panel.locator(".kit-code .label", has_text="handler").wait_for()
    panel.get_by_role("button", name="why?").click()
    panel.get_by_text("called its kernel by ecall").wait_for()
    panel.get_by_role("button", name="◀ back").click()
    panel.get_by_role("img", name="machine: mode U").wait_for()
    panel.get_by_label("symbol, file:line or address").fill("nowhere")
    panel.get_by_role("button", name="run to").click()
    panel.get_by_text("no such symbol").wait_for()
    assert violations(page, ".kit-panel") == []
    run_last(page)
    picture(page, "lab-panel")
    page.get_by_text("steps 1", exact=False).first.wait_for()


def test_a_machine_room_is_run_fed_and_typed_at(opened: Callable[..., Any]) -> None:
    page = opened(
        "room.ipynb",
        [
            "from kit import VMM, Machine\n"
            "from kit.devices.disk_image import DiskImage\n"
            "from tests.guests.multi import disk\n"
            "vmm = VMM(Machine(memory='16M'))\n"
            "multi = vmm.create('multi', image='guests/multi', memory='4M',"
            " disk=DiskImage(disk('14')))\n"
            "vmm",
            "from kit.widgets import Devices\ndevices = Devices(vmm)\ndevices",
            "print('sent', repr(multi.uart.text[-40:]))",
        ],
    )
    room = page.locator(".kit-machine_room")
    room.wait_for()
    room.get_by_role("button", name="run ▶▶").click()
    room.locator(".kit-console", has_text="$ ").wait_for()
    page.locator(".kit-devices .kit-terminal").scroll_into_view_if_needed()
    page.wait_for_function(
        "document.querySelector('.kit-devices .xterm-rows')?.textContent.includes('$')"
    )
    page.locator(".xterm-helper-textarea").focus()
    page.keyboard.type("echo typed here\n", delay=30)
    room.locator(".kit-console", has_text="typed here").wait_for()
    assert violations(page, ".kit-machine_room") == []
    run_last(page)
    page.get_by_text("sent", exact=False).first.wait_for()
    picture(page, "lab-room")


def test_a_lesson_that_is_only_opened_is_not_marked_as_changed(
    lab_server: Lab, chromium: Any
) -> None:
    page = chromium.new_page()
    page.goto(f"{lab_server.address}/tree/lessons/00-three-systems.ipynb?reset")
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext")
    dirty = page.evaluate(
        """async () => {
            const panel = jupyterapp.shell.currentWidget;
            await panel.context.ready;
            await panel.sessionContext.ready;
            await panel.sessionContext.session.kernel.info;
            await new Promise(resolve => setTimeout(resolve, 0));
            return panel.context.model.dirty;
        }"""
    )
    name = page.evaluate("jupyterapp.shell.currentWidget.sessionContext.session.kernel.name")
    page.close()
    assert (dirty, name) == (False, "python3")
