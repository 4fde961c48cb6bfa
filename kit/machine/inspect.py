"""Registers by name, for debuggers and tests: x0 to x31, ABI names, pc, mode, and CSRs."""

from __future__ import annotations

from kit.bits import Bits
from kit.errors import KitError
from kit.isa.cpu import M
from kit.isa.csr import CSRS, NUMBERS, csr_exists
from kit.isa.hart import Hart, cpu_of
from kit.isa.registers import REGISTERS

__all__ = ["read_register", "write_register"]

_WORDS = ("pc", "mode")
_COUNTERS = ("mcycle", "minstret")
_HALF = (1 << 32) - 1


def read_register(hart: Hart, name: str) -> int:
    """The value of a register. Raises `KitError` for a name that the hart does not have."""
    if name in _WORDS:
        return int(getattr(hart, name))
    if name in REGISTERS:
        return hart.x[REGISTERS[name]]
    return int(CSRS[_csr(hart, name)].read(cpu_of(hart)))


def write_register(hart: Hart, name: str, value: int) -> None:
    """Sets a register, cut to its width; a CSR takes only legal values, as by an instruction.

    Raises `KitError` for a name, or a mode, that the hart does not have.
    """
    if name == "mode":
        if value not in ["USM".index(mode) if mode != "M" else M for mode in hart.config.modes]:
            raise KitError(f"mode {value}: this machine has modes {hart.config.modes}; M is 3")
        hart.mode = value
    elif name == "pc":
        # An instruction begins at an even address, and without C at a multiple of four.
        hart.pc = value & ((1 << hart.config.xlen) - (2 if hart.config.has_c else 4))
    elif name in REGISTERS:
        number = REGISTERS[name]
        hart.x[number] = value & ((1 << hart.config.xlen) - 1) if number else 0
    elif name.removesuffix("h") in _COUNTERS:
        # An instruction's write allows for its own step, which adds one.
        word, low = name.removesuffix("h"), 32 if name.endswith("h") else 0
        setattr(hart, word, getattr(hart, word) & ~(_HALF << low) | (value & _HALF) << low)
    else:
        CSRS[_csr(hart, name)].write(cpu_of(hart), Bits(hart.config.xlen, value))


def _csr(hart: Hart, name: str) -> int:
    number = NUMBERS.get(name)
    if number is None or not csr_exists(hart.config, number):
        raise KitError(f"no register {name!r} in this machine; try a0, x10, pc, mode or mstatus")
    return number
