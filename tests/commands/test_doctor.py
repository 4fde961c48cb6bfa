"""`kit doctor`: what is there, and what lessons need."""

from __future__ import annotations

import subprocess

import pytest

from kit.cli import main
from kit.commands import doctor


def test_what_a_lesson_needs_is_fetched_and_its_size_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[list[str]] = []

    def run(command: list[str], check: bool) -> subprocess.CompletedProcess[str]:
        started.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(doctor, "_package", lambda name: None)
    monkeypatch.setattr(doctor.subprocess, "run", run)
    assert main(["doctor", "--prepare", "04"]) == 0
    assert started == []
    assert main(["doctor", "--prepare", "05"]) == 0
    assert started[0][-2:] == ["install", "ziglang"]
    assert "101 MB to fetch" in capsys.readouterr().out


def test_a_lesson_without_a_number_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--prepare", "five"]) == 2
    assert "give the number of a lesson" in capsys.readouterr().err
