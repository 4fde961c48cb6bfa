"""Lessons in a real JupyterLab: the views are drawn there, and clicks reach Python."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit.classroom.folder import open_folder

pytest.importorskip("jupyterlab", reason="the extra 'lab' is not installed")

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_CELLS = [
    """
from kit.trace import Event, Recording
from kit.widgets.machine_view import MachineView

events = tuple(Event(10 * n, "a", "device", "M", "M", pc=n) for n in range(5))
view = MachineView(Recording(events))
view
""",
    "print('cursor', view.cursor)",
]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """The address of a JupyterLab that serves the lessons, and `_CELLS` as ``view.ipynb``."""
    open_folder(tmp_path)
    cells = [
        {"id": f"c{n}", "cell_type": "code", "metadata": {}, "source": source.strip()}
        | {"outputs": [], "execution_count": None}
        for n, source in enumerate(_CELLS)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells}
    (tmp_path / "view.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"]
    command += ["--IdentityProvider.token=", "--expose-app-in-browser"]
    server = subprocess.Popen(
        [*command, f"--ServerApp.root_dir={tmp_path}"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    addresses = (re.search(r"http://\S+/lab$", line.strip()) for line in server.stderr)
    address = next(filter(None, addresses), None)
    assert address is not None, "JupyterLab did not start"
    yield address[0]
    server.terminate()
    server.communicate()


def test_a_click_in_the_view_reaches_python(lab: str, chromium: Any) -> None:
    page = chromium.new_page(viewport={"width": 1100, "height": 900})
    outside: list[str] = []
    page.on(
        "request",
        lambda request: (
            outside.append(request.url)
            if request.url.startswith("http")
            and not request.url.startswith(lab.removesuffix("/lab"))
            else None
        ),
    )
    page.goto(f"{lab}/tree/view.ipynb?reset")
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext")
    page.evaluate(
        """async () => {
            await jupyterapp.shell.currentWidget.sessionContext.ready;
            await jupyterapp.commands.execute("notebook:run-all-cells");
        }"""
    )
    page.locator(".kit-mv .lanes").focus()
    page.keyboard.press("End")
    page.evaluate(
        """async () => {
            jupyterapp.shell.currentWidget.content.activeCellIndex = 1;
            await jupyterapp.commands.execute("notebook:run-cell");
        }"""
    )
    page.get_by_text("cursor 9", exact=True).wait_for()
    page.close()
    assert outside == []


def test_a_lesson_that_is_only_opened_is_not_marked_as_changed(lab: str, chromium: Any) -> None:
    page = chromium.new_page()
    page.goto(f"{lab}/tree/lessons/00-three-systems.ipynb?reset")
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
