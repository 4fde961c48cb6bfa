"""The dispatcher: every trap of the machine enters here, and leaves for a guest.

A guest runs directly in the machine's U-mode, whatever virtual mode it is in. What traps is either
the kernel's own business (a shadow entry to be filled in, the end of a slice), an instruction to be
interpreted or carried out, or an exception that belongs to the guest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from kit.bits import Bits
from kit.engine.compiled import Roles, compiled, instruction_roles
from kit.isa.config import Config
from kit.isa.cpu import Cpu, M, U
from kit.isa.encoding import Decoder
from kit.isa.hart import Hart, cpu_of
from kit.isa.step import step
from kit.machine.bus import PAGE, AddressSpace
from kit.machine.computer import Computer
from kit.vmm.access import ACCESSES
from kit.vmm.allocator import MINIMUM, Allocator, GuestStorage, Pager
from kit.vmm.interpreters import INTERPRETERS
from kit.vmm.protection import CUT, EXECUTE, READ, WRITE, data_mode, guest_rights
from kit.vmm.shadow import POOL, Key, Shadow
from kit.vmm.translation import leaf_rights, locate
from kit.vmm.traps import deliver_exception, deliver_interrupt, due_interrupt

__all__ = ["Kernel", "VirtualCpu"]

ILLEGAL, BREAKPOINT, ECALL = 2, 3, 8
REFLECTED = {0, BREAKPOINT, 4, 6}
RIGHT = {12: EXECUTE, 13: READ, 15: WRITE}
"""Which right a page fault asked for."""
FETCH, FETCH_DENIED = 12, 1
MACHINE_TIMER = 1 << 31 | 7

NO_GUEST_STEP = {"refill", "timer", "failure"}
"""Exits that are the kernel's own business. Any other is one step of the guest."""

CLOCK = (1 << 64) - 1
MTIMECMP = 0x200_4000
EVERYTHING = 0x1F  # PMP: NAPOT, read, write, execute
SV32 = 1 << 31
DECODED = 4096
"""How many decoded instruction words a virtual CPU remembers."""
HERE = (Path(__file__).parent,)
"""The sources that the kernel's traced functions come from."""
SYSTEM = 0x73
SUM, MXR = 1 << 18, 1 << 19
WORD = 0xFFFF_FFFF


def kernel_roles(config: Config) -> Roles:
    """The kernel's traced functions, by name."""
    word, physical, mode = Bits(config.xlen, 0), Bits(config.plen, 0), Bits(2, 0)
    return {
        "due_interrupt": (due_interrupt, ()),
        "deliver_interrupt": (deliver_interrupt, (word,)),
        "deliver_exception": (deliver_exception, (word, word)),
        "data_mode": (data_mode, ()),
        "page_rights": (guest_rights, (physical, PAGE, mode)),
        "leaf_rights": (leaf_rights, (Bits(32, 0), mode)),
        **{f"locate {right}": (locate, (word, 1, right)) for right in (READ, WRITE, EXECUTE)},
        **instruction_roles(config, INTERPRETERS, "emulate_"),
        **instruction_roles(config, ACCESSES, "access_"),
    }


class VirtualCpu:
    """A guest's processor: its registers (`hart`), storage, shadow tables, and what it cost.

    `counts` has how often each kind of exit happened; `failure` is why the kernel stopped it, if
    it did. `on_machine_trap`, if set, is called with the cause after each trap into virtual M-mode,
    and says whether the guest must not simply go on: so a VMM can run on a virtual machine.
    """

    def __init__(
        self,
        name: str,
        hart: Hart,
        storage: GuestStorage,
        real: AddressSpace,
        allocator: Allocator,
    ) -> None:
        self.name = name
        self.hart = hart
        self.storage = storage
        self.shadow = Shadow(real, allocator, name)
        storage.unmap = self.shadow.unmap
        self.v: Cpu = cpu_of(hart)
        self.decoder = Decoder.of(hart.config)
        self.interpreters = compiled("vmm", hart.config, HERE, lambda: kernel_roles(hart.config))
        self.code = SimpleNamespace(**self.interpreters)
        self.decoded: dict[int, tuple[str, tuple[int, ...]] | None] = {}
        self.counts: Counter[str] = Counter()
        self.failure = ""
        self.on_machine_trap: Callable[[int], bool] | None = None

    def regime(self) -> Key:
        """Which shadow tree is right now: all that changes what the guest's addresses mean.

        The last word says whether MPRV gives loads and stores another mode than fetches have.
        """
        hart = self.hart
        moved = self.code.data_mode(hart) != hart.mode
        if not self.paged(hart.mode):
            return int(hart.mode == M), 0, 0, moved
        relevant = MXR if hart.mode == U else SUM | MXR
        return 2 + hart.mode, hart.satp, hart.mstatus & relevant, moved

    def forget(self) -> None:
        """Drops every shadow entry: the guest's rules have changed, or tables have."""
        self.shadow.drop()
        self.storage.tables.clear()
        self.storage.stale = False

    def paged(self, mode: int) -> bool:
        """Do the guest's own tables translate for a virtual mode?"""
        return mode != M and self.hart.satp & SV32 != 0

    def leaf(self, address: int) -> tuple[int, list[int]]:
        """The guest's leaf entry for an address that it could reach, and the tables on the way."""
        storage = self.storage
        tables = [(self.hart.satp & 0x3FFFFF) << 12]
        entry = storage.read(tables[0] + 4 * (address >> 22), 4)
        if not entry & 0xE:
            tables.append(entry >> 10 << 12)
            entry = storage.read(tables[1] + 4 * (address >> 12 & 0x3FF), 4)
        return entry, tables


