"""The message catalogue: every text that a reader may want in another language, by its id.

A language is a file beside this one, ``en.json`` or ``ja.json``: one flat object from ids to texts.
An id is made of words with dots between them, and begins with who says it: ``timeline.zoom_in``. In
a text, ``{name}`` stands for a value. Where a text depends on a number, the id with ``.one`` behind
it is used if the value `count` is 1. What a language lacks is taken from English.

Widgets hand the texts that they need to their JavaScript; a check says what it has to say with
`message`, and its ids begin with ``check.``.
"""

from __future__ import annotations

import json
import locale
import os
from functools import cache
from pathlib import Path

from kit.errors import KitError

__all__ = ["LANGUAGES", "VARIABLE", "catalogue", "chosen_language", "message"]

_FOLDER = Path(__file__).parent
LANGUAGES = tuple(sorted(path.stem for path in _FOLDER.glob("*.json")))
"""The languages that there are, by their ISO 639 codes."""
VARIABLE = "VMM_KIT_LANGUAGE"
"""The environment variable that chooses a language."""


def chosen_language() -> str:
    """The language that `VARIABLE` names, or the computer's own if there is a catalogue of it.

    Raises `KitError` where the variable names another.
    """
    wanted = os.environ.get(VARIABLE, "")
    if wanted:
        return _known(wanted)
    found = (locale.getlocale()[0] or "en")[:2].lower()
    return found if found in LANGUAGES else "en"


def _known(language: str) -> str:
    if language not in LANGUAGES:
        raise KitError(f"language {language!r}: there are {', '.join(LANGUAGES)}")
    return language


@cache
def _texts(language: str) -> dict[str, str]:
    file = _FOLDER / f"{_known(language)}.json"
    texts: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return texts if language == "en" else _texts("en") | texts


def catalogue(language: str = "", *prefixes: str) -> dict[str, str]:
    """All texts in a language, or those whose ids begin with one of the words `prefixes`.

    Raises `KitError` for a language that there is not.
    """
    texts = _texts(language or chosen_language())
    if not prefixes:
        return dict(texts)
    return {id_: text for id_, text in texts.items() if id_.split(".")[0] in prefixes}


def message(id_: str, language: str = "", **values: object) -> str:
    """The text of an id, with `values` in their places. Raises KeyError for an unknown id."""
    texts = _texts(language or chosen_language())
    one = f"{id_}.one"
    text = texts[one if values.get("count") == 1 and one in texts else id_]
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text
