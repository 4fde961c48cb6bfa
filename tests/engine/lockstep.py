"""Random programs on both engines, with what may happen from outside between two runs.

Each slice of steps ends at a random budget. What is compared is the state at its end, RAM, and,
where somebody listens, the state at each trap.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from kit import Machine
from kit.isa.config import Config
from kit.machine.protocol import Stop
from tests.conformance.generator import BASE, CURSOR, LEAVES, MTIMECMP, ROOTS
from tests.engine.programs import END, MEMORY, MIXED, hot_program
from tests.engine.twins import Twins, state

__all__ = ["CONFIGS", "Tally", "compare_hot"]

CONFIGS = (
    Config(),
    Config(ad="fault"),
    Config(),
    Config(modes="MU"),
    Config(),
    Config("rv32ima", ad="fault"),
    Config(),
    Config(modes="M"),
    Config(pmp=0),
    Config("rv32imc"),
)
"""Most of what can differ is there where everything is there."""

THRESHOLDS = (1, 2, 2, 5, 40)
"""Arrivals after which code is translated; the last one is what a machine does by itself."""
BUDGETS = (1, 2, 3, 5, 9, 30, 100, 333, 1000, 1000, 3000, 3000, 7000)
STUCK = 6000
"""Steps after which a program that does not get to its next chunk is helped."""
HANDLERS = 0x1000
"""Bytes at the image's start that a program needs to get on."""


@dataclass
class Tally:
    """What has been compared."""

    steps: int = 0
    traps: int = 0
    translated: int = 0
    translations: int = 0

    def add(self, other: Tally) -> None:
        """Adds what was compared elsewhere."""
        self.steps += other.steps
        self.traps += other.traps
        self.translated += other.translated
        self.translations += other.translations


def compare_hot(seed: int, config: Config, steps: int) -> Tally:
    """Compares one program of a seed for so many steps, or until it ends."""
    return _Comparison(seed, config).run(steps)


class _Listener:
    """Notes the state at each trap, and perhaps changes something, alike on both machines."""

    def __init__(self, machine: Machine, log: list[Any], seed: int, meddles: bool) -> None:
        self.machine, self.log, self.meddles = machine, log, meddles
        self.random = random.Random(seed)

    def on_trap(self, cause: int) -> None:
        """Hears of a trap."""
        self.log.append((cause, state(self.machine)))
        if self.meddles and self.random.random() < 0.2:
            self.random.choice(self.changes)(self)

    def monitor(self, cause: int) -> bool:
        """Hears of a trap into M-mode, and ends the run at some of them."""
        self.on_trap(cause)
        return self.random.random() < 0.02

    def _set_timer(self) -> None:
        moment = self.machine.hart.mtime + self.random.choice((0, 1, 5, 100))
        self.machine.bus.write(MTIMECMP, 4, moment & 0xFFFF_FFFF)

    def _set_interrupts(self) -> None:
        enabled = self.machine.hart.mie ^ 1 << self.random.choice((1, 3, 5, 7, 9, 11))
        self.machine.set_register("mie", enabled)

    def _set_register(self) -> None:
        self.machine.set_register(f"x{self.random.randrange(32)}", self.random.getrandbits(32))

    def _set_status(self) -> None:
        status = self.machine.hart.mstatus ^ 1 << self.random.choice((3, 17, 18, 19))
        self.machine.set_register("mstatus", status)

    def _write_code(self) -> None:
        address = BASE + 2 * HANDLERS + self.random.randrange(0, 0xE000, 2)
        self.machine.write_memory(address, self.random.randbytes(2))

    def _break(self) -> None:
        pc = self.machine.hart.pc
        self.machine.breakpoints.add(pc + self.random.choice((0, 4, 12, 40)))

    changes = (_set_timer, _set_interrupts, _set_register, _set_status, _write_code, _break)


