"""The GDB remote protocol: any GDB that knows RISC-V debugs a machine, or all machines of a VMM.

Each machine is a thread. Going back (``reverse-stepi``, ``reverse-continue``) is what
`kit.trace.history` does. The protocol is described in GDB's manual, appendix E.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterator
from typing import Literal

from kit.errors import KitError
from kit.isa.csr import CSRS, existing_numbers
from kit.machine.bus import PAGE
from kit.machine.computer import Computer
from kit.trace.debugger import Debugger, Hit, Point, physical_address

__all__ = ["GdbServer", "Leave"]

Leave = Literal["detached", "killed", "lost"]
"""How a GDB goes: the run is to go on without it, or to end; or its connection broke."""

SLICE = 200_000
"""Steps between two looks at whether GDB wants the run to stop."""
PATIENCE = 0.05
"""Seconds between two looks at whether something came in for a machine that waits."""
FIRST_CSR = 65
"""GDB's number of CSR 0."""
PRIVILEGE = FIRST_CSR + 4096
GENERAL = 33
_PC = 32
_LIMIT = 1 << 16
_INTERRUPT = b"\x03"
_ERROR = "E01"
_NAMES = (
    "zero ra sp gp tp t0 t1 t2 fp s1 a0 a1 a2 a3 a4 a5 a6 a7 "
    "s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6"
).split()


