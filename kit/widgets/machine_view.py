"""The machine view: mode lamps, trap timeline and memory map of a recorded run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kit.errors import KitError
from kit.trace.recording import Recording
from kit.widgets.page import fragment, page

try:
    import anywidget
    import traitlets
except ImportError as missing:
    raise KitError(
        f"the machine view needs {missing.name}; please run: pip install 'vmm-kit[lab]'"
    ) from None

__all__ = ["MachineView"]

_MODULE = Path(__file__).with_suffix(".js")


class MachineView(anywidget.AnyWidget):
    """Shows a `Recording`, in a notebook or as a web page, forwards and backwards.

    `cursor` counts half-steps: ``2 * i`` is event `i`, while the VMM is at work, and ``2 * i + 1``
    the stretch after it, while hardware runs the guest. It follows the reader's clicks.
    """

    _esm = _MODULE
    recording = traitlets.Dict().tag(sync=True)
    cursor = traitlets.Int(0).tag(sync=True)

    def __init__(self, recording: Recording, cursor: int = 0) -> None:
        self.run = recording
        super().__init__(recording=recording.to_json(), cursor=cursor)

    def go(self, event: int) -> None:
        """Moves the cursor to event number `event`, counted from 0; negative from the end."""
        total = len(self.run.events)
        if not -total <= event < total:
            raise KitError(f"there is no event {event}; the recording has {total}")
        self.cursor = 2 * (event % total)

    def save(self, path: str | Path) -> None:
        """Writes the view as a web page that needs no other file and no network."""
        Path(path).write_text(page(self._fragment(), "Machine view"), encoding="utf-8")

    def _fragment(self) -> str:
        state = {"recording": self.recording, "cursor": self.cursor}
        return fragment(_MODULE.read_text(encoding="utf-8"), state, self._text())

    def _text(self) -> str:
        return self.run.text(first=max(0, self.cursor // 2 - 4))

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The live widget, and a piece of HTML and a text for places without Python."""
        bundle = super()._repr_mimebundle_(**options)
        if bundle is None:
            return None
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        data = {**data, "text/html": self._fragment(), "text/plain": self._text()}
        return data, metadata
