"""JupyterLab for tests: a server, and notebooks made of cells."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kit.classroom.folder import Folder


class Lab:
    """A JupyterLab that serves a folder with the lessons; `address` is that of its page."""

    def __init__(self, address: str, folder: Path) -> None:
        self.address = address
        self.folder = folder

    def write(self, name: str, sources: list[str]) -> None:
        """Writes a notebook of code cells."""
        cells = [
            {"id": f"c{n}", "cell_type": "code", "metadata": {}, "source": source.strip()}
            | {"outputs": [], "execution_count": None}
            for n, source in enumerate(sources)
        ]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells}
        (self.folder / name).write_text(json.dumps(notebook), encoding="utf-8")

    def open(self, page: Any, name: str, complaints: list[str]) -> None:
        """Opens a notebook on a page and runs its cells but the last, which is for `run_last`.

        What the page asks of others than the server, and errors of its scripts, are complaints.
        """
        home = self.address.removesuffix("/lab")
        page.on(
            "request",
            lambda request: (
                complaints.append(f"asked for {request.url}")
                if request.url.startswith("http") and not request.url.startswith(home)
                else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text)
                if message.type == "error" and "kit" in message.text.lower()
                else None
            ),
        )
        page.goto(f"{self.address}/tree/{name}?reset")
        page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext")
        page.evaluate(
            """async () => {
                const panel = jupyterapp.shell.currentWidget;
                await panel.sessionContext.ready;
                panel.content.activeCellIndex = panel.content.widgets.length - 1;
                await jupyterapp.commands.execute("notebook:run-all-above");
            }"""
        )


def run_last(page: Any) -> None:
    """Runs the last cell of the notebook that is open."""
    page.evaluate(
        """async () => {
            const content = jupyterapp.shell.currentWidget.content;
            content.activeCellIndex = content.widgets.length - 1;
            await jupyterapp.commands.execute("notebook:run-cell");
        }"""
    )


@pytest.fixture(scope="module")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab that serves the lessons."""
    folder = tmp_path_factory.mktemp("lab")
    Folder(folder).start()
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"]
    command += ["--IdentityProvider.token=", "--expose-app-in-browser"]
    log = folder / "server.log"  # a file: a pipe that nobody reads would fill up, and stop it
    with log.open("w") as messages:
        server = subprocess.Popen(
            [*command, f"--ServerApp.root_dir={folder}"], env=environment, stderr=messages
        )
    try:
        yield Lab(_address(server, log), folder)
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()


def _address(server: subprocess.Popen[bytes], log: Path) -> str:
    """Where a JupyterLab that is starting serves, as soon as it says so."""
    while server.poll() is None:
        found = re.search(r"http://\S+/lab\s", log.read_text())
        if found:
            return found[0].strip()
        time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not start: {log.read_text()}")


@pytest.fixture
def opened(lab_server: Lab, chromium: Any) -> Iterator[Callable[..., Any]]:
    """Opens a notebook of cells in a new page; the test fails if anybody complained."""
    complaints: list[str] = []
    pages: list[Any] = []

    def act(name: str, sources: list[str], **settings: Any) -> Any:
        lab_server.write(name, sources)
        page = chromium.new_page(viewport={"width": 1366, "height": 900}, **settings)
        pages.append(page)
        lab_server.open(page, name, complaints)
        return page

    yield act
    for page in pages:
        page.close()
    assert complaints == []
