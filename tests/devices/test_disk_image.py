import os
from pathlib import Path

import pytest

from kit.devices.disk_image import SECTOR, DiskImage
from kit.errors import KitError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(b"a" * SECTOR + b"b" * SECTOR)
    return path


def test_a_file_is_read_and_written_in_place_at_once(path: Path) -> None:
    image = DiskImage.open(path)
    assert image.sectors == 2
    assert image.read(1, SECTOR) == b"b" * SECTOR
    image.write(0, b"c" * SECTOR)
    assert path.read_bytes() == b"c" * SECTOR + b"b" * SECTOR
    image.close()


def test_a_disk_in_memory_copies_what_it_is_given() -> None:
    data = bytearray(SECTOR)
    image = DiskImage(data)
    image.write(0, b"x" * SECTOR)
    assert data == bytes(SECTOR)
    assert image.read(0, SECTOR) == b"x" * SECTOR


def test_a_length_that_is_no_whole_number_of_sectors_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "odd.img"
    path.write_bytes(bytes(700))
    with pytest.raises(KitError, match=r"odd\.img: 700 bytes .* make it 1024 bytes long"):
        DiskImage.open(path)
    with pytest.raises(KitError, match="make it 512"):
        DiskImage(b"x")


def test_missing_files_and_folders_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(KitError, match="cannot open the disk image: No such file"):
        DiskImage.open(tmp_path / "none")
    with pytest.raises(KitError, match="cannot open the disk image"):
        DiskImage.open(tmp_path)


def test_a_file_that_may_not_be_written_is_a_read_only_disk(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_open = open

    def guarded(file: Path, mode: str, **options: int) -> object:
        # A test run by the superuser may write any file, so the refusal is staged.
        if "+" in mode:
            raise PermissionError(13, "Permission denied")
        return real_open(file, mode, **options)  # type: ignore[call-overload]

    monkeypatch.setattr("builtins.open", guarded)
    image = DiskImage.open(path)
    assert image.read_only
    assert image.read(0, 1) == b"a"


def test_restore_puts_changed_sectors_back_into_the_file(path: Path) -> None:
    image = DiskImage.open(path)
    state = image.save()
    image.write(1, b"z" * SECTOR)
    image.restore(state)
    assert path.read_bytes() == b"a" * SECTOR + b"b" * SECTOR


def test_restore_refuses_another_disk(path: Path) -> None:
    state = DiskImage(bytes(SECTOR)).save()
    with pytest.raises(KitError, match="has 512 bytes, this one 1024"):
        DiskImage.open(path).restore(state)
    with pytest.raises(KitError, match="differs from the saved disk, and is read-only"):
        DiskImage(b"x" * SECTOR, read_only=True).restore(state)


def test_a_file_that_shrinks_under_the_machine_is_an_error(path: Path) -> None:
    image = DiskImage.open(path)
    os.truncate(path, SECTOR)
    with pytest.raises(OSError, match="shorter"):
        image.read(1, SECTOR)
    with pytest.raises(KitError, match="cannot save the disk"):
        image.save()
