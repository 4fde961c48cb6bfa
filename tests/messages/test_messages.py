"""The message catalogue: every language says everything, and views ask for nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import kit
from kit.errors import KitError
from kit.messages import LANGUAGES, VARIABLE, catalogue, chosen_language, message
from kit.widgets.events import kind_of_exit

_SOURCES = [*(Path(kit.__file__).parent / "widgets").glob("*.js")]
_ID = re.compile(r'(?:say|message)\("([a-z_]+\.[a-z_.]+)"')


def _places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_all_messages_with_the_same_values(language: str) -> None:
    english, other = catalogue("en"), catalogue(language)
    assert {id_ for id_ in english if not id_.endswith(".one")} <= other.keys()
    for id_, text in other.items():
        known = english.get(id_, english.get(id_.removesuffix(".one"), ""))
        assert _places(text) <= _places(known) | {"count"}, id_


def test_a_language_is_complete_by_itself() -> None:
    for language in LANGUAGES:
        file = Path(kit.__file__).parent / "messages" / f"{language}.json"
        own = json.loads(file.read_text(encoding="utf-8"))
        missing = {id_ for id_ in catalogue("en") if not id_.endswith(".one")} - own.keys()
        assert not missing, language


@pytest.mark.parametrize("source", _SOURCES, ids=lambda path: path.name)
def test_what_a_view_says_is_in_the_catalogue(source: Path) -> None:
    wanted = set(_ID.findall(source.read_text(encoding="utf-8")))
    assert wanted <= catalogue("en").keys()


EXITS = "refill,timer,device,emulate mret,emulate csrrw,interrupt,switch,cut page,table write"


@pytest.mark.parametrize("exit_", [*EXITS.split(","), "failure", "emulate wfi"])
def test_every_kind_of_event_has_its_words(exit_: str) -> None:
    kind = kind_of_exit(exit_)
    assert {f"kind.{kind.id}", f"means.{kind.id}", f"handler.{kind.handler}"} <= catalogue(
        "en"
    ).keys()


def test_values_and_numbers_take_their_places() -> None:
    assert message("moment.cost", "en", count=5) == "It costs 5 cycles."
    assert message("moment.until", "en", count=1).startswith("One cycle")


def test_the_environment_chooses_the_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "ja")
    assert chosen_language() == "ja"
    monkeypatch.setenv(VARIABLE, "xx")
    with pytest.raises(KitError, match="language 'xx': there are en, ja"):
        chosen_language()
