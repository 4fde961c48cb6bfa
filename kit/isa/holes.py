"""Holes: processors that are altered so that a VMM cannot be built on them as usual.

Popek and Goldberg (CACM 17(7), 1974) ask of a processor that whatever is sensitive traps in user
mode. Each hole here breaks that in one instruction, which is added to the table or replaces the one
of its name. `Config.holes` names those that a processor has; engines, proofs and `kit classify`
then all see the altered table. No processor has one unless it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from kit.bits import Bits
from kit.errors import KitError
from kit.isa import system, zicsr
from kit.isa.cpu import Cpu, U
from kit.isa.csr import NUMBERS
from kit.isa.encoding import HOLES, INSTRUCTIONS, row_of
from kit.isa.trap import MPRV, return_from

__all__ = ["check_holes", "describe_hole", "hole_names"]

Meaning = Callable[..., None]
TIME, MSTATUS = NUMBERS["time"], NUMBERS["mstatus"]


def added(hole: str, name: str, pattern: str, syntax: str) -> Callable[[Meaning], Meaning]:
    """Enters a function as an instruction that processors with the hole have besides."""

    def enter(function: Meaning) -> Meaning:
        HOLES[hole] = row_of(
            name, pattern, syntax=syntax, extension="", xlens=frozenset((32, 64)), execute=function
        )
        return function

    return enter


def altered(hole: str, name: str) -> Callable[[Meaning], Meaning]:
    """Enters a function as what the instruction `name` means in processors with the hole."""

    def enter(function: Meaning) -> Meaning:
        (row,) = (row for row in INSTRUCTIONS if row.name == name)
        HOLES[hole] = replace(row, execute=function)
        return function

    return enter


@added("jrst1", "jrst1", "000000000000 rs1 000 00000 0001011", "rs1")
def jump_to_user_mode(cpu: Cpu, rs1: Bits) -> None:
    """JRST 1 of the PDP-10: jump, and go on in U-mode. In U-mode it is only a jump."""
    if cpu.mode != U:
        cpu.mode = U
        cpu.mstatus = cpu.mstatus.replace(MPRV, MPRV, 0)
    cpu.jump(cpu.x[rs1] & ~1)


@added("rdmode", "rdmode", "000000000000 00000 001 rd 0001011", "rd")
def read_mode(cpu: Cpu, rd: Bits) -> None:
    """The mode is put into rd: what a program in M-mode sees is not what it sees in a VM."""
    cpu.x[rd] = cpu.mode.zext(cpu.xlen)


@altered("noop", "mret")
def ignored_mret(cpu: Cpu) -> None:
    """mret in U-mode does nothing, instead of trapping; so does POPF with the IF bit on the x86."""
    if cpu.mode != U:
        system.mret(cpu)


@altered("sfence", "sfence.vma")
def open_sfence(cpu: Cpu, rs1: Bits, rs2: Bits) -> None:
    """sfence.vma completes in U-mode; in S-mode it still traps where mstatus.TVM says so."""
    if cpu.mode != U:
        system.sfence_vma(cpu, rs1, rs2)


@altered("sret", "sret")
def open_sret(cpu: Cpu) -> None:
    """sret returns from a trap in U-mode too: to the pc in sepc and the mode in mstatus.SPP."""
    if cpu.config.has_s and cpu.mode == U:
        return_from(cpu, 1)
    else:
        system.sret(cpu)


@altered("mstatus", "csrrs")
def readable_mstatus(cpu: Cpu, rd: Bits, rs1: Bits, csr: Bits) -> None:
    """csrrs reads mstatus in every mode, as SMSW reads CR0 on the x86."""
    if (csr == MSTATUS) & (rs1 == 0):
        cpu.x[rd] = cpu.mstatus
    else:
        zicsr.csrrs(cpu, rd, rs1, csr)


@altered("time", "csrrs")
def readable_time(cpu: Cpu, rd: Bits, rs1: Bits, csr: Bits) -> None:
    """csrrs reads the time in every mode, whatever mcounteren and scounteren say."""
    if (csr == TIME) & (rs1 == 0):
        cpu.x[rd] = cpu.mtime[31:0].zext(cpu.xlen)
    else:
        zicsr.csrrs(cpu, rd, rs1, csr)


def hole_names() -> list[str]:
    """The names of the holes, as `Config.holes` takes them."""
    return list(HOLES)


def describe_hole(name: str) -> str:
    """What a hole is, in a sentence or two."""
    return " ".join((HOLES[name].execute.__doc__ or "").split())


def check_holes(names: Sequence[str]) -> None:
    """Raises `KitError` where there is no such hole, or where two alter the same instruction."""
    seen: dict[str, str] = {}
    for name in names:
        if name not in HOLES:
            raise KitError(f"there is no hole {name!r}; there are {', '.join(HOLES)}")
        other = seen.setdefault(HOLES[name].name, name)
        if other != name:
            raise KitError(f"the holes {other} and {name} both alter {HOLES[name].name}; take one")
