import pytest

from kit.devices.card_punch import PUNCH, CardPunch
from kit.devices.card_reader import FEED, CardReader
from kit.devices.deck import Deck
from kit.devices.line_printer import EJECT, PRINT, LinePrinter
from kit.devices.unit_record import (
    ACK,
    BUFFER,
    COMMAND,
    COUNT,
    DONE,
    END,
    IE,
    LOST,
    READY,
    STATUS,
    UnitRecord,
)
from tests.devices.fake import hosted, through_json, wait

KINDS = [CardReader, LinePrinter, CardPunch]


def fill(device: UnitRecord, data: bytes) -> None:
    for at, byte in enumerate(data):
        device.write(BUFFER + at, 1, byte)


def contents(device: UnitRecord) -> bytes:
    return bytes(device.read(BUFFER + at, 1) for at in range(device.width))


def status(device: UnitRecord) -> int:
    return device.read(STATUS, 4)


def do(device: UnitRecord, command: int) -> int:
    """Starts an operation and waits for its end; returns its duration in ticks."""
    device.write(COMMAND, 4, command)
    return wait(device)


def test_feed_brings_card_after_card_into_the_buffer_and_then_end() -> None:
    reader = hosted(CardReader(Deck.from_text("ONE\nTWO\n")))
    assert status(reader) == READY
    for text in (b"ONE", b"TWO"):
        do(reader, FEED)
        assert status(reader) == READY | DONE
        assert contents(reader) == text.ljust(80)
    do(reader, FEED)
    assert status(reader) == READY | DONE | END
    assert contents(reader) == b" " * 80
    assert reader.read(COUNT, 4) == 2


def test_cards_put_into_the_hopper_later_are_read() -> None:
    reader = hosted(CardReader())
    do(reader, FEED)
    reader.load(Deck.from_text("LATE\n"))
    do(reader, FEED)
    assert status(reader) == READY | DONE
    assert contents(reader).rstrip() == b"LATE"


def test_the_readers_buffer_is_read_only() -> None:
    reader = hosted(CardReader(Deck.from_text("CARD\n")))
    do(reader, FEED)
    reader.write(BUFFER, 4, 0x41414141)
    assert contents(reader).rstrip() == b"CARD"


def test_printer_prints_lines_and_ejects_pages() -> None:
    shown: list[str] = []
    printer = hosted(LinePrinter(shown.append))
    fill(printer, b"HELLO  ")
    do(printer, PRINT)
    assert contents(printer) == b" " * 132
    do(printer, PRINT)
    do(printer, EJECT)
    fill(printer, b"x" * 132)
    do(printer, PRINT)
    assert printer.text == "HELLO\n\n\f" + "x" * 132 + "\n"
    assert "".join(shown) == printer.text
    assert printer.pages == ["HELLO\n\n", "x" * 132 + "\n"]
    assert printer.read(COUNT, 4) == 3


def test_printer_shows_what_is_not_printable_as_question_marks() -> None:
    printer = hosted(LinePrinter())
    fill(printer, b"\x00A\x1f~\x7f\xff\n")
    do(printer, PRINT)
    assert printer.text == "?A?~???\n"


def test_punch_keeps_every_byte() -> None:
    punch = hosted(CardPunch())
    fill(punch, bytes(range(80)))
    do(punch, PUNCH)
    assert punch.cards == [bytes(range(80))]
    fill(punch, b"TEXT")
    do(punch, PUNCH)
    assert punch.deck.lines()[1] == "TEXT"


def test_the_buffer_takes_all_sizes_little_endian() -> None:
    punch = hosted(CardPunch())
    punch.write(BUFFER, 4, 0x44434241)
    punch.write(BUFFER + 4, 2, 0x4645)
    punch.write(BUFFER + 6, 1, 0x47)
    assert contents(punch).startswith(b"ABCDEFG ")
    assert punch.read(BUFFER + 4, 4) == 0x20474645
    assert punch.read(BUFFER + 2, 2) == 0x4443


@pytest.mark.parametrize(
    ("device", "command", "duration"),
    [
        (CardReader(), FEED, 200),
        (LinePrinter(), PRINT, 200),
        (LinePrinter(), EJECT, 500),
        (CardPunch(), PUNCH, 400),
        (CardPunch(punch=7), PUNCH, 7),
    ],
)
def test_operations_take_their_time(device: UnitRecord, command: int, duration: int) -> None:
    hosted(device).write(COMMAND, 4, command)
    assert status(device) == 0
    device.advance(duration - 1)
    assert status(device) == 0
    assert do(device, 0) == duration
    assert status(device) & (READY | DONE) == READY | DONE


