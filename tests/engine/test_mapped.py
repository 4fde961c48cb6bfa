"""Hot loops behind Sv32 tables: whatever changes what addresses mean changes it at once.

The definition has no TLB, so nothing needs a fence. Each program is a loop in S-mode that reads and
writes a page, and in every sixteenth turn changes something.
"""

from __future__ import annotations

import pytest

from kit.engine.layout import TABLE_PAGE
from kit.isa.assembler import assemble
from tests.engine.test_exact import hot, listen
from tests.engine.twins import Twins

PROGRAM = """
        .equ TABLES, 0x80010000
        .equ FRAME, 0x80020000
        .equ PAGE, 0x405000
        .equ ENTRY, TABLES + 0x2000 + 4 * 5
        la t0, handler
        csrw mtvec, t0
        li t0, -1
        csrw pmpaddr0, t0
        csrwi pmpcfg0, 0x1f
        li t0, 1 << 31 | TABLES >> 12
        csrw satp, t0
        li t0, 1 << 11 | {status}
        csrw mstatus, t0
        la t0, start
        csrw mepc, t0
        li s2, PAGE
        li s3, ENTRY                    # the entry of the page
        li s6, 1                        # between the two root tables
        {first}
        mret

    start:
        addi s0, s0, 1
        {body}
        {more}
        andi t0, s0, 15
        bnez t0, start
        {change}
        j start

        .align 2
    handler:                            # counts causes, and goes on behind
        csrr t2, mcause
        add s5, s5, t2
        csrr t2, mepc
        addi t2, t2, 4
        csrw mepc, t2
        {handling}
        mret

        .org 0x10000
        .word 0, (TABLES + 0x2000) >> 2 | 1
        .org 0x10800
        .word 0x80000000 >> 2 | 0xcf    # everything, where it is
        .org 0x10c00
        .word 0x80000000 >> 2 | 0xdf    # and for U-mode
        .org 0x11000
        .word 0, (TABLES + 0x3000) >> 2 | 1
        .org 0x11800
        .word 0x80000000 >> 2 | 0xcf
        .org 0x12014
        .word FRAME >> 2 | {flags}, (FRAME + 0x1000) >> 2 | {flags}
        .org 0x13014
        .word (FRAME + 0x1000) >> 2 | {flags}, FRAME >> 2 | {flags}
        .org 0x20000
        .word 1000, 0, 3, 4
    first:
        addi s7, s7, 1
        ret
        .org 0x21000
        .word 2000, 0, 5, 6
        addi s7, s7, 100
        ret
"""

BODY = """
        lw t1, 0(s2)
        add s4, s4, t1
        sw s0, 4(s2)
"""
CHANGE_ENTRY = "lw t1, 0(s3)\nxori t1, t1, {}\nsw t1, 0(s3)"


def program(
    change: str,
    more: str = "",
    body: str = BODY,
    flags: int = 0xCF,
    status: int = 0,
    handling: str = "",
    first: str = "",
) -> str:
    """A program with these parts."""
    return PROGRAM.format(
        change=change,
        more=more,
        body=body,
        flags=flags,
        status=status,
        handling=handling,
        first=first,
    )


def mapped(change: str, *more: str, **parts: str | int) -> Twins:
    """Twins that have run a program for some time, compared at each trap.

    Both kinds of translations there are: for accesses near each other, and for scattered ones.
    """
    for scattered in (False, True):
        source = program(change, *more, **parts)  # type: ignore[arg-type]
        twins = hot(source, 400, scattered=scattered)
        logs = [listen(machine) for machine in twins.machines]
        for budget in (1, 17, 200, 3000):
            twins.run(budget)
            assert logs[0] == logs[1]
        twins.both(lambda machine: setattr(machine, "on_trap", None))
        twins.run(5000)
        twins.compare_storage()
        assert twins.meter.steps > 2000
    return twins


def causes(twins: Twins) -> int:
    """The sum of the causes of all traps."""
    return twins.fast.register("s5")


def test_another_address_space_holds_from_the_next_instruction() -> None:
    assert causes(mapped("csrr t1, satp\nxor t1, t1, s6\ncsrw satp, t1")) == 0


def test_without_translation_addresses_are_physical() -> None:
    twins = mapped("csrr t1, satp\nli t2, 1 << 31\nxor t1, t1, t2\ncsrw satp, t1")
    assert causes(twins) > 100


@pytest.mark.parametrize("bit", [18, 19])
def test_sum_and_mxr_give_and_take_rights(bit: int) -> None:
    """A user's page, or one that may only be executed."""
    change = f"csrr t1, sstatus\nli t2, 1 << {bit}\nxor t1, t1, t2\ncsrw sstatus, t1"
    assert causes(mapped(change, flags=0xDF if bit == 18 else 0xC9)) > 100


