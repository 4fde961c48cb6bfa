"""The recorder, on a VMM that runs a small guest."""

from __future__ import annotations

from kit.control.vmm import VMM
from kit.isa.assembler import assemble
from kit.isa.elf import write_elf
from kit.machine.machine import Machine
from kit.trace import Event, Frame, Recorder, Recording

# The kernel lets a program use 16 KiB, and starts it there. The program calls the kernel, writes
# where it may not, tries to become the kernel, and touches a device. Each time the kernel goes on
# behind the instruction; when the program calls with a7 = 9, it stops the machine.
GUEST = """
        .equ    PROGRAM, 0x80004000
        la      t0, trap
        csrw    mtvec, t0
        li      t0, (PROGRAM >> 2) + 0x7ff
        csrw    pmpaddr0, t0
        li      t0, 0x1f
        csrw    pmpcfg0, t0
        li      t0, PROGRAM
        csrw    mepc, t0
        csrw    mstatus, zero
        li      t0, 0x10011000
        li      t1, 1
        sw      t1, 4(t0)               # the printer prints an empty line
        lw      t2, 0(t0)
        li      t0, 0x80000000
        mret
        .align  2
trap:   li      t3, 9
        beq     a7, t3, stop
        csrr    t3, mepc
        addi    t3, t3, 4
        csrw    mepc, t3
        mret
stop:   li      t0, 0x100000
        li      t1, 0x5555
        sw      t1, 0(t0)
1:      j       1b

        .org    0x4000
        li      a7, 2
        ecall
        sw      t1, 0(t0)
        csrw    mstatus, t1
        li      t2, 0x10011000
        sw      t1, 4(t2)
        li      a7, 9
        ecall
"""


def record(capacity: int = 1000, source: str = GUEST) -> Recording:
    vmm = VMM(Machine(memory="8M"))
    recorder = Recorder(vmm, capacity)
    vmm.create("a", write_elf(assemble(source)), memory="1M")
    assert vmm.run()["a"].reason == "halt"
    return recorder.recording()


def described(recording: Recording, *kinds: str) -> list[str]:
    return [f"{e.before}{e.after} {e.text}" for e in recording.events if e.kind in kinds]


def test_what_the_program_did_is_handed_to_its_kernel() -> None:
    recording = record()
    assert described(recording, "ecall", "trap") == [
        "UM ecall, service 2 in a7",
        "UM store access fault, mtval 0x80000000",
        "UM illegal instruction, mtval 0x30031073",
        "UM store access fault, mtval 0x10011004",
        "UM ecall, service 9 in a7",
    ]
    assert {e.handler for e in recording.events if e.kind in ("ecall", "trap")} == {"guest"}


def test_what_the_kernel_did_is_done_by_the_vmm() -> None:
    recording = record()
    assert described(recording, "emulate")[:2] == ["MM csrw mtvec, t0", "MM csrw pmpaddr0, t0"]
    assert described(recording, "device")[:2] == [
        "MM printer COMMAND = 0x1",
        "MM printer STATUS is 0x0",
    ]
    assert described(recording, "return")[:2] == ["MU mret to 0x80004000", "MU mret to 0x80004008"]
    assert all(e.pc >> 12 == 0x80000 for e in recording.events if e.before == "M")


def test_an_interrupt_is_called_by_its_name() -> None:
    timer = """
        la      t0, stop
        csrw    mtvec, t0
        li      t0, 0x2004000
        li      t1, 1000
        sw      t1, 0(t0)
        sw      zero, 4(t0)
        li      t0, 1 << 7
        csrw    mie, t0
        csrsi   mstatus, 8
1:      j       1b
        .align  2
stop:   li      t0, 0x100000
        li      t1, 0x5555
        sw      t1, 0(t0)
2:      j       2b
    """
    assert described(record(source=timer), "interrupt") == ["MM machine timer interrupt"]


def test_steps_never_go_back() -> None:
    steps = [event.step for event in record().events]
    assert steps == sorted(steps)


def test_storage_is_divided_as_the_guests_pmp_divides_it() -> None:
    recording = record()
    ram = [(r.name, r.start, r.size, r.rights) for r in recording.regions if r.owner != "device"]
    assert ram == [
        ("kernel storage", 0x80000000, 0x4000, "---"),
        ("program storage", 0x80004000, 0x4000, "rwx"),
        ("kernel storage", 0x80008000, 0xF8000, "---"),
    ]
    assert [frame.size for frame in recording.frames] == [0x100000]
    assert recording.frames[0] == Frame("a", 0x80000000, 0x100000, recording.frames[0].real)


def test_only_the_latest_exits_are_kept_and_the_others_counted() -> None:
    everything, few = record(), record(capacity=3)
    assert few.events == everything.events[-3:]
    assert few.dropped == len(everything.events) - 3


def test_a_recorder_that_was_stopped_keeps_what_it_has() -> None:
    vmm = VMM(Machine(memory="8M"))
    recorder = Recorder(vmm)
    guest = vmm.create("a", write_elf(assemble(GUEST)), memory="1M")
    guest.run(20)
    before: tuple[Event, ...] = recorder.recording().events
    recorder.stop()
    guest.run()
    assert before
    assert recorder.recording().events == before
