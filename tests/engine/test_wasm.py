"""Generated modules are valid, and do what the WebAssembly specification says."""

from __future__ import annotations

import random
from typing import Any

import pytest
import wasmtime

from kit.engine import wasm
from kit.engine.wasm import I32, I64, Code, Module, linked, sleb, uleb
from tests.engine.webassembly import BITS, Host

KINDS = {"i32": I32, "i64": I64}
EDGES = (0, 1, 2, 31, 63, 0x7F, 0x80, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 63, (1 << 64) - 1)
NAMES = [name for name in wasm._PLAIN if "." in name]
ACCESSES = sorted(wasm._ACCESS)


def decoded(data: bytes, signed: bool) -> int:
    """A number in LEB128, the whole of `data`."""
    value = sum((byte & 0x7F) << 7 * n for n, byte in enumerate(data))
    assert all(byte & 0x80 for byte in data[:-1])
    assert not data[-1] & 0x80
    bits = 7 * len(data)
    return value - (1 << bits) if signed and value >> (bits - 1) else value


def test_numbers_in_leb128_are_what_they_were() -> None:
    source = random.Random(1)
    numbers = [*EDGES, *(source.getrandbits(source.randrange(1, 65)) for _ in range(500))]
    for number in numbers:
        assert decoded(uleb(number), signed=False) == number
        for value in (number, -number, ~number):
            assert decoded(sleb(value), signed=True) == value
    assert (uleb(624485), sleb(-123456)) == (b"\xe5\x8e\x26", b"\xc0\xbb\x78")


def kinds_of(name: str) -> tuple[list[str], str]:
    """The types of the operands of an instruction, and of its result."""
    kind, verb = name.split(".")
    if verb == "wrap_i64":
        return ["i64"], "i32"
    if verb.startswith("extend_i32"):
        return ["i32"], "i64"
    if verb.startswith("extend"):
        return [kind], kind
    if verb == "eqz":
        return [kind], "i32"
    compares = verb.split("_")[0] in ("eq", "ne", "lt", "gt", "le", "ge")
    return [kind, kind], "i32" if compares else kind


@pytest.mark.parametrize("name", NAMES)
def test_an_instruction_is_the_one_of_its_name(name: str) -> None:
    """Against the text format, as wasmtime reads it."""
    operands, result = kinds_of(name)
    host = Host()
    code = Code(len(operands))
    for number in range(len(operands)):
        code.get(number)
    code.op(name)
    function = host.function(code, (tuple(KINDS[k] for k in operands), (KINDS[result],)))
    params = " ".join(f"(param {kind})" for kind in operands)
    pushes = " ".join(f"(local.get {number})" for number in range(len(operands)))
    text = f'(module (func (export "f") {params} (result {result}) ({name} {pushes})))'
    module = wasmtime.Module(host.store.engine, wasmtime.wat2wasm(text))
    other: Any = wasmtime.Instance(host.store, module, []).exports(host.store)["f"]
    seconds = EDGES if len(operands) == 2 else (0,)
    for first in EDGES:
        for second in seconds:
            values = [
                v % (1 << BITS[KINDS[k]]) for v, k in zip((first, second), operands, strict=False)
            ]
            signed = [
                (v ^ 1 << BITS[KINDS[k]] - 1) - (1 << BITS[KINDS[k]] - 1)
                for v, k in zip(values, operands, strict=True)
            ]
            try:
                expected = other(host.store, *signed)
            except wasmtime.Trap:
                continue
            assert function(*values) == expected % (1 << BITS[KINDS[result]]), values


@pytest.mark.parametrize("name", ACCESSES)
@pytest.mark.parametrize("offset", [0, 5, 300])
def test_an_access_has_the_size_of_its_name(name: str, offset: int) -> None:
    host = Host()
    kind = KINDS[name[:3]]
    size = int("".join(filter(str.isdigit, name[4:])) or BITS[kind]) // 8
    data = bytes(range(0x81, 0x81 + 16))
    host.memory.write(host.store, data, 64 + offset)
    code = Code(2)
    code.get(0)
    if "store" in name:
        code.get(1)
    code.access(name, offset)
    shape = ((I32, kind), () if "store" in name else (kind,))
    result = host.function(code, shape)(64, 0x1122_3344_5566_7788 % (1 << BITS[kind]))
    memory = bytes(host.memory.read(host.store, 64 + offset, 64 + offset + 16))
    if "store" in name:
        stored = (0x1122_3344_5566_7788).to_bytes(8, "little")[:size]
        assert memory == stored + data[size:]
    else:
        assert result == int.from_bytes(data[:size], "little")
        assert memory == data


