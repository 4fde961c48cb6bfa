"""Loads, stores and atomic operations that the kernel carries out for the guest.

These are the accesses that no shadow table can let through: to devices, to pages that a PMP
boundary cuts, and all of virtual M-mode's while MPRV makes them count as another mode's.
`ACCESSES` maps an instruction's name to its function; each makes one whole guest step.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from kit.bits import Bits, concat, select
from kit.isa.cpu import Cpu, opaque
from kit.vmm.protection import READ, WRITE
from kit.vmm.translation import CAUSE, address_of, cause_of, locate
from kit.vmm.traps import complete, deliver_exception

__all__ = ["ACCESSES"]

MISALIGNED, DENIED = {READ: 4, WRITE: 6}, {READ: 5, WRITE: 7}


@opaque(38)
def reach(v: Cpu, address: Bits, size: int, right: int, ram_only: bool) -> Bits:
    """Where an access leads, or the cause of its exception (see `kit.vmm.translation`)."""
    if (address & (size - 1)) != 0:
        return concat(Bits(CAUSE, MISALIGNED[right]), Bits(v.plen, 0))
    answer = locate(v, address, size, right)
    if cause_of(v, answer) != 0:
        return answer
    physical = address_of(v, answer)
    there = v.is_ram(physical, size) if ram_only else v.reaches(physical, size)
    return select(there, answer, concat(Bits(CAUSE, DENIED[right]), Bits(v.plen, 0)))


def _carry_out(
    v: Cpu,
    address: Bits,
    size: int,
    right: int,
    act: Callable[[Bits], None],
    ram_only: bool = False,
) -> None:
    """One guest step: `act` on the guest-physical address, or the exception in its place."""
    answer = reach(v, address, size, right, ram_only)
    if cause_of(v, answer) != 0:
        deliver_exception(v, cause_of(v, answer), address)
        return
    act(address_of(v, answer))
    complete(v)


def _load(v: Cpu, rd: Bits, rs1: Bits, imm: Bits, size: int, signed: bool) -> None:
    def act(at: Bits) -> None:
        value = v.read(at, size)
        v.x[rd] = value.sext(v.xlen) if signed else value.zext(v.xlen)

    _carry_out(v, v.x[rs1] + imm, size, READ, act)


def _store(v: Cpu, rs1: Bits, rs2: Bits, imm: Bits, size: int) -> None:
    def act(at: Bits) -> None:
        v.write(at, size, v.x[rs2][8 * size - 1 : 0])

    _carry_out(v, v.x[rs1] + imm, size, WRITE, act)


def _load_reserved(v: Cpu, rd: Bits, rs1: Bits, aq: Bits, rl: Bits) -> None:
    def act(at: Bits) -> None:
        v.reservation_valid, v.reservation = 1, at
        v.x[rd] = v.read(at, 4)

    _carry_out(v, v.x[rs1], 4, READ, act, ram_only=True)


def _store_conditional(v: Cpu, rd: Bits, rs1: Bits, rs2: Bits, aq: Bits, rl: Bits) -> None:
    def act(at: Bits) -> None:
        succeeds = v.reservation_valid & (v.reservation == at)
        if succeeds:
            v.write(at, 4, v.x[rs2])
        v.reservation_valid = 0
        v.x[rd] = select(succeeds, v.word(0), v.word(1))

    _carry_out(v, v.x[rs1], 4, WRITE, act, ram_only=True)


def _atomic(
    v: Cpu, rd: Bits, rs1: Bits, rs2: Bits, aq: Bits, rl: Bits, new: Callable[[Bits, Bits], Bits]
) -> None:
    def act(at: Bits) -> None:
        old = v.read(at, 4)
        v.write(at, 4, new(old, v.x[rs2]))
        v.x[rd] = old

    _carry_out(v, v.x[rs1], 4, WRITE, act)


ACCESSES: dict[str, Callable[..., None]] = {
    "lb": partial(_load, size=1, signed=True),
    "lh": partial(_load, size=2, signed=True),
    "lw": partial(_load, size=4, signed=True),
    "lbu": partial(_load, size=1, signed=False),
    "lhu": partial(_load, size=2, signed=False),
    "sb": partial(_store, size=1),
    "sh": partial(_store, size=2),
    "sw": partial(_store, size=4),
    "lr.w": _load_reserved,
    "sc.w": _store_conditional,
    "amoswap.w": partial(_atomic, new=lambda old, operand: operand),
    "amoadd.w": partial(_atomic, new=lambda old, operand: operand + old),
    "amoxor.w": partial(_atomic, new=lambda old, operand: operand ^ old),
    "amoand.w": partial(_atomic, new=lambda old, operand: operand & old),
    "amoor.w": partial(_atomic, new=lambda old, operand: operand | old),
    "amomin.w": partial(_atomic, new=lambda old, op: select(op.lts(old), op, old)),
    "amomax.w": partial(_atomic, new=lambda old, op: select(op.lts(old), old, op)),
    "amominu.w": partial(_atomic, new=lambda old, op: select(op.ltu(old), op, old)),
    "amomaxu.w": partial(_atomic, new=lambda old, op: select(op.ltu(old), old, op)),
}
