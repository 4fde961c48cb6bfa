"""`--trace` and `--record`, of one machine and of a room."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.cli import main
from tests.control.guests import TALKER
from tests.control.test_room import plan_file


@pytest.fixture
def talker(tmp_path: Path) -> str:
    path = tmp_path / "talker.s"
    path.write_text(TALKER)
    return str(path)


@pytest.mark.parametrize("where", [[], ["--vm"]], ids=["bare", "vm"])
def test_a_trace_is_a_line_for_each_event(tmp_path: Path, talker: str, where: list[str]) -> None:
    path = tmp_path / "trace"
    assert main(["run", talker, *where, "--trace", str(path), "--trace-kinds", "device"]) == 0
    head, *lines = path.read_text().splitlines()
    assert head.split() == ["step", "VM", "M", "pc", "kind", "what", "happened"]
    sent = [line for line in lines if "uart+0x0 = 0x67" in line]
    assert len(sent) == 1
    assert "talker.s:" in sent[0]
    assert ("talker " in sent[0].partition("M 0x")[0]) == bool(where)


def test_a_replay_is_traced_as_the_run_was(tmp_path: Path, talker: str) -> None:
    tape, one, two = (str(tmp_path / name) for name in ("tape", "one", "two"))
    assert main(["run", talker, "--record", tape, "--trace", one]) == 0
    assert main(["replay", tape, "--trace", two]) == 0
    first, second = Path(one).read_text(), Path(two).read_text()
    assert first == second
    assert len(first.splitlines()) > 6
    kinds = "privileged,device"
    assert main(["replay", tape, "--vm", "--trace", two, "--trace-kinds", kinds]) == 0


def test_a_room_is_recorded_and_traced(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tape, path = str(tmp_path / "tape"), tmp_path / "trace"
    file = str(plan_file(tmp_path, {"talker": "share = 2", "clerk": ""}, 'policy = "shares"'))
    traced = ["--trace", str(path), "--trace-vms", "clerk"]
    assert main(["run", "--config", file, "--record", tape, *traced]) == 0
    shown = [line for line in capfd.readouterr().out.splitlines() if "[room]" not in line]
    assert " clerk " in path.read_text()
    assert " talker " not in path.read_text()
    assert main(["replay", tape]) == 0
    out, err = capfd.readouterr()
    assert out.splitlines() == shown
    assert "the state is the recorded one" in err
    assert main(["diff", tape, tape]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--trace-kinds", "call"], "say --trace FILE"),
        (["--trace", "t", "--trace-kinds", "calls"], "no kind 'calls'"),
        (["--trace", "t", "--trace-vms", "who"], "no virtual machine 'who'"),
        (["--trace", "/nowhere/t"], "no folder"),
        (["--record", "/nowhere/t"], "no folder"),
    ],
)
def test_mistakes_are_one_line(
    talker: str, arguments: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", talker, *arguments]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1
