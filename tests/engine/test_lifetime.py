"""A machine that nobody refers to any more gives back its memory, translations included."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import pytest

from kit import VMM, Machine, assemble

PROGRAM = assemble("""
        la s2, data
    1:  addi s0, s0, 1
        sw s0, 0(s2)
        j 1b
        .align 12
    data:
""")
STATISTICS = Path("/proc/self/statm")


def used_machine(size: str = "1M") -> Machine:
    """A machine with code that has been translated."""
    machine = Machine(memory=size, engine="wasm")
    machine.load(PROGRAM)
    machine.engine.threshold = 2  # type: ignore[attr-defined]
    machine.run(2000)
    assert machine.register("s0") > 400
    return machine


def runtime(machine: Machine) -> Any:
    """What holds the memory."""
    return machine.engine._runtime  # type: ignore[attr-defined]


def test_a_dropped_machine_is_gone() -> None:
    machine = used_machine()
    held = weakref.ref(runtime(machine))
    assert held() is not None
    del machine
    gc.collect()
    assert held() is None


def test_a_dropped_machine_is_gone_with_its_vmm_and_its_guests() -> None:
    vmm = VMM(Machine(memory="4M", engine="wasm"))
    guest = vmm.create("guest", PROGRAM, memory="1M")
    guest.run(5000)
    held = weakref.ref(runtime(vmm.machine))  # type: ignore[arg-type]
    del vmm, guest
    gc.collect()
    assert held() is None


def test_storage_outlives_its_machine_for_those_who_look_at_it() -> None:
    machine = used_machine()
    octets, at = machine.storage.octets, PROGRAM.symbols["data"] - machine.ram[0]
    before = bytes(octets[at : at + 4])
    del machine
    gc.collect()
    assert bytes(octets[at : at + 4]) == before != bytes(4)
    octets[at] = 7
    assert octets[at] == 7


@pytest.mark.slow
@pytest.mark.skipif(not STATISTICS.exists(), reason="only Linux says how much memory is in use")
def test_two_hundred_machines_after_each_other_take_no_more_memory_than_a_few() -> None:
    def megabytes() -> float:
        gc.collect()
        return int(STATISTICS.read_text().split()[1]) * 4096 / 1e6

    for _ in range(20):
        used_machine()
    before = megabytes()
    for _ in range(200):
        used_machine()
    assert megabytes() - before < 20
