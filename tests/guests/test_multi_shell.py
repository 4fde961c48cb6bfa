"""Stage 14: an operating system to sit at."""

from __future__ import annotations

import re

import pytest

from kit.devices.disk_image import DiskImage
from tests.guests.fsck import read, tree
from tests.guests.multi import GREETING, console, disk, started, virtual

FRUIT = ["pear", "apple", "quince", "cherry", "apple", "medlar", "banana"]


def session(*commands: str, **settings: object) -> list[list[str]]:
    """What each command prints; the last one must be `halt`."""
    text = console("14", typed="".join(f"{line}\n" for line in commands), **settings)  # type: ignore[arg-type]
    return answers(text, commands)


def answers(text: str, commands: tuple[str, ...]) -> list[list[str]]:
    found = []
    assert text.startswith(GREETING)
    text = text.removeprefix(GREETING)
    for command, next_one in zip(commands, [*commands[1:], None], strict=True):
        assert text.startswith(f"$ {command}\n"), text
        text = text.removeprefix(f"$ {command}\n")
        end = text.index(f"$ {next_one}\n") if next_one is not None else len(text)
        found.append(text[:end].splitlines())
        text = text[end:]
    return found


def after(*commands: str, **settings: object) -> bytes:
    """The disk after a session, which is consistent."""
    image = DiskImage(disk("14"))
    session(*commands, "halt", disk=image, **settings)
    data = image.read(0, image.size)
    read(data)
    return data


def test_the_disk_that_it_comes_with_is_consistent() -> None:
    found = read(disk("14"))
    assert found["/bin"] is None
    assert found["/fruit"] == "".join(f"{name}\n" for name in FRUIT).encode()
    assert {"/bin/sh", "/bin/ls", "/bin/init", "/readme"} <= set(found)


def test_programs_work_together_through_pipes() -> None:
    found = session(
        "cat fruit",
        "sort <fruit",
        "cat fruit | sort | wc",
        "sort <fruit | grep an",
        "cat fruit fruit | grep apple | wc",
        "ls /bin | grep sort | wc",
        "halt",
    )
    assert found[0] == FRUIT
    assert found[1] == sorted(FRUIT)
    assert found[2] == ["7 7 45"]
    assert found[3] == ["banana"]
    assert found[4] == ["4 4 24"]
    assert found[5] == ["2 8 41"]
    assert found[6] == ["kernel: halted"]


def test_files_are_written_appended_to_copied_moved_linked_and_deleted() -> None:
    data = after(
        "echo one >a",
        "echo two >>a",
        "cp a b",
        "mv b c",
        "ln c d",
        "rm c",
        "echo three >d",
        "mkdir x",
        "mkdir x/y",
        "cp a x/y/a",
        "cd x/y",
        "echo here >>a",
        "cp a ../../e",
        "rm a",
        "cd",
        "rm x/y",
    )
    found = tree(data)
    assert found["/a"] == b"one\ntwo\n"
    assert found["/d"] == b"three\n"
    assert found["/e"] == b"one\ntwo\nhere\n"
    assert found["/x"] is None
    assert not {"/b", "/c", "/x/y"} & set(found)


def test_what_was_written_is_there_after_the_next_start() -> None:
    data = after("echo remember >note", "sort <fruit >sorted")
    found = session("cat note", "cat sorted", "halt", disk=data)
    assert found[0] == ["remember"]
    assert found[1] == sorted(FRUIT)


def test_mistakes_are_told_and_harm_nobody() -> None:
    found = session(
        "cat nothing",
        "nonsense",
        "cat <nothing",
        "| wc",
        "echo >",
        "rm bin",
        "mkdir bin",
        "cd nowhere",
        "ln bin other",
        "echo x >/bin/sh",
        "kill 99",
        "/fruit",
        "cat fruit",
        "halt",
    )
    assert found[0] == ["cat: nothing: not found", "sh: cat ended with code 1"]
    assert found[1] == ["sh: nonsense: not found; help tells what there is"]
    assert found[2] == ["sh: nothing: cannot be opened", "sh: cat ended with code 1"]
    assert found[3] == ["sh: a program's name is missing"]
    assert found[4] == ["sh: a file's name is missing"]
    assert found[5] == ["rm: bin: cannot be deleted", "sh: rm ended with code 1"]
    assert found[6] == ["mkdir: bin: cannot be made", "sh: mkdir ended with code 1"]
    assert found[7] == ["cd: there is no such directory"]
    assert found[8] == ["ln: cannot be done", "sh: ln ended with code 1"]
    assert found[9] == ["sh: /bin/sh: cannot be opened", "sh: echo ended with code 1"]  # it runs
    assert found[10] == ["kill: there is no process 99", "sh: kill ended with code 1"]
    assert found[11] == ["sh: /fruit: is no program"]
    assert found[12] == FRUIT


