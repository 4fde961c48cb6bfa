"""One definition, four ways: on `Bits`, as plain Python, as WebAssembly, and as z3 terms."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import wasmtime

from kit.bits import Bits
from kit.engine.compiled import instruction_arguments
from kit.engine.paths import Definitions, Trace
from kit.engine.python_code import function_name, python_module
from kit.engine.wasm_code import layout, wasm_module
from kit.isa.config import Config
from kit.isa.cpu import ARRAYS, WORDS, Trap, opaque
from kit.isa.csr import CSRS, csr_read, csr_write
from kit.isa.encoding import INSTRUCTIONS
from kit.isa.hart import Hart, cpu_of
from kit.isa.pmp import pmp_allows
from kit.isa.translation import translate
from tests.engine.harts import BASE, SIZE, random_hart

CONFIG = Config()
ROWS = {row.name: row for row in INSTRUCTIONS}


def by_position(name: str) -> Callable[..., None]:
    """An instruction's meaning, its operands by position."""

    def run(cpu: Any, *operands: Bits) -> None:
        ROWS[name].execute(cpu, **dict(zip(ROWS[name].widths, operands, strict=True)))

    run.__name__ = "do_" + name
    return run


@opaque(32)
def read_write(cpu: Any, value: Bits, number: int) -> Bits:
    """What csrrw does with one register."""
    old = csr_read(cpu, number)
    csr_write(cpu, number, value)
    return old


class Case:
    """A function, and how to make arguments for it."""

    def __init__(self, function: Callable[..., Any], shape: tuple[Any, ...]) -> None:
        self.function = function
        self.shape = shape

    def values(self, source: random.Random) -> list[int]:
        """Random arguments, addresses mostly where the RAM is."""
        values = []
        for arg in self.shape:
            if isinstance(arg, Bits):
                near = BASE + source.randrange(SIZE) & ~3
                values.append(source.choice((near, source.getrandbits(34))) % (1 << arg.width))
        return values

    def words(self, values: list[int]) -> list[Any]:
        """The arguments as the definition takes them."""
        rest = iter(values)
        return [Bits(arg.width, next(rest)) if isinstance(arg, Bits) else arg for arg in self.shape]


ADDRESS, PHYSICAL = Bits(32, 0), Bits(34, 0)
CASES = {
    "mret": Case(by_position("mret"), ()),
    "pmp": Case(pmp_allows, (PHYSICAL, 4, "write", Bits(2, 0))),
    "walk-read": Case(translate, (ADDRESS, 4, "read")),
    "walk-write": Case(translate, (ADDRESS, 4, "write")),
    "walk-execute": Case(translate, (ADDRESS, 2, "execute")),
    **{
        f"csrrw {CSRS[number].name}": Case(read_write, (Bits(32, 0), number))
        for number in (0x300, 0x302, 0x303, 0x304, 0x344, 0x144, 0x100, 0x180, 0x3A0, 0x3B3, 0xB00)
    },
    **{
        name: Case(by_position(name), instruction_arguments(ROWS[name], 32))
        for name in (
            *("addi", "div", "rem", "mulhsu", "sra", "blt", "jalr", "lw", "sb", "lhu"),
            *("lr.w", "sc.w", "amomin.w", "sret", "wfi", "ecall", "divu", "remu", "sltu", "srl"),
        )
    },
}


def outcome(hart: Hart, act: Callable[[], Any]) -> tuple[Any, ...]:
    """What a run did: its result or trap, and the state it left."""
    try:
        result: Any = act()
        result = None if result is None else int(result)
    except Trap as trap:
        result = ("trap", int(trap.cause), int(trap.tval))
    return result, hart.snapshot(), bytes(hart.bus.octets)  # type: ignore[attr-defined]


def by_definition(case: Case, hart: Hart, values: list[int]) -> tuple[Any, ...]:
    cpu = cpu_of(hart)
    return outcome(hart, lambda: case.function(cpu, *case.words(values)))


