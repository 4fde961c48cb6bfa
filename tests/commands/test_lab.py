"""`kit lab`: how JupyterLab is started."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("jupyterlab", reason="the extra 'lab' is not installed")

from kit.classroom.folder import Folder
from kit.cli import main
from kit.commands.lab import chosen_folder


def test_the_folder_is_made_and_jupyterlab_opens_the_lesson(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []

    class Done:
        returncode = 0

    def run(command: list[str], env: dict[str, str], check: bool) -> Done:
        started.append(command)
        settings = Path(env["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0])
        assert "announcements" in (settings / "labconfig" / "page_config.json").read_text()
        return Done()

    monkeypatch.setattr("kit.commands.lab.subprocess.run", run)
    folder = tmp_path / "my os 課題"
    assert main(["lab", str(folder), "--lesson", "01", "--port", "8901", "--no-browser"]) == 0
    assert (folder / "course.toml").is_file()
    [command] = started
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={folder}" in command
    assert "--LabApp.default_url=/lab/tree/lessons/01-instructions.ipynb" in command
    assert {"--port=8901", "--no-browser"} <= set(command)


def test_without_a_name_it_is_the_folder_one_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert chosen_folder("") == Path("my-os")
    Folder(tmp_path / "other").start()
    monkeypatch.chdir(tmp_path / "other" / "lessons")
    assert chosen_folder("") == tmp_path / "other"
