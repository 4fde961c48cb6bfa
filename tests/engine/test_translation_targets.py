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
from kit.engine.layout import Layout
from kit.engine.paths import Definitions, Key, Trace
from kit.engine.python_code import function_name, python_module
from kit.engine.traced import traced_code
from kit.engine.wasm import I32, Code, Module
from kit.engine.wasm_expr import all_ops, kind_of, raises
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


FOR_PYTHON, NO_CAUSE = 2, -1
"""What a function leaves in `trapped` where it accesses no RAM; what is made of that here."""


def traced_module(definitions: Definitions, trace: Trace, layout: Layout) -> bytes:
    """A module that exports a traced function, with all that it calls.

    What the core does about pages that are written to is left out.
    """
    traces: dict[Key, Trace] = {}
    queue = [trace]
    while queue:
        one = queue.pop()
        if one.key not in traces:
            traces[one.key] = one
            calls = [op for op in all_ops(one.body) if op.kind == "call"]
            queue += [definitions.traces[op.name] for op in calls]
    names = [*traces, "mark", *(f"write{size}" for size in (1, 2, 4))]
    numbers = {name: number for number, name in enumerate(names)}
    trapping = _trapping(traces)
    module = Module(exports=[("function", numbers[trace.key])])
    for one in traces.values():
        params = tuple(kind_of(param.width) for param in one.params)
        results = (kind_of(one.returns),) if one.returns else ()
        code = traced_code(one, layout, numbers, trapping)
        module.functions.append(((params, results), code))
    module.functions.append((((I32,), ()), Code(1)))
    for store in ("i32.store8", "i32.store16", "i32.store"):
        write = Code(2)
        write.get(0)
        write.const(I32, layout.ram_base)
        write.op("i32.sub")
        write.get(1)
        write.access(store, layout.at["ram"])
        module.functions.append((((I32, I32), ()), write))
    return module.binary()


def _trapping(traces: dict[Key, Trace]) -> set[Key]:
    """The functions that may end in a trap, or call one that may."""
    found: set[Key] = set()
    while True:
        more = {
            key
            for key, trace in traces.items()
            if raises(trace.body)
            or any(op.name == "reaches" or op.name in found for op in all_ops(trace.body))
        }
        if more == found:
            return found
        found = more


class Wasm:
    """A traced function in wasmtime, run on a hart's words and storage copied into its memory."""

    def __init__(self, definitions: Definitions, trace: Trace) -> None:
        self.trace = trace
        self.layout = Layout(CONFIG, BASE, SIZE)
        self.store = wasmtime.Store()
        pages = wasmtime.Limits(*[-(-self.layout.total >> 16)] * 2)
        self.memory = wasmtime.Memory(self.store, wasmtime.MemoryType(pages))
        entries = wasmtime.TableType(wasmtime.ValType.funcref(), wasmtime.Limits(0, None))
        table = wasmtime.Table(self.store, entries, None)
        self.binary = traced_module(definitions, trace, self.layout)
        module = wasmtime.Module(self.store.engine, self.binary)
        instance = wasmtime.Instance(self.store, module, [self.memory, table])
        self.function: Any = instance.exports(self.store)["function"]

    def _words(self, hart: Hart) -> list[tuple[int, int, str, int | None]]:
        at, size = self.layout.at, self.layout.bytes_of
        words: list[tuple[int, int, str, int | None]] = []
        words += [(at[name], size(name), name, None) for name in WORDS]
        for name, (count, _) in ARRAYS.items():
            words += [(at[name] + size(name) * n, size(name), name, n) for n in range(count)]
        return words

    def _peek(self, address: int, size: int = 4) -> int:
        return int.from_bytes(self.memory.read(self.store, address, address + size), "little")

    def _put(self, hart: Hart) -> None:
        at, write = self.layout.at, self.memory.write
        write(self.store, bytes(4), at["trapped"])
        write(self.store, hart.bus.octets, at["ram"])  # type: ignore[attr-defined]
        for address, size, name, index in self._words(hart):
            value = getattr(hart, name)
            value = value if index is None else value[index]
            write(self.store, value.to_bytes(size, "little"), address)

    def _take(self, hart: Hart) -> None:
        ram = self.layout.at["ram"]
        hart.bus.octets[:] = self.memory.read(self.store, ram, ram + SIZE)  # type: ignore[attr-defined]
        for address, size, name, index in self._words(hart):
            if index is None:
                setattr(hart, name, self._peek(address, size))
            else:
                getattr(hart, name)[index] = self._peek(address, size)

    def run(self, hart: Hart, values: list[int]) -> tuple[Any, ...]:
        """The outcome, or a trap without a cause where there is no RAM."""
        self._put(hart)
        kinds = [32 if param.width <= 32 else 64 for param in self.trace.params]
        signed = [(v ^ 1 << k - 1) - (1 << k - 1) for v, k in zip(values, kinds, strict=True)]
        result = self.function(self.store, *signed)
        self._take(hart)
        at = self.layout.at

        def act() -> Any:
            trapped = self._peek(at["trapped"])
            if trapped == FOR_PYTHON:
                raise Trap(NO_CAUSE, 0)
            if trapped:
                raise Trap(self._peek(at["cause"]), self._peek(at["tval"]))
            if result is None or self.trace.returns is None:
                return None
            return result % (1 << (32 if self.trace.returns <= 32 else 64))

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
        got = wasm.run(random_hart(seed), values)
        if got[0] == ("trap", NO_CAUSE, 0):
            assert expected[0][:2] in (("trap", 5), ("trap", 7)), seed
            got = (expected[0], *got[1:])
        assert got == expected, seed


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
