"""Files are replaced as a whole; links, rights and devices stay what they are."""

import os
import sys
from pathlib import Path

import pytest

from kit.errors import KitError
from kit.files import replace_file

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links and rights as in POSIX")


def test_a_link_stays_a_link_and_a_file_keeps_its_rights(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o600)
    link.symlink_to(target)
    replace_file(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o600


def test_the_link_of_standard_output_to_a_file_is_not_replaced(tmp_path: Path) -> None:
    # What /dev/stdout is when the output goes to a file, without risking the machine's own.
    with (tmp_path / "out").open("wb") as file:
        replace_file(f"/dev/fd/{file.fileno()}", "one\n")
        replace_file(f"/dev/fd/{file.fileno()}", "two\n")
        assert os.fstat(file.fileno()).st_nlink == 1
    assert (tmp_path / "out").read_text() == "one\ntwo\n"


def test_a_full_device_is_reported() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    with pytest.raises(KitError, match="cannot write it: No space left"):
        replace_file("/dev/full", "x")


def test_nothing_is_left_behind_where_writing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(KitError):
        replace_file(tmp_path / "file" / "x", "new")
    with pytest.raises(KitError):
        replace_file(tmp_path, "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_files_in_shared_memory_are_ordinary_files() -> None:
    folder = Path("/dev/shm")
    if not os.access(folder, os.W_OK):
        pytest.skip("no /dev/shm")
    file = folder / f"kit-test-{os.getpid()}"
    try:
        replace_file(file, "old and long")
        replace_file(file, "new")
        assert file.read_text() == "new"
    finally:
        file.unlink(missing_ok=True)
