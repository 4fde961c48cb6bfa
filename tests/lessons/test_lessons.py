"""Every lesson runs from its first cell to its last."""

from __future__ import annotations

from pathlib import Path

import pytest

jupytext = pytest.importorskip("jupytext", reason="the extra 'lab' is not installed")
nbclient = pytest.importorskip("nbclient", reason="the extra 'dev' is not installed")

from kit.resources import lessons_dir

LESSONS = sorted(lessons_dir().glob("*.md"))

# What every lesson has, in this order.
_SECTIONS = ["Summary", "What real systems do", "Where to go on"]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    notebook = jupytext.read(path)
    client = nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert cells
    assert all(cell.execution_count for cell in cells)


def outputs(lesson: str, change: tuple[str, str], folder: Path) -> list[str]:
    """What the cells of a lesson print, after a change by the reader."""
    notebook = jupytext.read(lessons_dir() / lesson)
    for cell in notebook.cells:
        cell.source = cell.source.replace(*change)
    client = nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(folder)}})
    client.execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [output.text for cell in cells for output in cell.outputs if "text" in output]


@pytest.mark.parametrize(
    ("prediction", "answer"),
    [
        ("{...}", "Replace the dots first.\n"),
        ('{"B"}', "changed: B\nas you said\n"),
        ('{"A", "C"}', "changed: B\nnot what you said: why?\n"),
    ],
)
def test_a_prediction_is_answered_only_when_it_is_made(
    prediction: str, answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    change = ("prediction = {...}", f"prediction = {prediction}")
    assert outputs("00-three-systems.md", change, tmp_path) == [answer]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_has_the_parts_of_a_lesson(path: Path) -> None:
    cells = jupytext.read(path).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    headings = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert [heading for heading in headings if heading in _SECTIONS] == _SECTIONS
    assert "**Question.**" in text
    assert "**After this lesson**" in text
    assert any(heading.startswith("Exercise") for heading in headings)
