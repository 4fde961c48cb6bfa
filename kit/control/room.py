"""The machine room: several virtual machines with their devices, running until nobody can go on.

A room is made from a plan (`kit.control.room_plan`), runs its machines in turns, and does what its
operator wants between two turns (`kit.control.operator`).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from kit.control.outputs import excess, keep
from kit.control.paging import POLICIES, BackingStore
from kit.control.room_plan import OUTPUTS, MachinePlan, RoomPlan
from kit.control.scheduler import Progress
from kit.control.spool import Spool
from kit.control.virtual_machine import VirtualMachine
from kit.control.vmm import VMM
from kit.devices.channel import Channel
from kit.devices.deck import Deck
from kit.devices.device import Device
from kit.devices.disk_image import DiskImage
from kit.devices.overlay import Overlay
from kit.devices.saved import flag, number, record
from kit.devices.virtio_block import VirtioBlock
from kit.errors import KitError
from kit.files import check_writable, replace_file
from kit.machine.loader import read_source
from kit.machine.machine import Machine
from kit.machine.protocol import Stop
from kit.resources import locate

__all__ = ["Attendant", "Room"]

OVERHEAD = 1 << 20
"""Bytes that the real machine has beyond each guest's storage, for the VMM's tables."""

LONGEST_LINE = 1000
"""Bytes after which a line of a guest's console is shown though it has not ended."""

_STATE = b"vmm-kit room 1\n"
_DAMAGED = "this is no saved room of this version of the kit, or is damaged"


class Attendant(Protocol):
    """Somebody who looks after a room between turns."""

    def attend(self, wait: bool) -> None:
        """Does what there is to do; with `wait`, nobody can run until something is done."""


