"""A guest on a bare machine and in a virtual one, compared step for step.

What is compared after each slice of steps: how the run ended, registers, pc, CSRs, time, and the
log of stores (every write to RAM, in order, with its value). `Pair.compare_storage` compares all
storage and the devices.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from kit import VMM, Machine
from kit.control.virtual_machine import VirtualMachine
from kit.isa.config import Config
from kit.machine.bus import PAGE
from kit.machine.computer import Computer
from kit.machine.loader import Image
from kit.machine.protocol import Stop

TRANSIENT = ("next_pc", "instruction", "completed")
STORAGE_EVERY = 10_000
"""Steps after which `Pair.run` compares all storage."""

Stores = list[tuple[int, bytes]]


def state(machine: Computer) -> dict[str, object]:
    """Everything that a program could see, but storage."""
    snapshot = machine.hart.snapshot()
    for name in TRANSIENT:
        del snapshot[name]
    if not snapshot["reservation_valid"]:
        del snapshot["reservation"]
    return snapshot


def difference(bare: Computer, virtual: Computer) -> dict[str, Any]:
    """The words that differ, and what they are on either side."""
    left, right = state(bare), state(virtual)
    if left == right:
        return {}
    names = left.keys() | right.keys()
    return {n: (left.get(n), right.get(n)) for n in names if left.get(n) != right.get(n)}


def log_stores(machine: Computer) -> Stores:
    """A list that from now on grows by every write to the machine's RAM, page by page."""
    stores: Stores = []
    storages = []
    while isinstance(machine, VirtualMachine):
        storages.insert(0, machine.vcpu.storage)
        machine = machine.kernel.machine
    bus = machine.bus

    def note(address: int, length: int) -> None:
        data = bus.read_bytes(address, length)
        for storage in storages:
            found = storage.guest_address(address)
            if found is None:  # a shadow table, or another guest
                return
            address = found
        while data:
            size = PAGE - address % PAGE
            stores.append((address, data[:size]))
            address, data = address + size, data[size:]

    bus.watch = note
    return stores


def guard(machine: Computer, limit: int = 200_000) -> None:
    """Makes a kernel that gets nowhere fail, instead of being waited for.

    `limit` is how many steps of the real machine one run of the guest may take.
    """

    def limited(run: Callable[..., Stop]) -> Callable[..., Stop]:
        def within(budget: int | None = None) -> Stop:
            stop = run(limit)
            assert stop.reason != "budget", "the kernel gets nowhere"
            return stop

        return within

    while isinstance(machine, VirtualMachine):
        machine = machine.kernel.machine
        machine.run = limited(machine.run)  # type: ignore[method-assign]


class Pair:
    """A bare machine and a virtual one that should do the same.

    They may have been loaded already. Every method acts on both, and fails where they differ.
    """

    def __init__(self, bare: Computer, virtual: Computer, watch: bool = True) -> None:
        self.bare, self.virtual = bare, virtual
        self.steps = 0
        self.over: range = range(0)
        """Where the program's end is."""
        self._compared = 0
        # Only one guest's stores can be watched on a machine.
        self._stores = (log_stores(bare), log_stores(virtual)) if watch else ([], [])
        guard(virtual)

    def run(self, steps: int) -> Stop:
        """Runs both for up to `steps` steps, and compares them."""
        stop, other = self.bare.run(steps), self.virtual.run(steps)
        at = f"after {self.steps} steps and {stop.steps} more"
        assert (stop.reason, stop.code, stop.steps) == (other.reason, other.code, other.steps), at
        assert not difference(self.bare, self.virtual), at
        bare, virtual = self._stores
        assert bare == virtual, at
        bare.clear()
        virtual.clear()
        self.steps += stop.steps
        if self.steps - self._compared >= STORAGE_EVERY:
            self.compare_storage()
        return stop

    def compare_storage(self) -> None:
        """Compares all storage, and the state of all devices."""
        self._compared = self.steps
        bare, virtual = (m.read_memory(*m.ram) for m in (self.bare, self.virtual))
        assert bare == virtual, f"storage differs after {self.steps} steps"
        assert self.bare.board.save() == self.virtual.board.save(), self.steps

    def both(self, act: Callable[[Computer], None]) -> None:
        """Does something to both from outside."""
        act(self.bare)
        act(self.virtual)

    def run_to(self, steps: int, slices: Callable[[], int], outside: Outside | None = None) -> None:
        """Runs to the end, or until `steps` steps are made, in slices of that many steps each.

        While something may come from `outside`, a machine that waits for ever is not at its end.
        """
        patience = 20
        while self.steps < steps and patience:
            if outside is not None:
                outside.happens(self)
            stop = self.run(min(slices(), steps - self.steps))
            if stop.reason != "budget":
                patience = patience - 1 if outside is not None and stop.reason == "idle" else 0
            if self.bare.hart.pc in self.over:
                break
        self.compare_storage()


