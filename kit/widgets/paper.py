"""Fan-fold paper: what a line printer printed, as a page shows it."""

from __future__ import annotations

from html import escape

__all__ = ["Paper"]

# Bars two lines high, holes at the sides; the paper stays white in dark mode, as paper does.
_STYLE = (
    "background:repeating-linear-gradient(#fdfdf6 0 2.6em,#e6f2e6 2.6em 5.2em);color:#1c1c1c;"
    "border:solid #c9c9bd;border-width:0 1px;border-bottom:2px dashed #b9b9ac;padding:0 1.6em;"
    "margin:0;font:12px/1.3em ui-monospace,Menlo,Consolas,monospace;"
    "white-space:pre;min-width:60ch;text-align:left"
)
_FRAME = "overflow:auto;max-height:32em;background:#8883;padding:.6em"


class Paper:
    """Printed text, one page after the other; ``"\\f"`` ends a page, as in `LinePrinter.text`.

    A notebook draws it as fan-fold paper; `str` of it is the text, a rule between two pages.

    >>> print(Paper("HELLO\\n\\fBYE\\n"))
    HELLO
    - - - - - - - - - - - - - - - - - - - -
    BYE
    """

    def __init__(self, text: str, title: str = "Line printer") -> None:
        self.title = title
        self.pages = [page.strip("\n") for page in text.rstrip("\n\f").split("\f")]

    def __str__(self) -> str:
        return f"\n{'- ' * 19}-\n".join(self.pages)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        label = escape(f"{self.title}, {len(self.pages)} pages", quote=True)
        pages = "".join(f'<pre style="{_STYLE}">\n{escape(page)}\n\n</pre>' for page in self.pages)
        # tabindex: what scrolls must be reachable by keyboard.
        return (
            f'<div role="region" aria-label="{label}" tabindex="0" style="{_FRAME}">'
            f'<div style="width:max-content">{pages}</div></div>'
        )
