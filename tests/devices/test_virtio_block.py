"""The disk, driven through its registers as a guest's driver would, in both layouts."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.devices.disk_image import SECTOR, DiskImage
from kit.devices.virtio import EmptySlot
from kit.devices.virtio_block import VirtioBlock
from tests.devices.fake import BASE, FakeHost, hosted, through_json, wait

FEATURES, FEATURES_SEL, DRIVER_FEATURES, DRIVER_SEL = 0x10, 0x14, 0x20, 0x24
PAGE_SIZE, QUEUE_SEL, NUM_MAX, NUM, ALIGN, PFN, READY = 0x28, 0x30, 0x34, 0x38, 0x3C, 0x40, 0x44
NOTIFY, INTERRUPT_STATUS, ACK, STATUS, CONFIG = 0x50, 0x60, 0x64, 0x70, 0x100
DESC, DRIVER, DEVICE = 0x80, 0x90, 0xA0

NEXT, WRITE, INDIRECT = 1, 2, 4
IN, OUT, FLUSH, GET_ID = 0, 1, 4, 8
OK, IO_ERROR, UNSUPPORTED = 0, 1, 2
NEEDS_RESET = 0x40
QUEUE_SIZE = 8

# Where the driver keeps its things. The queue fills one page and the beginning of the next.
DESCRIPTORS = BASE
AVAILABLE = BASE + 16 * QUEUE_SIZE
USED = BASE + 0x1000
HEADER, STATUS_BYTE, DATA = BASE + 0x1800, BASE + 0x1900, BASE + 0x2000

Descriptor = tuple[int, int, int, int]
"""Address, length, flags, next."""


class Driver:
    """A driver for one request at a time, but for `submit`, which only queues."""

    def __init__(self, disk: VirtioBlock) -> None:
        self.disk = disk
        self.host = disk.host
        self.index = 0
        for status in (1, 3):
            self.set(STATUS, status)
        self.place_queue()
        self.set(STATUS, 0x0F)
        assert self.get(STATUS) == 0x0F

    def set(self, register: int, value: int) -> None:
        self.disk.write(register, 4, value)

    def get(self, register: int) -> int:
        return self.disk.read(register, 4)

    def place_queue(self) -> None:
        self.set(QUEUE_SEL, 0)
        assert self.get(NUM_MAX) >= QUEUE_SIZE
        self.set(NUM, QUEUE_SIZE)
        if self.disk.legacy:
            self.set(PAGE_SIZE, 4096)
            self.set(ALIGN, 4096)
            self.set(PFN, DESCRIPTORS >> 12)
            assert self.get(PFN) == DESCRIPTORS >> 12
            return
        for register, address in ((DESC, DESCRIPTORS), (DRIVER, AVAILABLE), (DEVICE, USED)):
            self.set(register, address)
            self.set(register + 4, 0)
        self.set(READY, 1)
        assert self.get(READY) == 1

    def put(self, address: int, layout: str, *values: int) -> None:
        self.host.write_bytes(address, struct.pack(layout, *values))

    def describe(self, *chain: Descriptor) -> None:
        for at, descriptor in enumerate(chain):
            self.put(DESCRIPTORS + 16 * at, "<QIHH", *descriptor)

    def submit(self, head: int = 0) -> None:
        self.put(AVAILABLE + 4 + 2 * (self.index % QUEUE_SIZE), "<H", head)
        self.index += 1
        self.put(AVAILABLE + 2, "<H", self.index & 0xFFFF)

    def request(self, kind: int, sector: int, *data: Descriptor) -> int:
        """Does one request; returns its status byte, 0xEE if there came none."""
        self.put(HEADER, "<IIQ", kind, 0, sector)
        self.put(STATUS_BYTE, "B", 0xEE)
        chain = [(HEADER, 16, 0, 0), *data, (STATUS_BYTE, 1, WRITE, 0)]
        linked = [(a, n, f | NEXT, at) for at, (a, n, f, _) in enumerate(chain[:-1], 1)]
        self.describe(*linked, chain[-1])
        self.submit()
        self.set(NOTIFY, 0)
        wait(self.disk)
        return self.host.read_bytes(STATUS_BYTE, 1)[0]

    def used(self) -> tuple[int, int, int]:
        """The used index, and head and length of the newest entry."""
        (index,) = struct.unpack("<H", self.host.read_bytes(USED + 2, 2))
        slot = USED + 4 + 8 * ((index - 1) % QUEUE_SIZE)
        head, length = struct.unpack("<II", self.host.read_bytes(slot, 8))
        return index, head, length

    def broken(self) -> bool:
        return bool(self.get(STATUS) & NEEDS_RESET)


def numbered(sectors: int) -> DiskImage:
    """A disk whose sectors are full of their own number."""
    return DiskImage(b"".join(bytes((n,)) * SECTOR for n in range(sectors)))


@pytest.fixture(params=[True, False], ids=["legacy", "modern"])
def driver(request: pytest.FixtureRequest) -> Driver:
    return Driver(hosted(VirtioBlock(numbered(8), legacy=request.param)))


def test_read_brings_sectors_into_storage(driver: Driver) -> None:
    assert driver.request(IN, 3, (DATA, 2 * SECTOR, WRITE, 0)) == OK
    data = driver.host.read_bytes(DATA, 2 * SECTOR)
    assert data == b"\x03" * SECTOR + b"\x04" * SECTOR
    assert driver.used() == (1, 0, 2 * SECTOR + 1)


def test_write_changes_the_disk(driver: Driver) -> None:
    driver.host.write_bytes(DATA, b"x" * SECTOR)
    assert driver.request(OUT, 7, (DATA, SECTOR, 0, 0)) == OK
    assert driver.disk.image.read(7, SECTOR) == b"x" * SECTOR
    assert driver.used() == (1, 0, 1)


def test_data_may_lie_in_pieces(driver: Driver) -> None:
    pieces = [(DATA, 100, WRITE, 0), (DATA + 1000, 412, WRITE, 0)]
    assert driver.request(IN, 5, *pieces) == OK
    assert driver.host.read_bytes(DATA + 1000, 413) == b"\x05" * 412 + b"\0"


def test_flush_is_ok_and_get_id_names_the_disk(driver: Driver) -> None:
    assert driver.request(FLUSH, 0) == OK
    assert driver.request(GET_ID, 0, (DATA, 20, WRITE, 0)) == OK
    assert driver.host.read_bytes(DATA, 20) == b"vmm-kit-disk".ljust(20, b"\0")
    assert driver.used() == (2, 0, 21)


def test_an_unknown_request_is_unsupported(driver: Driver) -> None:
    assert driver.request(77, 0) == UNSUPPORTED
    assert not driver.broken()


@pytest.mark.parametrize("kind", [IN, OUT])
@pytest.mark.parametrize(
    ("sector", "length"), [(8, SECTOR), (7, 2 * SECTOR), (1 << 60, SECTOR), (0, 100)]
)
def test_beyond_the_disk_or_in_part_of_a_sector_is_an_error(
    driver: Driver, kind: int, sector: int, length: int
) -> None:
    flags = WRITE if kind == IN else 0
    assert driver.request(kind, sector, (DATA, length, flags, 0)) == IO_ERROR
    assert not driver.broken()
    assert driver.request(IN, 0, (DATA, SECTOR, WRITE, 0)) == OK


def test_a_buffer_outside_of_storage_is_an_error_of_the_request(driver: Driver) -> None:
    assert driver.request(IN, 0, (0x1000, SECTOR, WRITE, 0)) == IO_ERROR
    assert driver.request(OUT, 0, (1 << 63, SECTOR, 0, 0)) == IO_ERROR
    assert driver.disk.image.read(0, SECTOR) == bytes(SECTOR)


@pytest.mark.parametrize(
    "chain",
    [
        [(HEADER, 16, NEXT, 0)],  # a loop
        [(HEADER, 16, NEXT, QUEUE_SIZE)],  # a descriptor that does not exist
        [(HEADER, 16, 0, 0)],  # no status byte
        [(HEADER, 15, NEXT, 1), (STATUS_BYTE, 1, WRITE, 0)],  # half a header
        [(HEADER, 16, NEXT, 1), (STATUS_BYTE, 0, WRITE, 0)],  # an empty buffer
        [(STATUS_BYTE, 1, WRITE | NEXT, 1), (HEADER, 16, 0, 0)],  # readable after writable
        [(HEADER, 16, INDIRECT, 0)],  # not offered
        [(0, 16, NEXT, 1), (STATUS_BYTE, 1, WRITE, 0)],  # a header outside of storage
        [(HEADER, 16, NEXT, 1), (0, 1, WRITE, 0)],  # a status byte outside of storage
    ],
)
def test_a_driver_that_breaks_the_rules_must_reset_the_device(
    driver: Driver, chain: list[Descriptor]
) -> None:
    driver.describe(*chain)
    driver.submit()
    driver.set(NOTIFY, 0)
    wait(driver.disk)
    assert driver.broken()
    assert driver.get(INTERRUPT_STATUS) == 2
    driver.set(NOTIFY, 0)
    assert driver.disk.next_event() is None
    driver.set(STATUS, 0)
    assert driver.get(STATUS) == 0
    driver.host.write_bytes(BASE, bytes(0x1100))
    assert Driver(driver.disk).request(IN, 1, (DATA, SECTOR, WRITE, 0)) == OK


@pytest.mark.parametrize(("head", "index"), [(QUEUE_SIZE, 1), (0, QUEUE_SIZE + 1)])
def test_nonsense_in_the_available_ring_breaks_the_queue(
    driver: Driver, head: int, index: int
) -> None:
    driver.put(AVAILABLE, "<HHH", 0, index, head)
    driver.set(NOTIFY, 0)
    wait(driver.disk)
    assert driver.broken()


def test_a_queue_outside_of_storage_breaks_it(driver: Driver) -> None:
    if driver.disk.legacy:
        driver.set(PFN, 0xFFFFFFFF)
    else:
        driver.set(DRIVER + 4, 0xFFFFFFFF)
    driver.set(NOTIFY, 0)
    wait(driver.disk)
    assert driver.broken()


def test_completion_interrupts_until_acknowledged(driver: Driver) -> None:
    driver.request(FLUSH, 0)
    assert driver.disk.interrupt()
    assert driver.get(INTERRUPT_STATUS) == 1
    driver.set(ACK, 1)
    assert not driver.disk.interrupt()


def test_a_driver_can_do_without_interrupts(driver: Driver) -> None:
    driver.put(AVAILABLE, "<H", 1)
    assert driver.request(FLUSH, 0) == OK
    assert not driver.disk.interrupt()


def test_requests_are_done_one_after_the_other_each_in_its_time(driver: Driver) -> None:
    driver.put(HEADER, "<IIQ", FLUSH, 0, 0)
    driver.describe((HEADER, 16, NEXT, 1), (STATUS_BYTE, 1, WRITE, 0))
    for _ in range(3):
        driver.submit()
    driver.set(NOTIFY, 0)
    driver.disk.advance(999)
    assert driver.used()[0] == 0
    assert wait(driver.disk) == 3000
    assert driver.used()[0] == 3


def test_ring_indices_wrap_around(driver: Driver) -> None:
    for number in range(3 * QUEUE_SIZE):
        assert driver.request(IN, number % 8, (DATA, SECTOR, WRITE, 0)) == OK
        assert driver.host.read_bytes(DATA, 1)[0] == number % 8
    assert driver.used()[0] == 3 * QUEUE_SIZE


def test_configuration_has_capacity_and_block_size(driver: Driver) -> None:
    assert driver.get(CONFIG) == 8
    assert driver.get(CONFIG + 4) == 0
    assert driver.get(CONFIG + 20) == SECTOR
    assert driver.disk.read(CONFIG, 1) == 8
    driver.set(CONFIG, 99)
    assert driver.get(CONFIG) == 8
    assert driver.get(CONFIG + 0xFC) == 0


def test_a_read_only_disk_says_so_and_refuses_writes() -> None:
    image = DiskImage(bytes(SECTOR), read_only=True)
    driver = Driver(hosted(VirtioBlock(image)))
    assert driver.get(FEATURES) & 1 << 5
    assert driver.request(OUT, 0, (DATA, SECTOR, 0, 0)) == IO_ERROR
    assert driver.request(IN, 0, (DATA, SECTOR, WRITE, 0)) == OK


def test_a_file_that_fails_is_an_error_of_the_request(tmp_path: Path) -> None:
    path = tmp_path / "disk"
    path.write_bytes(bytes(2 * SECTOR))
    driver = Driver(hosted(VirtioBlock(DiskImage.open(path))))
    path.write_bytes(b"")
    assert driver.request(IN, 0, (DATA, SECTOR, WRITE, 0)) == IO_ERROR


def test_identification_in_both_layouts() -> None:
    for legacy, version in ((True, 1), (False, 2)):
        disk = hosted(VirtioBlock(numbered(1), legacy=legacy))
        found = [disk.read(offset, 4) for offset in (0, 4, 8, 12)]
        assert found == [0x74726976, version, 2, 0x554D4551]
        slot = hosted(EmptySlot(3, legacy=legacy))
        found = [slot.read(offset, 4) for offset in (0, 4, 8, 12)]
        assert found == [0x74726976, version, 0, 0x554D4551]
        slot.write(STATUS, 4, 1)
        assert slot.read(STATUS, 4) == slot.read(0, 1) == 0
        assert (slot.name, slot.irq) == ("virtio3", 4)


def test_only_the_modern_layout_offers_version_1() -> None:
    for legacy in (True, False):
        disk = hosted(VirtioBlock(numbered(1), legacy=legacy))
        assert disk.read(FEATURES, 4) == 1 << 6 | 1 << 9
        disk.write(FEATURES_SEL, 4, 1)
        assert disk.read(FEATURES, 4) == (0 if legacy else 1)


def test_features_that_were_not_offered_are_refused() -> None:
    disk = hosted(VirtioBlock(numbered(1), legacy=False))
    disk.write(DRIVER_FEATURES, 4, 1 << 9 | 1 << 28)
    disk.write(STATUS, 4, 0x0B)
    assert disk.read(STATUS, 4) == 0x03
    disk.write(DRIVER_FEATURES, 4, 1 << 9)
    disk.write(DRIVER_SEL, 4, 1)
    disk.write(DRIVER_FEATURES, 4, 1)
    disk.write(STATUS, 4, 0x0B)
    assert disk.read(STATUS, 4) == 0x0B


def test_registers_of_the_other_layout_read_zero_and_ignore_writes(driver: Driver) -> None:
    before = driver.disk.save()
    others = (READY, DESC, DRIVER, DEVICE + 4) if driver.disk.legacy else (PFN, ALIGN, PAGE_SIZE)
    for register in others:
        driver.set(register, 0)
        assert driver.get(register) == 0
    assert driver.disk.save() == before


def test_there_is_one_queue(driver: Driver) -> None:
    driver.set(QUEUE_SEL, 1)
    assert driver.get(NUM_MAX) == 0
    before = driver.disk.save()
    driver.set(NUM, 4)
    driver.set(PFN, 0)
    assert driver.disk.save() == before
    driver.set(NOTIFY, 1)
    assert driver.disk.next_event() is None


def test_a_modern_device_waits_for_driver_ok() -> None:
    driver = Driver(hosted(VirtioBlock(numbered(1), legacy=False)))
    driver.set(STATUS, 0x0B)
    driver.set(NOTIFY, 0)
    assert driver.disk.next_event() is None


def test_writing_zero_to_a_legacy_queue_resets_the_device() -> None:
    driver = Driver(hosted(VirtioBlock(numbered(1))))
    driver.request(FLUSH, 0)
    driver.set(PFN, 0)
    assert driver.get(STATUS) == driver.get(PFN) == driver.get(INTERRUPT_STATUS) == 0


def test_restore_of_save_is_the_identity_also_with_a_request_under_way(driver: Driver) -> None:
    driver.host.write_bytes(DATA, b"y" * SECTOR)
    driver.request(OUT, 2, (DATA, SECTOR, 0, 0))
    driver.submit()
    driver.set(NOTIFY, 0)
    driver.disk.time_moved(50)
    assert driver.disk.next_event() == driver.host.now + 1050
    other = hosted(VirtioBlock(numbered(8), legacy=driver.disk.legacy))
    other.restore(through_json(driver.disk))
    assert other.save() == driver.disk.save()
    assert other.image.read(2, SECTOR) == b"y" * SECTOR


garbage = st.one_of(
    st.integers(0, 0xFFFFFFFF),
    st.sampled_from([0, 1, 2, 16, SECTOR, BASE, DATA, HEADER, STATUS_BYTE, AVAILABLE, USED]),
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    legacy=st.booleans(),
    descriptors=st.lists(
        st.tuples(garbage, garbage, st.integers(0, 7), st.integers(0, QUEUE_SIZE)),
        min_size=QUEUE_SIZE,
        max_size=QUEUE_SIZE,
    ),
    heads=st.lists(st.integers(0, QUEUE_SIZE), min_size=1, max_size=QUEUE_SIZE),
    header=st.tuples(st.sampled_from([IN, OUT, FLUSH, GET_ID, 99]), garbage),
)
def test_garbage_in_the_queue_never_raises_and_never_hangs(
    legacy: bool, descriptors: list[Descriptor], heads: list[int], header: tuple[int, int]
) -> None:
    driver = Driver(hosted(VirtioBlock(numbered(8), legacy=legacy)))
    driver.put(HEADER, "<IIQ", header[0], 0, header[1])
    driver.describe(*descriptors)
    for head in heads:
        driver.submit(head)
    driver.set(NOTIFY, 0)
    for _ in range(2 * QUEUE_SIZE):
        driver.disk.advance(driver.disk.next_event() or 0)
    driver.set(STATUS, 0)
    assert driver.disk.next_event() is None
    assert driver.get(STATUS) == 0


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    legacy=st.booleans(),
    accesses=st.lists(
        st.tuples(
            st.sampled_from([0, 4, 8, 12, 16, 20, 32, 36, 40, 48, 52, 56, 60, 64, 68, 80, 96, 100])
            | st.sampled_from([0x70, 0x80, 0x84, 0x90, 0x94, 0xA0, 0xA4, 0xFC, 0x100, 0x1FC]),
            garbage,
        ),
        max_size=30,
    ),
)
def test_garbage_in_the_registers_never_raises(
    legacy: bool, accesses: list[tuple[int, int]]
) -> None:
    disk = hosted(VirtioBlock(numbered(2), legacy=legacy))
    assert isinstance(disk.host, FakeHost)
    for offset, value in accesses:
        disk.write(offset, 4, value)
        assert 0 <= disk.read(offset, 4) <= 0xFFFFFFFF
        disk.advance(disk.next_event() or 0)
