"""Columns of numbers: nothing is lost, and little is left."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.widgets.packing import as_text, beside, pack, pack_words, unpack, unzigzag, zigzag


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_a_column_comes_back_as_it_was(values: list[int]) -> None:
    assert unpack(pack(values)) == values
    assert unpack(pack(sorted(values), delta=True)) == sorted(values)


@given(st.integers(-(2**40), 2**40))
def test_a_signed_number_comes_back(value: int) -> None:
    assert unzigzag(zigzag(value)) == value
    assert zigzag(value) >= 0


@pytest.mark.parametrize(("most", "width"), [(0, 1), (255, 1), (256, 2), (65536, 4), (2**32, 8)])
def test_a_column_is_as_narrow_as_it_can_be(most: int, width: int) -> None:
    assert pack([most])["width"] == width


def test_a_million_times_of_events_take_little_room() -> None:
    column = pack(range(0, 300_000_000, 300), delta=True)
    assert (column["count"], column["width"]) == (1_000_000, 2)
    assert len(column["data"]) < 5000


def test_rows_of_words_stand_one_after_the_other() -> None:
    assert unpack(pack_words([array("I", [1, 2]), array("I", [3, 4])])) == [1, 2, 3, 4]


def test_bytes_become_text_for_pages_and_buffers_for_notebooks() -> None:
    buffers: list[bytes] = []
    assert as_text({"a": [b"\1"]}) == {"a": [{"base64": "AQ=="}]}
    assert beside({"a": [b"\1"], "b": 2}, buffers) == {"a": [{"buffer": 0}], "b": 2}
    assert buffers == [b"\1"]
