"""The last trap in plain words: every cause, PMP and Sv32 walks included."""

from __future__ import annotations

import pytest

from kit import VMM, Machine, assemble
from kit.errors import KitError
from kit.machine.computer import Computer
from kit.trace.history import History

START = """
        la t0, handler
        csrw mtvec, t0
        li t0, -1
        csrw pmpaddr0, t0
        li t0, {pmp}
        csrw pmpcfg0, t0
        li t0, {satp}
        csrw satp, t0
        li t0, {mstatus}
        csrw mstatus, t0
        la t0, user
        csrw mepc, t0
        mret
        .balign 4
handler: j handler
        .balign 4
user:   {body}
        .balign 4096
root:   .fill 512, 4, 0
        .word {code}            # 0x80000000: V R W X A D
        .word 0x200004cf        # 0x80400000: a misaligned superpage
        .word 0x20000801        # 0x80800000: to the next level
        .fill 509, 4, 0
leaves: .word 0x20000043, 0x200000d7, 0x20000049, 0
        .fill 1020, 4, 0
"""
OPEN = 0x1F
SV32 = "0x80000000 | 0x80001"
S, U = "1 << 11", "0"


def explained(
    body: str,
    mode: str = U,
    pmp: int = OPEN,
    satp: str = "0",
    kind: str = "bare",
    code: str = "0x200000cf",
) -> str:
    return at_the_trap(body, mode, pmp, satp, kind, code=code).explain()


def at_the_trap(
    body: str,
    mode: str = U,
    pmp: int = OPEN,
    satp: str = "0",
    kind: str = "bare",
    history: bool = False,
    code: str = "0x200000cf",
) -> Computer:
    image = assemble(START.format(body=body, mstatus=mode, pmp=pmp, satp=satp, code=code))
    machine: Computer
    if kind == "vm":
        machine = VMM(Machine(memory="2M")).create("vm", image, memory="64K")
    else:
        machine = Machine(memory="64K")
        machine.load(image)
    if history:
        History(machine)
    for _ in range(60):
        machine.step()
        if machine.hart.pc == machine.symbols["handler"]:
            return machine
    raise AssertionError("no trap")


@pytest.mark.parametrize("kind", ["bare", "vm"])
@pytest.mark.parametrize(
    ("body", "mode", "words"),
    [
        ("csrr t0, mstatus", U, ["illegal instruction", "U-mode may not", "in M-mode"]),
        ("csrr t0, sstatus", U, ["in S-mode and in M-mode"]),
        (
            ".word 0",
            U,
            ["illegal", "0x0 is no instruction of this machine", "not have passed in a more"],
        ),
        ("rdtime t0", U, ["mcounteren.TM set and with scounteren.TM set"]),
        ("ebreak", S, ["breakpoint: S-mode executed ebreak"]),
        ("li t0, 0x80000001; lw t0, 0(t0)", U, ["load address misaligned", "0x80000001"]),
        ("li t0, 0x80000001; sh t0, 0(t0)", U, ["store address misaligned"]),
        ("li a7, 3; ecall", U, ["call from U-mode", "a7 is 0x3"]),
        ("ecall", S, ["call from S-mode"]),
        ("lw t0, 0(zero)", U, ["load access fault", "neither storage nor a device"]),
        ("sw t0, 0(zero)", U, ["store access fault", "physical"]),
        (
            "jr zero",
            U,
            ["instruction access fault", "tried to fetch an instruction from 0x00000000"],
        ),
    ],
)
def test_each_cause_has_its_words(kind: str, body: str, mode: str, words: list[str]) -> None:
    text = explained(body, mode, kind=kind)
    for word in words:
        assert word in text, text
    assert "handler" in text


@pytest.mark.parametrize("kind", ["bare", "vm"])
@pytest.mark.parametrize(
    ("access", "address", "words"),
    [
        (
            "sw",
            0x80800000,
            [
                "fault: S-mode tried to write",
                "V R A, a page at 0x80000000 for S-mode to read",
                "W set",
            ],
        ),
        (
            "lw",
            0x80400000,
            ["load page fault", "level 1: the entry at 0x80001804", "multiple of 4 MiB"],
        ),
        ("lw", 0x80801000, ["level 0: the entry at 0x80002004", "SUM set", "or with U clear"]),
        ("lw", 0x80802000, ["R set", "MXR set"]),
        (
            "lw",
            0x80803000,
            ["the entry at 0x8000200c is 0x00000000: no flags, so nothing is mapped"],
        ),
        ("lw", 0x00000000, ["level 1: the entry at 0x80001000"]),
        ("jr", 0x80800000, ["instruction page fault", "X set"]),
    ],
)
def test_walks_are_told_step_by_step(
    kind: str, access: str, address: int, words: list[str]
) -> None:
    operand = "t1" if access == "jr" else "t2, 0(t1)"
    text = explained(f"li t1, {address}; {access} {operand}", S, satp=SV32, kind=kind)
    for word in ["Sv32 translates", *words, "entered is not known: no History"]:
        assert word in text, text


