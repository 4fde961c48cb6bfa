"""What the bare machine and a virtual one have in common: board, loading, the run loop, saving.

Everything is deterministic: time is the hart's mtime, which advances by one with each step and
jumps to the next event while the hart waits. Nothing depends on the host's clock.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Any, Protocol, TypeVar

from kit.devices.card_punch import CardPunch
from kit.devices.card_reader import CardReader
from kit.devices.channel import Channel
from kit.devices.deck import Deck
from kit.devices.device import Device
from kit.devices.disk_image import DiskImage
from kit.devices.finisher import Finisher
from kit.devices.line_printer import LinePrinter
from kit.devices.uart import Uart
from kit.devices.virtio_block import VirtioBlock
from kit.errors import KitError, expect
from kit.isa.hart import Hart
from kit.machine import control_c
from kit.machine.board import RAM_BASE, Board, standard_devices
from kit.machine.bus import PAGE, AddressSpace
from kit.machine.inspect import read_register, write_register
from kit.machine.loader import Boot, Image, boot
from kit.machine.protocol import Stop
from kit.machine.saved import check_state, pack, unpack
from kit.resources import locate

__all__ = ["DEFAULT_BUDGET", "Computer", "memory_size"]

DEFAULT_BUDGET = 1_000_000_000
"""Steps after which a run without a budget of its own ends."""

SETTINGS = "reader, disk, legacy_virtio, console, paper, channel, dedicated"

_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
D = TypeVar("D", bound=Device)


def memory_size(text: str | int) -> int:
    """A size of storage in bytes, from a number or a text such as "16M".

    Raises `KitError` where it is no positive multiple of a page.
    """
    try:
        if not isinstance(text, str):
            size = operator.index(text)
        else:
            factor = _UNITS.get(text[-1:].upper(), 1)
            size = int(text[:-1] if factor > 1 else text, 0) * factor
    except (TypeError, ValueError):
        raise KitError(f"memory {text!r}: expected a size such as 16M or 512K") from None
    if size <= 0 or size % PAGE:
        raise KitError(f"memory {text!r}: expected a positive multiple of {PAGE} bytes")
    return size


class History(Protocol):
    """What is kept of a run so that it can be gone back; see `kit.trace.history.History`."""

    def follow(self, machine: Computer) -> None:
        """Before each stretch of a run: what came from outside at this place comes in again."""

    def advance(self, machine: Computer, steps: int) -> None:
        """Makes up to `steps` steps, in pieces, so that states can be kept between them."""

    def restart(self) -> None:
        """The machine has been loaded or restored: nothing leads back from there."""

    def step_back(self, machine: Computer, steps: int) -> Stop:
        """Takes back the machine's last steps."""

    def explain(self, machine: Computer) -> str:
        """Why its last trap happened."""