class Outside:
    """What comes from outside at random moments: keys, timers, interrupts, and writes to storage.

    Each slice of steps is preceded by something with the probability `often`. `writes` are the
    addresses of words that may be overwritten, as by DMA.
    """

    def __init__(self, seed: int, often: float, writes: tuple[range, ...] = ()) -> None:
        self.random = random.Random(seed)
        self.often = often
        self.writes = writes

    def happens(self, pair: Pair) -> None:
        """Perhaps does something to both machines."""
        if self.random.random() >= self.often:
            return
        kinds = [self._key, self._timer, self._software, self._external, self._pending]
        if self.writes:
            kinds += [self._write] * 2
        pair.both(self.random.choice(kinds)(pair))

    def _key(self, pair: Pair) -> Callable[[Computer], None]:
        keys = self.random.randbytes(3)

        def press(machine: Computer) -> None:
            machine.uart.feed(keys)
            machine.board.refresh()

        return press

    def _timer(self, pair: Pair) -> Callable[[Computer], None]:
        moment = pair.bare.hart.mtime + self.random.choice((0, 1, 2, 7, 40, 300))
        return lambda machine: _set_words(machine, 0x200_4000, moment & 0xFFFF_FFFF, moment >> 32)

    def _software(self, pair: Pair) -> Callable[[Computer], None]:
        bit = self.random.getrandbits(1)
        return lambda machine: _set_words(machine, 0x200_0000, bit)

    def _external(self, pair: Pair) -> Callable[[Computer], None]:
        """Priority of the UART's interrupt, and who gets it."""
        who = self.random.choice(((0, 0), (1 << 10, 0), (0, 1 << 10), (1 << 10, 1 << 10)))

        def enable(machine: Computer) -> None:
            _set_words(machine, 0xC00_0000 + 4 * 10, 1)
            _set_words(machine, 0xC00_2000, who[0])
            _set_words(machine, 0xC00_2080, who[1])
            _set_words(machine, 0x1000_0001, 1, size=1)

        return enable

    def _pending(self, pair: Pair) -> Callable[[Computer], None]:
        """S-mode's software bits, as M-mode sets them."""
        bits = self.random.choice((0, 2, 0x20, 0x200, 0x222)) if pair.bare.config.has_s else 0

        def make(machine: Computer) -> None:
            machine.hart.mip = bits

        return make

    def _write(self, pair: Pair) -> Callable[[Computer], None]:
        """Replaces a word by another one of the same kind, with some bits wrong perhaps."""
        places = self.random.choice(self.writes)
        old = pair.bare.read_memory(self.random.choice(places), 4)
        value = int.from_bytes(old, "little") ^ self.random.choice((0, *(1 << n for n in range(8))))
        at = self.random.choice(places)
        return lambda machine: machine.write_memory(at, value.to_bytes(4, "little"))


def _set_words(machine: Computer, address: int, *values: int, size: int = 4) -> None:
    for value in values:
        machine.bus.write(address, size, value)
        address += size
    machine.board.advance()


def bare_machine(program: bytes | Image, config: Config, memory: str) -> Machine:
    """A bare machine of this configuration, loaded."""
    machine = Machine(config.isa, config.modes, config.pmp, memory, config.ad)
    machine.load(program)
    return machine


def pair(
    program: bytes | Image, config: Config, memory: str = "64K", host: str = "24M", depth: int = 1
) -> Pair:
    """The program on a bare machine, and in a virtual one below `depth` VMMs."""
    machine: Computer = Machine(
        config.isa, memory=f"{24 * depth}M" if depth > 1 else host, ad=config.ad
    )
    for level in range(1, depth):
        machine = VMM(machine).create(f"level {level}", memory=f"{24 * (depth - level)}M")
    kind = {"modes": config.modes, "pmp": config.pmp}
    virtual = VMM(machine).create("guest", program, memory=memory, **kind)  # type: ignore[arg-type]
    return Pair(bare_machine(program, config, memory), virtual)