def test_constants_of_any_sign_are_taken_modulo_their_width() -> None:
    host = Host()
    for kind, bits in BITS.items():
        for value in (*EDGES, *(-edge for edge in EDGES)):
            code = Code()
            code.const(kind, value)
            assert host.function(code, ((), (kind,)))() == value % (1 << bits)


def test_branches_count_the_blocks_between() -> None:
    """The sum of the numbers up to one, but 1000 as soon as that is reached."""
    code = Code(1)
    total = code.local(I32)
    out = code.open("block")
    loop = code.open("loop")
    code.get(0)
    code.op("i32.eqz")
    code.branch(out, "br_if")
    code.get(total)
    code.get(0)
    code.op("i32.add")
    code.tee(total)
    code.const(I32, 1000)
    code.op("i32.ge_u")
    code.rarely()
    code.open("if")
    code.const(I32, 1000)
    code.set(total)
    code.branch(out)
    code.op("else")
    code.get(0)
    code.const(I32, 1)
    code.op("i32.sub")
    code.set(0)
    code.branch(loop)
    code.op("end", "end", "end")
    code.get(total)
    assert code.depth == 0
    function = Host().function(code, ((I32,), (I32,)))
    assert [function(n) for n in (0, 1, 10, 44, 45, 1000)] == [0, 1, 55, 990, 1000, 1000]


def test_locals_of_many_kinds_keep_their_places() -> None:
    source = random.Random(3)
    code = Code(1)
    kinds = [source.choice((I32, I64)) for _ in range(200)]
    places = [code.local(kind) for kind in kinds]
    assert places == list(range(1, 201))
    for place, kind in zip(places, kinds, strict=True):
        code.const(kind, 3 * place)
        code.set(place)
    code.get(0)
    for place, kind in zip(places, kinds, strict=True):
        code.get(place)
        if kind == I32:
            code.op("i64.extend_i32_u")
        code.op("i64.add")
    function = Host().function(code, ((I64,), (I64,)))
    assert function(7) == 7 + 3 * sum(places)


def test_modules_share_a_memory_and_call_each_other_by_import_and_by_the_table() -> None:
    host = Host()
    first = Module()
    double = Code(1)
    double.get(0)
    double.get(0)
    double.op("i32.add")
    first.functions.append((((I32,), (I32,)), double))
    keep = Code()
    keep.const(I32, 100)
    keep.const(I32, 0xAB)
    keep.access("i32.store8", 0)
    first.functions.append((((), ()), keep))
    first.exports = [("double", 0), ("keep", 1)]
    first.elements = [(5, 0)]
    exports = host.instance(first)
    second = Module(imports=[("double", ((I32,), (I32,)))])
    both = Code(1)
    both.get(0)
    both.call(0)
    both.const(I32, 5)
    both.call_indirect(second.type_of((I32,), (I32,)))
    second.functions.append((((I32,), (I32,)), both))
    second.exports = [("quadruple", 1)]
    function = host.instance(second, [exports["double"]])["quadruple"]
    assert function(host.store, 11) == 44
    exports["keep"](host.store)
    assert host.memory.read(host.store, 99, 102) == b"\0\xab\0"


def test_the_addresses_of_a_module_can_be_moved() -> None:
    host = Host()
    host.memory.write(host.store, b"abcd", 16)
    host.memory.write(host.store, b"wxyz", 16 + 4096)
    module = Module(exports=[("at", 1)])
    for offset in (300, 16):
        code = Code(1)
        code.get(0)
        code.access("i32.load8_u", offset)
        module.functions.append((((I32,), (I32,)), code))
    for base, text in ((0, b"abcd"), (4096, b"wxyz")):
        compiled = wasmtime.Module(host.store.engine, linked(module.binary(), base))
        instance = wasmtime.Instance(host.store, compiled, [host.memory, host.table])
        at: Any = instance.exports(host.store)["at"]
        assert bytes(at(host.store, n) for n in range(4)) == text