@pytest.mark.parametrize("kind", KINDS)
def test_a_command_to_a_busy_device_is_lost_and_told(kind: type[UnitRecord]) -> None:
    device = hosted(kind())
    device.write(COMMAND, 4, 1)
    count = device.read(COUNT, 4)
    device.write(COMMAND, 4, 1)
    assert status(device) == LOST
    wait(device)
    assert status(device) & (DONE | LOST) == DONE | LOST
    assert device.read(COUNT, 4) == count
    device.write(ACK, 4, 0)
    assert status(device) & LOST
    device.write(ACK, 4, 1)
    assert status(device) == READY


@pytest.mark.parametrize("kind", KINDS)
def test_done_interrupts_if_enabled_until_acknowledged_or_the_next_command(
    kind: type[UnitRecord],
) -> None:
    device = hosted(kind())
    do(device, 1)
    assert not device.interrupt()
    device.write(IE, 4, 0xFF)
    assert device.read(IE, 4) == 1
    assert device.interrupt()
    device.write(ACK, 4, 1)
    assert not device.interrupt()
    do(device, 1)
    assert device.interrupt()
    device.write(COMMAND, 4, 1)
    assert not device.interrupt()


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_commands_and_registers_do_nothing(kind: type[UnitRecord]) -> None:
    device = hosted(kind())
    for offset, value in ((COMMAND, 0), (COMMAND, 99), (STATUS, 0xFF), (COUNT, 5), (0x40, 1)):
        device.write(offset, 4, value)
    assert device.save() == hosted(kind()).save()
    assert device.read(COMMAND, 4) == device.read(ACK, 4) == device.read(0x40, 4) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_registers_take_words_and_the_window_ends_with_the_buffer(kind: type[UnitRecord]) -> None:
    device = hosted(kind())
    assert device.accepts(STATUS, 4)
    assert not device.accepts(STATUS, 1)
    assert device.accepts(BUFFER + device.width - 1, 1)
    assert not device.accepts(BUFFER + device.width, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_setting_the_clock_does_not_change_how_long_an_operation_takes(
    kind: type[UnitRecord],
) -> None:
    device = hosted(kind())
    device.host.set_time(5000)
    device.write(COMMAND, 4, 1)
    due = device.next_event()
    assert due is not None
    device.time_moved(-5000)
    assert device.next_event() == due - 5000


@pytest.mark.parametrize("kind", KINDS)
def test_restore_of_save_is_the_identity_also_while_busy(kind: type[UnitRecord]) -> None:
    device = hosted(kind())
    if isinstance(device, CardReader):
        device.load(Deck.from_text("A\nB\nC\n"))
    fill(device, b"text")
    do(device, 1)
    device.write(IE, 4, 1)
    device.write(COMMAND, 4, 1)
    other = hosted(kind())
    other.restore(through_json(device))
    assert other.save() == device.save()
    wait(device)
    other.advance(device.host.now)
    assert other.save() == device.save()


@pytest.mark.parametrize("kind", KINDS)
def test_reset_stops_the_operation_and_keeps_cards_and_paper(kind: type[UnitRecord]) -> None:
    device = hosted(kind())
    do(device, 1)
    device.write(COMMAND, 4, 1)
    before = device.save()
    device.reset()
    after = device.save()
    assert status(device) == READY
    assert device.next_event() is None
    for kept in ("hopper", "paper", "cards", "count"):
        assert after.get(kept) == before.get(kept)


def test_output_beyond_what_is_kept_is_forgotten_and_still_counted() -> None:
    lines: list[str] = []
    printer, punch = hosted(LinePrinter(lines.append)), hosted(CardPunch())
    printer.kept = punch.kept = 3
    for number in range(20):
        for device, command in ((printer, PRINT), (punch, PUNCH)):
            fill(device, str(number).encode())
            do(device, command)
        assert 3 <= len(printer.paper) <= 6 or number < 3
        assert len(printer.paper) == len(punch.cards)
    assert printer.text.endswith("17\n18\n19\n")
    assert punch.deck.lines()[-1] == "19"
    assert (printer.read(COUNT, 4), punch.read(COUNT, 4), len(lines)) == (20, 20, 20)
