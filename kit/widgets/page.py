"""A view as a piece of a web page, alive without Python and without any other file.

Notebooks that were saved, documentation and exported pages show this piece: a text that stands for
the view where scripts do not run, and a script that puts the view in its place.
"""

from __future__ import annotations

import base64
import json
from html import escape
from itertools import count
from typing import Any

__all__ = ["fragment", "page"]

# What a view's module expects of a model: the part of anywidget's interface that views use.
_MODEL = """
const listeners = {};
const model = {
  get: (name) => state[name],
  set: (name, value) => {
    state[name] = value;
    (listeners["change:" + name] ?? []).forEach((f) => f());
  },
  save_changes: () => {},
  on: (event, f) => { (listeners[event] ??= []).push(f); },
  off: (event, f) => { listeners[event] = (listeners[event] ?? []).filter((g) => g !== f); },
};
"""

_numbers = count(1)


def fragment(module: str, state: dict[str, Any], text: str, name: str = "") -> str:
    """HTML that shows the JavaScript `module` with the traitlets `state`.

    `text` takes its place where scripts do not run. `name` is the id of the element on the page
    (one is made up if it is empty).
    """
    name = name or f"kit-view-{next(_numbers)}"
    source = base64.b64encode(module.encode()).decode()
    # "</" in a string of the guest's must not end the script.
    data = json.dumps(state, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<div id="{name}"><pre tabindex="0">{escape(text)}</pre></div>\n'
        f'<script type="module">\nconst state = {data};{_MODEL}'
        f'const el = document.getElementById("{name}");\n'
        f'const view = await import("data:text/javascript;base64,{source}");\n'
        f"el.replaceChildren();\nview.default.render({{ model, el }});\n</script>"
    )


_LOOK = (
    "body{background:Canvas;color:CanvasText;font-family:system-ui;margin:12px}"
    "h1{font-size:20px;margin:0 0 .5em}"
)


def page(body: str, title: str, language: str = "en") -> str:
    """A whole HTML page around `body`, in the reader's choice of light or dark."""
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        f'<title>{escape(title)}</title><meta name="viewport" content="width=device-width">'
        '<meta name="color-scheme" content="light dark">'
        f"<style>{_LOOK}</style></head>\n"
        f"<body><main><h1>{escape(title)}</h1>\n{body}\n</main></body></html>\n"
    )
