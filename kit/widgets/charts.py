"""Charts of a run: who ran when, and what the VMM's work was spent on; also as SVG for print."""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import Any, ClassVar

from kit.control.costs import OVERHEAD_ONLY
from kit.messages import message
from kit.widgets.run import Run
from kit.widgets.view import View

__all__ = ["Charts", "gantt_svg", "overhead_svg"]

_LOOK = 'font-family="sans-serif" font-size="12"'
_RUN, _VMM, _KERNEL, _INK, _SOFT = "#009e73", "#0072b2", "#d55e00", "#1b2430", "#525e6c"
_WIDE, _LEFT, _ROW, _COLUMNS = 900, 90, 30, 400


class Charts(View):
    """A Gantt chart of the scheduler, and overhead by kind of exit."""

    module: ClassVar[str] = "charts"
    prefixes: ClassVar[tuple[str, ...]] = ("moment", "state", "kind", "event", "means", "handler")

    def text(self) -> str:
        """Cycles by kind of exit, a line each."""
        rows = _overhead(self.recorded)
        return "\n".join(f"{name:<22} {sum(cycles):>12,}" for name, cycles in rows)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The live view, and the Gantt chart as SVG for places without JavaScript."""
        bundle = super()._repr_mimebundle_(**options)
        if bundle is None:
            return None
        data, metadata = bundle
        return {**data, "image/svg+xml": gantt_svg(self.recorded, self.language)}, metadata


def _svg(height: int, parts: list[str], title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {height}" {_LOOK} '
        f'role="img"><title>{escape(title)}</title>'
        f'<rect width="{_WIDE}" height="{height}" fill="#fff"/>{"".join(parts)}</svg>'
    )


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{_INK}" {more}>{escape(text)}</text>'


def gantt_svg(run: Run, language: str = "") -> str:
    """Who ran when, as a complete SVG document: for each machine, the part of each stretch of time
    that hardware ran it and that the VMM worked for it."""
    film, names = run.film, list(run.machines)
    kinds, each = list(film.kinds), max(1, film.end) / _COLUMNS
    parts = [[[0.0, 0.0] for _ in range(_COLUMNS)] for _ in names]
    columns = (film.columns[name] for name in ("t", "run", "vm", "kind"))
    for t, direct, vm, kind in zip(*columns, strict=True):
        _spread(parts[vm], 0, t - direct, t, each)
        _spread(parts[vm], 1, t, t + kinds[kind].cost, each)
    drawn = []
    room = _WIDE - _LEFT - 10
    for number, name in enumerate(names):
        base = _ROW * (number + 1) - 3
        drawn.append(_text(4, base - 6, name, 'font-weight="bold"'))
        drawn += _stack(parts[number], base, room / _COLUMNS, each)
    height = _ROW * len(names) + 24
    for tick in range(6):
        anchor = "end" if tick == 5 else "middle" if tick else "start"
        clock = f"{round(film.end * tick / 5):,}"
        drawn.append(_text(_LEFT + room * tick / 5, height - 7, clock, f'text-anchor="{anchor}"'))
    return _svg(height, drawn, message("charts.gantt", language))


def _spread(cells: list[list[float]], which: int, start: float, end: float, each: float) -> None:
    """Adds a stretch of time to the cells that it lies in."""
    at = int(start / each)
    while start < end and at < len(cells):
        stop = min(end, (at + 1) * each)
        cells[at][which] += stop - start
        start, at = stop, at + 1


def _stack(cells: list[list[float]], base: int, width: float, each: float) -> list[str]:
    """Bars of what hardware ran, and on them those of the VMM."""
    paths = ["", ""]
    for at, amounts in enumerate(cells):
        x, foot = _LEFT + at * width, float(base)
        for which, amount in enumerate(amounts):
            tall = min(1.0, amount / each) * (_ROW - 8)
            if tall > 0.05:
                paths[which] += f"M{x:.1f} {foot:.1f}v{-tall:.1f}h{width:.2f}v{tall:.1f}z"
            foot -= tall
    return [
        f'<path d="{path}" fill="{colour}"/>'
        for path, colour in zip(paths, (_RUN, _VMM), strict=True)
    ]


def _overhead(run: Run) -> list[tuple[str, list[int]]]:
    """Cycles of each kind of exit, for each machine; the dearest first."""
    kinds = list(run.film.kinds)
    pairs = zip(run.film.columns["vm"], run.film.columns["kind"], strict=True)
    numbers: Counter[tuple[int, int]] = Counter(pairs)
    rows: dict[str, list[int]] = {}
    for (machine, kind), number in numbers.items():
        row = rows.setdefault(kinds[kind].name, [0] * len(run.machines))
        row[machine] += number * kinds[kind].cost
    return sorted(rows.items(), key=lambda row: -sum(row[1]))


def overhead_svg(run: Run, language: str = "") -> str:
    """What the VMM's work was spent on, as a complete SVG document: a bar for each kind of exit,
    in parts for each machine. What makes no step of the guest is paler."""
    rows = [row for row in _overhead(run) if sum(row[1])]
    most = max((sum(cycles) for _, cycles in rows), default=1)
    colours = (_VMM, _KERNEL, _RUN, "#cc79a7", "#e69f00", "#56b4e9")
    drawn = []
    for number, name in enumerate(run.machines):
        key = 170 + number * 110
        drawn.append(f'<rect x="{key}" y="6" width="11" height="11" fill="{colours[number % 6]}"/>')
        drawn.append(_text(key + 16, 16, name))
    for number, (kind, cycles) in enumerate(rows):
        y, x = 28 + 22 * number, 160.0
        drawn.append(_text(4, y + 13, kind))
        pale = ' fill-opacity="0.55"' if kind in OVERHEAD_ONLY else ""
        for machine, amount in enumerate(cycles):
            width = amount / most * (_WIDE - 270)
            drawn.append(
                f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="17" '
                f'fill="{colours[machine % 6]}"{pale}/>'
            )
            x += width
        drawn.append(_text(x + 6, y + 13, f"{sum(cycles):,}"))
    return _svg(34 + 22 * len(rows), drawn, message("charts.overhead", language))
