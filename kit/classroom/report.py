"""A report for people: as text, and in a notebook with buttons for hints and for the run."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from kit.classroom.exercise import FAILS, HOLDS, NOT_REACHED, Report
from kit.errors import KitError
from kit.messages import message

__all__ = ["Sheet", "Shown", "as_html", "as_text", "open_run"]

_MARKS = {HOLDS: "✓", FAILS: "✗", NOT_REACHED: "·"}


def as_text(report: Report, hints: int = 0, language: str = "") -> str:
    """The report as lines of text, with the first `hints` of two hints."""
    return "\n".join(_lines(report, hints, language))


def _lines(report: Report, hints: int, language: str) -> list[str]:
    lines = []
    if report.problem:
        head = message("check.common.problem", language, id=report.exercise)
        return [head, *(f"  {line}" for line in report.problem.splitlines())]
    for one in report.verdicts:
        state = message(f"check.common.{one.state.replace(' ', '_')}", language)
        points = message("check.common.points", language, count=one.points) if one.points else ""
        lines.append("  ".join(filter(None, (_MARKS[one.state], one.title, state, points))))
        lines += [f"    {line}" for line in one.text.splitlines()]
        for hint in one.hints[:hints]:
            lines += [f"    → {line}" for line in hint.splitlines()]
    values = {"id": report.exercise, "score": report.score, "total": report.total}
    lines.append(message("check.common.score", language, **values))
    return lines


def as_html(report: Report, language: str = "") -> str:
    """The report as a piece of HTML, without hints."""
    if report.problem:
        head = escape(message("check.common.problem", language, id=report.exercise))
        return f"<p>{head}</p><pre>{escape(report.problem)}</pre>"
    rows = []
    for one in report.verdicts:
        state = escape(message(f"check.common.{one.state.replace(' ', '_')}", language))
        points = f" · {one.points}" if one.points else ""
        told = "".join(f"<br>{escape(line)}" for line in one.text.splitlines())
        title = f"{_MARKS[one.state]} <b>{escape(one.title)}</b>: {state}{points}"
        rows.append(f"<li style='list-style:none;margin:.3em 0'>{title}{told}</li>")
    values = {"id": report.exercise, "score": report.score, "total": report.total}
    score = escape(message("check.common.score", language, **values))
    return f"<ul style='padding:0'>{''.join(rows)}</ul><p>{score}</p>"


def open_run(report: Report) -> Any:
    """The run that failed, in a panel that stands at the place of the failure, and drives it.

    Raises `KitError` where no run has failed.
    """
    from kit.trace.tape import Tape
    from kit.widgets.panel import Panel

    failure = report.failure
    if failure is None or not failure.tape:
        raise KitError(message("check.common.no_run", id=report.exercise))
    history = Tape.load(failure.tape).play()
    machine = next(iter(history.computers.values()))
    machine.history = history
    history.go(int(failure.place["step"]))
    return Panel(machine)


class Shown:
    """A report as the value of a cell: text in a terminal, HTML with buttons in a notebook."""

    def __init__(self, report: Report, language: str = "", hints: int = 0) -> None:
        self.report, self.language, self.hints = report, language, hints

    @property
    def score(self) -> int:
        """The points of what holds."""
        return self.report.score

    @property
    def total(self) -> int:
        """The points that there are."""
        return self.report.total

    def open(self) -> Any:
        """The run that failed, as a view. Raises `KitError` if there is none."""
        return open_run(self.report)

    def __repr__(self) -> str:
        return as_text(self.report, self.hints, self.language)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        plain = {"text/plain": repr(self), "text/html": as_html(self.report, self.language)}
        box = _buttons(self) if self.report.failure is not None else None
        if box is None:
            return plain
        bundle = box._repr_mimebundle_()
        data: dict[str, Any] = bundle[0] if isinstance(bundle, tuple) else bundle
        return data | {"text/plain": repr(self)}


class Sheet:
    """Questions as the value of a cell, or the reason why there are none; as text for paper."""

    def __init__(self, texts: Sequence[str], problem: str = "") -> None:
        self.texts, self.problem = tuple(texts), problem

    def __repr__(self) -> str:
        if self.problem:
            return self.problem
        return "\n".join(f"q{number}. {text}" for number, text in enumerate(self.texts, 1))

    def _repr_html_(self) -> str:
        if self.problem:
            return f"<p>{escape(self.problem)}</p>"
        rows = enumerate(self.texts, 1)
        return "".join(f"<p><b>q{number}.</b> {escape(text)}</p>" for number, text in rows)


def _buttons(shown: Shown) -> Any:
    """The report with a button for the next hint, and one that opens the run; None without
    ipywidgets."""
    try:
        import ipywidgets
    except ImportError:
        return None
    failure = shown.report.failure
    if failure is None:
        return None
    text = ipywidgets.HTML(as_html(shown.report, shown.language))
    told, view = ipywidgets.HTML(), ipywidgets.Output()
    left = list(failure.hints)
    hint = ipywidgets.Button(description=message("check.common.hint", shown.language))
    look = ipywidgets.Button(description=message("check.common.open", shown.language))

    def more(_: Any) -> None:
        told.value += f"<p>→ {escape(left.pop(0))}</p>"
        hint.disabled = not left

    def show(_: Any) -> None:
        view.clear_output()
        with view:
            from IPython.display import display

            display(shown.open())  # type: ignore[no-untyped-call]

    hint.on_click(more)
    look.on_click(show)
    buttons = [hint, look] if failure.tape else [hint]
    return ipywidgets.VBox([text, ipywidgets.HBox(buttons), told, view])
