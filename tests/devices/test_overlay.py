"""Private overlays over one base."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit.devices.disk_image import SECTOR, DiskImage
from kit.devices.overlay import HEADER, RECORD, Overlay
from kit.devices.virtio_block import VirtioBlock
from kit.errors import KitError
from tests.devices.fake import hosted
from tests.devices.test_virtio_block import DATA, IN, IO_ERROR, OK, OUT, WRITE, Driver

SECTORS = 12
CONTENTS = random.Random(1).randbytes(SECTORS * SECTOR)


def filled(byte: int, sectors: int = 1) -> bytes:
    return bytes([byte]) * SECTOR * sectors


def base() -> DiskImage:
    return DiskImage(CONTENTS)


def whole(disk: DiskImage) -> bytes:
    return disk.read(0, disk.size)


def read(driver: Driver, sector: int) -> tuple[int, bytes]:
    """Status and data of a request to read one sector."""
    status = driver.request(IN, sector, (DATA, SECTOR, WRITE, 0))
    return status, driver.host.read_bytes(DATA, SECTOR)


def test_overlays_share_a_base_that_nobody_writes(tmp_path: Path) -> None:
    path = tmp_path / "base.img"
    path.write_bytes(CONTENTS)
    shared = DiskImage.open(path)
    one, two = Overlay(shared), Overlay(shared, tmp_path / "two.overlay")
    one.write(3, filled(1, 2))
    two.write(4, filled(2))
    assert shared.read_only
    assert whole(shared) == path.read_bytes() == CONTENTS
    assert one.read(2, 4 * SECTOR) == CONTENTS[1024:1536] + filled(1, 2) + CONTENTS[2560:3072]
    assert two.read(4, 2 * SECTOR) == filled(2) + CONTENTS[2560:3072]
    assert (one.changed, two.changed) == (2, 1)
    assert not one.read_only
    assert one.size == shared.size


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    writes=st.lists(
        st.tuples(st.integers(0, SECTORS - 1), st.integers(1, 3), st.binary(max_size=1))
    )
)
def test_an_overlay_is_a_disk_and_its_file_keeps_it(
    tmp_path: Path, writes: list[tuple[int, int, bytes]]
) -> None:
    path = tmp_path / "own.overlay"
    path.unlink(missing_ok=True)
    overlay, expected = Overlay(base(), path), bytearray(CONTENTS)
    for sector, count, fill in writes:
        count = min(count, SECTORS - sector)
        data = filled(fill[0] if fill else 0, count)
        overlay.write(sector, data)
        expected[sector * SECTOR : sector * SECTOR + len(data)] = data
    assert whole(overlay) == expected
    overlay.close()
    again = Overlay(base(), path)
    assert whole(again) == expected
    assert path.stat().st_size == HEADER.size + again.changed * RECORD.size
    again.close()


def test_a_virtio_disk_writes_into_the_overlay_only() -> None:
    shared = base()
    overlay = Overlay(shared)
    disk = hosted(VirtioBlock(overlay))
    driver = Driver(disk)
    driver.host.write_bytes(DATA, filled(7))
    assert driver.request(OUT, 1, (DATA, SECTOR, 0, 0)) == OK
    driver.host.write_bytes(DATA, filled(0))
    assert read(driver, 1) == (OK, filled(7))
    assert whole(shared) == CONTENTS


def test_an_overlay_can_be_the_base_of_another() -> None:
    lower = Overlay(base())
    lower.write(0, filled(1))
    upper = Overlay(lower)
    upper.write(1, filled(2))
    assert upper.read(0, 3 * SECTOR) == filled(1) + filled(2) + CONTENTS[1024:1536]
    assert lower.read(1, SECTOR) == CONTENTS[512:1024]


def test_a_restored_overlay_holds_what_it_held() -> None:
    overlay = Overlay(base())
    overlay.write(1, filled(1))
    state = json.loads(json.dumps(overlay.save()))
    before = whole(overlay)
    overlay.write(1, filled(3))
    overlay.write(5, filled(4))
    overlay.restore(state)
    assert whole(overlay) == before
    fresh = Overlay(base())
    fresh.restore(state)
    assert whole(fresh) == before
    with pytest.raises(KitError, match="over another base"):
        Overlay(DiskImage(bytes(len(CONTENTS)))).restore(state)


def made(tmp_path: Path) -> Path:
    """The file of an overlay that holds sectors 1, 2 and 7."""
    path = tmp_path / "own.overlay"
    path.unlink(missing_ok=True)
    overlay = Overlay(base(), path)
    overlay.write(1, filled(1, 2))
    overlay.write(7, filled(7))
    overlay.close()
    return path


def test_a_base_that_has_changed_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path)
    with pytest.raises(KitError, match="made over another disk than disk, or that has changed"):
        Overlay(DiskImage(CONTENTS[:-1] + b"\0"), path)
    with pytest.raises(KitError, match="made over another disk"):
        Overlay(DiskImage(bytes(SECTOR)), path)


def test_a_write_that_was_cut_off_counts_as_never_made(tmp_path: Path) -> None:
    path = made(tmp_path)
    path.write_bytes(path.read_bytes()[:-1])
    overlay = Overlay(base(), path)
    assert overlay.read(7, SECTOR) == CONTENTS[7 * SECTOR : 8 * SECTOR]
    overlay.write(9, filled(9))
    overlay.close()
    again = Overlay(base(), path)
    assert again.read(9, SECTOR) == filled(9)
    assert again.read(1, 2 * SECTOR) == filled(1, 2)


def test_damage_while_it_is_open_is_an_error_of_the_disk(tmp_path: Path) -> None:
    path = made(tmp_path)
    overlay = Overlay(base(), path)
    driver = Driver(hosted(VirtioBlock(overlay)))
    data = bytearray(path.read_bytes())
    data[HEADER.size + 20] ^= 1
    path.write_bytes(data)
    assert read(driver, 1)[0] == IO_ERROR
    with pytest.raises(KitError, match="cannot save the disk: record 0 of the overlay is damaged"):
        overlay.save()


@pytest.mark.parametrize("what", ["folder", "folder/missing/file"])
def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path, what: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(KitError, match="cannot open the overlay"):
        Overlay(base(), tmp_path / what)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.integers(0, HEADER.size + 3 * RECORD.size - 1), flip=st.integers(1, 255))
def test_every_damaged_byte_gives_one_clear_line(tmp_path: Path, at: int, flip: int) -> None:
    path = made(tmp_path)
    data = bytearray(path.read_bytes())
    data[at] ^= flip
    path.write_bytes(data)
    with pytest.raises(KitError) as caught:
        Overlay(base(), path)
    assert "own.overlay: " in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.binary(max_size=2000), keep=st.integers(0, HEADER.size + 2 * RECORD.size))
def test_any_bytes_are_an_overlay_or_one_clear_line(tmp_path: Path, data: bytes, keep: int) -> None:
    path = made(tmp_path)
    path.write_bytes(path.read_bytes()[:keep] + data)
    line = ""
    try:
        overlay = Overlay(base(), path)
        assert len(whole(overlay)) == len(CONTENTS)
        overlay.close()
    except KitError as error:
        line = str(error)
    assert "\n" not in line
