"""The operator's commands, and the console over a real socket."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.control.console import LONGEST_REQUEST, Client, Server
from kit.control.operator import COMMANDS, Operator
from kit.control.room import Room
from kit.errors import KitError
from tests.control.test_room import make

GUARD = 60.0
"""Seconds after which a test that hangs fails. No test waits for time to pass."""


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """An operator of a room of four machines, of which one is stopped."""
    room, _ = make(
        tmp_path, {"clerk": "", "copier": "start = false", "echo": "", "sleeper": ""}, "budget=9999"
    )
    return Operator(room, tmp_path)


def run(operator: Operator) -> None:
    """Turns until nobody can go on."""
    while name := operator.room.scheduler.turn():
        operator.room._look_after(name)


def states(operator: Operator) -> dict[str, str]:
    """What the list says about each machine."""
    rows = [line.split("  ") for line in operator.execute("list").splitlines()[1:]]
    return {row[0].strip(): next(cell.strip() for cell in row[1:] if cell) for row in rows}


def test_list_says_what_each_machine_does(operator: Operator) -> None:
    assert operator.execute("list").split()[:6] == "NAME STATE STEPS TIME CARDS LINES".split()
    assert states(operator) == {
        "clerk": "running", "copier": "stopped", "echo": "running", "sleeper": "running",
    }  # fmt: skip
    run(operator)
    assert states(operator) == {
        "clerk": "halted", "copier": "stopped", "echo": "waiting for ever",
        "sleeper": "waiting for ever",
    }  # fmt: skip


def test_a_stopped_machine_gets_no_turn_until_it_is_started(operator: Operator) -> None:
    run(operator)
    assert operator.room.machine("copier").steps == 0
    operator.execute("start copier")
    run(operator)
    assert states(operator)["copier"] == "halted"
    operator.execute("stop all")
    operator.execute("start all")
    assert states(operator)["echo"] == "waiting for ever"


def test_a_halted_machine_starts_again_after_a_reset(operator: Operator) -> None:
    run(operator)
    with pytest.raises(KitError, match="clerk halted; reset it"):
        operator.execute("start clerk")
    operator.execute("reset clerk")
    run(operator)
    assert operator.execute("printer clerk") == "\n".join("43214321")
    assert operator.execute("printer clerk 3") == "3\n2\n1"


def test_cards_are_fed_and_come_out_as_paper(operator: Operator, tmp_path: Path) -> None:
    (tmp_path / "two words.deck").write_text("HELLO\nWORLD\n")
    assert operator.execute('feed copier "two words.deck"') == "2 cards are in the reader"
    operator.execute("start copier")
    run(operator)
    assert operator.execute("printer copier") == "HELLO\nWORLD"


def test_what_is_typed_wakes_who_waits_for_it(operator: Operator) -> None:
    run(operator)
    operator.execute("type echo good morning")
    run(operator)
    assert operator.room.machine("echo").uart.text == "good morning\n"
    assert operator.execute("attach echo") == "good morning\n".rstrip()


def test_decks_are_fed_into_the_spool_where_there_is_one(tmp_path: Path) -> None:
    room, _ = make(tmp_path, {"copier": ""}, 'spool = "spool"')
    operator = Operator(room, tmp_path)
    (tmp_path / "a.deck").write_text("ONE\n")
    assert operator.execute("feed copier a.deck") == "1 cards are spool file 1"
    run(operator)
    assert operator.execute("printer copier") == "ONE"
    assert [line.split()[2] for line in operator.execute("spool").splitlines()] == [
        "reader", "printer",
    ]  # fmt: skip
    assert operator.execute("spool 2") == "ONE"


def test_a_room_or_a_machine_is_saved_in_a_file_and_restored(
    operator: Operator, tmp_path: Path
) -> None:
    room = operator.room
    operator.execute("save whole")
    operator.execute("save part clerk")
    run(operator)
    assert room.machine("clerk").printer.text == "4\n3\n2\n1\n"
    operator.execute("restore part clerk")
    assert room.machine("clerk").printer.text == ""
    run(operator)
    assert room.machine("clerk").printer.text == "4\n3\n2\n1\n"
    operator.execute("restore whole")
    assert states(operator)["clerk"] == "running"
    assert (tmp_path / "whole").read_bytes() == room.save()


def test_the_report_has_every_machine(operator: Operator) -> None:
    run(operator)
    assert all(name in operator.execute("report") for name in operator.room.vmm.machines)


def test_help_lists_every_command(operator: Operator) -> None:
    assert [line.split()[0] for line in operator.execute("help").splitlines()] == [*COMMANDS]


WRONG = {
    "dance": "there is no command 'dance'; try help",
    "\x1b[2J": "there is no command '?[2J'; try help",
    "start": "usage: start NAME|all",
    "list everything": "usage: list",
    "stop nobody": "there is no virtual machine 'nobody'; there are clerk,",
    "reset nobody": "there is no virtual machine",
    "attach all": "there is no virtual machine",
    "type echo": "usage: type NAME TEXT",
    "feed copier none.deck": "none.deck: cannot read the deck",
    "feed nobody none.deck": "there is no virtual machine",
    "printer clerk none": "'none' is no number from 1",
    "printer clerk 0": "'0' is no number from 1",
    "spool": "this room has no spool",
    "save nowhere/file": "cannot write it",
    "save \0": "cannot write it: embedded null",
    "save file nobody": "there is no virtual machine",
    "restore none": "none: cannot read it",
    "restore room.toml": "room.toml: restore: this is no saved room",
    "restore room.toml clerk": "room.toml: restore: clerk: this is no saved state",
}


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_command_is_one_line_and_changes_nothing(operator: Operator, line: str) -> None:
    before = operator.room.save()
    with pytest.raises(KitError) as caught:
        operator.execute(line)
    assert WRONG[line] in str(caught.value)
    assert "\n" not in str(caught.value)
    assert operator.room.save() == before


def test_an_empty_command_does_nothing(operator: Operator) -> None:
    assert operator.execute("  \n") == ""


# Over the socket


@contextlib.contextmanager
def running(room: Room, port_file: Path) -> Iterator[Path]:
    """The room, running in a thread with a server, until it is shut down."""
    server = Server(room, port_file)

    def run_and_close() -> None:
        room.run(server)
        server.close()

    thread = threading.Thread(target=run_and_close)
    thread.start()
    try:
        yield port_file
    finally:
        room.closing = True
        thread.join(GUARD)
        assert not thread.is_alive()
        assert not port_file.exists()


@pytest.fixture
def port_file(tmp_path: Path) -> Iterator[Path]:
    """A room with a spinner, an echo and a clerk runs behind this port file."""
    room, _ = make(tmp_path, {"spinner": "", "echo": "", "clerk": "start = false"}, "quantum=500")
    with running(room, tmp_path / "port") as file:
        yield file


def client(port_file: Path, seen: bytearray | None = None) -> Client:
    """An operator's connection; `seen` gets what an attached console sends."""
    return Client(port_file, (lambda data: None) if seen is None else seen.extend, GUARD)


