"""Brings the lessons into the documentation: Sphinx wants all sources under one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from kit.classroom.lesson import lessons

_WIDGET_STATE = "application/vnd.jupyter.widget-state+json"


def copy_lessons(app: Sphinx) -> None:
    """Writes pages of new and changed lessons to ``docs/lessons``, deletes those that are gone.

    They show the files that students get, and neither solutions nor checks.
    """
    target = Path(app.srcdir) / "lessons"
    target.mkdir(exist_ok=True)
    pages = {lesson.source.name: lesson.page() for lesson in lessons()}
    for lesson in lessons():
        pages |= lesson.pictures()
    for path in target.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        copy = target / name
        copy.parent.mkdir(exist_ok=True)
        # An untouched page keeps its date, and need not be built again.
        if not copy.exists() or copy.read_text(encoding="utf-8") != text:
            copy.write_text(text, encoding="utf-8")


def drop_widget_state(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Takes out a second copy of every view's data, meant for Jupyter's widget manager."""
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if getattr(script, "attributes", {}).get("type") != _WIDGET_STATE
    ]


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", copy_lessons)
    app.connect("html-page-context", drop_widget_state)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
