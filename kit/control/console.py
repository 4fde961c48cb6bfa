"""The operator's console over a local socket: a server in the room, a client where the operator is.

The room listens on 127.0.0.1, on a port that the host chooses, and writes a *port file*: the port,
and a key that everything sent to it must carry, so that only who can read the file can be operator.
Both sides send JSON objects, one a line:

    to the room     {"key", "command": line, "folder"}   a command; files are relative to the folder
                    {"key", "input": text}               typed at the attached machine
                    {"key", "detach": true}              no longer attached
    to the client   {"text"} or {"error"}                the one answer to a command or a detach
                    {"output"}                           the attached machine's console
                    {"end": reason}                      the room closes the connection

The server works between the turns of its room, in the room's own thread, and waits for nobody.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import secrets
import selectors
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kit.control.operator import Operator
from kit.control.room import Room
from kit.errors import KitError

__all__ = ["Client", "Server"]

HOST = "127.0.0.1"
LONGEST_REQUEST = 1 << 16
MOST_UNSENT = 1 << 24
"""Bytes that a client may leave unread before it is hung up on."""
MOST_ANSWER = 1 << 21
"""Characters that an answer may have; JSON may need more bytes for them."""
PIECE = 1 << 16
PATIENCE = 0.5
"""Seconds after which a waiting room looks up, so that Ctrl-C is noticed on every system."""


class Server:
    """Listens for operators of a room, and is its `Attendant`.

    `port_file` is written, and deleted by `close`. Raises `KitError` where it cannot be, or where
    another room that is still running has written it.
    """

    def __init__(self, room: Room, port_file: str | Path) -> None:
        self.room = room
        self.port_file = Path(port_file)
        if _answers(self.port_file):
            raise KitError(f"{port_file}: another room that is running uses it; choose another")
        self.key = secrets.token_hex(16)
        self._listener = socket.create_server((HOST, 0))
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._connections: list[_Connection] = []
        try:
            _write_port_file(self.port_file, self._listener.getsockname()[1], self.key)
        except KitError:
            self.close()
            raise

    def attend(self, wait: bool) -> None:
        """Does what operators have asked for; with `wait`, waits a moment for one of them."""
        for event, _ in self._selector.select(PATIENCE if wait else 0):
            if event.fileobj is self._listener:
                self._accept()
            else:
                event.data.serve()
        for connection in [one for one in self._connections if one.closed]:
            self._drop(connection)
        for connection in self._connections:
            connection.send_waiting()
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.unsent else 0)
            self._selector.modify(connection.socket, events, connection)

    def close(self) -> None:
        """Says good-bye to every operator and deletes the port file."""
        for connection in list(self._connections):
            connection.say_last({"end": "the room is closed"})
            self._drop(connection)
        self._selector.close()
        self._listener.close()
        with contextlib.suppress(OSError):
            self.port_file.unlink()

    def _accept(self) -> None:
        try:
            accepted, _ = self._listener.accept()
        except OSError:
            return
        accepted.setblocking(False)
        connection = _Connection(self, accepted)
        self._connections.append(connection)
        self._selector.register(accepted, selectors.EVENT_READ, connection)

    def _drop(self, connection: _Connection) -> None:
        connection.detach()
        self._connections.remove(connection)
        self._selector.unregister(connection.socket)
        connection.socket.close()


class _Connection:
    """One operator."""

    def __init__(self, server: Server, connected: socket.socket) -> None:
        self.server = server
        self.room = server.room
        self.socket = connected
        self.received = bytearray()
        self.unsent = bytearray()
        self.attached = ""
        self.closed = False

    def serve(self) -> None:
        """Takes what has come in, and does what is complete."""
        try:
            data = self.socket.recv(PIECE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.closed = self.closed or not data
        self.received += data
        while not self.closed and b"\n" in self.received:
            line, _, rest = self.received.partition(b"\n")
            self.received = rest
            self._request(bytes(line))
        if len(self.received) > LONGEST_REQUEST:
            self.say_last({"end": "the request is too long"})

    def _request(self, line: bytes) -> None:
        try:
            request = json.loads(line)
            key = request["key"]
            if not hmac.compare_digest(str(key).encode(), self.server.key.encode()):
                raise ValueError
        except (ValueError, KeyError, TypeError, RecursionError):
            self.say_last({"end": "this is no request with the room's key"})
            return
        try:
            self._obey(request)
        except KitError as error:
            self.say({"error": str(error)})
        except (OSError, ValueError) as error:  # names that no file can have
            self.say({"error": " ".join(str(error).split())})

    def _obey(self, request: dict[str, Any]) -> None:
        if "input" in request:
            if self.attached:
                self.room.type(self.attached, str(request["input"]).encode("utf-8", "replace"))
        elif "detach" in request:
            self.detach()
            self.say({"text": ""})
        else:
            self._command(str(request.get("command", "")), str(request.get("folder", ".")))

    def _command(self, line: str, folder: str) -> None:
        answer = Operator(self.room, folder).execute(line)
        if len(answer) > MOST_ANSWER:
            raise KitError("the answer is too long for a console; look at the file itself")
        words = line.split()
        if words[:1] == ["attach"]:
            self.detach()
            self.attached = words[1].strip('"')
            self.room.watchers[self.attached].append(self._output)
        self.say({"text": answer})

    def detach(self) -> None:
        """No longer gets what a machine's console sends."""
        if self.attached:
            self.room.watchers[self.attached].remove(self._output)
        self.attached = ""

    def _output(self, data: bytes) -> None:
        self.say({"output": data.decode("latin-1")})

    def say(self, message: dict[str, str]) -> None:
        """Sends a message, now or when the client takes it."""
        if not self.closed:
            self.unsent += json.dumps(message).encode() + b"\n"
            self.closed = len(self.unsent) > MOST_UNSENT

    def say_last(self, message: dict[str, str]) -> None:
        """Sends what can be sent at once, and hangs up."""
        self.say(message)
        self.send_waiting()
        self.closed = True

    def send_waiting(self) -> None:
        """Sends as much as the client takes without waiting."""
        try:
            while self.unsent:
                del self.unsent[: self.socket.send(self.unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self.closed = True


class Client:
    """The operator's end: sends commands to the room of a port file.

    `output` gets what an attached machine's console sends. Raises `KitError` where no room answers.
    """

    def __init__(
        self,
        port_file: str | Path,
        output: Callable[[bytes], None] = lambda data: None,
        timeout: float | None = None,
    ) -> None:
        self.output = output
        port, self._key = _read_port_file(Path(port_file))
        try:
            self._socket = socket.create_connection((HOST, port), timeout)
        except (OSError, OverflowError):
            raise KitError(f"{port_file}: no room answers; its run has ended") from None
        self._lines = self._socket.makefile("rb")

    def command(self, line: str) -> str:
        """What a command answers. Raises `KitError` where it is wrong, or the room has gone."""
        self.command_line(line)
        return self.answer()

    def command_line(self, line: str) -> None:
        """Sends a command, whose answer is still to come. Raises `KitError` as `send` does."""
        self.send({"command": line, "folder": os.getcwd()})

    def send(self, message: dict[str, Any]) -> None:
        """Sends one message. Raises `KitError` where the room has gone."""
        try:
            self._socket.sendall(json.dumps({"key": self._key} | message).encode() + b"\n")
        except OSError:
            raise KitError("the room has gone") from None

    def answer(self) -> str:
        """The next answer; what a machine's console sends before it goes to `output`."""
        while True:
            message = self.receive()
            if "text" in message:
                return message["text"]
            if "error" in message:
                raise KitError(message["error"])

    def receive(self) -> dict[str, str]:
        """The next message. Raises `KitError` where there is none, or the room says good-bye."""
        try:
            line = self._lines.readline()
            message: dict[str, str] = json.loads(line)
        except (OSError, ValueError):
            raise KitError("the room has gone") from None
        if "end" in message:
            raise KitError(message["end"])
        if "output" in message:
            self.output(message["output"].encode("latin-1"))
        return message

    def close(self) -> None:
        """Hangs up."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def _write_port_file(path: Path, port: int, key: str) -> None:
    """Writes it so that nobody else can read it, where the host knows such a thing."""
    try:
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{port} {key}\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise KitError(f"{path}: cannot write the port file: {reason}") from None


def _read_port_file(path: Path) -> tuple[int, str]:
    try:
        port, key = path.read_text(encoding="ascii").split()
        return int(port), key
    except OSError as error:
        raise KitError(
            f"{path}: cannot read the port file: {error.strerror}; "
            "is a room running with --console there?"
        ) from None
    except ValueError:
        raise KitError(f"{path}: this is no port file of a room") from None


def _answers(path: Path) -> bool:
    """Is there a room that is still running behind this port file?"""
    try:
        Client(path, timeout=PATIENCE).close()
    except KitError:
        return False
    return True
