"""Which engine a machine gets."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

from kit.errors import KitError
from kit.isa.config import Config

if TYPE_CHECKING:
    from kit.engine.fast import FastEngine

__all__ = ["ENGINES", "chosen_engine", "fast_engine"]

ENGINES = ("auto", "wasm", "reference")
VARIABLE = "VMM_KIT_ENGINE"


def chosen_engine(wanted: str) -> str:
    """ "wasm" or "reference", from what is wanted.

    "auto" is what the environment variable ``VMM_KIT_ENGINE`` says, or else "wasm" where wasmtime
    is installed. Raises `KitError` for a name that is no engine's, and where "wasm" is wanted and
    wasmtime is missing.
    """
    if wanted not in ENGINES:
        raise KitError(f"engine {wanted!r}: expected {', '.join(ENGINES)}")
    if wanted == "auto":
        wanted = os.environ.get(VARIABLE, "") or "auto"
        if wanted not in ENGINES:
            raise KitError(f"{VARIABLE}={wanted!r}: expected {', '.join(ENGINES)}")
    installed = importlib.util.find_spec("wasmtime") is not None
    if wanted == "auto":
        return "wasm" if installed else "reference"
    if wanted == "wasm" and not installed:
        raise KitError(
            "engine wasm: wasmtime is not installed; install it with: pip install wasmtime"
        )
    return wanted


def fast_engine(config: Config, ram_base: int, size: int) -> FastEngine:
    """The fast engine, which is loaded only where it is used."""
    from kit.engine.fast import FastEngine

    return FastEngine(config, ram_base, size)