def test_a_program_in_the_background_is_seen_and_killed() -> None:
    found = session("spin &", "ps", "kill 3", "sleep 20", "ps", "halt")
    (number,) = found[0]
    assert number == "3"
    assert next(line for line in found[1] if line.endswith(" spin")).split()[:2] == ["3", "2"]
    assert not [line for line in found[4] if line.endswith(" spin") and "ended" not in line]


def test_the_line_can_be_edited() -> None:
    text = console("14", typed="ecko\b\bho x\x15echo ab\x7fc; halt\n")
    assert text.endswith("\nac\nkernel: halted\n")


def test_more_can_be_typed_ahead_than_the_kernel_keeps() -> None:
    lines = [f"echo line number {n}" for n in range(40)]
    found = session(*lines, "halt")
    assert [one[0] for one in found[:-1]] == [line.removeprefix("echo ") for line in lines]


def test_the_end_of_the_input_ends_the_shell_and_the_machine() -> None:
    assert (
        console("14", typed="echo bye\n\x04")
        == GREETING + "$ echo bye\nbye\n$ kernel: init has ended with code 0\n"
    )


def test_a_shell_runs_what_a_file_says() -> None:
    found = session('echo "echo first; echo second | cat" >script', "sh script", "halt")
    assert found[1] == ["first", "second"]


@pytest.mark.parametrize("settings", ["policy=fair", "frames=5 replace=lru", "frames=3"])
def test_forks_pipes_and_files_under_stress(settings: str) -> None:
    found = session("stress", "stress | cat | cat", "halt", append=settings)
    assert found[0] == ["stress: 0 went wrong"]
    assert found[1] == ["stress: 0 went wrong"]


@pytest.mark.parametrize("program", ["family", "victim", "forks", "bigsort"])
def test_programs_of_earlier_stages_run_as_they_did(program: str) -> None:
    (lines, _) = session(program, "halt")
    assert len(lines) == 1
    assert re.search(r" 0 went wrong$| 0 out of order$|make 69, and mine is still 1$", lines[0])


def test_nobody_gets_out_of_its_space() -> None:
    (lines, _) = session("intruder", "halt")
    assert lines[-1] == "intruder: 0 of 12 survived, 0 pointers were believed"


def test_a_full_disk_is_told_and_stays_consistent() -> None:
    image = DiskImage(disk("14"))
    found = session("fill", "rm full", "echo again >a", "halt", disk=image)
    assert re.fullmatch(r"fill: full after \d+ bytes", found[0][0])
    data = tree(image.read(0, image.size))
    assert data["/a"] == b"again\n"
    assert "/full" not in data


def test_the_longest_file_has_269_blocks() -> None:
    image = DiskImage(disk("14"))
    found = session("fill", "halt", disk=image)
    assert found[0] == ["fill: full after 275456 bytes"]
    contents = tree(image.read(0, image.size))["/full"]
    assert contents is not None
    assert contents == bytes(n // 1024 % 251 for n in range(275456))


def test_a_file_that_is_deleted_while_it_is_open_lives_on_until_it_is_closed() -> None:
    image = DiskImage(disk("14"))
    found = session("orphan", "halt", disk=image)
    assert found[0] == ["orphan: still there"]
    assert tree(image.read(0, image.size)) == tree(disk("14"))


def test_the_session_is_the_same_in_a_virtual_machine() -> None:
    typed = "cat fruit | sort | head 3\necho x >y; cat y\nps\nls\nhalt\n"
    assert virtual("14", typed=typed) == console("14", typed=typed)


def test_it_waits_at_its_prompt_without_using_the_processor() -> None:
    machine = started("14")
    stop = machine.run(50_000_000)
    assert stop.reason == "idle"
    assert machine.uart.text == GREETING + "$ "
    machine.uart.feed(b"halt\n")
    machine.board.refresh()
    assert machine.run(50_000_000).reason == "halt"


def test_a_disk_without_a_file_system_and_no_disk_are_told() -> None:
    text = console("14", disk=bytes(1 << 20), code=1)
    assert text == "panic: the disk has no file system\n"
    assert console("14", disk=None, code=1) == "panic: there is no disk\n"
