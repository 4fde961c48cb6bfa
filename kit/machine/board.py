"""The board: which devices there are, at which addresses, and how their lines reach the hart.

Laid out like QEMU's `virt` board, so that a guest built for the one boots on the other; the
unit-record devices are the kit's own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from kit.devices.card_punch import CardPunch
from kit.devices.card_reader import CardReader
from kit.devices.channel import Channel
from kit.devices.clint import Clint
from kit.devices.deck import Deck
from kit.devices.device import Device
from kit.devices.disk_image import DiskImage
from kit.devices.finisher import Finisher
from kit.devices.line_printer import LinePrinter
from kit.devices.plic import MACHINE, SUPERVISOR, Plic
from kit.devices.uart import Uart
from kit.devices.virtio import EmptySlot
from kit.devices.virtio_block import VirtioBlock
from kit.errors import KitError

__all__ = ["ADDRESSES", "RAM_BASE", "TIMEBASE", "VIRTIO_SLOTS", "Board", "BoardBus", "Lines"]
__all__ += ["standard_devices"]

RAM_BASE = 0x80000000
TIMEBASE = 10_000_000
"""Ticks of mtime in a second, as the device tree tells."""
VIRTIO_SLOTS = 8
VIRTIO_BASE = 0x10001000

ADDRESSES: dict[str, int] = {
    "finisher": 0x100000,
    "clint": 0x2000000,
    "plic": 0xC000000,
    "uart": 0x10000000,
    "disk": VIRTIO_BASE,
    **{f"virtio{slot}": VIRTIO_BASE + 0x1000 * slot for slot in range(VIRTIO_SLOTS)},
    "reader": 0x10010000,
    "printer": 0x10011000,
    "punch": 0x10012000,
    "channel": 0x10013000,
}
"""Where each device's window begins, by the device's name. The disk takes the first slot."""

EACH_ITS_OWN = ("finisher", "clint", "plic")
"""Devices that no machine can do without, so that none can be given to another."""

MSIP, MTIP, SEIP, MEIP = 1 << 3, 1 << 7, 1 << 9, 1 << 11


class Lines(Protocol):
    """What the board needs of a hart: its clock, and the mip bits that devices drive."""

    mtime: int
    wires: int


class BoardBus(Protocol):
    """What the board needs of a bus; `kit.machine.bus.Bus` is one."""

    def attach(self, device: Device, base: int) -> None:
        """Puts a device at an address."""

    def detach(self, device: Device) -> None:
        """Takes a device away."""

    def read_bytes(self, address: int, length: int) -> bytes:
        """Reads guest storage, or raises BusError."""

    def write_bytes(self, address: int, data: bytes) -> None:
        """Writes guest storage, or raises BusError."""


def standard_devices(
    *,
    reader: Deck | None = None,
    disk: DiskImage | None = None,
    legacy_virtio: bool = True,
    console: Callable[[bytes], None] | None = None,
    paper: Callable[[str], None] | None = None,
    channel: bool = False,
    dedicated: Mapping[str, Device] | None = None,
) -> dict[str, Device]:
    """The devices of the standard board, by name.

    `reader` is the deck in the card reader's hopper; `disk` goes into the first virtio slot, the
    others are empty; `legacy_virtio` chooses their register layout, by default the one that QEMU
    shows. `console` gets each byte that the UART sends, `paper` each printed line, at once.

    `channel` adds one end of a channel to another machine (`kit.devices.channel`). `dedicated` are
    devices of another machine, by name, that this one gets in the place of its own; the board takes
    them from there (see `Board`). Raises KitError where such a device cannot be given away, or
    where one of the other settings is meant for it.
    """
    given = dict(dedicated or {})
    settings = {"reader": reader, "disk": disk, "uart": console, "printer": paper}
    for name, device in given.items():
        _check_dedicated(name, device)
        if settings.get(name) is not None:
            raise KitError(f"{name}: is dedicated, so it cannot be set up anew; leave that setting")
    devices: list[Device] = [Finisher(), Clint(), Plic(), Uart(console)]
    for slot in range(VIRTIO_SLOTS):
        if slot == 0 and disk is not None:
            devices.append(VirtioBlock(disk, slot, legacy=legacy_virtio))
        else:
            devices.append(EmptySlot(slot, legacy=legacy_virtio))
    devices += [CardReader(reader), LinePrinter(paper), CardPunch()]
    devices += [Channel()] if channel else []
    if "disk" in given:
        devices = [device for device in devices if device.name != "virtio0"]
    return {device.name: device for device in devices} | given


def _check_dedicated(name: str, device: Device) -> None:
    if name != device.name or name not in ADDRESSES:
        raise KitError(f"dedicated: {name!r} is no name for the device {device.name!r}")
    if name in EACH_ITS_OWN or type(device) is EmptySlot:
        raise KitError(f"{name}: cannot be dedicated; each machine has one of its own")


class Board:
    """Devices on a bus, their time, and their interrupt lines. It is the `Host` of its devices.

    The machine calls `refresh` whenever a device may have changed a line (after `bus.attention`,
    and after anything came from outside), and `advance` when the time of `next_event` has come.

    A device that is on another board when it is attached here is *dedicated* to this one: it leaves
    that board, as after power-on, until this one gives it back. `lenders` are the boards that such
    devices come from. From then on everything it does is timed by this machine's clock.
    """

    def __init__(self, hart: Lines, bus: BoardBus, devices: Mapping[str, Device]) -> None:
        """Attaches `devices` at their `ADDRESSES`; among them must be a CLINT and a PLIC.

        Raises KitError if one is missing, or a device is dedicated to another board already.
        """
        self.hart = hart
        self.bus = bus
        self.devices: dict[str, Device] = {}
        self.lenders: dict[str, Board] = {}
        self.door: Callable[[str, bytes], None] | None = None
        self._told: deque[tuple[Callable[[Any], object], Any]] = deque()
        clint, plic = devices.get("clint"), devices.get("plic")
        if not isinstance(clint, Clint) or not isinstance(plic, Plic):
            raise KitError("board: a CLINT and a PLIC are needed")
        self.clint, self.plic = clint, plic
        for device in devices.values():
            _lender(device)
        for device in devices.values():
            self._put(device)
        self._sort()

    # Devices come and go

    def attach(self, device: Device) -> None:
        """Puts a device at its place in `ADDRESSES`.

        A program that is loaded already does not find it in its device tree. Raises KitError if
        there is no such place, if it is taken, or if the device is dedicated to another board.
        """
        if device.name not in ADDRESSES:
            raise KitError(f"board: there is no place for a device {device.name!r}")
        if device.name in self.devices:
            raise KitError(f"board: there is a {device.name} already")
        self._put(device)
        self._sort()
        self.refresh()

    def detach(self, name: str) -> Device:
        """Takes a device away, as after power-on; a channel is parted.

        Raises KitError if it is not there.
        """
        device = self.devices.get(name)
        if device is None or name in EACH_ITS_OWN:
            raise KitError(f"board: there is no {name} that can be taken away")
        if isinstance(device, Channel):
            device.part()  # its other end must not send to where no clock is
        del self.devices[name], device.host
        self.lenders.pop(name, None)
        self.bus.detach(device)
        self._sort()
        device.reset()
        self.refresh()
        return device

    def close(self) -> None:
        """The machine goes: dedicated devices are on their boards again, its channel is parted."""
        for name, lender in list(self.lenders.items()):
            lender.attach(self.detach(name))
        channel = self.devices.get("channel")
        if isinstance(channel, Channel):
            channel.part()

    def _put(self, device: Device) -> None:
        lender = _lender(device)
        self.bus.attach(device, ADDRESSES[device.name])
        if lender is not None:
            lender.detach(device.name)
            self.lenders[device.name] = lender
        device.host = self
        self.devices[device.name] = device

    def _sort(self) -> None:
        """Notes which devices interrupt, and which do something by themselves."""
        self._sources = [d for d in self.devices.values() if d.irq and _overrides(d, "interrupt")]
        self._active = [d for d in self.devices.values() if _overrides(d, "next_event")]

    # The host of the devices

    @property
    def now(self) -> int:
        """The hart's mtime."""
        return self.hart.mtime

    def set_time(self, time: int) -> None:
        """Sets mtime. Operations under way take as long as they would have."""
        delta = time - self.hart.mtime
        self.hart.mtime = time
        for device in self._active:
            device.time_moved(delta)

    def read_bytes(self, address: int, length: int) -> bytes:
        """Guest storage, for devices; raises BusError."""
        return self.bus.read_bytes(address, length)

    def write_bytes(self, address: int, data: bytes) -> None:
        """Guest storage, for devices; raises BusError."""
        self.bus.write_bytes(address, data)

    def came_in(self, name: str, data: bytes) -> None:
        """Something has come from outside into a device, or as `name` says otherwise.

        `door`, if set, hears of it. Nothing reaches the machine from outside in another way.
        """
        if self.door is not None:
            self.door(name, data)
        self.refresh()

    def tell(self, listener: Callable[[Any], object], what: Any) -> None:
        """Calls a listener in the next `advance`."""
        self._told.append((listener, what))

    def _pass_on(self) -> None:
        while self._told:
            listener, what = self._told.popleft()
            listener(what)

    # What the machine calls

    def refresh(self) -> None:
        """Sets `hart.wires` from the lines of all devices."""
        lines = 0
        for device in self._sources:
            if device.interrupt():
                lines |= 1 << device.irq
        self.plic.set_lines(lines)
        wires = MSIP if self.clint.software_interrupt() else 0
        wires |= MTIP if self.clint.timer_interrupt() else 0
        if self.plic.pending:
            wires |= MEIP if self.plic.external_interrupt(MACHINE) else 0
            wires |= SEIP if self.plic.external_interrupt(SUPERVISOR) else 0
        self.hart.wires = wires

    def next_event(self) -> int | None:
        """The time of the next thing that any device does by itself, or None.

        The timer's comparator counts, whether or not its interrupt is enabled.
        """
        times = [time for device in self._active if (time := device.next_event()) is not None]
        return min(times, default=None)

    def advance(self) -> None:
        """Lets the devices do what is due at the hart's time, and refreshes the lines.

        Listeners hear what devices have put out. Where one raises, this can be called again, and
        goes on with what is left.
        """
        self._pass_on()  # first: what a device asks for now may depend on it
        for device in self._active:
            device.advance(self.hart.mtime)
        self.refresh()
        self._pass_on()

    def reset(self) -> None:
        """All devices as after power-on; cards, paper and disk contents stay."""
        for device in self.devices.values():
            device.reset()
        self.refresh()

    def save(self) -> dict[str, Any]:
        """The state of all devices, by name."""
        return {name: device.save() for name, device in self.devices.items()}

    def check(self, state: Any) -> None:
        """Raises KitError for what `save` cannot have made, or not of a board like this."""
        if not isinstance(state, dict):
            raise KitError("restore: no machine has these devices")
        if state.keys() != self.devices.keys():
            names = ", ".join(sorted(state.keys() ^ self.devices.keys()))
            raise KitError(f"restore: the saved machine has other devices ({names})")
        for name, device in self.devices.items():
            device.check(state[name])

    def restore(self, state: dict[str, Any]) -> None:
        """Takes over what `save` made. Raises KitError as `check`, or where a file fails."""
        self.check(state)
        # A disk first: it is the one that may fail.
        for name in sorted(self.devices, key=lambda name: name != "disk"):
            self.devices[name].restore(state[name])
        self.refresh()


def _lender(device: Device) -> Board | None:
    """The board that a device leaves if it is put on another one."""
    home = getattr(device, "host", None)
    if not isinstance(home, Board):
        return None
    if device.name in home.lenders:
        raise KitError(f"{device.name}: is dedicated to a machine already; one only can have it")
    return home


def _overrides(device: Device, method: str) -> bool:
    """Whether this kind of device does more than every device: only those are asked each time."""
    return getattr(type(device), method) is not getattr(Device, method)
