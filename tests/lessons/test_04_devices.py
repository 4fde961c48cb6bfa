"""Lesson 04: drivers and fences as students write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.classroom.lesson import lesson_named
from tests.lessons.grading import grade, solved, told

DRIVER = solved("04")["04/printer.s"]
POLLING = lesson_named("04").files()["04/printer.s"]
BODY = DRIVER.partition("put:\n")[2].partition("# done:")[0]
CLOSES_LATER = """
        addi    sp, sp, -16
        sw      ra, 12(sp)
wait_:  lw      t0, count
        sltiu   t0, t0, SLOTS
        beqz    t0, wait_               # only the handler makes it smaller
        lw      t1, tail
        slli    t2, t1, 4
        la      t3, slots
        add     t3, t3, t2
        lw      t4, 0(a0)
        sw      t4, 0(t3)
        lw      t4, 4(a0)
        sw      t4, 4(t3)
        lw      t4, 8(a0)
        sw      t4, 8(t3)
        lw      t4, 12(a0)
        sw      t4, 12(t3)
        addi    t1, t1, 1
        andi    t1, t1, 7
        sw      t1, tail, t3
        csrrci  t6, mstatus, MIE        # from here on, nobody else
        lw      t0, count
        addi    t0, t0, 1
        sw      t0, count, t3
        lw      t0, busy
        bnez    t0, out_
        call    start
out_:   csrw    mstatus, t6
        lw      ra, 12(sp)
        addi    sp, sp, 16
        ret