class Computer(ABC):
    """A hart with storage and the standard board, real or virtual.

    `bus` is its address space, with `memory` bytes of RAM. `reader` is a deck (or the name of its
    file) for the card reader, `disk` an image (or its file) for the virtio disk. `console` is
    called with each byte that the UART sends, `paper` with each line that the printer prints.
    With `channel` it has one end of a channel. `dedicated` are devices of the machine beneath, by
    name, that this one gets for itself, as in ``dedicated={"printer": machine.printer}``.

    The attribute `monitor`, when set, is called with the cause after each trap into M-mode instead
    of the program at mtvec: it *is* the M-mode program. It returns True to end the run. `owner`
    says who has the whole machine, like a VMM: nobody else may run, load, reset or restore it.
    `history`, when set, keeps what is needed to go back. `executing` says whether a step may be
    under way.

    Raises `KitError` for what cannot be built.
    """

    def __init__(
        self,
        hart: Hart,
        bus: AddressSpace,
        memory: int,
        *,
        reader: Deck | str | Path | None = None,
        disk: DiskImage | str | Path | None = None,
        legacy_virtio: bool = True,
        console: Callable[[bytes], None] | None = None,
        paper: Callable[[str], None] | None = None,
        channel: bool = False,
        dedicated: Mapping[str, Device] | None = None,
        **unknown: Any,
    ) -> None:
        for name in unknown:
            raise KitError(f"machine: there is no setting {name!r}; of devices, {SETTINGS}")
        expect("reader", reader, "a Deck or a file's name", Deck, str, Path, NoneType)
        expect("disk", disk, "a DiskImage or a file's name", DiskImage, str, Path, NoneType)
        expect("dedicated", dedicated, "devices by name", Mapping, NoneType)
        for name, listener in (("console", console), ("paper", paper)):
            expect(name, listener, "a function", Callable, NoneType)
        self.hart = hart
        self.bus = bus
        self.config = hart.config
        self.memory = memory
        devices = standard_devices(
            reader=Deck.read(locate(reader)) if isinstance(reader, str | Path) else reader,
            disk=DiskImage.open(disk) if isinstance(disk, str | Path) else disk,
            legacy_virtio=legacy_virtio,
            console=console,
            paper=paper,
            channel=channel,
            dedicated=dedicated,
        )
        self.board = Board(hart, bus, devices)
        self.breakpoints: set[int] = set()
        self.symbols: dict[str, int] = {}
        self.steps = 0
        self.monitor: Callable[[int], bool] | None = None
        self.owner = ""
        self.history: History | None = None
        self.executing = False
        self._boot: Boot | None = None
        self._stopping = False

    @abstractmethod
    def _execute(self, steps: int) -> int:
        """Makes up to `steps` steps and returns how many; less where something wants attention."""

    # -- devices by name ---------------------------------------------------------------------

    @property
    def devices(self) -> dict[str, Device]:
        """The devices on the board, by name."""
        return self.board.devices

    @property
    def reader(self) -> CardReader:
        """The card reader."""
        return _device(self.devices, "reader", CardReader)

    @property
    def printer(self) -> LinePrinter:
        """The line printer; its paper is `printer.text`."""
        return _device(self.devices, "printer", LinePrinter)

    @property
    def punch(self) -> CardPunch:
        """The card punch."""
        return _device(self.devices, "punch", CardPunch)

    @property
    def uart(self) -> Uart:
        """The serial port; what it sent is `uart.text`."""
        return _device(self.devices, "uart", Uart)

    @property
    def disk(self) -> VirtioBlock | None:
        """The disk, if there is one."""
        disk = self.devices.get("disk")
        return disk if isinstance(disk, VirtioBlock) else None

    @property
    def channel(self) -> Channel:
        """Its end of a channel; `Channel.join` puts two ends together."""
        return _device(self.devices, "channel", Channel)

    @property
    def finisher(self) -> Finisher:
        """The device by which a guest switches the machine off."""
        return _device(self.devices, "finisher", Finisher)

    # -- loading and starting ----------------------------------------------------------------

    def load(
        self,
        image: str | Path | bytes | Image,
        *,
        initrd: str | Path | bytes | None = None,
        append: str = "",
        include: Sequence[str | Path] = (),
    ) -> None:
        """Puts an image into storage as a boot loader does, and makes the machine ready to run it.

        `image` is an ELF file, a flat binary or Intel HEX; or assembly source, whose includes are
        looked for in the folders `include` too; or a C file or a guest's folder, which are built if
        need be. `initrd` is an initial RAM disk, `append` the kernel's arguments. The device tree's
        address is handed over in a1. Raises `KitError`.
        """
        self._check_free("load")
        self._boot = boot(self, image, initrd=initrd, append=append, include=include)
        self.symbols = dict(self._boot.symbols)
        self._switch_off_and_on()
        if self.history is not None:
            self.history.restart()

    def reset(self) -> None:
        """Switches the machine off and on: registers, devices and the loaded image as at first.

        Storage that nothing was loaded into keeps its contents, as on a real board. Raises
        `KitError` where somebody owns the machine.
        """
        self._check_free("reset")
        self.board.came_in("reset", b"")
        self._switch_off_and_on()

    def _switch_off_and_on(self) -> None:
        door, self.board.door = self.board.door, None  # what is put into place comes from inside
        try:
            self.hart.reset()
            self.board.reset()
            if self._boot is not None:
                self._boot.place(self)
        finally:
            self.board.door = door
        self.board.refresh()

    def _check_free(self, wish: str) -> None:
        if self.owner:
            raise KitError(
                f"{wish}: {self.owner} runs this machine; {wish} what runs on that, or close it"
            )

    @property
    def image(self) -> Image | None:
        """The program that was loaded, with its symbols and what is known of its source."""
        return None if self._boot is None else self._boot.image

    @property
    def ram(self) -> tuple[int, int]:
        """The first address of the RAM, and how many bytes there are."""
        return RAM_BASE, self.memory

    # -- running -----------------------------------------------------------------------------

    def run(self, budget: int | None = None, until: int | None = None) -> Stop:
        """Runs until `budget` steps are made, the guest halts, or a breakpoint is reached.

        Also ends with "idle" when the hart waits for an interrupt that nothing can cause, and with
        "waiting" when it waits for something that comes after the time `until`, if that is given.

        After control-C, or what a listener of its devices has raised, the machine is between two
        steps, and another run goes on from there.
        """
        expect("budget", budget, "a number of steps", int, NoneType)
        self._check_free("run")
        with control_c.Held(self):
            return self._run(DEFAULT_BUDGET if budget is None else budget, until)

    def _run(self, budget: int, until: int | None) -> Stop:
        start = self.steps
        limit = start + budget
        self._stopping = False
        self._attend()
        while True:
            control_c.check()
            if self.history is not None:
                self.history.follow(self)
            result = self.finisher.result
            if result is not None:
                if result.reset:
                    self._switch_off_and_on()
                    return self._stop("reset", start)
                return self._stop("halt", start, result.code)
            if self._is_stopping():
                return self._stop("stopped", start)
            if self.steps >= limit:
                return self._stop("budget", start)
            if self.hart.waiting:
                woken = self.wake(until)
                if self._is_stopping():
                    continue  # a listener has seen what a device did meanwhile
                if not woken:
                    return self._stop("idle" if self.wakes_at() is None else "waiting", start)
            if self.steps > start and self.hart.pc in self.breakpoints:
                return self._stop("breakpoint", start)
            if self.history is not None:
                self.history.advance(self, limit - self.steps)
            else:
                self.advance(limit - self.steps)

    def step(self, count: int = 1) -> Stop:
        """Makes `count` steps; a waiting hart first waits for what wakes it.

        With a negative count it takes back so many: see `kit.trace.history`, which must have been
        started. Raises `KitError` where it was not, or where it began later.
        """
        expect("count", count, "a number of steps", int)
        if count >= 0:
            return self.run(count)
        if self.history is None:
            raise KitError("step: no history is kept; start one with History(machine), then run")
        return self.history.step_back(self, -count)

    def stop(self) -> None:
        """Ends the run under way after this step, as "stopped"; for listeners."""
        self._stopping = self.bus.attention = True

    def advance(self, steps: int) -> None:
        """Executes up to `steps` steps: to the next event, or to a device access."""
        event = self.board.next_event()
        if event is not None and event > self.hart.mtime:
            steps = min(steps, event - self.hart.mtime)
        self.executing = True
        try:
            self.steps += self._execute(steps)
        finally:
            self.executing = False
            self._attend(event is not None and event <= self.hart.mtime)

    def _attend(self, due: bool = False) -> None:
        """Lets the devices act if something is due, or if one of them was accessed."""
        if due or self.bus.attention:
            self._act()

    def _act(self) -> None:
        """Lets the devices act; if that raises, it is for the next run to do the rest."""
        self.bus.attention = False
        try:
            self.board.advance()
        except BaseException:
            self.bus.attention = True
            raise

    def _call_monitor(self, cause: int) -> bool:
        """After a trap into M-mode: True if there was a monitor to call."""
        if self.monitor is None:
            return False
        self._stopping = self.monitor(cause)
        return True

    def wakes_at(self) -> int | None:
        """The mtime at which a waiting hart has something to look at; None if it waits for ever.

        That is its present time where it does not wait, or an enabled interrupt is pending.
        """
        hart = self.hart
        if not hart.waiting or (hart.mip | hart.wires) & hart.mie:
            return hart.mtime
        event = self.board.next_event()
        return event if event is None else max(event, hart.mtime)

    def pass_time(self, until: int) -> None:
        """Lets time pass without a step, up to the time `until`, with what the devices do then."""
        while self.hart.mtime < until:
            event = self.board.next_event()
            self.hart.mtime = until if event is None else min(until, max(event, self.hart.mtime))
            self._act()

    def wake(self, until: int | None = None) -> bool:
        """Ends a wait: lets time pass until an enabled interrupt is pending.

        False, and it waits on, where none comes, or none up to the time `until`.
        """
        hart = self.hart
        while not (hart.mip | hart.wires) & hart.mie:
            event = self.board.next_event()
            if event is None or (until is not None and event > until):
                return False
            hart.mtime = max(hart.mtime, event)
            self._act()
        hart.waiting = 0
        return True

    def _is_stopping(self) -> bool:
        return self._stopping

    def _stop(self, reason: str, start: int, code: int = 0) -> Stop:
        return Stop(reason, code, self.steps - start, self.hart.pc)

    # -- looking and changing ----------------------------------------------------------------

    def register(self, name: str) -> int:
        """The value of a register: x5 or t0, pc, mode, or a CSR by name."""
        return read_register(self.hart, name)

    def set_register(self, name: str, value: int) -> None:
        """Sets a register; CSRs take only their legal values."""
        expect(name, value, "a number", int)
        write_register(self.hart, name, value)
        self.board.came_in(f"register {name}", (value & (1 << 64) - 1).to_bytes(8, "little"))

    def explain(self) -> str:
        """Why the last trap happened, in plain words, step by step.

        With a history it is looked for there; without, the registers must still tell: so soon after
        the trap. Raises `KitError` where there was none.
        """
        if self.history is not None:
            return self.history.explain(self)
        from kit.machine.explain import explain_last_trap  # a run does without all that

        return explain_last_trap(self)

    def read_memory(self, address: int, length: int) -> bytes:
        """`length` bytes of storage. Raises `KitError` where there is none."""
        expect("address", address, "a number", int)
        expect("length", length, "a number", int)
        return self.bus.read_bytes(address, length)

    def write_memory(self, address: int, data: bytes) -> None:
        """Changes storage. Raises `KitError` where there is none."""
        expect("address", address, "a number", int)
        expect("data", data, "bytes", bytes, bytearray, memoryview)
        self.bus.write_bytes(address, data)
        if self.board.door is not None:
            self.board.came_in(f"memory {address:#x}", bytes(data))

    def take(self, name: str, data: bytes) -> None:
        """Lets come in once more what the board's door was told of: see `Board.came_in`."""
        kind, _, rest = name.partition(" ")
        if kind == "register":
            self.set_register(rest, int.from_bytes(data, "little"))
        elif kind == "memory":
            self.write_memory(int(rest, 16), data)
        elif kind == "reset":
            self.reset()
        elif kind in self.devices:
            self.devices[kind].take(data)
        else:
            raise KitError(f"replay: this machine has no {kind}")

    # -- saving ------------------------------------------------------------------------------

    def save(self) -> bytes:
        """The whole state: registers, storage, devices, steps, and what a reset starts again."""
        state = {
            "config": self._configuration,
            "hart": self.hart.snapshot(),
            "devices": self.board.save(),
            "steps": self.steps,
            "boot": None if self._boot is None else self._boot.save(),
        }
        return pack(state, self.bus.read_bytes(RAM_BASE, self.memory))

    def restore(self, data: bytes) -> None:
        """Takes on a state that `save` returned.

        Raises `KitError`, and changes nothing, where it is damaged, of a machine built otherwise,
        or one that no machine can be in; and where a disk's file cannot be written.
        """
        self._check_free("restore")
        expect("restore", data, "what save returned", bytes)
        state, storage = self._checked(data)
        self.board.restore(state["devices"])
        self.bus.write_bytes(RAM_BASE, storage)
        self.put_back(state["hart"], state["steps"])
        self._boot = None if state["boot"] is None else Boot.restored(state["boot"])
        self.symbols = {} if self._boot is None else dict(self._boot.symbols)
        if self.history is not None:
            self.history.restart()

    def put_back(self, hart: dict[str, Any], steps: int) -> None:
        """Takes on the registers of an earlier state; storage and devices have theirs already."""
        self.hart.put_back(hart)
        self.steps = steps
        self._stopping = False
        self.board.refresh()

    def check(self, data: bytes) -> None:
        """Raises `KitError` where `restore` would, the writing of a disk's file aside."""
        self.board.check(self._checked(data)[0]["devices"])

    def _checked(self, data: bytes) -> tuple[Any, bytes]:
        state, storage = unpack(data, self.memory)
        check_state(state, self._configuration, self.hart, self.bus, storage)
        return state, storage

    @property
    def _configuration(self) -> str:
        return repr((self.config, self.memory))


def _device(devices: dict[str, Device], name: str, kind: type[D]) -> D:
    device = devices.get(name)
    if not isinstance(device, kind):
        raise KitError(f"this machine has no {name}")
    return device
