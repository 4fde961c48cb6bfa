"""Runs that tests of the views look at: real ones, made once, and a made-up long one."""

from __future__ import annotations

import functools
import random

from kit import VMM, Machine, assemble
from kit.devices.deck import Deck
from kit.devices.disk_image import DiskImage
from kit.resources import guests_dir
from kit.widgets.events import kind_of_exit
from kit.widgets.run import Run, record
from tests.guests.multi import disk

__all__ = ["bare_run", "batch_and_multi", "long_run", "sum_deck", "two_machines"]

TYPED = b"cat fruit | sort | head 3\nps\necho hello >x; cat x\nhalt\n"

BARE = """
_start: la t0, handler
        csrw mtvec, t0
        li t0, -1
        csrw pmpaddr0, t0
        li t0, 0x1f
        csrw pmpcfg0, t0
        la t0, program
        csrw mepc, t0
        mret
program: li a7, 7
        ecall
        lw a0, 0(zero)
1:      j 1b
handler: csrr t1, mepc
        addi t1, t1, 4
        csrw mepc, t1
        csrr t2, mcause
        li t3, 8
        beq t2, t3, back
        li t4, 0x100000
        li t5, 0x5555
        sw t5, 0(t4)
back:   mret
"""


def sum_deck() -> Deck:
    """One good job."""
    text = (guests_dir() / "batch" / "jobs" / "monday.deck").read_text()
    return Deck.from_text(
        next(j for j in text.split("$EOJ\n") if j.startswith("$JOB SUM")) + "$EOJ\n"
    )


def two_machines() -> VMM:
    """A batch monitor with a job, and the multiprogramming kernel with somebody who types."""
    vmm = VMM(Machine(memory="16M"))
    vmm.create("batch", image=guests_dir() / "batch", memory="1M", reader=sum_deck())
    multi = vmm.create(
        "multi", image=guests_dir() / "multi", memory="4M", disk=DiskImage(disk("14"))
    )
    multi.uart.feed(TYPED)
    multi.board.refresh()
    return vmm


@functools.cache
def batch_and_multi() -> tuple[Run, VMM]:
    """Both of them, run to their ends."""
    vmm = two_machines()
    with record(vmm) as run:
        vmm.run(100_000_000)
    return run, vmm


def bare_run() -> tuple[Run, Machine]:
    """A bare machine: to U-mode, a service call, and a fault."""
    machine = Machine(memory="64K")
    machine.load(assemble(BARE))
    run = record(machine)
    machine.run(1000)
    run.close()
    return run, machine


def long_run(events: int, machines: int = 3, seed: int = 1) -> Run:
    """A run with so many events of machines that do nothing real: for the speed of views."""
    vmm = VMM(Machine(memory="16M"))
    for number in range(machines):
        vmm.create(f"vm{number}", memory="64K")
    run = record(vmm)
    run.close()
    film, chance = run.film, random.Random(seed)
    kinds = [
        kind_of_exit(*exit_)
        for exit_ in [
            ("emulate csrrw",), ("emulate mret",), ("reflect", "ecall"), ("device",), ("refill",),
            ("timer",),
        ]
    ]  # fmt: skip
    numbers = [film.kinds.setdefault(kind, len(film.kinds)) for kind in kinds]
    texts = [film.string(f"event.{kind.id}" if kind.id != "device" else "event.device.read", "it")
             for kind in kinds]  # fmt: skip
    clock, machine = 0, 0
    modes = (15, 3, 12, 15, 0, 15)
    for _ in range(events):
        which = chance.randrange(len(kinds))
        direct = chance.randrange(400)
        clock += direct
        if which == 5:
            machine = chance.randrange(machines)
        row = (clock, direct, machine, numbers[which], modes[which], 0x80000000, texts[which])
        film.add((*row, 0, 0, 0, 2, 0))
        clock += kinds[which].cost
    film.end = clock
    return run
