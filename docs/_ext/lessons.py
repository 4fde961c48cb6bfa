"""Brings the lessons into the documentation: Sphinx wants all sources under one folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from kit.resources import lessons_dir

_WIDGET_STATE = "application/vnd.jupyter.widget-state+json"


def copy_lessons(app: Sphinx) -> None:
    """Copies new and changed lessons to ``docs/lessons`` and deletes those that are gone."""
    target = Path(app.srcdir) / "lessons"
    target.mkdir(exist_ok=True)
    sources = {path.name: path for path in lessons_dir().glob("*.md")}
    for path in target.glob("*.md"):
        if path.name not in sources:
            path.unlink()
    for name, path in sources.items():
        copy = target / name
        # An untouched copy keeps its date, and its page need not be built again.
        if not copy.exists() or copy.read_bytes() != path.read_bytes():
            shutil.copyfile(path, copy)


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
