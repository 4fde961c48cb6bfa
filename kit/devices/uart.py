"""The serial port: a 16550A, as on QEMU's `virt` board.

Bytes that the program sends are collected in `output` (and handed to `sink`); bytes that somebody
types come in by `feed`. The line is infinitely fast: a byte is sent as soon as it is written, the
transmitter is therefore always empty, and the receiver takes waiting bytes as soon as it has room.
Modem lines, break and baud rate have registers but no effect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from kit.devices.device import Device, trim
from kit.devices.saved import Fields, bits, flag, hexadecimal, word

__all__ = ["Uart"]

RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR = range(8)

IER_RDI, IER_THRI, IER_RLSI = 0x01, 0x02, 0x04
IIR_NONE, IIR_THRI, IIR_RDI, IIR_RLSI, IIR_TIMEOUT = 0x01, 0x02, 0x04, 0x06, 0x0C
IIR_FIFO = 0xC0
FCR_ENABLE, FCR_CLEAR_RECEIVER, FCR_CLEAR_TRANSMITTER = 0x01, 0x02, 0x04
FCR_KEPT = 0xC9
LCR_DLAB = 0x80
MCR_OUT2, MCR_LOOP = 0x08, 0x10
LSR_DR, LSR_OE, LSR_THRE, LSR_TEMT = 0x01, 0x02, 0x20, 0x40
MSR_CONNECTED = 0xB0
"""Carrier, data set ready and clear to send: the line at power-on."""

FIFO_LENGTH = 16
TRIGGER = (1, 4, 8, 14)
POWER_ON_DIVISOR = 12


class Uart(Device):
    """Eight byte-wide registers. Wider accesses reach the register at their address.

    `kept` is how many bytes of `output` stay in memory at least, twice as many at most; older ones
    are forgotten. None keeps all. The sink gets every byte in any case.
    """

    kept: int | None = 1 << 22

    name = "uart"
    size = 0x100
    irq = 10
    saved: ClassVar[Fields] = {
        "ier": bits(0x0F),
        "fcr": bits(FCR_KEPT),
        "lcr": word(8),
        "mcr": bits(0x1F),
        "scr": word(8),
        "divisor": word(16),
        "overrun": flag,
        "transmitted": flag,
        "output": hexadecimal(0),
        "received": hexadecimal(0, FIFO_LENGTH),
        "line": hexadecimal(0),
    }

    def __init__(self, sink: Callable[[bytes], None] | None = None) -> None:
        """`sink`, if given, gets every byte sent, after the step that sent it."""
        self.sink = sink
        self.output = bytearray()
        self.reset()

    def reset(self) -> None:
        """Registers as after power-on; `output` stays, what is not yet received is lost."""
        self.ier = self.fcr = self.lcr = self.scr = 0
        self.mcr = MCR_OUT2
        self.divisor = POWER_ON_DIVISOR
        self.overrun = False
        self.transmitted = False  # the interrupt "transmitter empty" is due
        self.received = bytearray()  # the receiver: one byte, or the FIFO
        self.line = bytearray()  # typed, and not yet taken by the receiver

    @property
    def text(self) -> str:
        """What was sent and is kept, as UTF-8; other bytes become replacement characters."""
        return self.output.decode("utf-8", "replace")

    def feed(self, data: bytes) -> None:
        """Somebody types `data`."""
        self.line += data
        self._take()
        self.came_in(bytes(data))

    def take(self, data: bytes) -> None:
        """Types what was typed in a recorded run."""
        self.feed(data)

    def accepts(self, offset: int, size: int) -> bool:
        """Any size; only the first eight bytes of the window answer."""
        return 0 <= offset < 8

    def read(self, offset: int, size: int) -> int:
        """A register. Reading RBR takes a byte; IIR ends "transmitter empty"; LSR ends overrun."""
        if self.lcr & LCR_DLAB and offset in (RBR_THR, IER):
            return (self.divisor >> (8 * offset)) & 0xFF
        if offset == RBR_THR:
            return self._receive()
        if offset == IER:
            return self.ier
        if offset == IIR_FCR:
            return self._identify()
        if offset == LSR:
            status = LSR_THRE | LSR_TEMT | (LSR_DR if self.received else 0)
            status |= LSR_OE if self.overrun else 0
            self.overrun = False
            return status
        if offset == MSR:
            return _looped_modem(self.mcr) if self.mcr & MCR_LOOP else MSR_CONNECTED
        return (self.lcr, self.mcr, 0, 0, self.scr)[offset - LCR]

    def write(self, offset: int, size: int, value: int) -> None:
        """A register; writing THR sends a byte."""
        value &= 0xFF
        if self.lcr & LCR_DLAB and offset in (RBR_THR, IER):
            shift = 8 * offset
            self.divisor = (self.divisor & ~(0xFF << shift)) | value << shift
        elif offset == RBR_THR:
            self._send(value)
        elif offset == IER:
            # Only switching the enable bit on raises the interrupt again, as in QEMU.
            if (self.ier ^ value) & IER_THRI:
                self.transmitted = bool(value & IER_THRI)
            self.ier = value & 0x0F
        elif offset == IIR_FCR:
            self._control_fifo(value)
        elif offset == LCR:
            self.lcr = value
        elif offset == MCR:
            self.mcr = value & 0x1F
            self._take()
        elif offset == SCR:
            self.scr = value

    def interrupt(self) -> bool:
        """Whether any enabled cause is present."""
        return self._cause() != IIR_NONE

    def _cause(self) -> int:
        """The cause of highest priority, as IIR shows it."""
        if self.ier & IER_RLSI and self.overrun:
            return IIR_RLSI
        if self.ier & IER_RDI and self.received:
            # The line is fast: whatever stays below the trigger level has timed out already.
            return IIR_RDI if len(self.received) >= self._room() else IIR_TIMEOUT
        if self.ier & IER_THRI and self.transmitted:
            return IIR_THRI
        return IIR_NONE

    def _identify(self) -> int:
        cause = self._cause()
        if cause == IIR_THRI:
            self.transmitted = False
        return cause | (IIR_FIFO if self.fcr & FCR_ENABLE else 0)

    def _room(self) -> int:
        """How many bytes the receiver takes from the line: up to the trigger level, as in QEMU."""
        return TRIGGER[self.fcr >> 6] if self.fcr & FCR_ENABLE else 1

    def _take(self) -> None:
        if self.mcr & MCR_LOOP:
            return
        count = max(0, self._room() - len(self.received))
        self.received += self.line[:count]
        del self.line[:count]

    def _receive(self) -> int:
        value = self.received.pop(0) if self.received else 0
        self._take()
        return value

    def _send(self, value: int) -> None:
        self.transmitted = True
        if self.mcr & MCR_LOOP:
            self._loop_back(value)
            return
        self.output.append(value)
        trim(self.output, self.kept)
        if self.sink is not None:
            self.host.tell(self.sink, bytes((value,)))

    def _loop_back(self, value: int) -> None:
        fifo = bool(self.fcr & FCR_ENABLE)
        if len(self.received) < (FIFO_LENGTH if fifo else 1):
            self.received.append(value)
            return
        self.overrun = True
        if not fifo:  # a full FIFO keeps its bytes, the single register does not
            self.received[0] = value

    def _control_fifo(self, value: int) -> None:
        if (value ^ self.fcr) & FCR_ENABLE:
            value |= FCR_CLEAR_RECEIVER | FCR_CLEAR_TRANSMITTER
        if value & FCR_CLEAR_RECEIVER:
            self.received.clear()
        if value & FCR_CLEAR_TRANSMITTER:
            self.transmitted = True
        self.fcr = value & FCR_KEPT
        self._take()

    def save(self) -> dict[str, Any]:
        """Registers, receiver, waiting input and all output."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        return plain | {name: getattr(self, name).hex() for name in _BYTES}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes over what `save` made."""
        for name in _PLAIN:
            setattr(self, name, state[name])
        for name in _BYTES:
            setattr(self, name, bytearray.fromhex(state[name]))


_PLAIN = ("ier", "fcr", "lcr", "mcr", "scr", "divisor", "overrun", "transmitted")
_BYTES = ("output", "received", "line")


def _looped_modem(mcr: int) -> int:
    """In loop-back the modem outputs drive the inputs: OUT2, OUT1, RTS, DTR."""
    return (mcr & 0x0C) << 4 | (mcr & 0x02) << 3 | (mcr & 0x01) << 5
