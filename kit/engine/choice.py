"""Which engine a machine gets."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import TYPE_CHECKING

from kit.errors import KitError
from kit.isa.config import Config

if TYPE_CHECKING:
    from kit.engine.fast import FastEngine

__all__ = ["ENGINES", "chosen_engine", "fast_engine"]

ENGINES = ("auto", "wasm", "reference")
VARIABLE = "VMM_KIT_ENGINE"


def chosen_engine(wanted: str, is_altered: bool = False) -> str:
    """ "wasm" or "reference", from what is wanted.

    "auto" is what the environment variable ``VMM_KIT_ENGINE`` says, or else "wasm" where there is
    something to run it: wasmtime, or under Pyodide that which runs Python. A processor that
    `is_altered` has holes, and runs on the reference engine only. Raises `KitError` for a name that
    is no engine's, and where "wasm" is wanted and cannot be had.
    """
    if wanted not in ENGINES:
        raise KitError(f"engine {wanted!r}: expected {', '.join(ENGINES)}")
    if is_altered:
        if wanted == "wasm":
            raise KitError("engine wasm: it runs no processor with holes; take reference")
        return "reference"
    if wanted == "auto":
        wanted = os.environ.get(VARIABLE, "") or "auto"
        if wanted not in ENGINES:
            raise KitError(f"{VARIABLE}={wanted!r}: expected {', '.join(ENGINES)}")
    lacking = _lacking()
    if wanted == "auto":
        return "reference" if lacking else "wasm"
    if wanted == "wasm" and lacking:
        raise KitError(f"engine wasm: {lacking}")
    return wanted


def _lacking() -> str:
    """What is missing for running WebAssembly, and what to do; nothing if nothing is."""
    if sys.platform == "emscripten":
        from kit.engine.runtime_pyodide import python_memory

        found = python_memory() is not None
        return "" if found else "this Pyodide does not show its memory; use one from 314.0 on"
    if importlib.util.find_spec("wasmtime") is None:
        return "wasmtime is not installed; install it with: pip install wasmtime"
    return ""


def fast_engine(config: Config, ram_base: int, size: int) -> FastEngine:
    """The fast engine, which is loaded only where it is used."""
    from kit.engine.fast import FastEngine

    return FastEngine(config, ram_base, size)
