"""Questions about a run."""

from __future__ import annotations

import pytest

from kit.classroom.quiz import Quiz
from kit.errors import KitError
from kit.trace import Event, Recording

RUN = Recording(
    (
        Event(0, "a", "emulate", "M", "M"),
        Event(10, "a", "device", "M", "M", text="printer COMMAND = 1 <b>"),
        Event(12, "a", "return", "M", "U"),
        Event(900, "a", "ecall", "U", "M"),
    )
)


def test_the_same_seed_draws_the_same_questions() -> None:
    assert str(Quiz(RUN, seed=3)) == str(Quiz(RUN, seed=3))


def test_the_longest_stretch_without_a_trap_is_hardwares() -> None:
    [question] = [q for q in Quiz(RUN).questions if q.answer == "hardware"]
    assert question.text.startswith("Steps 13 to 900, a, virtual mode U")


def test_right_answers_are_told_from_wrong_ones() -> None:
    quiz = Quiz(RUN)
    right = [question.answer for question in quiz.questions]
    assert [line.split()[1] for line in quiz.check(*right).splitlines()] == ["right:"] * 5
    wrong = ["guest" if answer != "guest" else "VMM" for answer in right]
    assert "right" not in quiz.check(*wrong)


def test_answers_that_cannot_be_marked_are_refused() -> None:
    with pytest.raises(KitError, match="5 answers are needed, but 1 were given"):
        Quiz(RUN).check("VMM")
    with pytest.raises(KitError, match="answer 2 is 'nobody'"):
        Quiz(RUN).check("VMM", "nobody", "VMM", "VMM", "VMM")


def test_text_of_a_guest_cannot_become_markup() -> None:
    assert "<b>" not in Quiz(RUN)._repr_html_()


def test_an_empty_run_has_no_questions() -> None:
    assert Quiz(Recording()).questions == []
