"""Registers by name, for debuggers and tests: x0 to x31, ABI names, pc, mode, and CSRs."""

from __future__ import annotations

from kit.bits import Bits
from kit.errors import KitError
from kit.isa.csr import CSRS, NUMBERS, csr_exists
from kit.isa.hart import Hart, cpu_of
from kit.isa.registers import REGISTERS

__all__ = ["read_register", "write_register"]

_WORDS = ("pc", "mode")


def read_register(hart: Hart, name: str) -> int:
    """The value of a register. Raises `KitError` for a name that the hart does not have."""
    if name in _WORDS:
        return int(getattr(hart, name))
    if name in REGISTERS:
        return hart.x[REGISTERS[name]]
    return int(CSRS[_csr(hart, name)].read(cpu_of(hart)))


def write_register(hart: Hart, name: str, value: int) -> None:
    """Sets a register, cut to its width; a CSR takes only legal values, as by an instruction."""
    if name == "mode":
        hart.mode = value & 3
    elif name == "pc":
        hart.pc = value & ((1 << hart.config.xlen) - 1)
    elif name in REGISTERS:
        number = REGISTERS[name]
        hart.x[number] = value & ((1 << hart.config.xlen) - 1) if number else 0
    else:
        CSRS[_csr(hart, name)].write(cpu_of(hart), Bits(hart.config.xlen, value))


def _csr(hart: Hart, name: str) -> int:
    number = NUMBERS.get(name)
    if number is None or not csr_exists(hart.config, number):
        raise KitError(f"no register {name!r} in this machine; try a0, x10, pc, mode or mstatus")
    return number
