"""Runs generated WebAssembly functions in wasmtime, without an engine around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import wasmtime

from kit.engine.wasm import I32, I64, Code, Module, Shape

__all__ = ["Host", "unsigned"]

BITS = {I32: 32, I64: 64}


def unsigned(value: int, kind: int) -> int:
    """A result as the word that it is."""
    return value % (1 << BITS[kind])


def _signed(value: int, kind: int) -> int:
    bits = BITS[kind]
    return (value ^ 1 << (bits - 1)) - (1 << (bits - 1))


class Host:
    """A memory and a table, and functions that use them."""

    def __init__(self, pages: int = 1, slots: int = 8) -> None:
        self.store = wasmtime.Store()
        limits = wasmtime.Limits(pages, pages)
        self.memory = wasmtime.Memory(self.store, wasmtime.MemoryType(limits))
        kind = wasmtime.TableType(wasmtime.ValType.funcref(), wasmtime.Limits(slots, slots))
        self.table = wasmtime.Table(self.store, kind, None)

    def instance(self, module: Module, imports: Sequence[Any] = ()) -> Any:
        """What a module exports."""
        compiled = wasmtime.Module(self.store.engine, module.binary())
        given = [self.memory, self.table, *imports]
        return wasmtime.Instance(self.store, compiled, given).exports(self.store)

    def function(self, code: Code, shape: Shape) -> Callable[..., int]:
        """A function from words to a word, which is the only one of its module."""
        module = Module(functions=[(shape, code)], exports=[("function", 0)])
        function: Any = self.instance(module)["function"]
        params, results = shape

        def call(*values: int) -> int:
            given = [_signed(value, kind) for value, kind in zip(values, params, strict=True)]
            result = function(self.store, *given)
            return unsigned(result, results[0]) if results else 0

        return call