def compiled(definitions: Definitions, trace: Trace) -> Callable[..., Any]:
    namespace: dict[str, Any] = {}
    exec(python_module(definitions.traces.values()), namespace)
    return namespace[function_name(trace.key)]  # type: ignore[no-any-return]


class Wasm:
    """A traced function in wasmtime, run on a hart's words copied into its memory."""

    def __init__(self, definitions: Definitions, trace: Trace) -> None:
        self.binary = wasm_module(definitions, [trace])
        self.store = wasmtime.Store()
        module = wasmtime.Module(self.store.engine, self.binary)
        self.hart: Hart | None = None
        imports = [self._import(row) for row in module.imports]
        self.exports = wasmtime.Instance(self.store, module, imports).exports(self.store)
        self.function: Any = self.exports[function_name(trace.key)]
        self.memory: Any = self.exports["memory"]

    def _import(self, row: Any) -> wasmtime.Func:
        name, size = row.name[:-1], int(row.name[-1])

        def act(address: int, *value: int) -> int | None:
            assert self.hart is not None
            answer = getattr(self.hart.bus, name)(address, size, *value)
            return None if answer is None else int(answer)

        return wasmtime.Func(self.store, row.type, act)

    def _words(self, hart: Hart) -> list[tuple[int, str, int | None]]:
        at = layout()
        words: list[tuple[int, str, int | None]] = [(at[name], name, None) for name in WORDS]
        for name, (count, _) in ARRAYS.items():
            words += [(at[name] + 8 * n, name, n) for n in range(count)]
        return words

    def _peek(self, address: int) -> int:
        return int.from_bytes(self.memory.read(self.store, address, address + 8), "little")

    def run(self, hart: Hart, values: list[int]) -> tuple[Any, ...]:
        self.hart = hart
        at = layout()
        self.memory.write(self.store, bytes(8), at["trapped"])
        for address, name, index in self._words(hart):
            value = getattr(hart, name)
            value = value if index is None else value[index]
            self.memory.write(self.store, value.to_bytes(8, "little"), address)
        signed = [(value ^ 1 << 63) - (1 << 63) for value in values]
        result = self.function(self.store, *signed)
        for address, name, index in self._words(hart):
            if index is None:
                setattr(hart, name, self._peek(address))
            else:
                getattr(hart, name)[index] = self._peek(address)

        def act() -> Any:
            if self._peek(at["trapped"]):
                raise Trap(self._peek(at["cause"]), self._peek(at["tval"]))
            return None if result is None else result & ((1 << 64) - 1)

        return outcome(hart, act)


@pytest.mark.parametrize("name", CASES)
def test_python_and_webassembly_do_what_the_definition_does(name: str) -> None:
    case = CASES[name]
    definitions = Definitions(CONFIG)
    trace = definitions.trace(case.function, case.shape)
    python, wasm = compiled(definitions, trace), Wasm(definitions, trace)
    for seed in range(40):
        values = case.values(random.Random(seed))
        expected = by_definition(case, random_hart(seed), values)
        hart = random_hart(seed)
        assert outcome(hart, partial(python, hart, *values)) == expected, seed
        assert wasm.run(random_hart(seed), values) == expected, seed


def test_every_definition_has_at_most_64_paths() -> None:
    definitions = Definitions(CONFIG)
    for row in INSTRUCTIONS:
        if row.execute is not None and 32 in row.xlens:
            trace = definitions.trace(by_position(row.name), instruction_arguments(row, 32))
            assert trace.body.paths() <= 64, row.name
    for key, trace in definitions.traces.items():
        assert trace.body.paths() <= 64, key


def test_a_run_on_symbols_changes_no_state() -> None:
    hart = random_hart(1)
    before = copy.deepcopy(hart.snapshot())
    Definitions(CONFIG).trace(by_position("mret"), ())
    assert hart.snapshot() == before
