"""The host of generated code under Pyodide: the engine that runs Python itself, by JavaScript.

It has the interface of `kit.engine.runtime`. Python's objects lie in a WebAssembly memory; modules
import that one, so what generated code works on is a bytearray, and nothing is ever copied. They
could reach all of it: only the checks in generated code keep a guest within its own storage.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import js
import pyodide_js
from pyodide.ffi import to_js

from kit.engine.wasm import linked

__all__ = ["Runtime", "python_memory"]

PAGE = 1 << 16
SLOTS = 1 << 12


def python_memory() -> Any:
    """The ``WebAssembly.Memory`` that Python lives in; None where Pyodide does not show it."""
    return getattr(pyodide_js._module, "memory", None)


class Runtime:
    """A linear memory of at least `size` bytes and a table of functions, shared by all modules.

    `bytes` is the memory. A module imports both as ``env.memory`` and ``env.table``, and its active
    elements fill the table, which has `slots`.
    """

    slice = 1 << 20
    """Steps after which generated code should return.

    V8 runs a new function by a quick translation, and a better one that it makes meanwhile only
    from the next call on.
    """
    slots = SLOTS

    def __init__(self, size: int) -> None:
        storage = bytearray(size + PAGE)
        # As long as there is a view of it, a bytearray stays where it is.
        start = -ctypes.addressof(ctypes.c_char.from_buffer(storage)) % PAGE
        self.bytes = memoryview(storage)[start : start + size]
        self.base = ctypes.addressof(ctypes.c_char.from_buffer(self.bytes))
        table = js.WebAssembly.Table.new(_object(element="anyfunc", initial=SLOTS))
        self._functions = _object(memory=python_memory(), table=table)
        self._imports = _object(env=self._functions)

    def load(self, binary: bytes, keep: bool = False) -> None:
        """Compiles a module and links it with what was loaded before; `keep` changes nothing."""
        module = js.WebAssembly.Module.new(to_js(linked(binary, self.base)))
        instance = js.WebAssembly.Instance.new(module, self._imports)
        js.Object.assign(self._functions, instance.exports)

    def entry(self, name: str) -> Callable[[], None]:
        """An exported function without parameters and results, to be called often."""
        function: Callable[[], None] = getattr(self._functions, name)
        return function


def _object(**members: Any) -> Any:
    return to_js(members, dict_converter=js.Object.fromEntries)