"""
WRONG_DRIVERS = {
    "polls": (POLLING, "04.2.overlap", 0),
    "never off": (DRIVER.replace("        csrci   mstatus, MIE\n", ""), "04.2.order", 6),
    "on again before the count": (
        DRIVER.replace("        sw      t0, tail, t1\n",
                       "        sw      t0, tail, t1\n        csrsi   mstatus, MIE\n"),
        "04.2.order", 6),
    "asks too early whether it is busy": (
        DRIVER.replace("put:\n", "put:\n        lw      t4, busy\n")
        .replace("        lw      t0, busy\n        bnez    t0, 2f", "        bnez    t4, 2f"),
        "04.2.order", 6),
    "does not look whether it is full": (
        DRIVER.replace("        bltu    t0, t1, 1f\n", "        j       1f\n"), "04.2.full", 4),
    "waits with interrupts off": (
        DRIVER.replace("        csrsi   mstatus, MIE            # full", "        nop # full"),
        "04.2.full", 4),
    "done starts nothing": (DRIVER.replace("        tail    start", "        ret"),
                            "04.2.prints", 0),
    "put starts nothing": (DRIVER.replace("        call    start", "        nop"),
                           "04.2.prints", 0),
    "no acknowledgement": (DRIVER.replace("        sw      t1, ACK(t0)\n", ""), "04.2.prints", 0),
    "prints a constant": (DRIVER.replace("lw      t2, \\n(a0)", "li      t2, 0x41414141"),
                          "04.2.prints", 0),
    "empty put": (DRIVER.replace(BODY, "        ret\n"), "04.2.prints", 0),
    "put loops": (DRIVER.replace(BODY, "        j put\n"), "04.2.prints", 0),
}  # fmt: skip
FENCE = "fence: srli a0, a0, 2\ncsrw pmpaddr0, a0\nsrli a1, a1, 2\ncsrw pmpaddr1, a1\n"
WRONG_FENCES = {
    "skeleton": ("fence: ret\n", "04.3.inside", 0),
    "loops": ("fence: j fence\n", "04.3.inside", 0),
    "opens everything": (
        "fence: li t0, -1\ncsrw pmpaddr0, t0\nli t0, 0x1f\ncsrw pmpcfg0, t0\nret\n",
        "04.3.outside", 5),
    "forgets to divide": (
        "fence: csrw pmpaddr0, a0\ncsrw pmpaddr1, a1\nli t0, 0xf00\ncsrw pmpcfg0, t0\nret\n",
        "04.3.inside", 0),
    "one word too many": (
        FENCE + "addi a1, a1, 1\ncsrw pmpaddr1, a1\nli t0, 0xf00\ncsrw pmpcfg0, t0\nret\n",
        "04.3.outside", 5),
    "from zero on": (
        "fence: srli a1, a1, 2\ncsrw pmpaddr0, a1\nli t0, 0xf\ncsrw pmpcfg0, t0\nret\n",
        "04.3.outside", 5),
    "no right to execute": (FENCE + "li t0, 0xb00\ncsrw pmpcfg0, t0\nret\n", "04.3.inside", 0),
    "always sixteen KiB": (
        "fence: srli a0, a0, 2\nli t0, 0x7ff\nor a0, a0, t0\ncsrw pmpaddr0, a0\nli t0, 0x1f\n"
        "csrw pmpcfg0, t0\nret\n", "04.3.outside", 5),
}  # fmt: skip


@pytest.mark.parametrize(
    "text", [DRIVER, DRIVER.replace(BODY, CLOSES_LATER)], ids=["published", "otherwise"]
)
def test_drivers_of_different_structure_are_all_right(text: str, tmp_path: Path) -> None:
    report = grade(tmp_path, "04.2", {"04/printer.s": text})
    assert (told(report), report.score) == ("", 12), report.failure


@pytest.mark.parametrize("name", WRONG_DRIVERS)
def test_a_wrong_driver_gets_its_message(name: str, tmp_path: Path) -> None:
    text, kind, score = WRONG_DRIVERS[name]
    assert text != DRIVER
    report = grade(tmp_path, "04.2", {"04/printer.s": text})
    assert told(report).startswith(kind)
    assert report.score == score


@pytest.mark.parametrize(
    "text",
    [
        solved("04")["04/fence.s"],
        "fence: srli a0, a0, 2\nsrli a1, a1, 2\ncsrw pmpaddr6, a0\ncsrw pmpaddr7, a1\n"
        "li t0, 0x0f000000\ncsrw pmpcfg1, t0\nret\n",
    ],
    ids=["published", "other entries"],
)
def test_fences_of_different_structure_are_all_right(text: str, tmp_path: Path) -> None:
    report = grade(tmp_path, "04.3", {"04/fence.s": text})
    assert (told(report), report.score) == ("", 10), report.failure


@pytest.mark.parametrize("name", WRONG_FENCES)
def test_a_wrong_fence_gets_its_message(name: str, tmp_path: Path) -> None:
    text, kind, score = WRONG_FENCES[name]
    report = grade(tmp_path, "04.3", {"04/fence.s": text})
    assert told(report).startswith(kind)
    assert report.score == score


def test_a_locked_entry_restricts_the_monitor(tmp_path: Path) -> None:
    text = FENCE + "li t0, 0x8d00\ncsrw pmpcfg0, t0\nret\n"
    report = grade(tmp_path, "04.3", {"04/fence.s": text})
    assert told(report) in ("04.3.inside", "accident.trap")
    text = FENCE + "li t0, 0x8f00\ncsrw pmpcfg0, t0\nli t0, -1\ncsrw pmpaddr2, t0\n"
    text += "li t0, 0x980f8f00\ncsrw pmpcfg0, t0\nret\n"
    assert grade(tmp_path, "04.3", {"04/fence.s": text}).score < 10


def test_accesses_are_decided_as_the_machine_decides(tmp_path: Path) -> None:
    right = {"a": "allowed", "b": "fault", "c": "Allowed", "d": "fault", "e": "fault"}
    right["f"] = "allowed"
    assert grade(tmp_path, "04.1", answers=right).score == 6
    assert told(grade(tmp_path, "04.1", answers=right | {"b": "allowed"})) == "04.1.answers"