READS_THEN_WRITES = """
        li t1, {address}
        li t2, 0x20000003       # valid, to be read; without A
        la t3, leaves
        {before}
        sfence.vma
        lw t0, 0(t1)            # a walk sets A
        nop
        sw t0, 0(t1)            # not allowed
"""


@pytest.mark.parametrize("kind", ["bare", "vm"])
@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("sw t2, 0(t3)", "It was entered at step 23, by sw t2, 0(t3) at 0x8000005c (user+0x14"),
        ("nop", "It has not been written since history began, at step 0."),
    ],
)
def test_with_a_history_it_is_known_where_an_entry_was_entered(
    kind: str, before: str, said: str
) -> None:
    body = READS_THEN_WRITES.format(address=0x8080_0000, before=before)
    machine = at_the_trap(body, S, satp=SV32, kind=kind, history=True)
    entry = machine.read_memory(0x8000_2000, 4)
    steps = machine.steps
    machine.run(1_000)
    text = machine.explain()
    assert "store page fault" in text
    assert said in text, text
    assert machine.steps == steps + 1_000
    assert machine.read_memory(0x8000_2000, 4) == entry


def test_a_mode_in_which_it_would_fail_otherwise_is_no_remedy() -> None:
    """S-mode could read the page, but not execute this program, which is in a page for U-mode."""
    text = explained("li t1, 0x80800000; lw t2, 0(t1)", satp=SV32, code="0x200000df")
    assert "load page fault" in text
    assert "passed in S-mode" not in text


def test_pmp_says_which_entry_decides() -> None:
    text = explained("la t0, user; sw t0, 0(t0)", pmp=0x1D)
    assert "PMP entry 0 (r-x" in text
    assert "does not allow write" in text
    assert "with w in PMP entry 0" in text
    text = explained("nop", pmp=0)
    assert "U-mode is denied" in text


def test_an_interrupt_is_explained() -> None:
    machine = Machine(memory="64K")
    machine.load(
        assemble(
            "la t0, h; csrw mtvec, t0; li t0, 8; csrw mie, t0; csrsi mstatus, 8\n"
            "li t0, 0x2000000; li t1, 1; sw t1, 0(t0); nop\n.balign 4\nh: j h"
        )
    )
    while machine.hart.pc != machine.symbols["h"]:
        machine.step()
    text = machine.explain()
    for words in (
        "machine software interrupt: it interrupted M-mode", "pending (by a device's wire)",
        "mstatus.MIE is set", "went to M-mode",
    ):  # fmt: skip
        assert words in text, text


def test_a_machine_without_a_trap_says_so() -> None:
    with pytest.raises(KitError, match="has not taken a trap"):
        Machine(memory="64K").explain()


@pytest.mark.parametrize("kind", ["bare", "vm"])
def test_a_history_finds_a_trap_that_was_returned_from(kind: str) -> None:
    source = """
        la t0, handler
        csrw mtvec, t0
        li t1, 1
        lw t2, 0(t1)
        li t1, 2
1:      j 1b
        .balign 4
handler: csrr t0, mepc
        addi t0, t0, 4
        csrw mepc, t0
        li t1, 77
        mret
    """
    image = assemble(source, isa="rv32ima")
    machine: Computer = Machine("rv32ima", memory="64K")
    if kind == "vm":
        machine = VMM(Machine("rv32ima", memory="2M")).create("vm", memory="64K")
    machine.load(image)
    History(machine)
    with pytest.raises(KitError, match="no trap"):
        machine.explain()
    machine.run(500)
    before = machine.hart.snapshot()
    text = machine.explain()
    assert "load address misaligned" in text
    assert "accessed 0x00000001" in text
    assert machine.hart.snapshot() == before
