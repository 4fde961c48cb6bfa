"""Lesson 01: solutions as students write them, right ones and wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lessons.grading import grade, solved, told

WITH_A_FRAME = """
sum:    addi    sp, sp, -16
        sw      s0, 12(sp)
        sw      s1, 8(sp)
        slli    s0, a1, 2
        add     s0, s0, a0
        li      s1, 0
        j       test
body:   addi    s0, s0, -4
        lw      a1, 0(s0)
        add     s1, s1, a1
test:   bgtu    s0, a0, body
        mv      a0, s1
        lw      s1, 8(sp)
        lw      s0, 12(sp)
        addi    sp, sp, 16
        ret
"""
RECURSIVE = """
sum:    bnez    a1, 1f
        li      a0, 0
        ret
1:      addi    sp, sp, -16
        sw      ra, 0(sp)
        lw      t0, 0(a0)
        sw      t0, 4(sp)
        addi    a0, a0, 4
        addi    a1, a1, -1
        call    sum
        lw      t0, 4(sp)
        add     a0, a0, t0
        lw      ra, 0(sp)
        addi    sp, sp, 16
        ret
"""
WRONG_SUMS = {
    "empty": ("", "problem"),
    "skeleton": ("sum: ret\n", "01.2.value"),
    "a constant": ("sum: li a0, 6\nret\n", "01.2.value"),
    "loops": ("sum: j sum\n", "01.2.returns"),
    "no ret": ("sum: li a0, 0\n", "accident.trap"),
    "tests at the end": (
        "sum: li t0, 0\n1: lw t1, 0(a0)\nadd t0, t0, t1\naddi a0, a0, 4\naddi a1, a1, -1\n"
        "bnez a1, 1b\nmv a0, t0\nret\n",
        "01.2.returns",  # an empty array has 2^32 words for it
    ),
    "tests at the end, by address": (
        "sum: slli a1, a1, 2\nadd a1, a1, a0\nli t0, 0\n1: lw t1, 0(a0)\nadd t0, t0, t1\n"
        "addi a0, a0, 4\nbltu a0, a1, 1b\nmv a0, t0\nret\n",
        "01.2.value.empty",
    ),
    "a0 is address and sum": (
        "sum: beqz a1, 2f\n1: lw t1, 0(a0)\nadd a0, a0, t1\naddi a1, a1, -1\nbnez a1, 1b\n2: ret\n",
        "accident.trap",
    ),
    "counts words as bytes": (
        "sum: li t0, 0\nbeqz a1, 2f\n1: lbu t1, 0(a0)\nadd t0, t0, t1\naddi a0, a0, 1\n"
        "addi a1, a1, -1\nbnez a1, 1b\n2: mv a0, t0\nret\n",
        "01.2.value",
    ),
    "forgets to begin with zero": (
        "sum: beqz a1, 2f\n1: lw t1, 0(a0)\nadd t0, t0, t1\naddi a0, a0, 4\naddi a1, a1, -1\n"
        "bnez a1, 1b\n2: mv a0, t0\nret\n",
        "01.2.value",
    ),
    "takes the caller's s0": (
        "sum: li s0, 0\nbeqz a1, 2f\n1: lw t1, 0(a0)\nadd s0, s0, t1\naddi a0, a0, 4\n"
        "addi a1, a1, -1\nbnez a1, 1b\n2: mv a0, s0\nret\n",
        "01.2.kept",
    ),
    "does not give its frame back": (
        WITH_A_FRAME.replace("        addi    sp, sp, 16\n", ""),
        "01.2.kept",
    ),
    "an address that nobody set": ("sum: lw a0, 0(t3)\nret\n", "accident.poison"),
}
COUNTS_DOWN = """
total:  addi    sp, sp, -32
        sw      ra, 0(sp)
        sw      s3, 4(sp)
        sw      s4, 8(sp)
        sw      s5, 12(sp)
        sw      zero, 16(sp)
        mv      s3, a0
        mv      s4, a1
        mv      s5, a2
again:  beqz    s4, over
        lw      a0, 0(s3)
        jalr    s5
        lw      t0, 16(sp)
        add     t0, t0, a0
        sw      t0, 16(sp)
        addi    s3, s3, 4
        addi    s4, s4, -1
        j       again
over:   lw      a0, 16(sp)
        lw      s5, 12(sp)
        lw      s4, 8(sp)
        lw      s3, 4(sp)
        lw      ra, 0(sp)
        addi    sp, sp, 32
        ret
"""
WRONG_TOTALS = {
    "skeleton": ("total: ret\n", "01.3.calls.few"),
    "ra is lost": (
        COUNTS_DOWN.replace("        sw      ra, 0(sp)\n", "").replace(
            "        lw      ra, 0(sp)\n", ""
        ),
        "accident.trap",
    ),
    "the address is in a t-register": (
        COUNTS_DOWN.replace("s3", "t3"), "accident.poison",
    ),
    "the count is in an a-register": (
        COUNTS_DOWN.replace("s4", "a4"), "01.3.returns",
    ),
    "a frame of 20 bytes": (
        COUNTS_DOWN.replace("-32", "-20").replace("sp, 32", "sp, 20"), "01.3.aligned",
    ),
    "saves one register less": (
        COUNTS_DOWN.replace("        lw      s5, 12(sp)\n", ""), "01.3.kept",
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", [solved("01")["01/sum.s"], WITH_A_FRAME, RECURSIVE])
def test_sums_of_different_structure_are_all_right(text: str, tmp_path: Path) -> None:
    report = grade(tmp_path, "01.2", {"01/sum.s": text})
    assert (told(report), report.score) == ("", 10)


@pytest.mark.parametrize("name", WRONG_SUMS)
def test_a_wrong_sum_gets_its_message(name: str, tmp_path: Path) -> None:
    text, kind = WRONG_SUMS[name]
    report = grade(tmp_path, "01.2", {"01/sum.s": text})
    assert told(report) == kind
    assert report.score == (7 if kind == "01.2.kept" else 0)


@pytest.mark.parametrize("text", [solved("01")["01/total.s"], COUNTS_DOWN])
def test_totals_of_different_structure_are_all_right(text: str, tmp_path: Path) -> None:
    report = grade(tmp_path, "01.3", {"01/total.s": text})
    assert (told(report), report.score) == ("", 10)


@pytest.mark.parametrize("name", WRONG_TOTALS)
def test_a_wrong_total_gets_its_message(name: str, tmp_path: Path) -> None:
    text, kind = WRONG_TOTALS[name]
    assert told(grade(tmp_path, "01.3", {"01/total.s": text})) == kind


def test_only_the_reason_counts_and_a_guess_must_be_there(tmp_path: Path) -> None:
    assert grade(tmp_path, "01.1", answers={"guess": 3, "reason": "c"}).score == 2
    assert told(grade(tmp_path, "01.1", answers={"guess": 252, "reason": "b"})) == "01.1.reason"
    assert told(grade(tmp_path, "01.1", answers={"reason": "c"})) == "problem"