class GdbServer:
    """Serves one GDB after the other on `port` of this computer (0: any that is free).

    `port` is the one that was taken. `attend`, if set, is called now and then while the machine
    runs, and says whether something came in that it may have waited for. Raises `KitError` where
    the port cannot be had.
    """

    def __init__(
        self, debugger: Debugger, port: int = 0, attend: Callable[[], bool] | None = None
    ) -> None:
        self.debugger = debugger
        self.attend = attend
        self.names = list(debugger.machines)
        self.current = self.names[0]
        self._points: dict[tuple[str, int, int], Point] = {}
        self._acknowledges = True
        self.port = port
        self._listen()

    def _listen(self) -> None:
        try:
            self._listener = socket.create_server(("127.0.0.1", self.port))
        except (OSError, OverflowError) as error:
            raise KitError(f"gdb: port {self.port} cannot be had: {error}") from None
        self.port = int(self._listener.getsockname()[1])

    def close(self) -> None:
        """Serves no more."""
        self._listener.close()

    def serve(self) -> Leave:
        """Waits for a GDB, and does what it says until it goes. Others are refused meanwhile."""
        if self._listener.fileno() < 0:
            self._listen()
        connection, _ = self._listener.accept()
        self._listener.close()
        with connection:
            self._socket = connection
            self._buffer = b""
            self._acknowledges = True
            for point in self._points.values():
                self.debugger.remove(point)
            self._points.clear()
            try:
                for packet in self._packets():
                    if packet[:1] in ("D", "k"):
                        if packet[:1] == "D":
                            self._send("OK")
                        return "detached" if packet[:1] == "D" else "killed"
                    self._send(self._answer(packet))
            except ConnectionError:
                pass
        return "lost"

    # -- packets -----------------------------------------------------------------------------

    def _packets(self) -> Iterator[str]:
        """What GDB asks, one after the other, until it has gone."""
        while True:
            start = self._buffer.find(b"$")
            end = self._buffer.find(b"#", start + 1)
            if start >= 0 and 0 <= end <= len(self._buffer) - 3:
                packet, check = self._buffer[start + 1 : end], self._buffer[end + 1 : end + 3]
                self._buffer = self._buffer[end + 3 :]
                if self._acknowledges:
                    whole = check.lower() == b"%02x" % (sum(packet) & 0xFF)
                    self._socket.sendall(b"+" if whole else b"-")
                    if not whole:
                        continue
                yield _unescaped(packet).decode("latin-1")
                continue
            data = self._socket.recv(4096)
            if not data or len(self._buffer) > _LIMIT:
                return
            self._buffer += data

    def _send(self, answer: str) -> None:
        data = answer.encode("latin-1")
        self._socket.sendall(b"$%s#%02x" % (data, sum(data) & 0xFF))

    def _wants_to_stop(self, wait: float = 0) -> bool:
        """Has GDB sent control-C, or does it so within so many seconds?"""
        readable, _, _ = select.select([self._socket], [], [], wait)
        if readable:
            data = self._socket.recv(4096)
            if not data:
                raise ConnectionError
            self._buffer += data
        if _INTERRUPT not in self._buffer:
            return False
        self._buffer = self._buffer.replace(_INTERRUPT, b"", 1)
        return True

    # -- answers -----------------------------------------------------------------------------

    @property
    def machine(self) -> Computer:
        """The machine that GDB asks about now."""
        return self.debugger.machines[self.current]

    def _answer(self, packet: str) -> str:
        """The answer to a packet."""
        try:
            if packet[:1] in ("q", "Q", "v"):
                return self._answer_query(packet)
            handler = self._handlers().get(packet[:1])
            return "" if handler is None else handler(packet[1:])
        except (KitError, ValueError, IndexError):
            return _ERROR

    def _handlers(self) -> dict[str, Callable[[str], str]]:
        return {
            "?": lambda rest: f"T05thread:{self._thread(self.current)};",
            "g": lambda rest: "".join(self._register(number) for number in range(GENERAL)),
            "G": self._write_all,
            "p": lambda rest: self._register(int(rest, 16)),
            "P": self._write_one,
            "m": self._read_memory,
            "M": self._write_memory,
            "X": self._write_binary,
            "c": self._from(self._go_on),
            "s": self._from(lambda: self._step(1)),
            "b": self._go_back,
            "Z": lambda rest: self._point(rest, True),
            "z": lambda rest: self._point(rest, False),
            "H": self._choose,
            "T": lambda rest: "OK" if 0 < int(rest, 16) <= len(self.names) else _ERROR,
        }

    def _answer_query(self, packet: str) -> str:
        name, _, rest = packet.partition(":")
        if name == "qSupported":
            return (
                f"PacketSize={_LIMIT // 4:x};QStartNoAckMode+;qXfer:features:read+;"
                "qXfer:threads:read+;ReverseStep+;ReverseContinue+;vContSupported+"
            )
        if name == "QStartNoAckMode":
            self._acknowledges = False
            return "OK"
        return self._answer_other(name, rest, packet)

    def _answer_other(self, name: str, rest: str, packet: str) -> str:
        if name == "qXfer" and rest.startswith("features:read:target.xml:"):
            return _part(self._description(), rest)
        if name == "qXfer" and rest.startswith("threads:read::"):
            return _part(self._threads(), rest)
        if name == "qfThreadInfo":
            return "m" + ",".join(self._thread(name) for name in self.names)
        if name == "qsThreadInfo":
            return "l"
        if name == "qC":
            return "QC" + self._thread(self.current)
        if name == "qAttached":
            return "0"  # the machine is this server's: GDB ends it when it quits
        if packet.startswith("qThreadExtraInfo,"):
            return self._title(self.names[int(packet.partition(",")[2], 16) - 1]).encode().hex()
        if packet.startswith("qRcmd,"):
            return self._command(bytes.fromhex(packet.partition(",")[2]).decode())
        if packet == "vCont?":
            return "vCont;c;C;s;S"
        if packet.startswith("vCont;"):
            return self._continue_some(packet.removeprefix("vCont;"))
        return ""

    def _from(self, act: Callable[[], str]) -> Callable[[str], str]:
        """Goes on from an address, if one is given."""

        def go(rest: str) -> str:
            if rest:
                self.machine.set_register("pc", int(rest, 16))
            return act()

        return go

    def _thread(self, name: str) -> str:
        return f"{self.names.index(name) + 1:x}"

    def _title(self, name: str) -> str:
        mode = "US?M"[self.debugger.machines[name].hart.mode]
        return f"{name or 'machine'}, {mode}-mode"

    def _choose(self, rest: str) -> str:
        number = int(rest[1:], 16) if rest[1:] not in ("", "-1") else 0
        if number > len(self.names):
            return _ERROR
        if number > 0:
            self.current = self.names[number - 1]
        return "OK"

    # -- registers ---------------------------------------------------------------------------

    def _register(self, number: int) -> str:
        return self.machine.register(self._name(number)).to_bytes(4, "little").hex()

    def _name(self, number: int) -> str:
        if number < _PC:
            return f"x{number}"
        if number == _PC:
            return "pc"
        if number == PRIVILEGE:
            return "mode"
        if number - FIRST_CSR in CSRS:
            return CSRS[number - FIRST_CSR].name
        raise KitError(f"gdb: there is no register {number}")

    def _write_one(self, rest: str) -> str:
        number, _, value = rest.partition("=")
        self._set(int(number, 16), value)
        return "OK"

    def _write_all(self, rest: str) -> str:
        if len(bytes.fromhex(rest)) < 4 * GENERAL:
            return _ERROR
        for number in range(GENERAL):
            self._set(number, rest[8 * number : 8 * number + 8])
        return "OK"

    def _set(self, number: int, value: str) -> None:
        name = self._name(number)
        new = int.from_bytes(bytes.fromhex(value), "little")
        if self.machine.register(name) != new:
            self.machine.set_register(name, new)

    def _description(self) -> str:
        """The registers, as GDB wants them described."""
        rows = [
            '<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target>',
            # Without this some GDBs take it for Linux, and step by guessing where mret leads.
            "<architecture>riscv:rv32</architecture><osabi>none</osabi>",
            '<feature name="org.gnu.gdb.riscv.cpu">',
        ]
        for number, name in enumerate(_NAMES):
            kind = "data_ptr" if name in ("sp", "gp", "tp", "fp") else "int"
            rows.append(f'<reg name="{name}" bitsize="32" type="{kind}" regnum="{number}"/>')
        rows.append(f'<reg name="pc" bitsize="32" type="code_ptr" regnum="{_PC}"/></feature>')
        rows.append('<feature name="org.gnu.gdb.riscv.csr">')
        for number in existing_numbers(self.machine.config):
            name, at = CSRS[number].name, FIRST_CSR + number
            rows.append(f'<reg name="{name}" bitsize="32" type="int" regnum="{at}"/>')
        rows.append('</feature><feature name="org.gnu.gdb.riscv.virtual">')
        rows.append(f'<reg name="priv" bitsize="32" type="int" regnum="{PRIVILEGE}"/>')
        return "".join([*rows, "</feature></target>"])

    def _threads(self) -> str:
        rows = [
            f'<thread id="{self._thread(name)}">{self._title(name)}</thread>' for name in self.names
        ]
        return f'<?xml version="1.0"?><threads>{"".join(rows)}</threads>'

    # -- storage -----------------------------------------------------------------------------

    def _parts(self, address: int, length: int) -> Iterator[tuple[int, int]]:
        """The physical address and the length of each part of a range that lies within a page."""
        while length > 0:
            size = min(length, PAGE - address % PAGE)
            physical = physical_address(self.machine, address & 0xFFFF_FFFF)
            if physical is None:
                raise KitError(f"gdb: nothing is mapped at {address:#x}")
            yield physical, size
            address, length = address + size, length - size

    def _read_memory(self, rest: str) -> str:
        address, length = (int(word, 16) for word in rest.split(","))
        parts = self._parts(address, min(length, _LIMIT // 8))
        return b"".join(self.machine.read_memory(*part) for part in parts).hex()

    def _write_memory(self, rest: str) -> str:
        place, _, data = rest.partition(":")
        return self._put(place, bytes.fromhex(data))

    def _write_binary(self, rest: str) -> str:
        place, _, data = rest.partition(":")
        return self._put(place, data.encode("latin-1"))

    def _put(self, place: str, data: bytes) -> str:
        address, length = (int(word, 16) for word in place.split(","))
        if length != len(data):
            return _ERROR
        done = 0
        for physical, size in self._parts(address, length):
            self.machine.write_memory(physical, data[done : done + size])
            done += size
        return "OK"

    # -- running -----------------------------------------------------------------------------

    def _point(self, rest: str, wanted: bool) -> str:
        kind, address, length = rest.split(";")[0].split(",")
        key = kind, int(address, 16), int(length, 16)
        if kind not in "012":
            return ""
        if not wanted:
            point = self._points.pop(key, None)
            if point is not None:
                self.debugger.remove(point)
        elif key not in self._points:
            if kind == "2":
                place = physical_address(self.machine, key[1])
                self._points[key] = self.debugger.watch(key[1] if place is None else place, key[2])
            else:
                self._points[key] = self.debugger.break_at(key[1])
        return "OK"

    def _continue_some(self, actions: str) -> str:
        for action in actions.split(";"):
            what, _, thread = action.partition(":")
            if what[:1] not in ("c", "C", "s", "S"):
                return _ERROR
            if what[:1] in ("s", "S"):
                if thread and thread != "-1":
                    self.current = self.names[int(thread, 16) - 1]
                return self._step(1)
        return self._go_on()

    def _step(self, count: int) -> str:
        self.debugger.step(count, self.current)
        return self._stopped()

    def _go_on(self) -> str:
        while True:
            hit = self.debugger.run(SLICE)
            if hit.reason in ("budget", "idle") and self._came_in(hit.reason == "idle"):
                continue
            if hit.reason != "budget":
                # GDB takes RISC-V's watchpoints to stop before the write, and steps over it.
                if hit.reason == "watchpoint":
                    self.debugger.step(-1, hit.vm)
                return self._report(hit)
            if self._wants_to_stop():
                return self._stopped("02")

    def _came_in(self, wait: bool) -> bool:
        """Has something come in from outside? With `wait`, waits for that, or for control-C."""
        if self.attend is None:
            return False
        while not self.attend():
            if not wait or self._wants_to_stop(PATIENCE):
                return False
        return True

    def _go_back(self, rest: str) -> str:
        if rest not in ("s", "c"):
            return _ERROR
        if rest == "s":
            machine = self.machine
            first = self.debugger.history.place_of(machine, machine.steps) == 0
            if first:
                return self._stopped() + "replaylog:begin;"
            try:
                return self._step(-1)
            except KitError:
                return self._stopped() + "replaylog:begin;"
        hit = self.debugger.back()
        if hit.reason == "watchpoint":
            self.debugger.step(1, hit.vm)  # GDB steps back over it, then
        return self._report(hit)

    def _report(self, hit: Hit) -> str:
        """Tells GDB where, and why, a run has ended."""
        self.current = hit.vm
        if hit.reason == "begin":
            return self._stopped() + "replaylog:begin;"
        if hit.point is not None and hit.point.length:
            asked = next((k[1] for k, point in self._points.items() if point is hit.point), 0)
            return self._stopped() + f"watch:{asked:x};"
        if hit.reason not in ("breakpoint", "budget"):
            code = f" with code {hit.code}" if hit.code else ""
            self._say(f"{hit.vm or 'machine'}: {hit.reason}{code}\n")
        return self._stopped()

    def _stopped(self, signal: str = "05") -> str:
        return f"T{signal}thread:{self._thread(self.current)};"

    def _say(self, text: str) -> None:
        self._send("O" + text.encode().hex())

    def _command(self, text: str) -> str:
        """What is said by ``monitor``: explain, or where."""
        if text.strip() == "explain":
            try:
                answer = self.machine.explain()
            except KitError as error:
                answer = str(error)
        elif text.strip() == "where":
            history = self.debugger.history
            answer = f"step {self.machine.steps:,}; place {history.place:,} of {history.end:,}"
        else:
            answer = "monitor explain: why the last trap happened\nmonitor where: how many steps"
        return (answer + "\n").encode().hex()


def _part(text: str, request: str) -> str:
    """The part of a document that ``…:offset,length`` asks for."""
    offset, length = (int(word, 16) for word in request.rpartition(":")[2].split(","))
    piece = text[offset : offset + length]
    return ("l" if offset + length >= len(text) else "m") + piece


def _unescaped(packet: bytes) -> bytes:
    """Without the protocol's escapes: } stands for the next byte with bit 5 the other way round."""
    found = bytearray()
    octets = iter(packet)
    for octet in octets:
        found.append(next(octets, 0) ^ 0x20 if octet == 0x7D else octet)
    return bytes(found)
