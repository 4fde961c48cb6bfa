"""Breakpoints and watchpoints, forwards and backwards, on a machine or on all of a VMM."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from kit.bits import Bits
from kit.control.policies import Policy, RoundRobin, Turn
from kit.control.virtual_machine import VirtualMachine
from kit.control.vmm import VMM
from kit.errors import KitError
from kit.isa.cpu import M, S, Trap, U
from kit.isa.probe import Probe
from kit.isa.translation import translate
from kit.machine.bus import PAGE
from kit.machine.computer import DEFAULT_BUDGET, Computer
from kit.machine.names import names_of
from kit.machine.protocol import Stop
from kit.trace.history import History

__all__ = ["Debugger", "Hit", "Point", "physical_address"]

_MODES = {"U": U, "S": S, "M": M}
_GOES_ON = ("budget", "waiting")


def physical_address(machine: Computer, address: int) -> int | None:
    """Where a virtual address lies now, as the machine itself would read it; None if nowhere.

    Nothing changes, no A bit either. What the mode may not read is looked up as M-mode, or S-mode
    with SUM, would: a debugger may see everything.
    """
    for mode, status in ((machine.hart.mode, 0), (S, 1 << 18 | 1 << 19)):
        if mode == S and not machine.config.has_s:
            continue
        probe = Probe(machine.hart)
        probe.hart.mode, probe.hart.mstatus = mode, probe.hart.mstatus | status
        probe.hart.pmpcfg[:] = [0x1F, 0, 0, 0] if machine.config.pmp else [0] * 4
        probe.hart.pmpaddr[0] = 0xFFFF_FFFF
        try:
            return int(translate(probe.cpu, Bits(machine.config.xlen, address), 1, "read"))
        except Trap:
            continue
    return None


@dataclass(eq=False)
class Point:
    """A breakpoint, or with a `length` a watchpoint on so many bytes from `address` on.

    It counts only in machine `vm`, in `mode` ("U", "S", "M"), in the process with this value of
    `satp`, and where `when`, called with the machine, says so; None means any. `hits` counts.
    """

    address: int
    length: int = 0
    vm: str | None = None
    mode: str | None = None
    process: int | None = None
    when: Callable[[Computer], bool] | None = None
    hits: int = 0

    def fits(self, name: str, machine: Computer) -> bool:
        """Does it count here?"""
        return (
            self.vm in (None, name)
            and (self.mode is None or machine.hart.mode == _MODES[self.mode])
            and self.process in (None, machine.hart.satp)
            and (self.when is None or bool(self.when(machine)))
        )


@dataclass(frozen=True)
class Hit:
    """Where a run ended: why, in which machine, and at which point, if at one."""

    reason: str
    vm: str
    point: Point | None = None
    code: int = 0


class _Turns:
    """A policy; but who was stopped in the middle of its turn has the rest of it first.

    `is_hit` says whether something was written that is watched: so a device can, before a turn.
    """

    def __init__(self, policy: Policy, is_hit: Callable[[], bool]) -> None:
        self._policy, self._is_hit = policy, is_hit
        self._current = Turn("", 0)
        self._rest: Turn | None = None

    def choose(self, ready: Sequence[str]) -> Turn:
        """The rest of a turn, or the next."""
        rest, self._rest = self._rest, None
        go_on = rest is not None and rest.name in ready
        self._current = rest if rest is not None and go_on else self._policy.choose(ready)
        return Turn(self._current.name, 1) if self._is_hit() else self._current

    def ran(self, name: str, steps: int) -> None:
        """Keeps what is left of the turn."""
        self._policy.ran(name, steps)
        self._current = Turn(name, self._current.quantum - steps)

    def interrupted(self) -> None:
        """The last turn was ended by the debugger."""
        if self._current.quantum > 0:
            self._rest = self._current


class Debugger:
    """Runs a machine, or the virtual machines of a VMM, from point to point, there and back.

    It keeps a history, the machine's own if there is one. Virtual machines have their turns as the
    `policy` says (round robin), but for those that are `held`, which have none.
    """

    def __init__(
        self, system: Computer | VMM, policy: Policy | None = None, held: Iterable[str] = ()
    ) -> None:
        self.system = system
        machines = [system] if isinstance(system, Computer) else list(system.machines.values())
        if not machines:
            raise KitError("debugger: this VMM has no virtual machine yet; create one")
        known = machines[0].history
        self.history = known if isinstance(known, History) else History(system)
        self.machines = self.history.computers
        self.points: list[Point] = []
        self._touched: list[tuple[str, Point]] = []
        self._refills: dict[str, int] = {}
        self._also: Callable[[int, int], None] | None = None  # who listened before
        self._turns = _Turns(policy or RoundRobin(), lambda: bool(self._touched))
        self._held = tuple(held)

    # -- points ------------------------------------------------------------------------------

    def break_at(
        self,
        place: int | str,
        *,
        vm: str | None = None,
        mode: str | None = None,
        process: int | None = None,
        when: Callable[[Computer], bool] | None = None,
    ) -> Point:
        """A breakpoint: at an address, a symbol, or a line of source such as ``trap.c:58``.

        Raises `KitError` for a place, machine or mode that does not exist.
        """
        return self._add(Point(self._place(place, vm), 0, vm, mode, process, when))

    def watch(
        self,
        place: int | str,
        length: int = 4,
        *,
        vm: str | None = None,
        mode: str | None = None,
        process: int | None = None,
        when: Callable[[Computer], bool] | None = None,
    ) -> Point:
        """A watchpoint: on `length` bytes of storage, by whomever they are written, DMA included.

        The address is taken as it is mapped now. Raises `KitError` as `break_at`.
        """
        if length < 1:
            raise KitError(f"watchpoint: {length} bytes cannot be watched; watch one at least")
        machine = self._machine(vm)
        address = self._place(place, vm)
        found = physical_address(machine, address)
        return self._add(
            Point(address if found is None else found, length, vm, mode, process, when)
        )

    def remove(self, point: Point) -> None:
        """Takes a point away."""
        self.points.remove(point)

    def _add(self, point: Point) -> Point:
        if point.mode not in (None, *_MODES):
            raise KitError(f"breakpoint: there is no mode {point.mode!r}; there are U, S and M")
        self.points.append(point)
        return point

    def _machine(self, vm: str | None) -> Computer:
        if vm is None:
            return next(iter(self.machines.values()))
        if vm not in self.machines:
            raise KitError(f"breakpoint: there is no virtual machine {vm!r}")
        return self.machines[vm]

    def _place(self, place: int | str, vm: str | None) -> int:
        return names_of(self._machine(vm)).address(place)

    # -- stopping at them --------------------------------------------------------------------

    def _arm(self) -> None:
        """Makes the machines stop at every point."""
        self._touched.clear()
        for name, machine in self.machines.items():
            here = (p for p in self.points if not p.length and p.vm in (None, name))
            machine.breakpoints = {point.address for point in here}
        bus = self._host().bus
        bus.watch = self._written if any(point.length for point in self.points) else self._also
        bus.watched = self._watched() if self._also is None else None

    def _disarm(self) -> None:
        for machine in self.machines.values():
            machine.breakpoints = set()

    def _watched(self) -> tuple[range, ...] | None:
        """Where in the host's storage is what is watched; None where that can change in a run."""
        found: list[range] = []
        for name, machine in self.machines.items():
            chain = _chain(machine)
            if any(one.vcpu.storage.pager is not None for one in chain):
                return None
            for point in self.points:
                if point.vm in (None, name):
                    found += _pieces(point, machine, chain)
        return tuple(found)

    def _host(self) -> Computer:
        """The machine whose storage all of them have."""
        first = next(iter(self.machines.values()))
        return [first, *(one.kernel.machine for one in _chain(first))][-1]

    def _written(self, real: int, size: int) -> None:
        if self._also is not None and not self.history.silent:
            self._also(real, size)
        if self.history.taking:
            return
        for name, machine in self.machines.items():
            address: int | None = real
            chain = _chain(machine)
            for one in reversed(chain):
                address = None if address is None else one.vcpu.storage.guest_address(address)
            if address is None:
                continue
            for point in self.points:
                if point.length and point.address - size < address < point.address + point.length:
                    self._touched.append((name, point))
                    if chain:
                        self._refills[name] = chain[0].counts["refill"]
                    machine.stop()
                    for one in chain:
                        one.kernel.machine.stop()

    def _point(self, machine: Computer) -> Point | None:
        """The point at which a machine has stopped."""
        name = next(name for name, one in self.machines.items() if one is machine)
        self._complete(name, machine)
        touched, self._touched[:] = list(self._touched), []
        for who, point in touched:
            if who == name and point.fits(name, machine):
                return point
        if machine.hart.waiting:
            return None  # pc is behind the WFI, but an interrupt may come first
        for point in self.points:
            at = not point.length and point.address == machine.hart.pc
            if at and point.fits(name, machine):
                return point
        return None

    def _complete(self, name: str, machine: Computer) -> None:
        """Ends the step in which something was written.

        A walk that sets an A bit is part of it; the VMM makes that walk before, when it maps the
        page.
        """
        refills = self._refills.pop(name, None)
        if isinstance(machine, VirtualMachine) and refills not in (None, machine.counts["refill"]):
            machine.step()

    def _fits(self, machine: Computer) -> int | None:
        """For going back: a breakpoint is at its place, a watchpoint one step before."""
        point = self._point(machine)
        return None if point is None else 1 if point.length else 0

    # -- running -----------------------------------------------------------------------------

    def run(self, budget: int = DEFAULT_BUDGET) -> Hit:
        """Runs to the next point, or until something else ends the run."""
        bus = self._host().bus
        before = bus.watch, bus.watched
        self._also = bus.watch
        try:
            self._arm()
            return self._run(budget)
        finally:
            self._disarm()
            bus.watch, bus.watched = before
            self._also = None

    def _run(self, budget: int) -> Hit:
        if isinstance(self.system, Computer):
            return self._run_one(self.system, budget)
        if self.history.is_past:
            if self.history.forward(self._arm, self._fits_again):
                return self._hit(self._stopped, self._last_point)
            self._arm()
        return self._run_all(self.system, budget)

    def _run_one(self, machine: Computer, budget: int) -> Hit:
        end = machine.steps + budget
        while True:
            stop = machine.run(end - machine.steps)
            point = self._point(machine)
            if point is not None:
                return self._hit(machine, point)
            failed = isinstance(machine, VirtualMachine) and machine.failure
            if failed or stop.reason not in ("breakpoint", "stopped"):
                return self._ended(machine, stop)

    def _fits_again(self, machine: Computer) -> int | None:
        point = self._point(machine)
        if point is None:
            return None
        self._stopped, self._last_point = machine, point
        return 0

    def _run_all(self, vmm: VMM, budget: int) -> Hit:
        end = {name: machine.steps + budget for name, machine in self.machines.items()}
        while True:
            left = max(0, max(end[n] - m.steps for n, m in self.machines.items()))
            scheduler = vmm.scheduler(self._turns, left)
            for one in self._held:
                scheduler.account(one).held = True
            while (name := scheduler.turn()) is not None:
                machine = vmm.machines[name]
                ended = scheduler.account(name).ended
                if ended is not None and ended.reason == "reset":
                    scheduler.renew(name)
                stopped = ended is not None and ended.reason in ("breakpoint", "stopped")
                if not stopped and not self._touched:
                    continue
                self._turns.interrupted()
                point = self._point(machine)
                if point is not None:
                    return self._hit(machine, point)
                if stopped and not machine.failure:
                    break
            else:
                name = next(iter(vmm.machines))
                return self._ended(vmm.machines[name], scheduler.results()[name])

    def _hit(self, machine: Computer, point: Point) -> Hit:
        point.hits += 1
        name = next(name for name, one in self.machines.items() if one is machine)
        return Hit("watchpoint" if point.length else "breakpoint", name, point)

    def _ended(self, machine: Computer, stop: Stop) -> Hit:
        name = next(name for name, one in self.machines.items() if one is machine)
        return Hit(stop.reason, name, None, stop.code)

    def step(self, count: int = 1, vm: str | None = None) -> Stop:
        """Makes steps of one machine, or with a negative count takes them back."""
        return self._machine(vm).step(count)

    def back(self, vm: str | None = None) -> Hit:
        """Runs back to the point before. At a watchpoint the write is about to be made again.

        The reason is "begin" where there is none, and the machine is where its history begins.
        """
        self._back: tuple[Computer, Point] | None = None
        hits: dict[int, tuple[Computer, Point]] = {}

        def fits(machine: Computer) -> int | None:
            point = self._point(machine)
            if point is None:
                return None
            before = 1 if point.length else 0
            hits[self.history.place - before] = machine, point
            return before

        if not self.history.back(self._arm, fits):
            self.history.go(0)
            return Hit("begin", next(iter(self.machines)) if vm is None else vm)
        return self._hit(*hits[self.history.place])


def _chain(machine: Computer) -> list[VirtualMachine]:
    """A virtual machine, and those beneath it; none if it is bare."""
    chain = []
    while isinstance(machine, VirtualMachine):
        chain.append(machine)
        machine = machine.kernel.machine
    return chain


def _pieces(point: Point, machine: Computer, chain: list[VirtualMachine]) -> Iterator[range]:
    """The ranges of the host's storage, each within a page, in which a watchpoint's bytes are."""
    at, end = point.address, point.address + point.length
    while at < end:
        size = min(end - at, PAGE - at % PAGE)
        if machine.bus.is_ram(at, size):
            real = at
            for one in chain:
                real = one.vcpu.storage.real_address(real)
            yield range(real, real + size)
        at += size
