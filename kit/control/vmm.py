"""The VMM as its users see it: create virtual machines, run them, look at what it cost."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import NoneType
from typing import Any

from kit.control.costs import Report, report
from kit.control.policies import QUANTUM, Policy, RoundRobin
from kit.control.scheduler import Progress, Scheduler
from kit.control.virtual_machine import VirtualMachine
from kit.errors import KitError, expect
from kit.isa.config import Config
from kit.machine.board import RAM_BASE
from kit.machine.bus import PAGE
from kit.machine.computer import Computer, memory_size
from kit.machine.loader import Image
from kit.machine.protocol import Stop
from kit.vmm.allocator import MINIMUM, Pager
from kit.vmm.kernel import Kernel, VirtualCpu
from kit.vmm.shadow import POOL

__all__ = ["QUANTUM", "VMM"]


class VMM:
    """A machine, bare or virtual, with the VMM kernel on it.

    The machine is reset first, and belongs to the VMM until `close`. Raises `KitError` if it has no
    supervisor mode, whose page tables the kernel needs, or if another VMM has it.
    """

    kernel_type: type[Kernel] = Kernel

    def __init__(self, machine: Computer) -> None:
        expect("VMM", machine, "a machine, as in VMM(Machine())", Computer)
        if not machine.config.has_s:
            raise KitError("VMM: it needs a machine with modes MSU, whose page tables it uses")
        if machine.owner:
            raise KitError(f"VMM: {machine.owner} runs this machine already; close that one first")
        # Whatever ran on the machine before, the kernel finds it as after power-on.
        machine.reset()
        machine.owner = "a VMM"
        self.machine = machine
        self.kernel = self.kernel_type(machine)
        self.machines: dict[str, VirtualMachine] = {}
        self.complaint = ""

    def create(
        self,
        name: str,
        image: str | Path | bytes | Image | None = None,
        *,
        memory: str | int = "4M",
        modes: str = "MSU",
        pmp: int = 16,
        initrd: str | Path | bytes | None = None,
        append: str = "",
        pager: Pager | None = None,
        fixed: bool = False,
        **devices: Any,
    ) -> VirtualMachine:
        """A new virtual machine, with `image` loaded if it is given.

        `modes`, `pmp` are those of `kit.isa.config.Config`. With a `pager` (see
        `kit.control.paging`) its pages have frames only while they are needed; `fixed` storage
        (V=R) lies at the same real addresses. `devices` are the settings of
        `kit.machine.computer.Computer`.
        Raises `KitError` where the name is taken or storage is short.
        """
        expect("VMM", name, "a name for the virtual machine", str)
        if name in self.machines:
            raise KitError(f"VMM: there is a virtual machine {name!r} already; choose another name")
        if pager is not None and not hasattr(pager, "victim"):
            raise KitError(f"VMM: expected a pager, such as BackingStore(), not {pager!r}")
        below = self.machine.config
        config = Config(below.isa, modes, pmp, below.ad, below.holes)
        size = memory_size(memory)
        least = size if fixed or pager is None else min(size, MINIMUM * PAGE)
        vcpu = self.kernel.create(name, config, RAM_BASE, size, pager, fixed)
        if vcpu is None:
            raise KitError(f"VMM: {name!r} {self._lacking(least, fixed)}")
        machine = None
        try:
            machine = VirtualMachine(self.kernel, vcpu, **devices)
            if image is not None:
                machine.load(image, initrd=initrd, append=append)
        except BaseException:
            self.kernel.destroy(vcpu)
            if machine is not None:
                machine.detach()
            raise
        self.machines[name] = machine
        return machine

    def _lacking(self, size: int, fixed: bool) -> str:
        """Why the kernel has not created a virtual machine that needs so many bytes."""
        free, tables = self.kernel.allocator.free * PAGE, POOL * PAGE
        if fixed and free >= size + tables:
            return "is to be fixed (V=R), but others have frames at its addresses"
        return f"needs {size >> 10}K, and {tables >> 10}K for its tables; {free >> 10}K are free"

    def destroy(self, name: str) -> None:
        """Ends a virtual machine and takes back its storage. Raises `KitError` if there is none."""
        machine = self.machines.pop(name, None)
        if machine is None:
            raise KitError(f"VMM: there is no virtual machine {name!r}")
        self.kernel.destroy(machine.vcpu)
        machine.detach()

    def close(self) -> None:
        """Destroys its virtual machines, and leaves the machine as after power-on."""
        for name in list(self.machines):
            self.destroy(name)
        if self.machine.monitor is not None:
            self.machine.owner, self.machine.monitor = "", None
            self.machine.reset()

    def run(
        self,
        budget: int | None = None,
        quantum: int = QUANTUM,
        policy: Policy | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> dict[str, Stop]:
        """Runs all virtual machines in turns, each until it ends or has made `budget` steps.

        `policy` says whose turn it is, by default `kit.control.policies.RoundRobin` with `quantum`
        (guest steps). `progress` is called after each turn. Returns how each of them ended, by
        name. What a wrong policy did is in `complaint` afterwards, and ends no run.
        """
        expect("budget", budget, "a number of steps", int, NoneType)
        self.complaint = ""
        scheduler = self.scheduler(policy or RoundRobin(quantum), budget)
        while scheduler.turn() is not None:
            if progress is not None:
                progress(scheduler.progress())
        self.complaint = scheduler.complaint
        return scheduler.results()

    def scheduler(self, policy: Policy | None = None, budget: int | None = None) -> Scheduler:
        """A scheduler of this VMM's machines, for who wants to do something between turns."""
        return Scheduler(self.machine, self.machines, policy, budget)

    def report(self) -> Report:
        """What each virtual machine has cost since its creation, by the stated cost table."""
        return report({name: machine.counts for name, machine in self.machines.items()})

    def record(self, listener: Callable[..., None] | None) -> None:
        """Calls `listener` at each exit of a guest: (virtual CPU, kind, mode before, cause).

        What it raises leaves `run` as soon as the guest's step is complete, and does no harm to it.
        """
        self.kernel.recorder = None if listener is None else partial(self._exited, listener)

    def _exited(self, listener: Callable[..., None], vcpu: VirtualCpu, *exit_: Any) -> None:
        try:
            listener(vcpu, *exit_)
        except BaseException as error:
            self.machines[vcpu.name].board.tell(_throw, error)
            vcpu.storage.attention = True


def _throw(error: BaseException) -> None:
    raise error
