"""Generated modules find what is theirs wherever it begins in a memory."""

from __future__ import annotations

import pytest
import wasmtime

from kit.engine.wasm import I32, Code, Module, linked


def module() -> bytes:
    """Two functions, each of which stores its number."""
    made = Module()
    for number in (1, 2):
        code = Code()
        code.const(I32, 8)
        code.const(I32, number)
        code.access("i32.store", 100 * number)
        made.functions.append((((), ()), code))
        made.exports.append((f"store{number}", number - 1))
    return made.binary()


@pytest.mark.parametrize("base", [0, 16, 1 << 16, 0xBD12_0000, 0xFFFF_0000])
def test_a_linked_module_finds_its_storage_anywhere(base: int) -> None:
    store = wasmtime.Store()
    pages = wasmtime.Limits(1 << 16, 1 << 16)
    memory = wasmtime.Memory(store, wasmtime.MemoryType(pages))
    table = wasmtime.Table(
        store, wasmtime.TableType(wasmtime.ValType.funcref(), wasmtime.Limits(1, 1)), None
    )
    compiled = wasmtime.Module(store.engine, linked(module(), base))
    exports = wasmtime.Instance(store, compiled, [memory, table]).exports(store)
    for number in (1, 2):
        function = exports[f"store{number}"]
        assert isinstance(function, wasmtime.Func)
        function(store)
        place = base + 8 + 100 * number
        assert memory.read(store, place - 4, place + 8) == bytes([0] * 4 + [number] + [0] * 7)


def test_linking_keeps_the_size_and_can_be_repeated() -> None:
    moved = linked(module(), 0xBD12_0000)
    assert len(moved) == len(module())
    assert linked(moved, 0) == module()
