"""What tests of views in a browser share."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

AXE = Path(__file__).parents[1] / "node_modules" / "axe-core" / "axe.min.js"
SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
"""Where tests put pictures of what they saw."""


def show(tab: Any, folder: Path, view: Any, name: str = "view") -> Any:
    """The page with a view alone on it."""
    path = folder / f"{name}.html"
    view.save(path)
    tab.goto(path.as_uri())
    tab.wait_for_selector(".kit")
    return tab


def picture(tab: Any, name: str) -> None:
    """Keeps a picture of the page."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=SHOTS / f"{name}.png")


@functools.cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


def violations(tab: Any, within: str = ".kit") -> list[str]:
    """What axe finds wrong in a part of the page."""
    if not AXE.exists():
        return []
    tab.evaluate(_axe())
    found = tab.evaluate(
        """async (within) => (await axe.run(within)).violations.map(
            v => v.id + ": " + v.nodes.map(n => n.html.slice(0, 160)).join(" | "))""",
        within,
    )
    return list(found)