@pytest.mark.parametrize("bit", [0, 1, 2, 4, 6, 7, 10])
def test_a_bit_of_a_page_table_entry_changes(bit: int) -> None:
    """Valid, readable, writable, user, accessed, dirty; and to which frame it leads."""
    twins = mapped(CHANGE_ENTRY.format(1 << bit))
    assert bool(causes(twins)) == (bit in (0, 1, 2, 4))


def test_an_entry_of_the_root_changes() -> None:
    mapped("li t2, TABLES\nlw t1, 4(t2)\nxori t1, t1, 0x400\nsw t1, 4(t2)")


@pytest.mark.parametrize("store", ["sb", "sh"])
def test_an_entry_changes_by_a_narrow_store(store: str) -> None:
    load = {"sb": "lbu", "sh": "lhu"}[store]
    assert causes(mapped(f"{load} t1, 0(s3)\nxori t1, t1, 4\n{store} t1, 0(s3)"))


def test_an_entry_changes_by_an_atomic_operation() -> None:
    mapped("li t1, 0x400\namoxor.w x0, t1, (s3)")


def test_a_page_becomes_a_table_after_it_has_been_written() -> None:
    """The loop writes to a page directly, and then makes it the page table of its own address."""
    change = """
        andi t0, s0, 31
        bnez t0, 1f
        li t2, TABLES + 0x2000
        li s8, FRAME >> 2 | 0xcf
        li s3, FRAME + 0x3000
        sw s8, 20(s3)
        li s9, TABLES
        li s10, (FRAME + 0x3000) >> 2 | 1
        sw s10, 4(s9)
    1:  nop"""
    more = "li t2, FRAME + 0x3000\nlw s11, 20(t2)\nxori s11, s11, 0x400\nsw s11, 20(t2)"
    mapped(change, more)


def test_a_page_of_tables_is_written_as_long_as_no_walk_has_read_it() -> None:
    """Then a walk reads it in a turn of the loop, and writes to it must be noticed in the next.

    Whatever is remembered is dropped in every sixteenth turn, so that all this happens again.
    """
    body = """
        li t1, 0x400
        xor s9, s9, t1
        sw s9, 0(s3)
        li t2, 3
        remu t2, s0, t2
        bnez t2, 1f
        lw t1, 0(s2)
        add s4, s4, t1
    1:  nop"""
    mapped("csrr t1, satp\ncsrw satp, t1", body=body, first="lw s9, 0(s3)")


def test_code_behind_an_entry_that_changes_is_the_new_code() -> None:
    twins = mapped(CHANGE_ENTRY.format(0x400), "addi t2, s2, 16\njalr t2")
    assert twins.fast.register("s7") > 1000


def test_code_goes_on_in_the_next_page_wherever_that_is() -> None:
    """The second page lies in front of the first one, and other code is behind that."""
    first = """
        li t1, 0x80020000 >> 2 | 0xcf
        sw t1, 4(s3)            # the second page
        li t1, 0x80021000 >> 2 | 0xcf
        sw t1, 0(s3)            # the first page
        la t1, ends
        lw t2, 0(t1)
        li t0, 0x80021ffc
        sw t2, 0(t0)            # the last word of the first page
        lw t2, 4(t1)
        lw t3, 8(t1)
        li t0, 0x80020000
        sw t2, 0(t0)
        sw t3, 4(t0)
        li t0, 0x80022000
        lw t2, 12(t1)
        sw t2, 0(t0)
        sw t3, 4(t0)
        j 1f
        .align 2
    ends:
        addi s7, s7, 1
        addi s7, s7, 16
        ret
        addi s7, s7, 256
    1:  nop"""
    twins = mapped("nop", body="li t2, PAGE + 0xffc\njalr t2", first=first)
    assert twins.fast.register("s7") % 17 == 0 != twins.fast.register("s7")


def test_code_in_another_address_space_is_that_code() -> None:
    change = "csrr t1, satp\nxor t1, t1, s6\ncsrw satp, t1"
    twins = mapped(change, "addi t2, s2, 16\njalr t2")
    assert twins.fast.register("s7") > 1000


def test_code_is_written_over_through_another_address() -> None:
    """The function is executed in its page, and changed where all storage is."""
    change = "la t2, first\nlw t1, 0(t2)\nli t3, 1 << 20\nadd t1, t1, t3\nsw t1, 0(t2)"
    mapped(change, "addi t2, s2, 16\njalr t2")


def test_execution_is_allowed_and_forbidden() -> None:
    handling = "li t3, 12\ncsrr t2, mcause\nbne t2, t3, 1f\ncsrw mepc, ra\n1: nop"
    change = CHANGE_ENTRY.format(8)
    twins = mapped(change, "addi t2, s2, 16\njalr t2", handling=handling)
    assert causes(twins) > 12


