"""Stages of guests in C for the student: the kit's own, with functions left open."""

from __future__ import annotations

import pytest

from kit.classroom.stage import stage_of, without_body
from kit.errors import KitError

TABLE = {
    "from": "batch/06",
    "shared": ["batch/include", "batch/interface.s"],
    "yours": [
        {"file": "batch/06/protection.c", "function": "check_buffer", "body": "  return 0;\n"}
    ],
}


def test_a_stage_has_the_guests_files_and_what_they_share() -> None:
    files = stage_of(TABLE, "06").files(solution=True)
    assert {"batch/06/build.toml", "batch/include/monitor.h", "batch/interface.s"} <= files.keys()
    assert not any("built" in name for name in files)


def test_a_function_that_is_the_students_has_another_body_and_nothing_else_changes() -> None:
    stage = stage_of(TABLE, "06")
    given, answer = stage.files(solution=False), stage.files(solution=True)
    assert [name for name in answer if given[name] != answer[name]] == ["batch/06/protection.c"]
    text = given["batch/06/protection.c"]
    assert "check_buffer(uint32_t address, uint32_t size, uint32_t most)\n{\n  return 0;\n}" in text
    assert text.startswith(answer["batch/06/protection.c"].partition("const char *\ncheck")[0])


def test_a_function_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KitError, match="no function nowhere"):
        without_body("int\nmain(void)\n{\n}\n", "nowhere", "", "a.c")
    with pytest.raises(KitError, match="needs 'from'"):
        stage_of({}, "06")