class Kernel:
    """Owns a machine's M-mode, and gives each of its guests a machine of its own.

    `recorder`, if set, is told of every exit (see `kit.trace.recorder`).
    """

    def __init__(self, machine: Computer) -> None:
        if not machine.config.has_s:
            raise ValueError("the kernel needs a machine with Sv32, so with modes MSU")
        self.machine = machine
        self.real = machine.hart
        self.allocator = Allocator(*machine.ram)
        self.recorder: Any = None
        self._current: VirtualCpu | None = None  # whose registers are on the machine
        self._budget = self._left = 0
        self._entered = self._deadline = 0
        machine.monitor = self._trap
        # The machine's own state, once: PMP open, nothing delegated, the kernel's timer on.
        machine.set_register("pmpaddr0", WORD)
        machine.set_register("pmpcfg0", EVERYTHING)
        for name in ("medeleg", "mideleg", "mcounteren"):
            machine.set_register(name, 0)
        machine.set_register("mie", 1 << 7)

    # -- guests come and go ------------------------------------------------------------------

    def create(
        self,
        name: str,
        config: Config,
        base: int,
        size: int,
        pager: Pager | None = None,
        fixed: bool = False,
    ) -> VirtualCpu | None:
        """A virtual CPU with `size` bytes of cleared storage, or None if frames are lacking.

        With a `pager`, its pages get frames when they are needed, and may lose them again. `fixed`
        storage (V=R) has the frames at the guest's own addresses.
        """
        pages = size // PAGE
        count = min(MINIMUM, pages) if pager and not fixed else pages
        wanted = range(base, base + size, PAGE)
        if self.allocator.free < POOL + count:
            return None
        if fixed and not self.allocator.take_exactly(name, wanted):
            return None
        frames = sorted(wanted if fixed else map(self.allocator.take, [name] * count))
        for frame in frames:
            self.machine.bus.write_bytes(frame, bytes(PAGE))
        frames += [0] * (pages - count)
        storage = GuestStorage(self.machine.bus, self.allocator, base, frames, name)
        storage.pager = pager
        return VirtualCpu(name, Hart(config, storage), storage, self.machine.bus, self.allocator)

    def destroy(self, vcpu: VirtualCpu) -> None:
        """Gives back every frame of a guest, which must not run any more."""
        for frame in filter(None, (*vcpu.storage.frames, *vcpu.shadow.frames)):
            self.allocator.give_back(frame)

    # -- entering and leaving a guest --------------------------------------------------------

    def run(self, vcpu: VirtualCpu, steps: int) -> int:
        """Runs a guest for up to `steps` of its own steps; returns how many it made.

        Fewer where it waits, has accessed a device, or cannot go on (`vcpu.failure`).
        """
        self._budget, self._left, self._deadline = steps, steps, 0
        if not self._prepare(vcpu):
            self._enter(vcpu)
            reason = self.machine.run().reason
            if reason not in ("stopped", "breakpoint", "budget"):
                vcpu.failure = f"the machine itself came to an end ({reason})"
        return self.pause()

    def pause(self) -> int:
        """Ends `run`, also where an exception from outside has broken it off: the guest is between
        two of its steps, and can be run again. Returns how many it made."""
        vcpu, trapped = self._current, self.real.mode != U
        if vcpu is not None:
            direct = self.real.mcycle - self._entered - trapped
            self._leave(vcpu, self.real.mepc if trapped else self.real.pc, direct)
        return self._budget - self._left

    def _trap(self, cause: int) -> bool:
        """The machine's trap handler. Returns True to end `run`."""
        vcpu = self._current
        assert vcpu is not None
        # What the guest did by itself were all steps but the last, which was the trap.
        self._leave(vcpu, self.real.mepc, self.real.mcycle - self._entered - 1)
        before = vcpu.hart.mode
        kind = self._dispatch(vcpu, cause)
        self._left -= kind not in NO_GUEST_STEP
        if vcpu.storage.pager is not None:
            vcpu.failure = vcpu.failure or vcpu.storage.pager.failure
        vcpu.counts[kind] += 1
        if self.recorder is not None:
            self.recorder(vcpu, kind, before, cause)
        if (kind not in NO_GUEST_STEP and self._monitored(vcpu)) or self._prepare(vcpu):
            return True
        self._enter(vcpu)
        return False

    @staticmethod
    def _monitored(vcpu: VirtualCpu) -> bool:
        """After a guest step: did it trap into virtual M-mode, and was a monitor called there?"""
        hart = vcpu.hart
        if vcpu.on_machine_trap is None or hart.completed or hart.mode != M:
            return False
        return vcpu.on_machine_trap(hart.mcause)

    def _prepare(self, vcpu: VirtualCpu) -> bool:
        """Delivers what interrupts are due. True if the guest must not be entered now."""
        hart = vcpu.hart
        while self._left > 0 and not (hart.waiting or vcpu.storage.attention or vcpu.failure):
            if self._left < self._budget and hart.pc in self.machine.breakpoints:
                return True
            cause = vcpu.code.due_interrupt(hart)
            if not cause:
                return False
            before = hart.mode
            vcpu.code.deliver_interrupt(hart, cause)
            self._left -= 1
            vcpu.counts["interrupt"] += 1
            if self.recorder is not None:
                self.recorder(vcpu, "interrupt", before, cause)
            if self._monitored(vcpu):
                return True
        return True

    def _enter(self, vcpu: VirtualCpu) -> None:
        """Loads the guest's registers and tables, sets the timer, and returns to U-mode."""
        real, hart = self.real, vcpu.hart
        if vcpu.storage.stale:
            vcpu.forget()
        real.x[:] = hart.x
        real.satp = SV32 | vcpu.shadow.root(vcpu.regime()) >> 12
        real.reservation_valid = hart.reservation_valid
        if hart.reservation_valid:
            real.reservation = vcpu.storage.real_address(hart.reservation)
        deadline = real.mtime + self._left
        if not real.mtime < self._deadline <= deadline:
            self._deadline = deadline
            self.machine.bus.write(MTIMECMP, 4, deadline & 0xFFFF_FFFF)
            self.machine.bus.write(MTIMECMP + 4, 4, deadline >> 32)
        self._current, self._entered = vcpu, real.mcycle
        # What mret does, with MPP = U and mepc = the guest's pc.
        real.mode, real.pc = U, hart.pc

    def _leave(self, vcpu: VirtualCpu, pc: int, direct: int) -> None:
        """Saves the guest's registers, and counts the `direct` steps that it made by itself."""
        real, hart = self.real, vcpu.hart
        self._current = None
        hart.x[:], hart.pc = real.x, pc
        hart.reservation_valid = real.reservation_valid
        if real.reservation_valid:
            hart.reservation = vcpu.storage.guest_address(real.reservation) or 0  # its own: never 0
        hart.mtime = hart.mtime + direct & CLOCK
        hart.mcycle = hart.mcycle + (0 if hart.mcountinhibit & 1 else direct) & CLOCK
        hart.minstret = hart.minstret + (0 if hart.mcountinhibit & 4 else direct) & CLOCK
        self._left -= direct
        vcpu.counts["direct"] += direct

    # -- what a trap asks for ----------------------------------------------------------------

    def _dispatch(self, vcpu: VirtualCpu, cause: int) -> str:
        """Does what a trap of the running guest asks for; returns the kind of exit it was."""
        hart, value = vcpu.hart, self.real.mtval
        if cause == MACHINE_TIMER:
            return "timer"
        if cause in RIGHT:
            return self._page_fault(vcpu, cause, value)
        if cause == ILLEGAL:
            return self._emulate(vcpu, value)
        if cause == ECALL:
            vcpu.code.deliver_exception(hart, ECALL + hart.mode, 0)
            return "reflect"
        if cause in REFLECTED:
            vcpu.code.deliver_exception(hart, cause, value)
            return "reflect"
        vcpu.failure = f"the machine took a trap that no guest can cause: {cause:#x}"
        return "failure"

    def _emulate(self, vcpu: VirtualCpu, word: int) -> str:
        """A privileged instruction, or one that does not exist."""
        hart = vcpu.hart
        found = self._decode(vcpu, word)
        if found is None or found[0] not in INTERPRETERS:
            hart.instruction = word
            vcpu.code.deliver_exception(hart, ILLEGAL, word)
            return "reflect"
        name, operands = found
        vcpu.interpreters[name](hart, *operands)
        self._forget_if_protected(vcpu)
        return f"emulate {name}"

    @staticmethod
    def _forget_if_protected(vcpu: VirtualCpu) -> None:
        """A PMP register (0x3a0 to 0x3bf) was accessed: what it forbids must not stay mapped."""
        word = vcpu.hart.instruction
        if word & 0x7F == SYSTEM and word >> 25 == 0x3A0 >> 5:
            vcpu.forget()

    def _page_fault(self, vcpu: VirtualCpu, cause: int, address: int) -> str:
        """A page that is not mapped: to be mapped, to be accessed on behalf, or not the guest's."""
        hart, storage, right = vcpu.hart, vcpu.storage, RIGHT[cause]
        regime = vcpu.regime()
        if cause != FETCH and regime[-1]:
            return self._carry_out(vcpu)
        # Read now: the walk for the data may set bits of the instruction itself, in a table.
        word = self._word(vcpu) if cause != FETCH and vcpu.paged(hart.mode) else 0
        # The walk may set A and D bits; that takes no right away, so no entry becomes stale: only
        # those of a table that had to leave its frame meanwhile.
        stale, storage.evicted = storage.stale, False
        answer = vcpu.interpreters[f"locate {right}"](hart, address)
        storage.stale = stale or storage.evicted
        fault, physical = answer >> hart.config.plen, answer & (1 << hart.config.plen) - 1
        page = physical & -PAGE
        if not fault and not storage.is_ram(page, PAGE):
            if cause != FETCH:
                return self._carry_out(vcpu, word)
            fault = FETCH_DENIED
        if fault:
            vcpu.code.deliver_exception(hart, fault, address)
            return "reflect"
        rights = vcpu.code.page_rights(hart, page, hart.mode)
        if rights >> CUT:
            if cause != FETCH:
                return self._carry_out(vcpu, word, "cut page")
            step(vcpu.v, vcpu.decoder)
            self._forget_if_protected(vcpu)
            return "cut page"
        if self._fill(vcpu, regime, address, page, right, rights):
            return "refill"
        return self._carry_out(vcpu, word, "table write")

    def _fill(
        self, vcpu: VirtualCpu, regime: Key, address: int, page: int, right: int, rights: int
    ) -> bool:
        """Maps a page as the guest's own regime does, if that lets it do what it wants there."""
        hart, storage, shadow = vcpu.hart, vcpu.storage, vcpu.shadow
        if not shadow.has_room:
            vcpu.forget()  # now, for it would also forget the protection that the new entry needs
        if vcpu.paged(hart.mode):
            entry, tables = vcpu.leaf(address)
            rights &= vcpu.code.leaf_rights(hart, entry, hart.mode)
            for table in tables:
                shadow.protect(storage.real_address(table))
                storage.tables.add(table)
        frame = storage.real_address(page)
        if right == WRITE and frame in shadow.protected:
            return False
        if regime[-1]:
            rights &= 1 << EXECUTE  # another mode's loads and stores must not go through
        shadow.map(regime, address & -PAGE, frame, rights)
        return True

    def _carry_out(self, vcpu: VirtualCpu, word: int = 0, kind: str = "device") -> str:
        """The load, store or atomic operation `word` at the guest's pc."""
        hart, word = vcpu.hart, word or self._word(vcpu)
        found = self._decode(vcpu, word)
        if found is None or found[0] not in ACCESSES:
            vcpu.failure = f"the instruction {word:#x} at {hart.pc:#x} accesses no storage"
            return "failure"
        vcpu.interpreters[found[0]](hart, *found[1])
        return "device" if vcpu.storage.attention else kind

    def _word(self, vcpu: VirtualCpu) -> int:
        """The instruction at the guest's pc, which it has fetched."""
        hart, locate = vcpu.hart, vcpu.interpreters[f"locate {EXECUTE}"]
        at, address = (hart.pc, hart.pc + 2 & WORD), (1 << hart.config.plen) - 1
        found = (locate(hart, part) & address for part in at)
        low = vcpu.storage.read(next(found), 2)
        return low | vcpu.storage.read(next(found), 2) << 16 if low & 3 == 3 else low

    def _decode(self, vcpu: VirtualCpu, word: int) -> tuple[str, tuple[int, ...]] | None:
        """Name and operands of an instruction word; sets the words that its step works with."""
        hart, ones = vcpu.hart, (1 << vcpu.hart.config.xlen) - 1
        hart.instruction = word
        hart.next_pc = hart.pc + (4 if word & 3 == 3 else 2) & ones
        if word not in vcpu.decoded:
            if len(vcpu.decoded) >= DECODED:
                vcpu.decoded.clear()
            vcpu.decoded[word] = None
            found = vcpu.decoder.decode(word)
            if found is not None:
                row, operands = found
                values = tuple(operands[name] & ones for name in row.widths)
                vcpu.decoded[word] = row.name, values
        return vcpu.decoded[word]
