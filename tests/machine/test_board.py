import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.devices.deck import Deck
from kit.devices.disk_image import DiskImage
from kit.errors import KitError
from kit.machine.board import ADDRESSES, Board, standard_devices
from kit.machine.bus import Bus, Storage
from tests.machine.board_fixture import Bootable, Lines

MSIP, MTIP, SEIP, MEIP = 1 << 3, 1 << 7, 1 << 9, 1 << 11
CLINT, PLIC, READER = ADDRESSES["clint"], ADDRESSES["plic"], ADDRESSES["reader"]
MTIMECMP, MTIME = CLINT + 0x4000, CLINT + 0xBFF8
READER_IRQ = 12


@pytest.fixture
def board() -> Bootable:
    """A board with one card in its reader, the timer switched off."""
    board = Bootable(reader=Deck.from_text("CARD\n"))
    board.space.write(MTIMECMP + 4, 4, 0xFFFFFFFF)
    board.refresh()
    assert board.hart.wires == 0
    return board


def feed_with_interrupt(board: Bootable, context: int) -> None:
    """Starts a FEED whose end interrupts M-mode (context 0) or S-mode (context 1)."""
    board.space.write(PLIC + 4 * READER_IRQ, 4, 1)
    board.space.write(PLIC + 0x2000 + 0x80 * context, 4, 1 << READER_IRQ)
    board.space.write(READER + 8, 4, 1)
    board.space.write(READER + 4, 4, 1)


@pytest.mark.parametrize(("context", "wire"), [(0, MEIP), (1, SEIP)])
def test_a_devices_interrupt_reaches_the_hart_through_the_plic(
    board: Bootable, context: int, wire: int
) -> None:
    feed_with_interrupt(board, context)
    assert board.next_event() == 200
    board.hart.mtime = 200
    board.advance()
    assert board.hart.wires == wire
    claim = PLIC + 0x200004 + 0x1000 * context
    assert board.space.read(claim, 4) == READER_IRQ
    board.refresh()
    assert board.hart.wires == 0
    board.space.write(READER + 0x10, 4, 1)
    board.space.write(claim, 4, READER_IRQ)
    board.refresh()
    assert board.hart.wires == 0


def test_clint_drives_its_two_wires(board: Bootable) -> None:
    board.space.write(CLINT, 4, 1)
    board.space.write(MTIMECMP, 4, 50)
    board.space.write(MTIMECMP + 4, 4, 0)
    board.refresh()
    assert board.hart.wires == MSIP
    assert board.next_event() == 50
    board.hart.mtime = 50
    board.advance()
    assert board.hart.wires == MSIP | MTIP


def test_the_earliest_event_counts(board: Bootable) -> None:
    assert board.next_event() is None
    feed_with_interrupt(board, 0)
    board.space.write(MTIMECMP + 4, 4, 0)
    board.space.write(MTIMECMP, 4, 150)
    assert board.next_event() == 150


def test_setting_mtime_leaves_operations_their_duration(board: Bootable) -> None:
    feed_with_interrupt(board, 0)
    board.hart.mtime = 50
    board.space.write(MTIME, 4, 1_000_000)
    assert board.hart.mtime == 1_000_000
    assert board.next_event() == 1_000_150


def test_addresses_are_those_of_qemus_virt_board() -> None:
    board = Bootable(disk=DiskImage(bytes(512)))
    assert board.space.read(0x10001008, 4) == 2
    assert [board.space.read(0x10001008 + 0x1000 * slot, 4) for slot in range(1, 8)] == [0] * 7
    assert board.space.read(0x10000005, 1) == 0x60
    assert board.devices["uart"].irq == 10
    assert board.devices["disk"].irq == 1
    assert not board.space.reaches(0x10009000, 4)


def test_restore_of_save_is_the_identity() -> None:
    board = Bootable(reader=Deck.from_text("A\nB\n"), disk=DiskImage(bytes(1024)))
    feed_with_interrupt(board, 0)
    board.hart.mtime = 200
    board.advance()
    other = Bootable(disk=DiskImage(bytes(1024)))
    other.hart.mtime = 200
    other.restore(json.loads(json.dumps(board.save())))
    assert other.save() == board.save()
    assert other.hart.wires == board.hart.wires


def test_a_state_of_other_devices_is_refused() -> None:
    state = Bootable(disk=DiskImage(bytes(512))).save()
    with pytest.raises(KitError, match="other devices"):
        Bootable().restore(state)


def test_reset_is_power_on(board: Bootable) -> None:
    feed_with_interrupt(board, 0)
    board.reset()
    fresh = Bootable(reader=Deck.from_text("CARD\n"))
    assert board.save() == fresh.save()
    assert board.hart.wires == MTIP


def test_a_board_without_interrupt_controllers_is_refused() -> None:
    devices = standard_devices()
    del devices["plic"]
    with pytest.raises(KitError, match="PLIC"):
        Board(Lines(), Bus(Storage(4096)), devices)


windows = st.sampled_from(
    [(ADDRESSES[name], device.size) for name, device in standard_devices().items()]
)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            windows,
            st.integers(0, 0x200) | st.integers(0, 0x600000),
            st.sampled_from([1, 2, 4]),
            st.integers(0, 0xFFFFFFFF),
        ),
        max_size=50,
    )
)
def test_whatever_a_program_does_to_the_devices_nothing_raises(
    accesses: list[tuple[tuple[int, int], int, int, int]],
) -> None:
    board = Bootable(reader=Deck.from_text("CARD\n"), disk=DiskImage(bytes(1024)))
    for (base, window), at, size, value in accesses:
        address = base + at % window & -size
        if not board.space.reaches(address, size):
            continue
        board.space.write(address, size, value & (1 << 8 * size) - 1)
        assert 0 <= board.space.read(address, size) < 1 << 8 * size
        event = board.next_event()
        if event is not None:
            board.hart.mtime = event
        board.advance()