class Room:
    """The virtual machines of a plan, created and loaded.

    `show` gets every line that goes to the operator's terminal: what the machines' consoles and
    printers put out, unless the plan names files for it, and what happens to them. `watchers` are
    called with each byte that a machine's console sends, by its name. Raises `KitError` for what
    cannot be built, with the file and the machine.
    """

    def __init__(self, plan: RoomPlan, show: Callable[[str], None] = lambda line: None) -> None:
        self.plan = plan
        self.show = show
        self.watchers: dict[str, list[Callable[[bytes], None]]] = {}
        self.problems: list[str] = []
        self.closing = False
        self._lines: dict[str, bytearray] = {}
        memory = plan.memory or sum(machine.memory + OVERHEAD for machine in plan.machines)
        try:
            self.vmm = VMM(Machine(plan.isa, memory=memory, ad=plan.ad))
            self.spool = Spool(plan.spool) if plan.spool is not None else None
            self.scheduler = self.vmm.scheduler(plan.make_policy(), plan.budget)
        except KitError as error:
            raise KitError(f"{plan.file}: room: {error}") from None
        self._bases: dict[Path, DiskImage] = {}
        self._stores: list[BackingStore] = []
        for machine in plan.machines:
            try:
                _check_outputs(machine)
                self._create(machine)
            except (KitError, OSError) as error:
                raise KitError(f"{plan.file}: vm.{machine.name}: {error}") from None
        for one, other in plan.channels:
            Channel.join(self.machine(one).channel, self.machine(other).channel)

    # -- building ----------------------------------------------------------------------------

    def _create(self, plan: MachinePlan) -> None:
        name = plan.name
        self.watchers[name] = []
        self._lines[name] = bytearray()
        devices = {
            "reader": plan.reader,
            "disk": self._disk(plan),
            "uart": lambda data: self._sent(name, data),
            "printer": None if plan.printer else lambda text: self._printed(name, text),
        }
        dedicated = {device: self._real_device(device, plan, devices) for device in plan.dedicated}
        machine = self.vmm.create(
            name,
            plan.image,
            memory=plan.memory,
            modes=plan.modes,
            pmp=plan.pmp,
            initrd=plan.initrd,
            append=plan.append,
            pager=self._store(plan),
            fixed=plan.fixed,
            reader=devices["reader"],
            disk=devices["disk"],
            legacy_virtio=plan.legacy_virtio,
            console=devices["uart"],
            paper=devices["printer"],
            dedicated=dedicated,
            channel=any(name in pair for pair in self.plan.channels),
        )
        self.scheduler.account(name).held = not plan.start
        if self.spool is not None:
            self.spool.attach(name, machine)
        keep(machine, _to_files(plan))
        if plan.input is not None:
            self.type(name, read_source(plan.input, "input")[0])

    def _real_device(self, name: str, plan: MachinePlan, settings: dict[str, Any]) -> Device:
        """A device of the real machine, set up as a machine's plan says, and taken off `settings`:
        those are for devices that the virtual machine has of its own."""
        real = self.vmm.machine
        setting: Any = settings.get(name)
        settings[name] = None
        if name == "disk":
            real.board.detach("virtio0")
            real.board.attach(VirtioBlock(setting, legacy=plan.legacy_virtio))
        elif name == "reader" and setting is not None:
            real.reader.load(Deck.read(locate(setting)))
        elif name == "uart":
            real.uart.sink = setting
        elif name == "printer":
            real.printer.sink = setting
        return real.devices[name]

    def _store(self, plan: MachinePlan) -> BackingStore | None:
        """Where its pages go; each machine has a store of its own, and fails alone with it."""
        if plan.backing is None:
            return None
        path = None if plan.backing == "memory" else plan.backing
        self._stores.append(BackingStore(path, POLICIES[plan.paging]()))
        return self._stores[-1]

    def _disk(self, plan: MachinePlan) -> DiskImage | None:
        """Its disk, or its own overlay of a base that several may share."""
        if plan.disk is None or plan.overlay is None:
            return None if plan.disk is None else DiskImage.open(plan.disk)
        base = self._bases.get(plan.disk)
        if base is None:
            base = self._bases[plan.disk] = DiskImage.open(plan.disk, read_only=True)
        return Overlay(base, None if plan.overlay == "memory" else plan.overlay)

    # -- what machines put out ---------------------------------------------------------------

    def _sent(self, name: str, data: bytes) -> None:
        for watcher in list(self.watchers[name]):
            watcher(data)
        if self._plan(name).console is not None:
            return
        line = self._lines[name]
        line += data
        if data.endswith(b"\n") or len(line) >= LONGEST_LINE:
            self._flush(name)

    def _flush(self, name: str) -> None:
        line = self._lines[name]
        if line:
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            self.show(f"[{name}] {_harmless(text)}")
            line.clear()

    def _printed(self, name: str, text: str) -> None:
        line = "-" * 60 if text.startswith("\f") else text.rstrip("\n")
        self.show(f"[{name} printer] {line}")

    def write_outputs(self, name: str) -> None:
        """Writes the files of one machine's paper, cards and console as a whole.

        What cannot be written is one of the `problems`.
        """
        plan, machine = self._plan(name), self.machine(name)
        outputs: list[tuple[Path | None, Callable[[], str | bytes]]] = [
            (plan.printer, lambda: machine.printer.text),
            (plan.punch, lambda: machine.punch.deck.text),
            (plan.console, lambda: bytes(machine.uart.output)),
        ]
        for path, contents in outputs:
            try:
                if path is not None:
                    replace_file(path, contents())
            except KitError as error:
                self._problem(f"{name}: {error}")

    def _problem(self, text: str) -> None:
        if text not in self.problems:
            self.problems.append(text)
            self.show(f"[room] {text}")

    # -- running -----------------------------------------------------------------------------

    def run(
        self,
        attendant: Attendant | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> dict[str, Stop]:
        """Runs until nobody can go on by itself; with an `attendant`, until `closing` is set.

        `progress` is called after each turn. All outputs are written, also where the run is
        interrupted. Returns how each machine ended.
        """
        try:
            while not self.closing:
                name = self.scheduler.turn()
                if name is not None:
                    self._look_after(name)
                    if progress is not None:
                        progress(self.scheduler.progress())
                if attendant is not None:
                    attendant.attend(wait=name is None)
                elif name is None:
                    break
        finally:
            for name in self.vmm.machines:
                self._flush(name)
                self.write_outputs(name)
        return self.scheduler.results()

    def _look_after(self, name: str) -> None:
        """After a turn: who asked for a reset starts again, who has ended is told about."""
        ended = self.scheduler.account(name).ended
        if self.spool is not None:
            for problem in self.spool.problems:
                self._problem(problem)
        if self.scheduler.complaint:
            self._problem(self.scheduler.complaint)
        too_much = excess(self.machine(name), _to_files(self._plan(name)))
        if too_much and ended is None:
            ended = self.scheduler.fail(name, too_much)
        if ended is None:
            return
        self._flush(name)
        if ended.reason == "reset":
            self.scheduler.renew(name)
        else:
            self.write_outputs(name)
        self.show(f"[room] {name}: {self.state(name) if ended.reason != 'reset' else 'reset'}")

    def close(self) -> None:
        """Closes the files of pages and disks; the machines cannot run any more."""
        for store in self._stores:
            store.close()
        for machine in self.vmm.machines.values():
            if machine.disk is not None:
                machine.disk.image.close()
        for base in self._bases.values():
            base.close()

    # -- looking -----------------------------------------------------------------------------

    def machine(self, name: str) -> VirtualMachine:
        """A machine of the room. Raises `KitError` if there is none of that name."""
        machine = self.vmm.machines.get(name)
        if machine is None:
            names = ", ".join(self.vmm.machines)
            raise KitError(f"there is no virtual machine {_harmless(name)!r}; there are {names}")
        return machine

    def _plan(self, name: str) -> MachinePlan:
        return next(plan for plan in self.plan.machines if plan.name == name)

    def state(self, name: str) -> str:
        """What a machine is doing, in a few words."""
        machine, account = self.machine(name), self.scheduler.account(name)
        if machine.failure:
            return f"failed: {machine.failure}"
        if account.ended is not None:
            code = f" with code {account.ended.code}" if account.ended.code else ""
            said = {"halt": "halted", "budget": "has used up its budget"}
            return said.get(account.ended.reason, account.ended.reason) + code
        if account.held:
            return "stopped"
        if not machine.hart.waiting:
            return "running"
        return "waiting for ever" if machine.wakes_at() is None else "waiting"

    # -- the operator's hands ----------------------------------------------------------------

    def start(self, name: str) -> None:
        """Lets a machine go on. Raises `KitError` where it has ended."""
        if self.machine(name).failure or self.scheduler.account(name).ended is not None:
            raise KitError(f"{name} {self.state(name)}; reset it, and it starts again")
        self.scheduler.account(name).held = False

    def stop(self, name: str) -> None:
        """Gives a machine no more turns until it is started. Raises `KitError` if unknown."""
        self.machine(name)
        self.scheduler.account(name).held = True

    def reset(self, name: str) -> None:
        """Switches a machine off and on, with its image loaded anew. Raises `KitError`."""
        self.machine(name).reset()
        self.scheduler.renew(name)

    def type(self, name: str, data: bytes) -> None:
        """Types at a machine's console. Raises `KitError` if unknown."""
        machine = self.machine(name)
        machine.uart.feed(data)
        machine.board.refresh()

    # -- saving ------------------------------------------------------------------------------

    def save(self) -> bytes:
        """The state of all machines. What the policy remembers is not part of it."""
        states = {name: machine.save() for name, machine in self.vmm.machines.items()}
        header = {
            name: {"length": len(state), "held": self.scheduler.account(name).held}
            for name, state in states.items()
        }
        words = json.dumps(header).encode()
        body = len(words).to_bytes(4, "little") + words + b"".join(states.values())
        return _STATE + zlib.crc32(body).to_bytes(4, "little") + body

    def restore(self, data: bytes) -> None:
        """Takes on a state that `save` made.

        Raises `KitError`, and changes nothing, where it is damaged or of another room.
        """
        states = _unpack(data)
        if states.keys() != self.vmm.machines.keys():
            raise KitError("restore: the saved room has other machines: " + ", ".join(states))
        for name, (_, state) in states.items():
            self._check(name, state)
        before = {name: self.vmm.machines[name].save() for name in states}
        accounts = dict(self.scheduler.accounts)
        try:
            for name, (held, state) in states.items():
                self.restore_machine(name, state)
                self.scheduler.account(name).held = held
        except KitError:
            for name, state in before.items():
                self.vmm.machines[name].restore(state)
            self.scheduler.accounts = accounts
            raise

    def save_machine(self, name: str) -> bytes:
        """The state of one machine. Raises `KitError` if unknown."""
        return self.machine(name).save()

    def restore_machine(self, name: str, data: bytes) -> None:
        """Takes on one machine's state that `save_machine` made; one that had halted has.

        Raises `KitError`, and changes nothing, where it is damaged or of another machine.
        """
        machine = self.machine(name)
        self._check(name, data)
        machine.restore(data)
        machine.vcpu.failure = ""
        self.scheduler.renew(name)
        result = machine.finisher.result
        if result is not None:
            self.scheduler.finish(name, Stop("halt", result.code, 0, machine.hart.pc))

    def _check(self, name: str, data: bytes) -> None:
        try:
            self.machine(name).check(data)
        except KitError as error:
            raise KitError(f"restore: {name}: {str(error).removeprefix('restore: ')}") from None


def _to_files(plan: MachinePlan) -> list[str]:
    """The devices whose output goes to files as a whole."""
    outputs = (("uart", plan.console), ("printer", plan.printer), ("punch", plan.punch))
    return [name for name, path in outputs if path is not None]


def _check_outputs(plan: MachinePlan) -> None:
    """Raises `KitError` for a file that cannot be written: before the run, not after it."""
    for key in OUTPUTS:
        path = getattr(plan, key)
        if path is not None:
            try:
                check_writable(path)
            except KitError as error:
                raise KitError(f"{key}: {error}") from None


def _unpack(data: bytes) -> dict[str, tuple[bool, bytes]]:
    """What `Room.save` packed: whether each machine was held, and its state, by name."""
    body = data[len(_STATE) + 4 :]
    if data[: len(_STATE) + 4] != _STATE + zlib.crc32(body).to_bytes(4, "little"):
        raise KitError(f"restore: {_DAMAGED}")
    at = 4 + int.from_bytes(body[:4], "little")
    states: dict[str, tuple[bool, bytes]] = {}
    try:
        header = json.loads(body[4:at])
    except (ValueError, RecursionError):
        header = None
    entry_check = record({"length": number(0, len(body)), "held": flag})
    if not isinstance(header, dict) or not all(map(entry_check, header.values())):
        raise KitError(f"restore: {_DAMAGED}")
    for name, entry in header.items():
        states[name] = entry["held"], body[at : at + entry["length"]]
        at += entry["length"]
    return states


def _harmless(text: str) -> str:
    """A guest's text without what could confuse the operator's terminal."""
    return "".join(c if c.isprintable() or c == "\t" else "?" for c in text)