def until(connection: Client, seen: bytearray, end: bytes) -> None:
    """Receives until a console has sent something."""
    while not seen.endswith(end):
        connection.receive()


def test_commands_and_mistakes_are_answered_while_the_room_runs(port_file: Path) -> None:
    operator = client(port_file)
    assert "spinner" in operator.command("list")
    with pytest.raises(KitError, match="there is no command 'dance'"):
        operator.command("dance")
    operator.command("stop spinner")
    assert "stopped" in operator.command("list")
    operator.close()


def test_an_attached_terminal_talks_with_its_machine(port_file: Path) -> None:
    seen = bytearray()
    operator = client(port_file, seen)
    operator.command("attach echo")
    operator.send({"input": "hello\n"})
    until(operator, seen, b"hello\n")
    operator.send({"input": "gr\u00fc\u00df Gott\n"})
    until(operator, seen, b" Gott\n")
    assert seen.decode() == "hello\ngr\u00fc\u00df Gott\n"
    operator.send({"detach": True})
    assert operator.answer() == ""
    operator.send({"input": "unheard\n"})
    assert operator.command("printer echo") == ""
    operator.close()


def test_an_operator_who_hangs_up_while_attached_is_forgotten(port_file: Path) -> None:
    one, other = client(port_file), client(port_file)
    one.command("attach echo")
    one.close()
    other.command("type echo anybody there")
    seen = bytearray()
    third = client(port_file, seen)
    third.command("attach echo")
    third.send({"input": "yes\n"})
    until(third, seen, b"yes\n")
    third.close()
    other.close()


