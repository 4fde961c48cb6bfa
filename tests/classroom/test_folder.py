"""The student's folder."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

pytest.importorskip("jupytext", reason="the extra 'lab' is not installed")

from kit.classroom.folder import KERNEL, kernel_metadata, main, open_folder
from kit.resources import lessons_dir


def test_every_lesson_becomes_a_notebook_without_outputs(tmp_path: Path) -> None:
    new = open_folder(tmp_path / "my-os")
    assert [path.stem for path in new] == sorted(path.stem for path in lessons_dir().glob("*.md"))
    for path in new:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert any(cell["cell_type"] == "code" for cell in cells)
        assert not any(cell.get("outputs") for cell in cells)


def test_a_notebook_says_what_its_kernel_would_say(tmp_path: Path) -> None:
    metadata = json.loads(open_folder(tmp_path)[0].read_text(encoding="utf-8"))["metadata"]
    assert metadata["kernelspec"]["name"] == KERNEL
    assert metadata["language_info"]["version"] == ".".join(map(str, sys.version_info[:3]))
    assert kernel_metadata().items() <= metadata.items()


def test_a_students_notebook_is_never_overwritten(tmp_path: Path) -> None:
    first = open_folder(tmp_path)[0]
    first.write_text("my own work", encoding="utf-8")
    assert open_folder(tmp_path) == []
    assert first.read_text(encoding="utf-8") == "my own work"


def test_a_folder_that_cannot_be_written_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("a file")
    assert main([os.fspath(tmp_path / "taken")]) == 2
    assert capsys.readouterr().err.startswith("kit: cannot write the lessons to ")


def test_wrong_arguments_are_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr().err == "kit: usage: python -m kit.classroom.folder FOLDER\n"
