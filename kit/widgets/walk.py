"""The walk of one address through a machine's tables, step by step, and on to real storage.

The definitions make the walk, on a copy (`kit.isa.probe`); here is only written down what they did.
"""

from __future__ import annotations

from typing import Any

from kit.bits import Bits
from kit.control.virtual_machine import VirtualMachine
from kit.isa.cpu import Trap
from kit.isa.probe import Probe
from kit.isa.translation import translate
from kit.machine.bus import PAGE
from kit.machine.computer import Computer

__all__ = ["walk"]

_ACCESSES = ("read", "write", "execute")
_MODES = "US?M"


def walk(machine: Computer, address: int, mode: int | None = None) -> dict[str, Any]:
    """What a machine does with an address now, in its present mode or in another one.

    ``entries`` are [level, address, value] of the table entries that were read; ``physical`` is
    the guest-physical address, or None; ``allowed`` has, for each kind of access, nothing where it
    is allowed, and the cause of the trap where it is not. ``real`` is the address in the storage of
    the machine beneath, of a virtual machine's page that has a frame.
    """
    address &= (1 << machine.config.xlen) - 1
    entries: list[list[int]] = []
    allowed: dict[str, int | None] = {}
    physical: int | None = None
    for access in _ACCESSES:
        probe = Probe(machine.hart)
        if mode is not None:
            probe.hart.mode = mode
        cpu = probe.cpu
        found: int | None = None
        try:
            found = int(translate(cpu, Bits(machine.config.xlen, address), 1, access))
            allowed[access] = None
        except Trap as trap:
            allowed[access] = int(trap.cause)
        for call in probe.tree.all("walk"):
            reads = [[1 - n, place, value] for n, (place, _, value) in enumerate(call.reads)]
            entries = max(entries, reads, key=len)
            found = call.result if found is None and call.result is not None else found
        physical = found if physical is None else physical
    return {
        "address": address,
        "mode": _MODES[machine.hart.mode if mode is None else mode],
        "satp": machine.hart.satp,
        "entries": entries,
        "physical": physical,
        "allowed": allowed,
        "real": _real(machine, physical),
    }


def _real(machine: Computer, physical: int | None) -> int | None:
    if physical is None or not isinstance(machine, VirtualMachine):
        return None
    number, offset = divmod(physical - machine.base, PAGE)
    frames = machine.vcpu.storage.frames
    if not 0 <= number < len(frames) or not frames[number]:
        return None
    return frames[number] + offset