class _Comparison:
    def __init__(self, seed: int, config: Config) -> None:
        self.seed, self.config = seed, config
        self.random = random.Random(seed)
        threshold = self.random.choice(THRESHOLDS)
        self.program = hot_program(seed, config, turns=120 if threshold == 40 else 24)
        scattered = self.random.random() < 0.3
        self.twins = Twins(self.program.image, config, MEMORY, threshold, scattered)
        self.logs: tuple[list[Any], list[Any]] = ([], [])
        self.tally = Tally()
        self._cursor, self._since = b"", 0

    def run(self, steps: int) -> Tally:
        twins = self.twins
        try:
            while twins.reference.steps < steps:
                if not self._slice(steps - twins.reference.steps):
                    break
            twins.compare_storage()
        except AssertionError as error:
            raise AssertionError(f"seed {self.seed}, {self.config}: {error}") from error
        return Tally(
            twins.reference.steps,
            self.tally.traps,
            twins.meter.steps,
            twins.meter.translations,
        )

    def _slice(self, most: int) -> bool:
        """Makes some steps; False when the program is over."""
        twins = self.twins
        self._listen(self.random.choice((0, 0, 0, 1, 2, 3)))
        if self.random.random() < 0.2:
            self.random.choice(self.actions)(self)
        stop = twins.run(min(most, self.random.choice(BUDGETS)))
        assert self.logs[0] == self.logs[1], f"{twins.where()}: at a trap"
        self.tally.traps += len(self.logs[0])
        for log in self.logs:
            log.clear()
        twins.both(_unwatched)
        ram = [machine.read_memory(BASE, MEMORY) for machine in twins.machines]
        assert ram[0] == ram[1], f"{twins.where()}: storage"
        return self._get_on(stop)

    def _get_on(self, stop: Stop) -> bool:
        """Sees to it that the program gets to its next chunk."""
        twins = self.twins
        cursor = twins.reference.read_memory(CURSOR, 4)
        if cursor != self._cursor:
            self._cursor, self._since = cursor, twins.reference.steps
        if stop.reason in ("halt", "reset"):
            return False
        if stop.reason == "idle" or twins.reference.steps - self._since > STUCK:
            self._since = twins.reference.steps
            twins.both(self._next_chunk)
        return True

    def _next_chunk(self, machine: Machine) -> None:
        machine.write_memory(BASE, self.program.image[:HANDLERS])
        machine.hart.waiting = 0
        machine.set_register("mode", 3)
        machine.set_register("pc", self.program.next_chunk)

    # -- who listens -------------------------------------------------------------------------

    def _listen(self, kind: int) -> None:
        """To nothing, to traps into M-mode as a monitor, to all traps, or with meddling."""
        seed = self.random.getrandbits(32)
        for machine, log in zip(self.twins.machines, self.logs, strict=True):
            listener = _Listener(machine, log, seed, meddles=kind == 3)
            machine.on_trap = listener.on_trap if kind >= 2 else None
            machine.monitor = listener.monitor if kind == 1 else None

    # -- what comes from outside ---------------------------------------------------------------

    def _write_code(self) -> None:
        """A debugger's, or DMA's, write over some code: bytes from elsewhere in the code."""
        size = self.random.choice((1, 2, 4, 6, 64))
        source = BASE + HANDLERS * 2 + self.random.randrange(END - BASE - 3 * HANDLERS)
        target = self._code_address()
        data = self.twins.reference.read_memory(source, size)
        self.twins.both(lambda machine: machine.write_memory(target, data))

    def _code_address(self) -> int:
        """An address in code, often near where the program is."""
        pc = self.twins.reference.hart.pc & 0x3FFFE
        if pc >= 2 * HANDLERS and pc < END - BASE - 64 and self.random.random() < 0.7:
            return BASE + max(2 * HANDLERS, pc + self.random.randrange(-32, 32, 2))
        return BASE + 2 * HANDLERS + self.random.randrange(0, 0xE000, 2)

    def _store(self) -> None:
        """One store by the bus's other door."""
        size = self.random.choice((1, 2, 4))
        target = self._code_address() & -size
        value = self.random.getrandbits(8 * size)
        self.twins.both(lambda machine: machine.bus.write(target, size, value))

    def _change_entry(self) -> None:
        """A bit of a page-table entry, or an entry copied from another one."""
        table = self.random.choice((*ROOTS, *LEAVES, *MIXED))
        place = table + 4 * self.random.randrange(64)
        other = table + 4 * self.random.randrange(64)
        entry = int.from_bytes(self.twins.reference.read_memory(other, 4), "little")
        entry ^= self.random.choice((0, 1 << self.random.randrange(12)))
        data = entry.to_bytes(4, "little")
        self.twins.both(lambda machine: machine.write_memory(place, data))

    def _set_timer(self) -> None:
        moment = self.twins.reference.hart.mtime + self.random.choice((0, 1, 3, 40, 500))

        def act(machine: Machine) -> None:
            machine.bus.write(MTIMECMP, 4, moment & 0xFFFF_FFFF)
            machine.bus.write(MTIMECMP + 4, 4, moment >> 32)
            machine.board.advance()

        self.twins.both(act)

    def _press_keys(self) -> None:
        keys = self.random.randbytes(3)

        def act(machine: Machine) -> None:
            machine.uart.feed(keys)
            machine.board.refresh()

        self.twins.both(act)

    def _set_register(self) -> None:
        """A register, as a debugger sets it."""
        names = [f"x{self.random.randrange(32)}", "mstatus", "mie"]
        if self.config.pmp:
            names += [f"pmpaddr{self.random.randrange(16)}", "pmpcfg1"]
        if self.config.has_s:
            names += ["satp", "sstatus", "medeleg", "mideleg"]
        name, value = self.random.choice(names), self.random.getrandbits(32)
        if name == "satp":
            value = 1 << 31 | self.random.choice(ROOTS) >> 12
        if name == "medeleg":
            value &= 0xB7F4
        self.twins.both(lambda machine: machine.set_register(name, value))

    def _break(self) -> None:
        """A breakpoint, near where the program is."""
        place = self.twins.reference.hart.pc + self.random.randrange(-16, 16, 2)
        self.twins.both(lambda machine: machine.breakpoints.add(place))

    def _watch(self) -> None:
        for machine, log in zip(self.twins.machines, self.logs, strict=True):
            machine.bus.watch = lambda at, size, log=log: log.append((at, size))  # type: ignore[misc]

    def _save_and_restore(self) -> None:
        self.twins.both(lambda machine: machine.restore(machine.save()))

    def _set_threshold(self) -> None:
        self.twins.fast.engine.threshold = self.random.choice(THRESHOLDS)  # type: ignore[attr-defined]

    actions = (
        *(_write_code, _write_code, _store, _change_entry, _change_entry, _set_timer, _press_keys),
        *(_set_register, _break, _watch, _save_and_restore, _set_threshold),
    )


def _unwatched(machine: Machine) -> None:
    machine.bus.watch = None
    machine.breakpoints.clear()
