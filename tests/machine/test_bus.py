import pytest

from kit.devices.device import BusError, Device
from kit.errors import KitError
from kit.machine.bus import Bus, Storage

BASE = 0x80000000
UART = 0x10000000


class Register(Device):
    """Sixteen bytes that take words only, at the beginning of a page."""

    name = "register"
    size = 0x10

    def __init__(self) -> None:
        self.log: list[tuple[int, ...]] = []

    def read(self, offset: int, size: int) -> int:
        self.log.append((offset, size))
        return 0x1234

    def write(self, offset: int, size: int, value: int) -> None:
        self.log.append((offset, size, value))


@pytest.fixture
def bus() -> Bus:
    bus = Bus(Storage(0x2000))
    bus.attach(Register(), UART)
    return bus


def test_ram_is_little_endian_in_all_sizes(bus: Bus) -> None:
    bus.write(BASE + 4, 4, 0x44332211)
    assert [bus.read(BASE + 4 + at, 1) for at in range(4)] == [0x11, 0x22, 0x33, 0x44]
    assert bus.read(BASE + 6, 2) == 0x4433
    bus.write(BASE + 4, 2, 0xBEEF)
    bus.write(BASE + 7, 1, 0x99)
    assert bus.read(BASE + 4, 4) == 0x9933BEEF


def test_ram_reaches_from_its_first_to_its_last_byte(bus: Bus) -> None:
    assert bus.is_ram(BASE, 4)
    assert bus.is_ram(BASE + 0x1FFC, 4)
    assert not bus.is_ram(BASE + 0x2000, 1)
    assert not bus.is_ram(BASE - 4, 4)
    assert not bus.is_ram(UART, 4)
    assert bus.reaches(BASE + 0x1FFF, 1)
    assert not bus.reaches(BASE + 0x2000, 4)
    assert not bus.reaches(0, 4)


def test_a_device_is_reached_where_it_accepts_the_access(bus: Bus) -> None:
    assert bus.reaches(UART + 12, 4)
    assert not bus.reaches(UART + 12, 1)
    assert not bus.reaches(UART + 16, 4)


def test_an_access_to_a_device_asks_for_attention_and_to_ram_does_not(bus: Bus) -> None:
    bus.write(BASE, 4, 1)
    bus.read(BASE, 4)
    assert not bus.attention
    assert bus.read(UART + 4, 4) == 0x1234
    assert bus.attention
    bus.attention = False
    bus.write(UART + 8, 4, 7)
    assert bus.attention


def test_a_device_sees_offsets_in_its_window() -> None:
    bus, register = Bus(Storage(0x1000)), Register()
    bus.attach(register, UART)
    bus.read(UART + 4, 4)
    bus.write(UART + 8, 4, 99)
    assert register.log == [(4, 4), (8, 4, 99)]


def test_every_write_to_ram_is_seen_by_the_watch(bus: Bus) -> None:
    seen: list[tuple[int, int]] = []
    bus.watch = lambda address, length: seen.append((address, length))
    bus.write(BASE + 8, 2, 1)
    bus.write_bytes(BASE + 100, b"hello")
    bus.write_bytes(BASE + 100, b"")
    bus.write(UART, 4, 1)
    bus.read(BASE, 4)
    assert seen == [(BASE + 8, 2), (BASE + 100, 5)]


def test_bytes_go_in_and_out_and_must_all_be_ram(bus: Bus) -> None:
    bus.write_bytes(BASE + 0x1FFD, b"end")
    assert bus.read_bytes(BASE + 0x1FFD, 3) == b"end"
    for address, length in ((BASE + 0x1FFE, 3), (BASE - 1, 1), (UART, 4), (1 << 63, 1), (BASE, -1)):
        with pytest.raises(KitError, match="not all RAM"):
            bus.read_bytes(address, length)
    with pytest.raises(BusError):
        bus.write_bytes(BASE + 0x1FFE, b"end")
    assert bus.read_bytes(BASE + 0x1FFD, 3) == b"end"


def test_an_address_where_nothing_is_is_an_error(bus: Bus) -> None:
    with pytest.raises(BusError, match="0x20000000"):
        bus.read(0x20000000, 4)


def test_devices_may_not_overlap(bus: Bus) -> None:
    for base, message in ((UART, "in use"), (BASE + 0x1000, "in use"), (0x100, "begin a page")):
        with pytest.raises(KitError, match=message):
            bus.attach(Register(), base)


@pytest.mark.parametrize("size", [0, -4096, 4097, 1 << 32])
def test_storage_has_whole_pages_below_4_gib(size: int) -> None:
    with pytest.raises(KitError, match="storage"):
        Storage(size)
