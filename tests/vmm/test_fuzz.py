"""Whatever bytes a guest holds, nothing of the VMM's or of another guest's is touched.

`make fuzz` runs ten million steps of random guests.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from kit import VMM, Machine
from kit.control.virtual_machine import VirtualMachine
from kit.isa.encoding import Decoder
from kit.isa.hart import Hart
from kit.machine.bus import PAGE
from kit.machine.protocol import Stop
from tests.vmm.lockstep import guard

EACH = 2000
"""Steps of a random guest at most."""

MEMORY = 8 * PAGE
RAM = 0x8000_0000
ROWS = list(Decoder("IMAC", 32).by_name.values())
PRIVILEGED = [
    row for row in ROWS if row.name[:4] in ("csrr", "mret", "sret", "wfi", "sfen", "ecal")
]
ADDRESSES = (RAM, RAM + 0x1FFE, RAM + MEMORY - 4, 0x1000_0000, 0x200_4000, 0xC00_0000, 0x1001_0000)
VECTORS = "mtvec stvec mepc sepc"
VALUES = "mie mideleg medeleg mstatus mcounteren scounteren mcountinhibit mip sscratch mscratch"
ENDS = {"budget", "idle", "halt", "reset"}

CHANGING = {"x", "pc", "next_pc", "instruction", "completed", "mode", "waiting", "wires"}
CHANGING |= {"mepc", "mcause", "mtval", "satp", "reservation", "reservation_valid", "mstatus"}
CHANGING |= {"mtime", "mcycle", "minstret"}
"""What a guest's running changes in the real processor. (mstatus is looked at by itself.)"""

ENABLES = 1 << 3 | 1 << 1 | 1 << 17 | 1 << 18 | 1 << 19  # MIE, SIE, MPRV, SUM, MXR


