"""What all views have in common: a run, the moment they share, and forms without Jupyter.

A run has one model in the notebook (`RunModel`), which holds its document; views refer to it. So a
document travels once, and whoever moves the moment moves every view of that run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

from kit.control.vmm import VMM
from kit.errors import KitError
from kit.machine.computer import Computer
from kit.messages import catalogue, chosen_language
from kit.trace.recording import Recording
from kit.widgets.bundle import bundle
from kit.widgets.packing import as_text
from kit.widgets.page import fragment, page
from kit.widgets.recorded import RecordedRun
from kit.widgets.run import Run, record

try:
    import anywidget
    import traitlets
    from ipywidgets import Widget, widget_serialization
except ImportError as missing:
    raise KitError(f"widgets need {missing.name}; please run: pip install 'vmm-kit[lab]'") from None

if TYPE_CHECKING:
    from kit.widgets.live import Driver

__all__ = ["RunModel", "View", "as_run"]

ALL = ("vendor/terminal",)
"""What a page of its own has that a piece of a page does without."""
LIVE_LIMIT = 1_000_000
"""Events that are kept of a machine or a VMM that a view was asked for."""
SAVED_LIMIT = 6 << 20
"""Bytes of a run's document, packed, that a notebook or a page of documentation may keep."""


class RunModel(Widget):
    """The run in the notebook: its document, and the `moment` and `machine` that are looked at.

    `moment` is the clock of the run, in cycles; `machine` a number in the order of creation.
    """

    document = traitlets.Any().tag(sync=True, to_json=lambda run, widget: run.to_json())
    moment = traitlets.Float(0).tag(sync=True)
    machine = traitlets.Int(0).tag(sync=True)
    driven = traitlets.Bool(False).tag(sync=True)

    def __init__(self, run: Run, **values: Any) -> None:
        self._sent = len(run)
        super().__init__(document=run, **values)

    def refresh(self) -> None:
        """Sends the document once more where the run went on since."""
        if len(self.document) != self._sent:
            self._sent = len(self.document)
            self.send_state("document")


_models: WeakKeyDictionary[Run, RunModel] = WeakKeyDictionary()
_runs: WeakKeyDictionary[Computer | VMM, Run] = WeakKeyDictionary()


def as_run(what: Run | Recording | Computer | VMM) -> Run:
    """The run to be looked at: a machine or a VMM is recorded from its first view on."""
    if isinstance(what, Run):
        return what
    if isinstance(what, Recording):
        return RecordedRun(what)
    if not isinstance(what, Computer | VMM):
        raise KitError(f"a view shows a run, a machine or a VMM, not {what!r}")
    if what not in _runs:
        # Not exact: a machine that was looked at runs on as fast as before.
        _runs[what] = record(what, events=LIVE_LIMIT, exact=False)
    return _runs[what]


def _model_of(run: Run) -> RunModel:
    if run not in _models:
        _models[run] = RunModel(run)
    _models[run].refresh()
    return _models[run]


class View(anywidget.AnyWidget):
    """A view of a run. Its `moment` and `machine` are those of all views of the run.

    `what` is a run (or a `kit.trace.Recording`), or a machine or VMM, which is recorded from then
    on, and can be driven from the view. `event` is where it begins: the number of an event, from -1
    at the end. `language` is one of `kit.messages.LANGUAGES`; other options are the view's own.
    """

    module: ClassVar[str]
    """The JavaScript that draws it; its words begin with the same name."""
    prefixes: ClassVar[tuple[str, ...]] = (
        *("moment", "machine", "lamp", "lane", "legend", "table", "event", "kind", "means"),
        *("handler", "state", "drive"),
    )
    extra: ClassVar[tuple[str, ...]] = ()
    """Modules that it can do without, such as a whole terminal."""
    run = traitlets.Any().tag(sync=True, **widget_serialization)
    texts = traitlets.Dict().tag(sync=True)
    options = traitlets.Dict().tag(sync=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "module" in vars(cls):
            cls._esm = bundle(cls.module, *cls.extra)
        super().__init_subclass__(**kwargs)

    def __init__(
        self,
        what: Run | Recording | Computer | VMM,
        *,
        event: int | None = None,
        language: str = "",
        **options: Any,
    ) -> None:
        self.recorded = as_run(what)
        self.language = language or chosen_language()
        model = _model_of(self.recorded)
        self.driver: Driver | None = None
        if isinstance(what, Computer | VMM):
            from kit.widgets.live import driver_of

            self.driver = driver_of(what, self.recorded, model)
            model.driven = True
        super().__init__(run=model, texts=self._texts(), options=options)
        if event is not None:
            self.go(event)

    def _texts(self) -> dict[str, str]:
        return catalogue(self.language, self.module, *self.prefixes)

    # -- the moment --------------------------------------------------------------------------

    @property
    def moment(self) -> int:
        """The clock of the run, in cycles, at which all its views look."""
        return int(self.run.moment)

    @moment.setter
    def moment(self, clock: int) -> None:
        self.run.moment = clock

    def go(self, event: int) -> None:
        """Makes all views of the run look at an event; they count from 0, or from -1 at the end.

        Raises `KitError` where there is no such event.
        """
        self.run.moment = self.recorded.moment(event)
        self.run.machine = self.recorded.machine_of(event)

    # -- without Jupyter ---------------------------------------------------------------------

    def text(self) -> str:
        """The view as text: the events around the moment."""
        event = self.recorded.around(self.moment)
        return self.recorded.text(first=max(0, event - 4))

    def state(self) -> dict[str, Any]:
        """What the view's JavaScript has to be told, as JSON."""
        return {
            "run": as_text(self.recorded.to_json()),
            "moment": self.run.moment,
            "machine": self.run.machine,
            "texts": self.texts,
            "options": self.options,
        }

    def html(self) -> str:
        """The view as a piece of a page, alive without Python."""
        return fragment(bundle(self.module), self.state(), self.text())

    def save(self, path: str | Path) -> None:
        """Writes the view as a web page that needs no other file and no network."""
        title = self.texts.get(f"{self.module}.title", self.recorded.title)
        whole = fragment(bundle(self.module, *self.extra, *ALL), self.state(), self.text())
        Path(path).write_text(page(whole, title, self.language), encoding="utf-8")

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The live widget, and a piece of HTML and a text for places without Python."""
        bundle_ = super()._repr_mimebundle_(**options)
        if bundle_ is None:
            return None
        data, metadata = bundle_ if isinstance(bundle_, tuple) else (bundle_, {})
        text = self.text()
        html = self.html()
        data = {**data, "text/plain": text}
        if len(html) < SAVED_LIMIT:
            data["text/html"] = html
        return data, metadata
