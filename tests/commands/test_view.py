"""`kit view`: a recorded run as one page."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("anywidget", reason="the extra 'lab' is not installed")

from kit.cli import main
from kit.resources import guests_dir


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tape") / "hello.tape"
    assert main(["run", str(guests_dir() / "standalone" / "hello.s"), "--record", str(path)]) == 0
    return path


@pytest.mark.parametrize("where", [[], ["--vm"]])
def test_a_recording_becomes_a_page(
    recording: Path, where: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "run.html"
    assert main(["view", str(recording), "-o", str(page), *where]) == 0
    assert "events are in" in capsys.readouterr().out
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "UART" in text or "uart" in text


def test_the_browser_is_opened_unless_a_file_is_named(
    recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert main(["view", str(recording)]) == 0
    assert opened[0].endswith("/hello.html")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nothing.tape"], "cannot read the recording"),
        (["--events", "0"], "a page shows one event at least"),
        (["--language", "xx"], "language 'xx': there are en, ja"),
    ],
)
def test_mistakes_are_told_in_one_line(
    recording: Path, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = words if words[0] == "nothing.tape" else [str(recording), *words]
    assert main(["view", *arguments, "-o", "unused.html"]) == 2
    assert says in capsys.readouterr().err
    assert not Path("unused.html").exists()
