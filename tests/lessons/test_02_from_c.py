"""Lesson 02: three pieces mended, in more than one way, and not mended."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.classroom.lesson import lesson_named
from tests.lessons.grading import grade, solved, told

SOLVED = {name: text for name, text in solved("02").items() if name.startswith("02/")}
GIVEN = lesson_named("02").files()
WAIT_WITH_A_MASK = """
wait:   li      t1, 2
1:      lw      t0, 0(a0)
        and     t0, t0, t1
        bne     t0, t1, 1b
        ret
"""
LARGER_OTHERWISE = """
larger: addi    sp, sp, -48
        sw      ra, 0(sp)
        sw      s2, 4(sp)
        sw      s3, 8(sp)
        sw      s4, 12(sp)
        sw      a2, 16(sp)
        mv      s2, a0
        mv      s3, a1
        jalr    a2
        mv      s4, a0
        mv      a0, s3
        lw      t0, 16(sp)
        jalr    t0
        bleu    a0, s4, 1f
        mv      s2, s3
1:      mv      a0, s2
        lw      ra, 0(sp)
        lw      s2, 4(sp)
        lw      s3, 8(sp)
        lw      s4, 12(sp)
        addi    sp, sp, 48
        ret
"""
WRONG = {
    "loads a byte": ("wait", "wait: lbu t0, 0(a0)\nandi t0, t0, 2\nbeqz t0, wait\nret\n",
                     "accident.trap"),
    "loads once": ("wait", "wait: lw t0, 0(a0)\n1: andi t0, t0, 2\nbeqz t0, 1b\nret\n",
                   "02.2.wait"),
    "loses the address": ("wait", "wait: lw a0, 0(a0)\nandi a0, a0, 2\nbeqz a0, wait\nret\n",
                          "accident.nothing_there"),
    "does not wait": ("wait", "wait: ret\n", "02.2.wait.early"),
    "waits a fixed time": ("wait", "wait: li t0, 2000\n1: addi t0, t0, -1\nbnez t0, 1b\nret\n",
                           "02.2.wait.early"),
    "as it came": ("larger", GIVEN["02/larger.s"], "02.2.larger"),
    "a larger frame in the prologue only": (
        "larger", SOLVED["02/larger.s"].replace("sp, sp, 32", "sp, sp, 16"), "02.2.larger.sp"),
    "always the first": ("larger", "larger: ret\n", "02.2.larger.result"),
    "a word less, and a lost value": (
        "larger", GIVEN["02/larger.s"].replace("16(sp)", "4(sp)"), "02.2.larger.result"),
    "a byte to the command": ("feed", SOLVED["02/feed.s"].replace("sw      t1, C", "sb      t1, C"),
                              "accident.trap"),
    "looks once": ("feed", GIVEN["02/feed.s"].replace("sb", "sw"), "02.2.feed.stays"),
    "does not wait for the card": (
        "feed", SOLVED["02/feed.s"].replace("beqz    t1, 1b", "nop"), "02.2.feed"),
}  # fmt: skip


@pytest.mark.parametrize(
    "files",
    [SOLVED, SOLVED | {"02/wait.s": WAIT_WITH_A_MASK, "02/larger.s": LARGER_OTHERWISE}],
    ids=["published", "otherwise"],
)
def test_pieces_that_are_mended_hold(files: dict[str, str], tmp_path: Path) -> None:
    report = grade(tmp_path, "02.2", files)
    assert (told(report), report.score) == ("", 6)


@pytest.mark.parametrize("name", WRONG)
def test_a_piece_that_is_not_mended_gets_its_message(name: str, tmp_path: Path) -> None:
    piece, text, kind = WRONG[name]
    report = grade(tmp_path, "02.2", SOLVED | {f"02/{piece}.s": text})
    assert (told(report), report.score) == (kind, 4)


def test_frames_are_predicted_as_the_machine_makes_them(tmp_path: Path) -> None:
    right = {"sp": 0x80007FA0, "box": "0x80007fa8", "saved": "2147516380", "data": "0x8000_3000"}
    assert grade(tmp_path, "02.1", answers=right).score == 4
    wrong = right | {"box": "the stack"}
    assert told(grade(tmp_path, "02.1", answers=wrong)) == "02.1.box"
