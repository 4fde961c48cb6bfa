"""The VMM as its users see it: create virtual machines, run them, look at what it cost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kit.control.virtual_machine import VirtualMachine
from kit.errors import KitError
from kit.isa.config import Config
from kit.machine.board import RAM_BASE
from kit.machine.computer import DEFAULT_BUDGET, Computer, memory_size
from kit.machine.loader import Image
from kit.machine.protocol import Stop
from kit.vmm.allocator import Pager
from kit.vmm.kernel import Kernel

__all__ = ["QUANTUM", "VMM"]

QUANTUM = 10_000
"""Guest steps after which the next virtual machine has its turn."""


class VMM:
    """A machine, bare or virtual, with the VMM kernel on it.

    The machine is reset first. Raises `KitError` if it has no supervisor mode, whose page tables
    the kernel needs.
    """

    def __init__(self, machine: Computer) -> None:
        if not machine.config.has_s:
            raise KitError("VMM: it needs a machine with modes MSU, whose page tables it uses")
        # Whatever ran on the machine before, the kernel finds it as after power-on.
        machine.reset()
        self.machine = machine
        self.kernel = Kernel(machine)
        self.machines: dict[str, VirtualMachine] = {}

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
        if name in self.machines:
            raise KitError(f"VMM: there is a virtual machine {name!r} already; choose another name")
        config = Config(self.machine.config.isa, modes, pmp, self.machine.config.ad)
        size = memory_size(memory)
        vcpu = self.kernel.create(name, config, RAM_BASE, size, pager, fixed)
        if vcpu is None:
            free = self.kernel.allocator.free * 4 // 1024
            raise KitError(f"VMM: {name!r} wants {memory} of storage, of which {free}M are free")
        try:
            machine = VirtualMachine(self.kernel, vcpu, **devices)
            if image is not None:
                machine.load(image, initrd=initrd, append=append)
        except BaseException:
            self.kernel.destroy(vcpu)
            raise
        self.machines[name] = machine
        return machine

    def destroy(self, name: str) -> None:
        """Ends a virtual machine and takes back its storage. Raises `KitError` if there is none."""
        machine = self.machines.pop(name, None)
        if machine is None:
            raise KitError(f"VMM: there is no virtual machine {name!r}")
        self.kernel.destroy(machine.vcpu)

    def run(self, budget: int | None = None, quantum: int = QUANTUM) -> dict[str, Stop]:
        """Runs all virtual machines in turn, each until it ends or has made `budget` steps.

        Returns how each of them ended, by name.
        """
        limit = DEFAULT_BUDGET if budget is None else budget
        left = dict.fromkeys(self.machines, limit)
        ended: dict[str, Stop] = {}
        while left:
            for name in list(left):
                stop = self.machines[name].run(min(quantum, left[name]))
                left[name] -= stop.steps
                if stop.reason != "budget" or not left[name]:
                    ended[name] = Stop(stop.reason, stop.code, limit - left[name], stop.pc)
                    del left[name]
        return ended

    def record(self, listener: Callable[..., None] | None) -> None:
        """Calls `listener` at each exit of a guest: (virtual CPU, kind, mode before, cause)."""
        self.kernel.recorder = listener
