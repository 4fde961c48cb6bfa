from pathlib import Path

import pytest

from kit.devices.deck import Deck
from kit.errors import KitError


def test_a_deck_written_and_read_again_is_the_same(tmp_path: Path) -> None:
    deck = Deck.from_text("$JOB one\n\n  data  \n")
    deck.write(tmp_path / "deck")
    assert Deck.read(tmp_path / "deck") == deck
    assert deck.text == "$JOB one\n\n  data\n"
    assert all(len(card) == 80 for card in deck)


def test_lines_may_end_as_on_windows_and_the_last_may_lack_its_end() -> None:
    assert Deck.from_text("A\r\nB").lines() == ["A", "B"]
    assert len(Deck.from_text("")) == 0


def test_80_columns_fit_and_81_are_an_error_naming_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "jobs.deck"
    path.write_text("ok\n" + "x" * 80 + "\n" + "y" * 81 + "\n")
    with pytest.raises(KitError, match=r"jobs\.deck:3: 81 columns"):
        Deck.read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a\tb", "deck:1: column 2 holds a tab"),
        (b"ok\n\xff", "deck:2: column 1 holds byte 0xff"),
        ("é".encode(), "column 1"),
    ],
)
def test_what_no_keypunch_has_is_an_error_naming_the_column(text: bytes, message: str) -> None:
    with pytest.raises(KitError, match=message):
        Deck.from_text(text)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(KitError, match="cannot read the deck: No such file"):
        Deck.read(tmp_path / "none")
    with pytest.raises(KitError, match="cannot write the deck"):
        Deck().write(tmp_path / "none" / "deck")


def test_decks_stack() -> None:
    both = Deck.from_text("A\n") + Deck.from_text("B\n")
    assert both.lines() == ["A", "B"]


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no /dev/zero")
def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(KitError, match="larger than 64 MiB: is it a deck"):
        Deck.read("/dev/zero")