def test_two_operators_see_the_same_room(port_file: Path) -> None:
    one, other = client(port_file), client(port_file)
    one.command("stop all")
    assert other.command("list").count("stopped") == 3
    one.close()
    assert other.command("list").count("stopped") == 3
    other.close()


def test_shutdown_ends_the_room_and_says_so(port_file: Path) -> None:
    operator = client(port_file)
    assert operator.command("shutdown") == "the room is closed"
    with pytest.raises(KitError, match=r"the room (is closed|has gone)"):
        operator.receive()
    operator.close()


def raw(port_file: Path, data: bytes) -> dict[str, str]:
    """What the room says to some bytes, before it hangs up or after it has answered."""
    port, _ = port_file.read_text().split()
    with socket.create_connection(("127.0.0.1", int(port)), GUARD) as connection:
        connection.sendall(data)
        answer: dict[str, str] = json.loads(connection.makefile("rb").readline())
    return answer


@pytest.mark.parametrize(
    "data",
    [
        b"list\n",
        b"{}\n",
        b"[]\n",
        b"null\n",
        b'{"key": 1}\n',
        b'{"key": "\\ud800"}\n',
        b"\xff\n",
        b"[" * 10_000 + b"\n",
        b'{"key": "0123", "command": "shutdown"}\n',
    ],
)
def test_requests_without_the_key_are_refused_and_the_room_goes_on(
    port_file: Path, data: bytes
) -> None:
    assert raw(port_file, data) == {"end": "this is no request with the room's key"}
    operator = client(port_file)
    assert "spinner" in operator.command("list")
    operator.close()


def test_a_request_without_end_is_refused(port_file: Path) -> None:
    assert raw(port_file, b"x" * (LONGEST_REQUEST + 1)) == {"end": "the request is too long"}


def test_requests_that_make_no_sense_are_answered(port_file: Path) -> None:
    operator = client(port_file)
    for message in [{}, {"command": None}, {"command": 3}, {"input": []}, {"folder": {}}]:
        operator.send(message | {"more": 1})
    for line in ("\0", "save \0", "feed echo \0", "restore \0", '"', "type echo \ud800"):
        operator.send({"command": line})
    operator.send({"command": "help"})
    answers: list[str] = []
    while not answers or "shutdown" not in answers[-1]:
        try:
            answers.append(operator.answer())
        except KitError as error:
            answers.append(str(error))
    assert "the room has gone" not in answers
    assert not any("\n" in answer for answer in answers[:-1])
    operator.close()


def test_one_port_file_is_for_one_room(port_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    room, _ = make(folder, {"talker": ""})
    with pytest.raises(KitError, match="another room that is running uses it"):
        Server(room, port_file)
    assert port_file.exists()


def test_the_port_file_of_a_room_that_died_is_replaced(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    file = tmp_path / "port"
    file.write_text(f"{port} 00\n")
    with pytest.raises(KitError, match="no room answers"):
        Client(file)
    room, _ = make(tmp_path, {"talker": ""})
    with running(room, file):
        operator = client(file)
        assert "talker" in operator.command("list")
        operator.close()


@pytest.mark.parametrize("text", ["", "hello", "1 2 3", "99999999 key", "\u00fc 1"])
def test_a_wrong_port_file_is_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "port"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(KitError, match="port: "):
        Client(file)
    with pytest.raises(KitError, match="cannot read the port file"):
        Client(tmp_path / "none")


def test_a_port_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    room, _ = make(tmp_path, {"talker": ""})
    with pytest.raises(KitError, match="cannot write the port file"):
        Server(room, tmp_path / "nowhere" / "port")
