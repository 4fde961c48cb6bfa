"""Kinds of events, and the messages that say what happened, as views show them."""

from __future__ import annotations

from dataclasses import dataclass

from kit.control.costs import OVERHEAD_ONLY, cost_of
from kit.devices.unit_record import ACK, BUFFER, COMMAND, COUNT, IE, STATUS
from kit.machine.board import ADDRESSES

__all__ = ["GUEST", "HARDWARE", "VMM", "EventKind", "kind_of_exit", "register_name"]

GUEST, VMM, HARDWARE = "guest", "VMM", "hardware"
"""Who handles an event in the end."""

_REGISTERS = {STATUS: "STATUS", COMMAND: "COMMAND", IE: "IE", COUNT: "COUNT", ACK: "ACK"}
_OF_EXIT = {
    "cut page": "cut",
    "device": "device",
    "emulate mret": "return",
    "emulate sret": "return",
    "emulate wfi": "wait",
    "failure": "stop",
    "interrupt": "interrupt",
    "refill": "page",
    "switch": "switch",
    "table write": "table",
    "timer": "turn",
}


@dataclass(frozen=True)
class EventKind:
    """A kind of event: `id` names its message, `name` is what the VMM calls it.

    `handler` is one of `GUEST`, `VMM` and `HARDWARE`, `cost` the cycles in the VMM, and `step` says
    whether it is a step of the guest.
    """

    id: str
    name: str
    handler: str
    cost: int = 0
    step: bool = True


def kind_of_exit(name: str, reflected: str = "") -> EventKind:
    """The kind of an exit to the VMM; `reflected` is what came of it in the guest, if it did.

    That is ``ecall``, ``trap`` or nothing: an instruction that the VMM emulates can end in a trap.
    """
    step = name not in OVERHEAD_ONLY
    if reflected:
        return EventKind(reflected, name, GUEST, cost_of(name), step)
    id_ = _OF_EXIT.get(name, "emulate")
    return EventKind(id_, name, GUEST if id_ == "interrupt" else VMM, cost_of(name), step)


def register_name(address: int) -> str:
    """The device and the register at a guest-physical address, as the manual calls them."""
    below = [(base, name) for name, base in ADDRESSES.items() if base <= address]
    if not below:
        return f"{address:#010x}"
    base, name = max(below)
    offset = address - base
    if name not in ("reader", "printer", "punch"):
        return f"{name} +{offset:#x}"
    if offset >= BUFFER:
        return f"{name} BUFFER+{offset - BUFFER}"
    return f"{name} {_REGISTERS.get(offset, f'+{offset:#x}')}"
