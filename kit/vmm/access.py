"""Loads, stores and atomic operations that the kernel carries out for the guest.

These are the accesses that no shadow table can let through: to devices, to pages that a PMP
boundary cuts, and all of virtual M-mode's while MPRV makes them count as another mode's.
`ACCESSES` maps an instruction's name to its function; each makes one whole guest step.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from kit.bits import Bits, select
from kit.isa.cpu import Cpu
from kit.vmm.protection import CUT, READ, WRITE, data_mode, guest_rights
from kit.vmm.traps import complete, deliver_exception

__all__ = ["ACCESSES"]

MISALIGNED, DENIED = {READ: 4, WRITE: 6}, {READ: 5, WRITE: 7}


def _blocked(v: Cpu, address: Bits, size: int, right: int, ram_only: bool) -> Bits:
    """The cause of the exception that an access must end in, or zero."""
    physical = address.zext(v.plen)
    rights = guest_rights(v, physical, size, data_mode(v))
    there = v.is_ram(physical, size) if ram_only else v.reaches(physical, size)
    allowed = rights[right] & ~rights[CUT] & there
    cause = select(allowed, v.word(0), v.word(DENIED[right]))
    return select((address & (size - 1)) != 0, v.word(MISALIGNED[right]), cause)


def _load(v: Cpu, rd: Bits, rs1: Bits, imm: Bits, size: int, signed: bool) -> None:
    address = v.x[rs1] + imm
    cause = _blocked(v, address, size, READ, ram_only=False)
    if cause != 0:
        deliver_exception(v, cause, address)
        return
    value = v.read(address.zext(v.plen), size)
    v.x[rd] = value.sext(v.xlen) if signed else value.zext(v.xlen)
    complete(v)


def _store(v: Cpu, rs1: Bits, rs2: Bits, imm: Bits, size: int) -> None:
    address = v.x[rs1] + imm
    cause = _blocked(v, address, size, WRITE, ram_only=False)
    if cause != 0:
        deliver_exception(v, cause, address)
        return
    v.write(address.zext(v.plen), size, v.x[rs2][8 * size - 1 : 0])
    complete(v)


def _load_reserved(v: Cpu, rd: Bits, rs1: Bits, aq: Bits, rl: Bits) -> None:
    address = v.x[rs1]
    cause = _blocked(v, address, 4, READ, ram_only=True)
    if cause != 0:
        deliver_exception(v, cause, address)
        return
    v.reservation_valid, v.reservation = 1, address.zext(v.plen)
    v.x[rd] = v.read(address.zext(v.plen), 4)
    complete(v)


def _store_conditional(v: Cpu, rd: Bits, rs1: Bits, rs2: Bits, aq: Bits, rl: Bits) -> None:
    address = v.x[rs1]
    cause = _blocked(v, address, 4, WRITE, ram_only=True)
    if cause != 0:
        deliver_exception(v, cause, address)
        return
    succeeds = v.reservation_valid & (v.reservation == address.zext(v.plen))
    if succeeds:
        v.write(address.zext(v.plen), 4, v.x[rs2])
    v.reservation_valid = 0
    v.x[rd] = select(succeeds, v.word(0), v.word(1))
    complete(v)


def _atomic(
    v: Cpu, rd: Bits, rs1: Bits, rs2: Bits, aq: Bits, rl: Bits, new: Callable[[Bits, Bits], Bits]
) -> None:
    address = v.x[rs1]
    cause = _blocked(v, address, 4, WRITE, ram_only=False)
    if cause != 0:
        deliver_exception(v, cause, address)
        return
    old = v.read(address.zext(v.plen), 4)
    v.write(address.zext(v.plen), 4, new(old, v.x[rs2]))
    v.x[rd] = old
    complete(v)


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
