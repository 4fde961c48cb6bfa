"""Several guests on one machine: each does what it does alone, and what it costs is bounded."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kit import VMM, Machine
from kit.isa.assembler import assemble
from kit.isa.image import Image
from kit.machine.computer import Computer
from kit.machine.protocol import Stop

GUESTS = Path(__file__).parents[2] / "guests"

SMALL = """
        .equ number, {number}
        li a0, 0
        li a1, {number}
1:      add a0, a0, a1          # the sum of the numbers up to this guest's
        addi a1, a1, -1
        bgtz a1, 1b
        la a2, sum
        sw a0, 0(a2)
        li a3, 0x10000000
        li a4, '@' + {number} % 32
        sb a4, 0(a3)
        li a5, 0x3333 | {number} << 16
        li a3, 0x100000
        sw a5, 0(a3)
2:      j 2b
        .balign 4096
sum:    .word 0
"""

CRASHING = """
        li a3, 0x10000000
        li a4, '!'
        sb a4, 0(a3)
        la t0, dead
        csrw mtvec, t0
        li t0, 0x8000FFFC
        la t1, dead + 64
1:      sw zero, 0(t0)          # from the end of storage downwards
        addi t0, t0, -4
        bgt t0, t1, 1b
        li sp, 0x7FFFFFF0
        li a0, -1
        lw a0, 0(a0)
        .balign 64
dead:   csrr a1, mcause
        wfi
        j dead
"""


def test_64_machines_of_one_megabyte_run_to_their_end(
    record_property: Callable[[str, object], None],
) -> None:
    tracemalloc.start()
    vmm = VMM(Machine(memory="80M"))
    images = [assemble(SMALL.format(number=number)) for number in range(1, 65)]
    for number, image in enumerate(images, 1):
        vmm.create(f"guest {number}", image, memory="1M")
    ends = vmm.run(quantum=50)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    record_property("vmm bytes of memory at most, with 64 machines of 1 MiB", peak)
    for number, image in enumerate(images, 1):
        machine = vmm.machines[f"guest {number}"]
        assert (ends[machine.name].reason, ends[machine.name].code) == ("halt", number)
        assert machine.uart.text == chr(64 + number % 32)
        total = machine.read_memory(image.symbols["sum"], 4)
        assert int.from_bytes(total, "little") == number * (number + 1) // 2
    assert peak < (80 + 64) << 20  # a megabyte more for each, for tables, devices and code


def outcome(machine: Computer, stop: Stop) -> tuple[Any, ...]:
    """How a guest ended, and all that it put out."""
    return stop, machine.printer.text, machine.punch.save(), machine.uart.text


def test_three_guests_at_once_put_out_what_each_does_alone() -> None:
    """One of them destroys its storage, and crashes."""
    deck = GUESTS / "batch" / "jobs" / "monday.deck"
    guests: dict[str, tuple[str | Path | Image, dict[str, Any]]] = {
        "batch": (GUESTS / "batch", {"memory": "1M", "reader": deck}),
        "hello": (GUESTS / "standalone" / "hello.s", {"memory": "64K"}),
        "crash": (assemble(CRASHING), {"memory": "64K"}),
    }
    vmm = VMM(Machine(memory="4M"))
    for name, (image, devices) in guests.items():
        vmm.create(name, image, **devices)
    ends = vmm.run(quantum=2000)
    for name, (image, devices) in guests.items():
        alone = Machine(**devices)
        alone.load(image)
        assert outcome(vmm.machines[name], ends[name]) == outcome(alone, alone.run()), name
    assert [end.reason for end in ends.values()] == ["halt", "halt", "idle"]
    assert "END OF BATCH" in vmm.machines["batch"].printer.text
