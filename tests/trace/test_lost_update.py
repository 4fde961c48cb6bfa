"""A bug that depends on one interrupt's place: recorded, replayed, walked back to its cause."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from kit import Machine, assemble
from kit.machine.computer import Computer
from kit.trace.debugger import Debugger
from kit.trace.history import History
from kit.trace.tape import Tape, record_to

BUG = """
        .equ CLINT, 0x2000000
        .equ FINISHER, 0x100000
        la t0, handler
        csrw mtvec, t0
        li t0, CLINT + 0x4000
        li t1, 1009
        sw t1, 0(t0)
        sw zero, 4(t0)
        li t0, 0x80
        csrw mie, t0
        csrsi mstatus, 8
        li s0, 3000
        la s1, total
again:  lw a0, 0(s1)            # the kernel counts too, and this is no atomic addition
        addi a0, a0, 1
        sw a0, 0(s1)
        addi s0, s0, -1
        bnez s0, again
        csrci mstatus, 8
        lw a0, 0(s1)
        lw a1, 4(s1)
        addi a1, a1, 1500
        addi a1, a1, 1500
        beq a0, a1, right
        li t0, FINISHER
        li t1, 0x13333          # fail, 1: an update was lost
        sw t1, 0(t0)
right:  li t0, FINISHER
        li t1, 0x5555
        sw t1, 0(t0)
1:      j 1b
        .balign 4
handler:
        csrw mscratch, t0
        la t1, total
        lw t2, 0(t1)
        addi t2, t2, 1
        sw t2, 0(t1)
        lw t2, 4(t1)
        addi t2, t2, 1
        sw t2, 4(t1)
        li t0, CLINT + 0x4000
        lw t1, 0(t0)
        addi t1, t1, 997
        sw t1, 0(t0)
        csrr t0, mscratch
        mret
        .balign 4
total:  .word 0, 0              # the sum, and what the kernel has added
"""


@pytest.fixture
def tape(tmp_path: Path) -> Tape:
    machine = Machine(memory="64K")
    machine.load(assemble(BUG))
    history = History(machine)
    stop = machine.run()
    assert (stop.reason, stop.code) == ("halt", 1)
    record_to(tmp_path / "bug.tape", history)
    return Tape.load(tmp_path / "bug.tape")


def test_ten_replays_are_alike(tape: Tape) -> None:
    states = set()
    for number in range(10):
        machine = tape.replay("wasm" if number % 2 else "reference").computers[""]
        assert machine.finisher.result is not None
        states.add(bytes(machine.read_memory(machine.symbols["total"], 8)))
    assert len(states) == 1


def lost(machine: Computer) -> int:
    """How many updates have been lost so far, after a store of the program's."""
    total = machine.symbols["total"]
    found, by_kernel = struct.unpack("<II", machine.read_memory(total, 8))
    return int(3001 - machine.register("s0") + by_kernel - found)


def test_the_bug_is_walked_back_to_the_interrupt_that_caused_it(tape: Tape) -> None:
    machine = tape.replay().computers[""]
    again = machine.symbols["again"]
    debug = Debugger(machine)

    def after_its_store(machine: Computer) -> bool:
        return again < machine.hart.pc < again + 16

    # Back to the first store at which it is as wrong as in the end: the one after the last good.
    debug.watch("total", when=after_its_store)
    assert debug.back().reason == "watchpoint"
    machine.step()
    in_the_end = lost(machine)
    assert in_the_end > 0
    good = debug.watch("total", when=lambda m: after_its_store(m) and lost(m) < in_the_end)
    debug.remove(debug.points[0])
    assert debug.back().point is good
    debug.remove(good)
    bad = debug.watch("total", when=lambda m: after_its_store(m) and lost(m) == in_the_end)
    assert debug.run().point is bad
    # What came between its load and its store was the timer.
    assert "machine timer interrupt" in machine.explain()
    debug.remove(bad)
    steps = machine.steps
    debug.break_at("handler")
    assert debug.back().reason == "breakpoint"
    assert steps - machine.steps < 30
    assert machine.register("mepc") in range(again + 1, again + 10)
