"""The student's folder: made, completed, kept, and never overwritten."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("jupytext", reason="the extra 'lab' is not installed")

from kit.classroom.folder import KERNEL, Folder, find_folder, kernel_metadata
from kit.classroom.lesson import lesson_named, lessons
from kit.cli import main
from kit.errors import KitError

SUM = "lessons/01/sum.s"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "my os 課題")
    made.start()
    return made


def test_every_lesson_becomes_a_notebook_without_outputs(folder: Folder) -> None:
    found = sorted(path.stem for path in (folder.path / "lessons").glob("*.ipynb"))
    assert found == [lesson.name for lesson in lessons()]
    for path in (folder.path / "lessons").glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert any(cell["cell_type"] == "code" for cell in cells)
        assert not any(cell.get("outputs") for cell in cells)


def test_a_notebook_says_what_its_kernel_would_say(folder: Folder) -> None:
    path = folder.path / "lessons" / "00-three-systems.ipynb"
    metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
    assert metadata["kernelspec"]["name"] == KERNEL
    assert metadata["language_info"]["version"] == ".".join(map(str, sys.version_info[:3]))
    assert kernel_metadata().items() <= metadata.items()


def test_starting_again_brings_back_what_is_gone_and_leaves_what_is_there(folder: Folder) -> None:
    (folder.path / SUM).write_text("mine", encoding="utf-8")
    (folder.path / "lessons/01/total.s").unlink()
    assert [change.path for change in folder.start()] == ["lessons/01/total.s"]
    assert (folder.path / SUM).read_text(encoding="utf-8") == "mine"


def test_the_folder_is_found_from_anywhere_inside(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert find_folder(folder.path / "lessons").path == folder.path
    monkeypatch.chdir(folder.path)
    assert find_folder().path == folder.path
    with pytest.raises(KitError, match="kit course start my-os"):
        find_folder(tmp_path)


def test_a_snapshot_holds_the_students_files_and_is_taken_only_after_a_change(
    folder: Folder,
) -> None:
    first = folder.snapshot()
    assert first is not None
    assert folder.snapshot() is None
    (folder.path / SUM).write_text("二つめ", encoding="utf-8")
    (folder.path / "batch" / "built").mkdir()
    (folder.path / "batch" / "built" / "x.elf").write_bytes(b"made")
    second = folder.snapshot()
    assert second is not None
    with zipfile.ZipFile(second) as packed:
        assert packed.read(SUM).decode() == "二つめ"
        assert not any("built" in name or ".kit" in name for name in packed.namelist())


def test_reset_gives_a_file_back_after_a_snapshot(folder: Folder) -> None:
    original = (folder.path / SUM).read_text(encoding="utf-8")
    (folder.path / SUM).write_text("mine", encoding="utf-8")
    folder.reset(SUM)
    assert (folder.path / SUM).read_text(encoding="utf-8") == original
    [snapshot] = (folder.kit / "snapshots").glob("*.zip")
    with zipfile.ZipFile(snapshot) as packed:
        assert packed.read(SUM) == b"mine"
    with pytest.raises(KitError, match="has not given a file"):
        folder.reset("lessons/mine.s")


def test_adopting_a_lesson_keeps_the_students_files_in_the_attic(folder: Folder) -> None:
    (folder.path / SUM).write_text("mine", encoding="utf-8")
    folder.adopt(lesson_named("01"))
    solution = lesson_named("01").files(solution=True)["01/sum.s"]
    assert (folder.path / SUM).read_text(encoding="utf-8") == solution
    assert (folder.kit / "attic" / "01-1" / SUM).read_text(encoding="utf-8") == "mine"


def test_an_update_replaces_only_what_was_never_touched(folder: Folder) -> None:
    given = folder.given()
    for name in (SUM, "lessons/01/total.s"):  # as if an older kit had given something else
        (folder.path / name).write_text("old", encoding="utf-8")
    import hashlib

    folder.write_json("given.json", given | dict.fromkeys(
        (SUM, "lessons/01/total.s"), hashlib.sha256(b"old").hexdigest()))  # fmt: skip
    (folder.path / SUM).write_text("old, and mine", encoding="utf-8")
    changes = {change.path: change.what for change in folder.update()}
    assert changes == {SUM: "yours", "lessons/01/total.s": "updated"}
    assert (folder.path / SUM).read_text(encoding="utf-8") == "old, and mine"
    assert (folder.kit / "new" / SUM).is_file()


def test_a_folder_that_cannot_be_written_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("a file")
    assert main(["course", "start", str(tmp_path / "taken" / "in it")]) == 2
    assert capsys.readouterr().err.startswith("kit course: cannot write the folder ")


def test_the_commands_work_where_the_student_is(
    folder: Folder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.path / "lessons" / "01")
    assert main(["course", "open", "1"]) == 0
    assert capsys.readouterr().out.strip().endswith("01-instructions.ipynb")
    assert main(["course", "check", "01.2", "--hints", "2"]) == 1
    out = capsys.readouterr().out
    assert "does not hold" in out
    assert out.count("→") == 2
    assert "Traceback" not in out
    assert main(["course", "status"]) == 0
    assert "0 of 10 01.2" in capsys.readouterr().out
    assert main(["course", "reset", "sum.s"]) == 0
    assert main(["course", "check", "01.9"]) == 2
    assert "there is none with a check" in capsys.readouterr().err


def test_messages_are_in_the_language_of_the_course(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = folder.path / "course.toml"
    settings.write_text('language = "ja"\n', encoding="utf-8")
    main(["course", "check", "01.2", "--folder", str(folder.path)])
    assert "期待：" in capsys.readouterr().out
