"""Lesson 03: handlers as students write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lessons.grading import grade, solved, told

SOLVED = solved("03")["03/trap.s"]
STUB, _, REST = SOLVED.partition("trap:\n")
DATA = "        .data" + REST.partition("        .data")[2]


def handler(body: str) -> str:
    """The given file with another `trap`."""
    return f"{STUB}trap:\n{body}        ret\n\n{DATA}"


BY_MTVAL = """
        csrr    t0, mcause
        addi    t0, t0, -2
        bnez    t0, other
        csrr    t1, mtval               # the instruction itself
        addi    sp, sp, -16
        sw      s0, 0(sp)
        li      s0, 4
        andi    t1, t1, 3
        addi    t1, t1, -3
        beqz    t1, 1f
        li      s0, 2
1:      lw      t0, 128(a0)
        add     t0, t0, s0
        sw      t0, 128(a0)
        lw      s0, 0(sp)
        addi    sp, sp, 16
        lw      t1, illegal
        addi    t1, t1, 1
        sw      t1, illegal, t0
"""
FRAGMENT = {
    "always four": ("        lhu     t1, 0(t0)", "        li      t1, 3\n        nop"),
    "always two": ("        lhu     t1, 0(t0)", "        li      t1, 0\n        nop"),
    "a word at once": ("        lhu     t1, 0(t0)", "        lw      t1, 0(t0)"),
    "writes mepc only": ("1:      sw      t0, 128(a0)", "1:      csrw    mepc, t0"),
    "skips everything": ("        bne     t0, t1, other\n", ""),
    "does not count": ("        addi    t1, t1, 1\n", ""),
    "a register of the frame": ("1:      sw      t0, 128(a0)",
                                "1:      sw      t0, 128(a0)\n        sw      t0, 4*9(a0)"),
    "leaves the exchange out": ("        addi    sp, sp, FRAME\n        csrrw   sp, mscratch, sp\n",
                                "        csrr    sp, mscratch\n"),
}  # fmt: skip
KINDS = {
    "always four": "03.2.reaches.cause",
    "always two": "03.2.reaches.cause",
    "a word at once": "accident.trap",
    "writes mepc only": "03.2.reaches",
    "skips everything": "03.2.reaches.cause",
    "does not count": "03.2.count",
    "a register of the frame": "03.2.registers",
    "leaves the exchange out": "accident.scratch",
}


@pytest.mark.parametrize("text", [SOLVED, handler(BY_MTVAL)], ids=["published", "otherwise"])
def test_handlers_of_different_structure_are_all_right(text: str, tmp_path: Path) -> None:
    report = grade(tmp_path, "03.2", {"03/trap.s": text})
    assert (told(report), report.score) == ("", 10)


@pytest.mark.parametrize("name", FRAGMENT)
def test_a_wrong_handler_gets_its_message(name: str, tmp_path: Path) -> None:
    assert FRAGMENT[name][0] in SOLVED
    report = grade(tmp_path, "03.2", {"03/trap.s": SOLVED.replace(*FRAGMENT[name])})
    assert told(report) == KINDS[name]


@pytest.mark.parametrize(
    ("body", "kind"),
    [("", "03.2.reaches"), ("1: j 1b\n", "03.2.reaches.lost"), ("li a0, 7\n", "03.2.reaches")],
    ids=["skeleton", "loops", "a constant"],
)
def test_a_handler_that_does_nothing_gets_no_point(body: str, kind: str, tmp_path: Path) -> None:
    report = grade(tmp_path, "03.2", {"03/trap.s": handler(body)})
    assert (told(report), report.score) == (kind, 0)


def test_the_lists_are_compared_with_what_the_machine_does(tmp_path: Path) -> None:
    trap = "pc mode mepc mcause mtval MIE MPIE MPP"
    mret = "MPP, MPIE, MIE, MPRV, pc, mode"
    assert grade(tmp_path, "03.1", answers={"trap": trap, "mret": mret}).score == 6
    few = {"trap": trap.replace("mtval", ""), "mret": mret}
    assert told(grade(tmp_path, "03.1", answers=few)) == "03.1.trap"
    more = {"trap": trap + " sp", "mret": mret}
    assert told(grade(tmp_path, "03.1", answers=more)) == "03.1.trap.more"
