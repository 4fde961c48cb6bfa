"""Intel HEX: what is written is read back; damaged files are explained."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import KitError
from kit.toolchain.hexfile import read_hex, read_hex_file, write_hex

END = ":00000001FF\n"


def test_a_known_file_is_written() -> None:
    assert write_hex([(0x80000000, b"\x13\0\0\0")], start=0x80000000) == (
        ":020000048000" + "7A\n:0400000013000000E9\n:04000005800000007" + "7\n" + END
    )


def test_segments_are_read_back_with_the_start() -> None:
    segments = [(0xFFF8, bytes(range(20))), (0x80000000, b"abc")]
    found = read_hex_file(write_hex(segments, start=0x80000002))
    assert found.segments == segments
    assert found.start == 0x80000002


def test_every_record_fits_on_a_card() -> None:
    text = write_hex([(0x80000001, bytes(1000))], start=5)
    assert max(map(len, text.splitlines())) <= 80


def test_records_in_any_order_are_sorted_and_joined() -> None:
    text = ":0100040005F6\n:0400000001020304F2\n\n" + END.lower()
    assert read_hex(text) == [(0, bytes([1, 2, 3, 4, 5]))]


def test_segment_addresses_and_line_ends_of_other_systems_are_read() -> None:
    text = ":020000021000EC\r\n:0100000007F8\r\n:0400000300003800C1\r\n" + END
    assert read_hex(text) == [(0x10000, b"\x07")]


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 0xFFFF_0000), st.binary(min_size=1, max_size=70))))
def test_whatever_is_written_is_read_back(segments: list[tuple[int, bytes]]) -> None:
    memory: dict[int, int] = {}
    kept = []
    for address, data in segments:
        cells = {address + index: byte for index, byte in enumerate(data)}
        if not memory.keys() & cells.keys():
            memory |= cells
            kept.append((address, data))
    found = read_hex(write_hex(kept))
    assert {at + n: byte for at, data in found for n, byte in enumerate(data)} == memory


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "deck.hex:1: the end record (:00000001FF) is missing"),
        (":0100000007F8\n", "deck.hex:1: the end record (:00000001FF) is missing"),
        ("x0100000007F8\n", "deck.hex:1: a record begins with ':', not 'x'"),
        (":01000000zzF8\n", "deck.hex:1: a record is pairs of hexadecimal digits"),
        (":0100000007F\n", "deck.hex:1: a record is pairs of hexadecimal digits"),
        (":01 00000007F8\n", "deck.hex:1: a record has no blanks in it"),
        (":0100\n", "deck.hex:1: the record is cut off: it has 2 bytes of at least 5"),
        (":0200000007F7\n", "deck.hex:1: the record says 2 data bytes and has 1: is it cut off?"),
        ("\n:0100000007F9\n", "deck.hex:2: the checksum is F9 and should be F8"),
        (":00000009F7\n", "deck.hex:1: unknown record type 09: there are 00 to 05"),
        (":0100000480" + "7B\n", "deck.hex:1: a record of type 04 has 2 data bytes, not 1"),
        (END + ":0100000007F8\n", "deck.hex:2: something stands behind the end record"),
        (":0100000007F8\n" * 2 + END, "deck.hex:2: the data at 0x00000000 overlap"),
    ],
)
def test_a_damaged_file_is_explained(text: str, message: str) -> None:
    with pytest.raises(KitError) as caught:
        read_hex(text, "deck.hex")
    assert message in str(caught.value)


@settings(deadline=None, derandomize=True)
@given(st.one_of(st.text(), st.from_regex(r"(:[0-9A-F]{2}0000[0-9A-F]{0,12}\n)*", fullmatch=True)))
def test_any_text_is_read_or_explained(text: str) -> None:
    try:
        read_hex(text)
    except KitError as error:
        message = str(error)
    else:
        message = "read"
    assert message


def test_addresses_beyond_32_bits_are_refused() -> None:
    with pytest.raises(KitError, match="do not fit in 32 bits"):
        write_hex([(0xFFFF_FFFF, b"ab")])
    with pytest.raises(KitError, match="start address"):
        write_hex([], start=1 << 32)
