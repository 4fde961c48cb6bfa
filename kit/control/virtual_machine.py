"""A virtual machine: everything a bare machine is, on a virtual CPU of the VMM kernel."""

from __future__ import annotations

from collections import Counter
from typing import Any

from kit.machine.board import RAM_BASE
from kit.machine.computer import Computer
from kit.vmm.allocator import GuestStorage
from kit.vmm.kernel import Kernel, VirtualCpu

__all__ = ["VirtualMachine"]


class VirtualMachine(Computer):
    """A guest's machine. `kit.control.vmm.VMM.create` makes it."""

    def __init__(self, kernel: Kernel, vcpu: VirtualCpu, **devices: Any) -> None:
        memory = len(vcpu.storage.frames) * 4096
        super().__init__(vcpu.hart, vcpu.storage, memory, **devices)
        self.kernel = kernel
        self.vcpu = vcpu
        vcpu.on_machine_trap = self._call_monitor
        self.reset()

    @property
    def name(self) -> str:
        """What its creator called it."""
        return self.vcpu.name

    @property
    def failure(self) -> str:
        """Why the VMM stopped it, or nothing."""
        return self.vcpu.failure

    @property
    def counts(self) -> Counter[str]:
        """How many instructions ran directly, and how often each kind of exit happened."""
        return self.vcpu.counts

    @property
    def base(self) -> int:
        """The guest-physical address at which its RAM begins."""
        return RAM_BASE

    def _switch_off_and_on(self) -> None:
        super()._switch_off_and_on()
        self.vcpu.forget()  # the shadow tables start empty
        self.vcpu.failure = ""

    def set_register(self, name: str, value: int) -> None:
        """Sets a register, as `Computer.set_register`."""
        super().set_register(name, value)
        self.vcpu.forget()

    def put_back(self, hart: dict[str, Any], steps: int) -> None:
        """Takes on the registers of an earlier state, as `Computer.put_back`."""
        super().put_back(hart, steps)
        self.vcpu.forget()
        self.vcpu.failure = ""

    def detach(self) -> None:
        """It was destroyed: its frames belong to others, so it has no storage any more.

        Devices that were dedicated to it are on the machine beneath again.
        """
        self.vcpu.failure = "it was destroyed"  # for who runs on it: see `_execute`
        self.board.close()
        kernel = self.kernel
        nothing = GuestStorage(kernel.machine.bus, kernel.allocator, RAM_BASE, [], self.name)
        self.bus = self.hart.bus = self.vcpu.storage = nothing

    def _execute(self, steps: int) -> int:
        host = self.kernel.machine
        if not self.vcpu.storage.frames:
            self.vcpu.failure = "it was destroyed"
        elif isinstance(host, VirtualMachine) and host.failure:
            self.vcpu.failure = f"the virtual machine beneath it ended: {host.failure}"
        if self.failure:
            self._stopping = True
            return 0
        host.breakpoints = self.breakpoints
        owner, host.owner = host.owner, ""  # the owner itself runs it now
        try:
            made = self.kernel.run(self.vcpu, steps)
        except BaseException:  # control-C, or what somebody's listener raised
            self.steps += self.kernel.pause()
            raise
        finally:
            host.owner = owner
        if self.vcpu.failure:
            self._stopping = True
        return made