def test_a_page_of_code_becomes_one_with_another_owner() -> None:
    """A page of the user's is not executed by S-mode, whatever SUM says."""
    handling = "li t3, 12\ncsrr t2, mcause\nbne t2, t3, 1f\ncsrw mepc, ra\n1: nop"
    twins = mapped(
        CHANGE_ENTRY.format(16),
        "addi t2, s2, 16\njalr t2",
        handling=handling,
        status=1 << 18,
    )
    assert causes(twins) > 12


def test_user_and_supervisor_see_the_same_page_with_their_own_rights() -> None:
    """The trap handler returns to the other mode, where the loop has another address."""
    handling = """
        csrr t2, mcause
        andi t2, t2, 0x1e
        li t3, 8                # a call of either mode
        bne t2, t3, 1f
        li t3, 1 << 11
        csrr t2, mstatus
        xor t2, t2, t3
        csrw mstatus, t2
        li t3, 1 << 30
        csrr t2, mepc
        xor t2, t2, t3
        csrw mepc, t2
    1:  nop"""
    assert causes(mapped("ecall", flags=0xDF, handling=handling)) > 100


def test_pmp_takes_a_page_away_from_the_loop() -> None:
    """M-mode, called by the loop, changes an entry in front of the one that opens everything."""
    handling = """
        csrr t2, mcause
        li t3, 9
        bne t2, t3, 1f
        li t2, FRAME >> 2 | 0x1ff
        csrw pmpaddr0, t2
        li t2, -1
        csrw pmpaddr1, t2
        csrr t2, pmpcfg0
        li t3, 0x1f18
        bne t2, t3, 2f
        li t3, 0x1f1f
    2:  csrw pmpcfg0, t3
    1:  nop"""
    assert causes(mapped("ecall", handling=handling)) > 9


def test_pmp_takes_a_word_in_the_middle_of_a_page_away() -> None:
    """The page remains open around it, and other words of it are accessed first."""
    handling = """
        csrr t2, mcause
        li t3, 9
        bne t2, t3, 1f
        li t2, (FRAME + 8) >> 2
        csrw pmpaddr0, t2
        li t2, -1
        csrw pmpaddr1, t2
        csrr t2, pmpcfg0
        li t3, 0x1f10
        bne t2, t3, 2f
        li t3, 0x1f17
    2:  csrw pmpcfg0, t3
    1:  nop"""
    more = "lw t1, 8(s2)\nsw t1, 8(s2)\nlw t1, 12(s2)"
    assert causes(mapped("ecall", more, handling=handling)) > 9 * 20 + 5


def test_pmp_that_forbids_only_execution_is_seen_without_translation() -> None:
    """All storage may be read and written, as if there were nothing to check."""
    source = program("nop").replace("li t0, 1 << 31 | TABLES >> 12", "li t0, 0")
    twins = hot(source.replace("li s2, PAGE", "li s2, FRAME"), 400)
    logs = [listen(machine) for machine in twins.machines]
    twins.both(lambda machine: machine.set_register("pmpcfg0", 0x1B))
    twins.run(100)
    assert logs[0] == logs[1]
    assert logs[0][0][0] == 1


def test_what_a_debugger_changes_of_translation_holds_at_once() -> None:
    twins = hot(program("nop"), 400)
    logs = [listen(machine) for machine in twins.machines]
    root, leaf = 0x8001_0000, 0x8001_2014
    for name, value in (
        ("satp", 1 << 31 | root + 0x1000 >> 12),
        ("satp", 0),
        ("satp", 1 << 31 | root >> 12),
        ("pmpcfg0", 0x1B),
        ("pmpcfg0", 0x1D),
        ("pmpcfg0", 0x1F),
        ("mode", 0),
        ("mode", 3),
        ("mode", 1),
    ):
        twins.both(lambda m, name=name, value=value: m.set_register(name, value))  # type: ignore[misc]
        twins.run(100)
        assert logs[0] == logs[1], name
        # Whatever it did, on with the loop.
        twins.both(lambda m: m.set_register("mode", 1))
        twins.both(lambda m: m.set_register("pc", m.symbols["start"]))
    for entry in (0x2000_84CF, 0x2000_80CB, 0x2000_80C9, 0x2000_808F, 0x2000_80CF):
        twins.both(lambda m, entry=entry: m.write_memory(leaf, entry.to_bytes(4, "little")))  # type: ignore[misc]
        twins.run(100)
        assert logs[0] == logs[1], hex(entry)
        twins.both(lambda m, entry=entry: m.bus.write(leaf, 4, entry ^ 0x400))  # type: ignore[misc]
        twins.run(100)
    twins.compare_storage()


