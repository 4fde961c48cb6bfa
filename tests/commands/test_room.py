"""`kit run --config` and `kit console`."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from kit.cli import main
from kit.commands.progress import ProgressLine
from tests.control.test_room import plan_file

GUARD = 120.0
"""Seconds after which a test that hangs fails."""


def test_a_room_runs_and_its_status_is_zero(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = plan_file(tmp_path, {"talker": "", "clerk": 'printer = "paper"'})
    assert main(["run", "--config", str(file)]) == 0
    out, err = capfd.readouterr()
    assert out.count("[talker] ") == 6
    assert "[room] clerk: halted\n" in out
    assert err == ""
    assert (tmp_path / "paper").read_text() == "4\n3\n2\n1\n"


def test_who_does_not_halt_makes_the_status_three(tmp_path: Path) -> None:
    file = plan_file(tmp_path, {"talker": "", "sleeper": ""})
    assert main(["run", "--config", str(file)]) == 3


def test_one_object_says_it_all(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = plan_file(tmp_path, {"talker": "", "crasher": ""})
    assert main(["run", "--config", str(file), "--json", "--budget", "9000"]) == 3
    data = json.loads(capfd.readouterr().out)
    assert data["machines"]["talker"]["console"] == "g\nf\ne\nd\nc\nb\n"
    assert data["machines"]["crasher"]["reason"] == "budget"
    assert data["machines"]["crasher"]["steps"] == 9000
    assert data["report"]["machines"]["crasher"]["virtual_time"] == 9000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--config", "none.toml"], "none.toml: cannot read the room"),
        (["--config", "none.toml", "image"], "image belongs into none.toml"),
        (["--config", "none.toml", "--vm"], "vm belongs into none.toml"),
        ([], "expected an image"),
        (["image", "--console", "port"], "which --console needs too"),
    ],
)
def test_mistakes_are_one_line_and_status_two(
    arguments: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *arguments]) == 2
    err = capfd.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_a_console_without_a_room_is_one_line_and_status_two(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["console", str(tmp_path / "port")]) == 2
    err = capfd.readouterr().err
    assert "cannot read the port file" in err
    assert err.count("\n") == 1


def command(*arguments: str | Path, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs `kit` as a process."""
    return subprocess.run(
        [sys.executable, "-m", "kit.cli", *map(str, arguments)],
        input=given,
        stdin=None if given is not None else subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=GUARD,
        check=False,
    )


def test_a_room_is_operated_from_another_process(tmp_path: Path) -> None:
    file = plan_file(tmp_path, {"echo": "", "copier": "start = false", "spinner": ""})
    (tmp_path / "a.deck").write_text("HELLO\n")
    port = tmp_path / "port"
    room = subprocess.Popen(
        [sys.executable, "-m", "kit.cli", "run", "--config", file, "--console", port],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert room.stdout is not None
    try:
        assert room.stdout.readline() == f"[room] operate it with: kit console {port}\n"
        said = command("console", port, "-c", "list", "-c", "stop spinner", "-c", "dance")
        assert (said.returncode, said.stderr) == (
            2, "kit console: there is no command 'dance'; try help\n",
        )  # fmt: skip
        assert "copier" in said.stdout
        talk = f"feed copier {tmp_path / 'a.deck'}\nstart copier\nattach echo\nhi\nq\n~.\nx\nquit\n"
        said = command("console", port, given=talk)
        assert said.returncode == 0
        assert "1 cards are in the reader" in said.stdout
        assert "attached to echo; a line ~. ends that" in said.stdout
        assert said.stderr == "there is no command 'x'; try help\n"
        while (line := room.stdout.readline()) != "[room] echo: halted\n":
            assert line
        assert command("console", port, "-c", "shutdown").stdout == "the room is closed\n"
        assert room.wait(GUARD) == 3
        assert not port.exists()
    finally:
        room.kill()
        room.stdout.close()
        room.wait(GUARD)


class Terminal(io.StringIO):
    """What is written to a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_on_terminals_only() -> None:
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        line = ProgressLine(stream)
        line._next = 0.0
        line.update(1000, {"a": 5, "b": 1234})
        line.update(2000, {"a": 6, "b": 1235})  # too early
        line.clear()
        line.clear()
    assert file.getvalue() == ""
    text = "time 1,000; steps: a 5, b 1,234"
    assert terminal.getvalue() == f"\r{text}\r{' ' * len(text)}\r"
