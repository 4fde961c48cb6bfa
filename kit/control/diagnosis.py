"""What is wrong with a guest that will never get anywhere."""

from __future__ import annotations

from kit.isa.causes import cause_name
from kit.isa.cpu import M, S
from kit.isa.hart import Hart

__all__ = ["trap_loop"]

_MODES = {M: ("mepc", "mcause", "mtval", "mtvec"), S: ("sepc", "scause", "stval", "stvec")}


def trap_loop(hart: Hart) -> str:
    """Why the hart takes the same trap for ever, in words, or nothing.

    That is so where the first instruction of the trap handler itself traps to that handler again.
    """
    if hart.mode not in _MODES:
        return ""
    epc, cause, tval, tvec = _MODES[hart.mode]
    code = getattr(hart, cause)
    at = getattr(hart, epc)
    if hart.pc != at or at != getattr(hart, tvec) & ~3 or code >> 31:
        return ""
    handler = "no trap handler is set" if at == 0 else "the trap handler's first instruction traps"
    what = f"{cause_name(code)}, {tval} {getattr(hart, tval):#x}"
    return f"takes the same trap for ever at {at:#x}: {what} ({handler}: {tvec} is {at:#x})"