def test_mprv_borrows_the_rights_of_a_lower_mode_for_some_turns() -> None:
    """M-mode runs the loop, with the tables in force or not."""
    change = "csrr t1, mstatus\nli t2, 1 << 17\nxor t1, t1, t2\ncsrw mstatus, t1"
    handling = """
        csrr t2, mstatus
        li t3, 3 << 11
        or t2, t2, t3
        csrw mstatus, t2"""
    source = program(change, flags=0xDF, handling=handling)
    twins = hot(source.replace("li t0, 1 << 11 | 0", "li t0, 3 << 11"), 400)
    logs = [listen(machine) for machine in twins.machines]
    twins.run(3000)
    assert logs[0] == logs[1]
    twins.compare_storage()


PROCESSES = """
        la t0, switch
        csrw mtvec, t0
        li t0, -1
        csrw pmpaddr0, t0
        csrwi pmpcfg0, 0x1f
    switch:                             # to the other process, which begins at its start
        xori s2, s2, 1
        li t0, 1 << 31 | 0x80004000 >> 12
        add t0, t0, s2
        csrw satp, t0
        li t0, 0x400000
        csrw mepc, t0
        csrw mstatus, zero
        mret

        .org 0x2000
        li s0, 100
    1:  addi s1, s1, 1
        addi s0, s0, -1
        bnez s0, 1b
        ecall
        .org 0x3000
        li s0, 100
    1:  addi s3, s3, 1
        addi s0, s0, -1
        bnez s0, 1b
        ecall
        .org 0x4000
        .word 0, 0x80006000 >> 2 | 1
        .org 0x5000
        .word 0, 0x80007000 >> 2 | 1
        .org 0x6000
        .word 0x80002000 >> 2 | 0xdf
        .org 0x7000
        .word 0x80003000 >> 2 | 0xdf
"""


def test_processes_at_the_same_addresses_are_all_translated() -> None:
    twins = hot(PROCESSES, 3000)
    before = twins.meter.steps
    twins.run(10_000)
    assert twins.meter.steps - before > 8000
    assert twins.fast.register("s1") == pytest.approx(twins.fast.register("s3"), rel=0.1)


@pytest.mark.parametrize("distance", [1 << 14, 1 << 15, 1 << 16])
def test_code_whose_place_other_code_takes_is_found_again(distance: int) -> None:
    """Two loops, run in turn, each for longer than it takes to become hot."""
    twins = hot(
        f"""
        start:  li s0, 20
        1:      addi s0, s0, -1
                bnez s0, 1b
                csrw mscratch, s0
                la t0, other
                jr t0
                .org {distance}
        other:  li s0, 20
        1:      addi s0, s0, -1
                bnez s0, 1b
                csrw mscratch, s0
                la t0, start
                jr t0
        """,
        1000,
        threshold=3,
    )
    before = twins.meter.steps
    twins.run(2000)
    assert twins.meter.steps - before > 1100
    pages = twins.fast.engine._translations._on_page  # type: ignore[attr-defined]
    assert max(map(len, pages.values())) < 10


def test_all_tables_that_an_address_space_can_have_are_tables_no_more_when_it_ends() -> None:
    """Else stores to those pages would be slow for ever."""
    tables, frame = 0x8010_0000, 0x8000_1000
    twins = Twins(
        assemble("""
                la t0, done
                csrw mtvec, t0
                li t0, -1
                csrw pmpaddr0, t0
                csrwi pmpcfg0, 0x1f
                li t0, 1 << 31 | 0x80100000 >> 12
                csrw satp, t0
                li t0, 1 << 17 | 1 << 11        # data as S-mode has them
                csrw mstatus, t0
                li t1, 1 << 22
        loop:   lw t0, 0(s0)
                add s0, s0, t1
                bnez s0, loop
                csrw satp, zero
        done:   j done
        """),
        memory="8M",
        threshold=10**6,  # what is translated begins the list anew
    )
    pages = [tables + (number + 1 << 12) for number in range(1024)]
    root = b"".join((page >> 2 | 1).to_bytes(4, "little") for page in pages)
    leaf = (frame >> 2 | 0xCF).to_bytes(4, "little")
    twins.both(lambda machine: machine.write_memory(tables, root))
    for page in pages:
        twins.both(lambda machine, page=page: machine.write_memory(page, leaf))  # type: ignore[misc]
    guards = twins.fast.engine.pages  # type: ignore[attr-defined]
    twins.run(2000)
    assert sum(guard & TABLE_PAGE for guard in guards) > 500
    twins.run(3000)
    assert twins.fast.register("satp") == 0
    assert not sum(guard & TABLE_PAGE for guard in guards)
