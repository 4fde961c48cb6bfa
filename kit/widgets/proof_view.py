"""The proof view: a matrix of lemmas and instructions, and counterexamples side by side.

It takes what ``kit verify --json`` prints:

    {"results": [{"lemma": …, "instruction": …, "verdict": …, "seconds": …}, …],
     "seconds": …, "mutants": [{"name": …, "verdict": …}, …]}

A verdict is "proved", "refuted" or "unknown"; an empty instruction stands for all of them. A
counterexample is a state in which two machines that should do the same do not:

    {"title": …, "program": assembly text, "registers": {name: value before},
     "bare": {name: value}, "vm": {name: value}, "differing": [name, …]}
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kit.errors import KitError
from kit.messages import catalogue, chosen_language
from kit.widgets.bundle import bundle
from kit.widgets.page import fragment, page

try:
    import anywidget
    import traitlets
except ImportError as missing:
    raise KitError(f"widgets need {missing.name}; please run: pip install 'vmm-kit[lab]'") from None

__all__ = ["VERDICTS", "ProofView"]

VERDICTS = ("proved", "refuted", "unknown")
_SIGNS = {"proved": "+", "refuted": "X", "unknown": "?"}
_RESULT = {"lemma": str, "verdict": str}
_EXAMPLE = {"title": str, "bare": Mapping, "vm": Mapping, "differing": Sequence}


class ProofView(anywidget.AnyWidget):
    """Shows a proof (the document, its JSON text, or the name of its file) and counterexamples.

    Raises `KitError` where they are not of the form that the module describes.
    """

    _esm = bundle("proof_view")
    proof = traitlets.Dict().tag(sync=True)
    counterexamples: Any = traitlets.List().tag(sync=True)
    texts = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        proof: Mapping[str, Any] | str | Path | None = None,
        counterexamples: Sequence[Mapping[str, Any]] = (),
        language: str = "",
    ) -> None:
        self.language = language or chosen_language()
        document = _document(proof)
        for number, example in enumerate(counterexamples):
            _check(example, _EXAMPLE, f"counterexample {number}")
        super().__init__(
            proof=document,
            counterexamples=[dict(example) for example in counterexamples],
            texts=catalogue(self.language, "proof_view", "verdict", "mutant"),
        )

    def text(self) -> str:
        """The matrix as text: a line for each lemma, a sign for each instruction."""
        rows: dict[str, str] = {}
        for result in self.proof.get("results", ()):
            sign = _SIGNS.get(result["verdict"], "?")
            rows[result["lemma"]] = rows.get(result["lemma"], "") + sign
        lines = [f"{lemma:<24} {signs}" for lemma, signs in rows.items()]
        for example in self.counterexamples:
            lines.append(f"{example['title']}: differs in {', '.join(example['differing'])}")
        return "\n".join(lines) or "Nothing was proved yet."

    def html(self) -> str:
        """The view as a piece of a page, alive without Python."""
        state = {name: getattr(self, name) for name in ("proof", "counterexamples", "texts")}
        return fragment(bundle("proof_view"), state, self.text())

    def save(self, path: str | Path) -> None:
        """Writes the view as a web page that needs no other file and no network."""
        title = self.texts["proof_view.title"]
        Path(path).write_text(page(self.html(), title, self.language), encoding="utf-8")

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The live view, and a piece of HTML and a text for places without Python."""
        shown = super()._repr_mimebundle_(**options)
        if shown is None:
            return None
        data, metadata = shown if isinstance(shown, tuple) else (shown, {})
        return {**data, "text/html": self.html(), "text/plain": self.text()}, metadata


def _document(proof: Mapping[str, Any] | str | Path | None) -> dict[str, Any]:
    """The proof's document, checked."""
    if proof is None:
        return {}
    if isinstance(proof, Path) or (isinstance(proof, str) and not proof.lstrip().startswith("{")):
        try:
            proof = Path(proof).read_text(encoding="utf-8")
        except OSError as error:
            raise KitError(f"{proof}: cannot read the proof: {error.strerror}") from None
    if isinstance(proof, str):
        try:
            proof = json.loads(proof)
        except ValueError as error:
            raise KitError(f"proof: this is not JSON: {error}") from None
    if not isinstance(proof, Mapping) or not isinstance(proof.get("results", []), list):
        raise KitError("proof: expected an object with results, as kit verify --json prints it")
    for number, result in enumerate(proof.get("results", [])):
        _check(result, _RESULT, f"result {number}")
    return dict(proof)


def _check(value: Any, names: Mapping[str, type], where: str) -> None:
    for name, kind in names.items():
        if not isinstance(value, Mapping) or not isinstance(value.get(name), kind):
            raise KitError(f"proof: {where}: {name} is missing, or no {kind.__name__}")
