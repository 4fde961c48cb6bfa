"""What traps are called. Privileged Architecture, tables 14 and 22."""

from __future__ import annotations

__all__ = ["cause_name"]

_EXCEPTIONS = {
    0: "instruction address misaligned",
    1: "instruction access fault",
    2: "illegal instruction",
    3: "breakpoint",
    4: "load address misaligned",
    5: "load access fault",
    6: "store address misaligned",
    7: "store access fault",
    8: "call from U-mode",
    9: "call from S-mode",
    11: "call from M-mode",
    12: "instruction page fault",
    13: "load page fault",
    15: "store page fault",
}
_INTERRUPTS = {
    1: "supervisor software interrupt",
    3: "machine software interrupt",
    5: "supervisor timer interrupt",
    7: "machine timer interrupt",
    9: "supervisor external interrupt",
    11: "machine external interrupt",
}


def cause_name(cause: int) -> str:
    """The name of a value of mcause; interrupts have bit 31 set."""
    number = cause & ~(1 << 31)
    names = _INTERRUPTS if cause >> 31 else _EXCEPTIONS
    return names.get(number, f"cause {cause:#x}")