class Fuzz:
    """A VMM with a guest that only has to stay as it is, and random guests one after the other."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.vmm = VMM(Machine(memory="512K"))
        self.canary = self.vmm.create("canary", memory="64K")
        self.canary.write_memory(RAM, self.random.randbytes(0x10000))
        self.real = self.vmm.machine
        guard(self.canary)

    def guest(self) -> VirtualMachine:
        """A guest full of random bytes, or of random instructions."""
        modes, pmp = (
            self.random.choice(("MSU", "MSU", "MSU", "MU", "M")),
            self.random.choice((16, 16, 0)),
        )
        guest = self.vmm.create("random", memory=MEMORY, modes=modes, pmp=pmp)
        guest.write_memory(RAM, self._contents())
        self._start(guest)
        return guest

    def _contents(self) -> bytes:
        if self.random.random() < 0.3:
            return self.random.randbytes(MEMORY)
        often = self.random.choice((0.05, 0.3, 0.6))
        code = bytearray()
        while len(code) < MEMORY:
            row = self.random.choice(PRIVILEGED if self.random.random() < often else ROWS)
            word = row.match | self.random.getrandbits(8 * row.length) & ~row.mask
            code += word.to_bytes(row.length, "little")
        for _ in range(self.random.choice((0, 100))):  # something like page tables
            entry = RAM + PAGE * self.random.randrange(8) >> 2 | self.random.getrandbits(8) | 1
            at = 4 * self.random.randrange(MEMORY // 4)
            code[at : at + 4] = entry.to_bytes(4, "little")
        return bytes(code[:MEMORY])

    def _start(self, guest: VirtualMachine) -> None:
        """Random registers, so that there are handlers, tables, regions and delegation."""
        place = lambda: RAM + self.random.randrange(MEMORY)  # noqa: E731
        values = {f"x{n}": self.random.choice((place(), *ADDRESSES)) for n in range(1, 32)}
        values |= {name: self.random.getrandbits(32) for name in VALUES.split()}
        values |= {name: place() for name in VECTORS.split()}
        values["satp"] = self.random.choice((0, 1 << 31)) | place() >> 12
        for n in range(16):
            values[f"pmpaddr{n}"] = self._bound()
        for n in range(self.random.choice((0, 0, 4))):
            values[f"pmpcfg{n}"] = self.random.getrandbits(32) & 0x1F1F1F1F
        known = {name for name in values if _has(guest, name)}
        for name in values.keys() & known:
            guest.set_register(name, values[name])
        guest.set_register("pc", place() & ~1)

    def _bound(self) -> int:
        """The address of a PMP entry, mostly one that cuts no page: code on those is slow."""
        if self.random.random() < 0.02:
            return RAM + self.random.randrange(MEMORY) >> 2
        return RAM + self.random.randrange(0, MEMORY, PAGE) >> 2 | self.random.choice((0, 0x1FF))

    def run(self, steps: int) -> int:
        """Runs a random guest, and looks at everything afterwards; returns the steps it made."""
        guest = self.guest()
        frames = {*guest.vcpu.storage.frames, *guest.vcpu.shadow.frames}
        before, registers = self._others(frames), self.real.hart.snapshot()
        left = steps
        while left > 0:
            stop = self._slice(guest, min(left, self.random.choice((1, 20, 100))))
            left -= max(stop.steps, 1)
            if stop.reason == "halt":
                break
            self._push(guest)
        assert self._others(frames) == before
        check_processor(self.real.hart, registers)
        check_tables(self.real, guest)
        self.vmm.destroy("random")
        return steps - left

    def _push(self, guest: VirtualMachine) -> None:
        """Sets a guest going elsewhere; most of them would only trap in a small circle."""
        guest.hart.waiting = 0
        if self.random.random() < 0.7:
            guest.hart.pc = RAM + self.random.randrange(0, MEMORY, 2)
            guest.hart.mode = "US?M".index(self.random.choice(guest.config.modes))

    def _slice(self, guest: VirtualMachine, steps: int) -> Stop:
        if self.random.random() < 0.1:
            guest.uart.feed(b"key")
        stop = guest.run(steps)
        assert stop.reason in ENDS, guest.failure
        assert not guest.failure
        assert stop.steps <= steps
        return stop

    def _others(self, frames: set[int]) -> dict[int, bytes]:
        """The contents of every frame that is not among `frames`."""
        start, size = self.real.ram
        every = range(start, start + size, PAGE)
        return {f: self.real.read_memory(f, PAGE) for f in every if f not in frames}


def _has(guest: VirtualMachine, name: str) -> bool:
    """Has this kind of guest the register?"""
    supervisor = name[0] == "s" or name in ("medeleg", "mideleg")
    without = supervisor and not guest.config.has_s
    without = without or ("counteren" in name and not guest.config.has_u)
    return not without and (guest.config.pmp > 0 or not name.startswith("pmp"))


def check_processor(hart: Hart, before: dict[str, int | list[int]]) -> None:
    """The real processor after a guest has run: as before, and with the VMM's own settings."""
    after = hart.snapshot()
    assert {n for n in after if after[n] != before[n]} <= CHANGING
    assert not hart.mstatus & ENABLES
    assert (hart.medeleg, hart.mideleg, hart.mcounteren, hart.mie) == (0, 0, 0, 1 << 7)
    assert (hart.pmpaddr[0], hart.pmpcfg[0]) == (0xFFFF_FFFF, 0x1F)


def check_tables(real: Machine, guest: VirtualMachine) -> None:
    """What the real processor's tables map is the guest's, and only for U-mode."""
    own, shadow = set(guest.vcpu.storage.frames), set(guest.vcpu.shadow.frames)
    if not real.hart.satp:
        return
    root = (real.hart.satp & 0x3F_FFFF) << 12
    assert root in shadow
    for pointer in filter(lambda entry: entry & 1, words(real, root)):
        table = pointer >> 10 << 12
        assert pointer & 0x3FF == 1
        assert table in shadow
        for entry in filter(lambda entry: entry & 1, words(real, table)):
            assert entry >> 10 << 12 in own
            assert entry & 0xD0 == 0xD0  # for U-mode, accessed and dirty from birth


def words(real: Machine, page: int) -> list[int]:
    """The words of a page."""
    return list(memoryview(real.read_memory(page, PAGE)).cast("I"))


@pytest.mark.parametrize("part", range(2))
def test_no_bytes_in_a_guest_touch_what_is_not_the_guests(
    part: int, request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> None:
    asked = int(request.config.getoption("--fuzz-steps", 0))
    fuzz = Fuzz(2 * int(request.config.getoption("--seed", 0)) + part)
    made = 0
    while made < (asked // 2 or 40_000):
        made += fuzz.run(EACH)
    record_property("vmm steps of random guests", made)
