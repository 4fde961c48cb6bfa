"""The hybrid VMM of Popek and Goldberg's third theorem: supervisor code is interpreted.

Where a sensitive instruction does not trap in U-mode, virtual M- and S-mode must not run there.
Here they do not run at all: the definitions of the instruction set are carried out on the virtual
CPU, step by step. Only virtual U-mode runs directly, behind shadow tables as ever. This is right as
long as every instruction traps that is sensitive when a program in U-mode executes it (`kit
classify` says whether); it is slower where guests spend their time in supervisor code.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from kit.control.vmm import VMM
from kit.engine.reference import ReferenceEngine
from kit.isa.cpu import U
from kit.machine import control_c
from kit.machine.computer import Computer
from kit.vmm.kernel import Kernel, VirtualCpu

__all__ = ["HybridKernel", "HybridVMM"]

INTERRUPT = 1 << 31


class HybridKernel(Kernel):
    """The VMM kernel, with an interpreter between an exit and the next entry.

    `vcpu.counts["interpreted"]` are the guest's steps that it made.
    """

    def __init__(self, machine: Computer) -> None:
        super().__init__(machine)
        self._interpreters: WeakKeyDictionary[VirtualCpu, ReferenceEngine] = WeakKeyDictionary()

    def _prepare(self, vcpu: VirtualCpu) -> bool:
        """Brings the guest to where it is in U-mode; True if it must not be entered now."""
        while not self._is_held(vcpu):
            if vcpu.hart.mode != U:
                if self._interpret(vcpu):
                    return True
            elif super()._prepare(vcpu):
                return True
            elif vcpu.hart.mode == U:  # no interrupt has taken it elsewhere
                return False
        return True

    def _is_held(self, vcpu: VirtualCpu) -> bool:
        """Has the run come to its end, or must somebody else have a look at the guest?"""
        busy = vcpu.hart.waiting or vcpu.storage.attention or vcpu.failure
        return self._left <= 0 or bool(busy)

    def _interpret(self, vcpu: VirtualCpu) -> bool:
        """Makes the guest's steps until it is in U-mode or held; True if the run has to end."""
        hart = vcpu.hart
        engine = self._interpreters.get(vcpu)
        if engine is None:
            engine = self._interpreters[vcpu] = ReferenceEngine(hart)
        protection = [*hart.pmpcfg, *hart.pmpaddr]
        try:
            while hart.mode != U and not self._is_held(vcpu):
                control_c.check()
                if self._left < self._budget and hart.pc in self.machine.breakpoints:
                    return True
                before = hart.mode
                engine.run(1)
                self._made_step(vcpu, before)
                if self._monitored(vcpu):
                    return True
            return False
        finally:
            if protection != [*hart.pmpcfg, *hart.pmpaddr]:
                vcpu.forget()  # what PMP forbids now must not stay mapped

    def _made_step(self, vcpu: VirtualCpu, before: int) -> None:
        """Enters an interpreted step into the accounts; a recorder is told if it was a trap."""
        hart = vcpu.hart
        self._left -= 1
        vcpu.counts["interpreted"] += 1
        if vcpu.storage.pager is not None:
            vcpu.failure = vcpu.failure or vcpu.storage.pager.failure
        if self.recorder is not None and not hart.completed:
            cause = hart.scause if hart.mode == 1 else hart.mcause
            kind = "interrupt" if cause & INTERRUPT else "reflect"
            self.recorder(vcpu, kind, before, cause & ~INTERRUPT)


class HybridVMM(VMM):
    """A `VMM` for processors on which theorem 1 fails and theorem 3 holds.

    It is used as `VMM` is, and raises the same errors.
    """

    kernel_type = HybridKernel
