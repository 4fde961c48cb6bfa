"""Control-C while a machine runs: it waits until the step under way is complete.

Python raises KeyboardInterrupt between any two of its own instructions, also in the middle of a
step of the machine, which would then be half done. While machines run (`Held`), control-C is
therefore only noted; the innermost of them is asked to leave its engine, and raises (`check`) where
everything is consistent. Who presses twice does not wait: a listener may hang. Only the main thread
is ever interrupted, and a program that handles SIGINT itself keeps its handler.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Protocol

__all__ = ["Held", "check"]


class Runner(Protocol):
    """A machine: `bus.attention` makes its engine return after the step under way."""

    bus: Any


_running: list[Runner | None] = []
"""Who holds control-C back, the innermost last; what is no machine is None."""
_pressed = False


class Held:
    """Holds control-C back as long as this context lasts, and raises it at the latest at its end.

    Contexts may lie within each other; `machine` is what runs inside this one.
    """

    __slots__ = ("_active", "_machine")

    def __init__(self, machine: Runner | None = None) -> None:
        self._machine = machine

    def __enter__(self) -> None:
        self._active = _is_main_thread() and (bool(_running) or _is_default())
        if not self._active:
            return
        if not _running:
            signal.signal(signal.SIGINT, _press)
        _running.append(self._machine)

    def __exit__(self, *_: object) -> None:
        if not self._active:
            return
        _running.pop()
        if not _running:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            check()


def check() -> None:
    """Raises KeyboardInterrupt if control-C has been pressed meanwhile."""
    global _pressed
    if _pressed and _is_main_thread():
        _pressed = False
        raise KeyboardInterrupt


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _is_default() -> bool:
    return signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _press(number: int, frame: FrameType | None) -> None:
    global _pressed
    if _pressed:
        check()
    _pressed = True
    if _running and _running[-1] is not None:
        _running[-1].bus.attention = True
