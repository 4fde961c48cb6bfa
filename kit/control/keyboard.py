"""What is typed at the terminal, for the console of a guest that runs in it.

On a terminal, keys are passed on one by one and not echoed, since a guest's own driver echoes; only
Ctrl-C stays with the host. Where that cannot be had (Windows), lines are passed on when they end.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from types import ModuleType, TracebackType
from typing import Any

__all__ = ["Keyboard"]

_CHUNK = 4096


def _terminal_modes() -> ModuleType | None:
    try:
        import termios
    except ImportError:
        return None
    return termios


class Keyboard:
    """Reads standard input in the background while it is open.

    `take` gives what has been typed since the last time; it is the only source of input whose
    moment depends on the host.
    """

    def __init__(self) -> None:
        self._typed: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._ended = False
        self._saved: list[Any] | None = None

    def __enter__(self) -> Keyboard:
        """Takes over the terminal and starts to read."""
        termios = _terminal_modes()
        if termios is not None and sys.stdin.isatty():
            descriptor = sys.stdin.fileno()
            self._saved = termios.tcgetattr(descriptor)
            mode = termios.tcgetattr(descriptor)
            mode[3] &= ~(termios.ECHO | termios.ICANON)
            termios.tcsetattr(descriptor, termios.TCSADRAIN, mode)
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Gives the terminal back as it was."""
        termios = _terminal_modes()
        if termios is not None and self._saved is not None:
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._saved)

    def _read(self) -> None:
        while data := os.read(sys.stdin.fileno(), _CHUNK):
            self._typed.put(data)
        self._typed.put(b"")

    def take(self, wait: bool = False) -> bytes:
        """What was typed; with `wait`, at least one byte, or nothing if there will be no more."""
        parts: list[bytes] = []
        while not self._ended and (not self._typed.empty() or (wait and not parts)):
            part = self._typed.get()
            self._ended = not part
            parts.append(part)
        return b"".join(parts)
