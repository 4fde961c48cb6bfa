"""The core of the fast engine: a module that executes any instruction, made from the definitions.

`run` makes steps until there is a reason to leave. Where code has been translated
(`kit.engine.translator`) it calls that; any other instruction it fetches, decodes and executes by
the traced definitions, one at a time. That is also how the last steps of a budget are made, and
every instruction that a translation leaves out or cannot complete: so what is exact here is exact
everywhere. What only Python can do, such as an access to a device, is left to the caller before
the instruction has changed anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kit.bits import Bits, Expr, concat, select
from kit.engine.layout import (
    ACCESSES,
    DECODED,
    ENTRIES,
    HEAT,
    PLACES,
    REGIMES,
    TABLE_LIMIT,
    Layout,
)
from kit.engine.paths import Block, Definitions, Fork, Key, Op, Raise, Trace
from kit.engine.wasm import I32, I64, Code, Module
from kit.engine.wasm_expr import Values, all_ops, count_uses, kind_of, raises
from kit.isa.cpu import Cpu, M, S, Trap
from kit.isa.encoding import Decoder, Instruction
from kit.isa.pmp import pmp_allows
from kit.isa.step import count
from kit.isa.storage import fetch
from kit.isa.translation import effective_mode, is_direct, translate
from kit.isa.trap import ILLEGAL_INSTRUCTION, pending_interrupt, take_trap

__all__ = ["BUDGET", "CODE", "DEVICE", "HOT", "TRAPPED", "WAITING", "core_module"]

BUDGET, TRAPPED, WAITING, DEVICE, HOT, CODE = range(6)
"""Why `run` came back: steps made, a trap that is listened for, the hart waits, an instruction for
Python (not executed), code worth translating at pc, translated code was written over."""

TABLE_PAGE, CODE_PAGE = 1, 2
INTERPRETED, ENDING = 1, 2
"""What translated code returns where the next instruction is to be executed here: because it cannot
do it, or because the budget is about to end."""
INVALID = 0x800
"""A tag that no page has."""
PAGE_MASK = 0xFFFF_F000
SYSTEM = 0x73
SUM, MXR = 18, 19
BITS = {1: "8_u", 2: "16_u", 4: ""}


# -- what is asked of the definitions --------------------------------------------------------


def handler(row: Instruction, decoder: Decoder) -> Callable[[Cpu, Bits], None]:
    """The meaning of an instruction, as a function of its word."""

    def run(cpu: Cpu, word: Bits) -> None:
        operands: dict[str, Any] = row.extract(word[8 * row.length - 1 : 0])
        full = row
        if row.expansion:
            name, *pairs = row.expansion.split()
            full = decoder.by_name[name]
            named = dict(pair.split("=") for pair in pairs)
            operands = {
                key: _resized(full, row, key, value, operands) for key, value in named.items()
            }
        assert full.execute is not None
        words = {name: _as_operand(full, name, operands[name], cpu.xlen) for name in full.widths}
        full.execute(cpu, **words)

    run.__name__ = "handle_" + row.name
    return run


def _resized(
    full: Instruction, row: Instruction, key: str, value: str, given: dict[str, Any]
) -> Bits:
    """An operand of the full instruction, from that of the compressed one, or from a number."""
    width = full.widths[key]
    if value not in given:
        return Bits(width, int(value))
    operand: Bits = given[value]
    return operand.sext(width) if row.is_signed(value) else operand.zext(width)


def _as_operand(row: Instruction, name: str, value: Bits, xlen: int) -> Bits:
    return value.sext(xlen) if row.is_signed(name) else value


def illegal(cpu: Cpu, word: Bits) -> None:
    """The meaning of a word that is no instruction."""
    raise Trap(ILLEGAL_INSTRUCTION, cpu.instruction)


def begin(cpu: Cpu, word: Bits) -> Bits:
    """What comes before an instruction's own meaning; returns its word without what follows it."""
    compressed = (word & 3) != 3
    cpu.instruction = select(compressed, word & 0xFFFF, word).zext(cpu.xlen)
    length = select(compressed, Bits(32, 2), Bits(32, 4)) if cpu.config.has_c else Bits(32, 4)
    cpu.next_pc = cpu.pc + length.zext(cpu.xlen)
    return cpu.instruction[31:0]


def page_is_open(access: str) -> Callable[[Cpu, Bits], Bits]:
    """Is the whole page of a physical address RAM, and open to this access in the present mode?"""

    def run(cpu: Cpu, address: Bits) -> Bits:
        page = address & ~0xFFF
        mode = effective_mode(cpu, access)
        return cpu.is_ram(page, 4096) & pmp_allows(cpu, page, 4096, access, mode)

    run.__name__ = f"page_is_open_{access}"
    return run


def regime(access: str) -> Callable[[Cpu], Bits]:
    """The number of the regime in which an access is translated: see `REGIMES`."""

    def run(cpu: Cpu) -> Bits:
        mode = effective_mode(cpu, access)
        supervisor = concat(Bits(1, 0), cpu.mstatus[SUM]).zext(32) + 1
        return select(mode == M, Bits(32, 3), select(mode == S, supervisor, Bits(32, 0)))

    run.__name__ = f"regime_{access}"
    return run


def linear(base: int, size: int) -> Callable[[Cpu], Bits]:
    """Is every address physical, and all of RAM open to every access?"""

    def run(cpu: Cpu) -> Bits:
        result = Bits(1, 1)
        for access in ACCESSES:
            mode = effective_mode(cpu, access)
            ram = Bits(cpu.plen, base)
            result = result & is_direct(cpu, mode) & pmp_allows(cpu, ram, size, access, mode)
        return result

    run.__name__ = "linear"
    return run


def decode(rows: list[Instruction]) -> Callable[[Cpu, Bits], Bits]:
    """The number of the row that a word is, counted from 1, or 0."""

    def run(cpu: Cpu, word: Bits) -> Bits:
        number = Bits(32, 0)
        for position, row in enumerate(rows, 1):
            found = (word & row.mask) == row.match
            if row.length == 2:
                found = found & (word[1:0] != 3)
            for name, values in row.excluded:
                operand = row.extract(word[8 * row.length - 1 : 0])[name]
                for value in values:
                    found = found & (operand != value)
            number = select(found, Bits(32, position), number)
        return number

    run.__name__ = "decode"
    return run


# -- the module ------------------------------------------------------------------------------


def core_module(layout: Layout) -> tuple[bytes, int]:
    """The module of a machine, and how many slots of the table it uses.

    It exports `run`, `drop` (forget what is remembered of translations), and, for translated code,
    ``remember_read4`` and the like.
    """
    core = _Core(layout)
    return core.module.binary(), core.slots


class _Core:
    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.definitions = Definitions(layout.config)
        self.module = Module()
        self.numbers: dict[Any, int] = {}
        self.trapping: set[Key] = set()
        decoder = Decoder(layout.config.extensions, layout.config.xlen)
        rows = list(decoder.by_name.values())
        word, physical = Bits(32, 0), Bits(layout.config.plen, 0)
        wanted: list[tuple[Any, Callable[..., Any], tuple[Any, ...]]] = [
            ("fetch", fetch, ()),
            ("begin", begin, (word,)),
            ("decode", decode(rows), (word,)),
            ("pending", pending_interrupt, ()),
            ("interrupt", take_trap, (word, word, True)),
            ("exception", take_trap, (word, word, False)),
            ("count trap", count, (False,)),
            ("count", count, (True, Bits(64, 0))),
            ("linear", linear(layout.ram_base, layout.size), ()),
            *((f"regime {a}", regime(a), ()) for a in ACCESSES),
            *((f"open {a}", page_is_open(a), (physical,)) for a in ACCESSES),
            *((("translate", a, s), translate, (word, s, a)) for a in ACCESSES for s in (1, 2, 4)),
            *((("row", row.name), handler(row, decoder), (word,)) for row in rows),
            (("row", ""), illegal, (word,)),
        ]
        roles = {role: self._trace(function, shape) for role, function, shape in wanted}
        self._number_functions(roles)
        self._write_functions(roles)
        self.slots = len(rows) + 1
        self.module.elements = [
            (0, self.numbers["row", ""]),
            *((n, self.numbers["row", row.name]) for n, row in enumerate(rows, 1)),
        ]
        exported = ["run", "drop", *(f"remember_{a}{s}" for a in ACCESSES[:2] for s in (1, 2, 4))]
        self.module.exports = [(name, self.numbers[name]) for name in exported]

    def _trace(self, function: Callable[..., Any], shape: tuple[Any, ...]) -> Trace:
        trace = self.definitions.trace(function, shape)
        if trace.returns is None:
            widths = [_result_width(trace.body)]
            if widths[0]:
                return Trace(trace.key, trace.params, trace.body, trace.writes, widths[0])
        return trace

    # -- numbers of functions --------------------------------------------------------------------

    def _number_functions(self, roles: dict[Any, Trace]) -> None:
        own = {trace.key: trace for trace in roles.values()}
        self.traces: dict[Key, Trace] = {**self.definitions.traces, **own}
        families: dict[Key, list[Trace]] = {}
        for trace in self.traces.values():
            for op in all_ops(trace.body):
                if op.kind == "call" and op.name.static == ("*",):
                    families[op.name] = [
                        t for k, t in self.traces.items()
                        if (k.name, k.widths) == (op.name.name, op.name.widths)
                    ]  # fmt: skip
        self.families = families
        names = [
            *self.traces, *families, "mark", "drop", "fill", "settle", "synchronize",
            *(f"write{s}" for s in (1, 2, 4)), "guarded",
            *(f"remember_{a}{s}" for a in ACCESSES for s in (1, 2, 4)), "enter_trap", "run",
        ]  # fmt: skip
        self.numbers = {name: number for number, name in enumerate(names)}
        self.numbers |= {role: self.numbers[trace.key] for role, trace in roles.items()}
        changed = True
        while changed:
            before = len(self.trapping)
            for key, trace in self.traces.items():
                if raises(trace.body) or any(map(self._may_trap, all_ops(trace.body))):
                    self.trapping.add(key)
            for key, members in families.items():
                if any(member.key in self.trapping for member in members):
                    self.trapping.add(key)
            changed = len(self.trapping) != before

    def _may_trap(self, op: Op) -> bool:
        if op.kind == "storage":
            return bool(op.name == "reaches")
        return op.kind == "call" and op.name in self.trapping

    # -- writing functions -----------------------------------------------------------------------

    def _write_functions(self, roles: dict[Any, Trace]) -> None:
        for trace in self.traces.values():
            params = tuple(kind_of(param.width) for param in trace.params)
            results = (kind_of(trace.returns),) if trace.returns else ()
            self.module.functions.append(((params, results), _Traced(self, trace).code))
        for key, members in self.families.items():
            self._add(self._family(key, members), *self._family_shape(members))
        self._add(self._mark(), (I32,))
        self._add(self._drop())
        self._add(self._fill())
        self._add(self._settle())
        self._add(self._synchronize())
        for size in (1, 2, 4):
            self._add(self._write(size), (I32, I32))
        self._add(self._guarded(), (I32,))
        for access in ACCESSES:
            for size in (1, 2, 4):
                self._add(self._remember(access, size), (I32,), (I32,))
        self._add(self._enter_trap(), (I32,), (I32,))
        self._add(self._run())

    def _add(self, code: Code, params: tuple[int, ...] = (), results: tuple[int, ...] = ()) -> None:
        self.module.functions.append(((params, results), code))

    @staticmethod
    def _family_shape(members: list[Trace]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        one = members[0]
        params = (I32, *(kind_of(param.width) for param in one.params))
        return params, (kind_of(one.returns),) if one.returns else ()

    def _family(self, key: Key, members: list[Trace]) -> Code:
        """Calls the member whose number is the first argument; zero if there is none."""
        params, results = self._family_shape(members)
        code = Code(len(params))
        ordered = sorted(members, key=lambda trace: trace.key.static[0])

        def choose(low: int, high: int) -> None:
            if high - low == 1:
                code.get(0)
                code.const(I32, ordered[low].key.static[0])
                code.op("i32.eq")
                code.open("if")
                for number in range(1, len(params)):
                    code.get(number)
                code.call(self.numbers[ordered[low].key])
                code.op("return", "end")
                return
            middle = (low + high) // 2
            code.get(0)
            code.const(I32, ordered[middle].key.static[0])
            code.op("i32.lt_u")
            code.open("if")
            choose(low, middle)
            code.op("else")
            choose(middle, high)
            code.op("end")

        choose(0, len(ordered))
        for kind in results:
            code.const(kind, 0)
        return code

    # -- state -----------------------------------------------------------------------------------

    def load(self, code: Code, name: str) -> None:
        """Pushes a word of the state."""
        code.const(I32, 0)
        wide = self.layout.bytes_of(name) == 8
        code.access("i64.load" if wide else "i32.load", self.layout.at[name])

    def store(self, code: Code, name: str, push: Callable[[], None]) -> None:
        """Stores what `push` pushes in a word of the state."""
        code.const(I32, 0)
        push()
        wide = self.layout.bytes_of(name) == 8
        code.access("i64.store" if wide else "i32.store", self.layout.at[name])

    def put(self, code: Code, name: str, value: int) -> None:
        """Stores a number in a word of the state."""
        kind = I64 if self.layout.bytes_of(name) == 8 else I32
        self.store(code, name, lambda: code.const(kind, value))

    # -- guarded pages ---------------------------------------------------------------------------

    def _guard_address(self, code: Code, address: int) -> None:
        """Pushes where the guard of a physical address (a local) lies, but for `guards`."""
        code.get(address)
        code.const(I32, self.layout.ram_base)
        code.op("i32.sub")
        code.const(I32, 12)
        code.op("i32.shr_u")

    def _mark(self) -> Code:
        """(address): a walk has read a table there; from now on, writes to its page are noticed."""
        code, at = Code(1), self.layout.at
        self._guard_address(code, 0)
        code.access("i32.load8_u", at["guards"])
        code.const(I32, TABLE_PAGE)
        code.op("i32.and")
        code.open("if")
        code.op("return", "end")
        self._guard_address(code, 0)
        self._guard_address(code, 0)
        code.access("i32.load8_u", at["guards"])
        code.const(I32, TABLE_PAGE)
        code.op("i32.or")
        code.access("i32.store8", at["guards"])
        # The list of marked pages; when it is full, it starts again at the next instruction.
        self.load(code, "table_pages")
        code.const(I32, TABLE_LIMIT - 1)
        code.op("i32.ge_u")
        code.open("if")
        self.put(code, "flush", 1)
        code.op("end")
        self.load(code, "table_pages")
        code.const(I32, 2)
        code.op("i32.shl")
        self._guard_address(code, 0)
        code.access("i32.store", at["tables"])
        self.load(code, "table_pages")
        code.const(I32, TABLE_LIMIT - 1)
        code.op("i32.lt_u")
        code.open("if")
        self._increment(code, "table_pages")
        code.op("end")
        # A page that was writable directly is so no more.
        start = self.layout.remembered("write")
        size = REGIMES * ENTRIES * 8
        loop = code.local(I32)
        self._invalidate(code, start, size, loop)
        return code

    def _increment(self, code: Code, name: str, by: int = 1) -> None:
        def push() -> None:
            self.load(code, name)
            code.const(I32, by)
            code.op("i32.add")

        self.store(code, name, push)

    def _invalidate(self, code: Code, start: int, size: int, counter: int) -> None:
        """Makes every entry of some tables invalid."""
        code.const(I32, size - 16)
        code.set(counter)
        loop = code.open("loop")
        for part in (0, 8):
            code.get(counter)
            code.const(I64, INVALID)
            code.access("i64.store", start + part)
        code.get(counter)
        code.const(I32, 16)
        code.op("i32.sub")
        code.tee(counter)
        code.const(I32, 0)
        code.op("i32.ge_s")
        code.branch(loop, "br_if")
        code.op("end")

    def _drop(self) -> Code:
        """Forgets what is remembered of translations, and which pages hold tables."""
        code, at = Code(), self.layout.at
        counter = code.local(I32)
        page = code.local(I32)
        size = len(ACCESSES) * REGIMES * ENTRIES * 8
        self._invalidate(code, at["remembered"], size, counter)
        out = code.open("block")
        loop = code.open("loop")
        self.load(code, "table_pages")
        code.op("i32.eqz")
        code.branch(out, "br_if")
        self._increment(code, "table_pages", -1)
        self.load(code, "table_pages")
        code.const(I32, 2)
        code.op("i32.shl")
        code.access("i32.load", at["tables"])
        code.tee(page)
        code.get(page)
        code.access("i32.load8_u", at["guards"])
        code.const(I32, ~TABLE_PAGE)
        code.op("i32.and")
        code.access("i32.store8", at["guards"])
        code.branch(loop)
        code.op("end", "end")
        self.put(code, "flush", 0)
        self.put(code, "regime_changed", 1)
        return code

    def _guarded(self) -> Code:
        """(address): a page that is guarded is being written to."""
        code, at = Code(1), self.layout.at
        self._guard_address(code, 0)
        code.access("i32.load8_u", at["guards"])
        code.const(I32, TABLE_PAGE)
        code.op("i32.and")
        code.open("if")
        self.put(code, "flush", 1)
        code.op("end")
        self._offset(code, 0)
        code.const(I32, 5)
        code.op("i32.shr_u")
        code.access("i32.load8_u", at["lines"])
        code.open("if")
        self.load(code, "written_pages")
        code.const(I32, 2)
        code.op("i32.shl")
        self._guard_address(code, 0)
        code.access("i32.store", at["written"])
        self._increment(code, "written_pages")
        self.put(code, "leave", 1)
        code.op("end")
        return code

    def _offset(self, code: Code, address: int) -> None:
        code.get(address)
        code.const(I32, self.layout.ram_base)
        code.op("i32.sub")

    def _write(self, size: int) -> Code:
        """(address, value): writes to RAM."""
        code, at = Code(2), self.layout.at
        self._guard_address(code, 0)
        code.access("i32.load8_u", at["guards"])
        code.open("if")
        code.get(0)
        code.call(self.numbers["guarded"])
        code.op("end")
        self._offset(code, 0)
        code.get(1)
        code.access({1: "i32.store8", 2: "i32.store16", 4: "i32.store"}[size], at["ram"])
        return code

    # -- regimes and remembered translations -----------------------------------------------------

    def _fill(self) -> Code:
        """Finds out which regime the hart is in."""
        code = Code()
        numbers, layout = self.numbers, self.layout
        self.store(code, "linear", lambda: code.call(numbers["linear"]))
        for access in ACCESSES:

            def push(access: str = access) -> None:
                code.call(numbers[f"regime {access}"])
                code.const(I32, ENTRIES * 8)
                code.op("i32.mul")
                code.const(I32, layout.remembered(access))
                code.op("i32.add")

            self.store(code, f"{access}_table", push)
        self.put(code, "regime_changed", 0)
        return code

    def _settle(self) -> Code:
        """Brings what is remembered in line with the state, where that has changed."""
        code = Code()
        self.load(code, "flush")
        code.open("if")
        code.call(self.numbers["drop"])
        code.op("end")
        self.load(code, "regime_changed")
        code.open("if")
        code.call(self.numbers["fill"])
        code.op("end")
        return code

    def _remember(self, access: str, size: int) -> Code:
        """(address) -> 1 if its page can be accessed directly from now on."""
        layout, numbers = self.layout, self.numbers
        code = Code(1)
        physical, place = code.local(I64 if layout.config.plen > 32 else I32), code.local(I32)
        code.get(0)
        code.call(numbers["translate", access, size])
        code.set(physical)
        self.load(code, "trapped")
        code.open("if")
        self.put(code, "trapped", 0)
        code.const(I32, 0)
        code.op("return", "end")
        # The walk may have written over translated code, even over that which asks.
        self.load(code, "leave")
        code.open("if")
        code.const(I32, 0)
        code.op("return", "end")
        code.get(physical)
        code.call(numbers[f"open {access}"])
        code.op("i32.eqz")
        code.open("if")
        code.const(I32, 0)
        code.op("return", "end")
        if access == "write":
            code.get(physical)
            code.op("i32.wrap_i64")
            code.set(place)
            self._guard_address(code, place)
            code.access("i32.load8_u", layout.at["guards"])
            code.open("if")
            code.const(I32, 0)
            code.op("return", "end")
        # entry = table + (address >> 12 & 255) * 8
        self.load(code, f"{access}_table")
        code.get(0)
        code.const(I32, 9)
        code.op("i32.shr_u")
        code.const(I32, (ENTRIES - 1) << 3)
        code.op("i32.and", "i32.add")
        code.set(place)
        code.get(place)
        code.get(0)
        code.const(I32, PAGE_MASK)
        code.op("i32.and")
        code.access("i32.store", 0)
        code.get(place)
        code.get(physical)
        code.op("i32.wrap_i64")
        code.const(I32, layout.delta)
        code.op("i32.add")
        code.get(0)
        code.op("i32.sub")
        code.access("i32.store", 4)
        code.const(I32, 1)
        return code

    # -- running ---------------------------------------------------------------------------------

    def _synchronize(self) -> Code:
        """Counts the steps made since the clocks were right; each completed an instruction."""
        code = Code()
        self.load(code, "counted")
        self.load(code, "left")
        code.op("i32.ne")
        code.open("if")
        self.load(code, "counted")
        self.load(code, "left")
        code.op("i32.sub", "i64.extend_i32_u")
        code.call(self.numbers["count"])
        self.store(code, "counted", lambda: self.load(code, "left"))
        code.op("end")
        return code

    def _enter_trap(self) -> Code:
        """(interrupt's cause or 0) -> 1 if the caller listens: takes a trap, which is a step."""
        code = Code(1)
        numbers = self.numbers
        code.call(numbers["synchronize"])
        code.get(0)
        code.open("if")
        code.get(0)
        code.const(I32, 0)
        code.call(numbers["interrupt"])
        code.op("else")
        self.load(code, "cause")
        self.load(code, "tval")
        code.call(numbers["exception"])
        code.op("end")
        code.call(numbers["count trap"])
        self.put(code, "trapped", 0)
        self._increment(code, "left", -1)
        self.store(code, "counted", lambda: self.load(code, "left"))
        # Is this a trap that the caller listens for?
        self.load(code, "listen")
        code.const(I32, 2)
        code.op("i32.eq")
        self.load(code, "listen")
        self.load(code, "mode")
        code.const(I32, M)
        code.op("i32.eq", "i32.and", "i32.or")
        return code

    def _run(self) -> Code:
        code = Code()
        numbers = self.numbers
        self.word, self.cause, self.jumped = (code.local(I32) for _ in range(3))
        self.slot, self.place, self.page = (code.local(I32) for _ in range(3))
        self.out = code.open("block")
        self.top = code.open("loop")
        self.load(code, "leave")
        code.open("if")
        self.put(code, "leave", 0)
        self._come_back(code, CODE)
        code.op("end")
        self._finish_if(code, "left", BUDGET, zero=True)
        code.call(numbers["settle"])
        self._take_interrupt(code)
        interpret = code.open("block")
        self._translated(code, interpret)
        code.op("end")
        self._interpret(code)
        code.branch(self.top)
        code.op("end", "end")
        code.call(numbers["synchronize"])
        return code

    def _come_back(self, code: Code, reason: int) -> None:
        self.put(code, "reason", reason)
        code.branch(self.out)

    def _finish_if(self, code: Code, name: str, reason: int, zero: bool = False) -> None:
        self.load(code, name)
        if zero:
            code.op("i32.eqz")
        code.open("if")
        self._come_back(code, reason)
        code.op("end")

    def _take_interrupt(self, code: Code) -> None:
        self.load(code, "mip")
        self.load(code, "wires")
        code.op("i32.or")
        self.load(code, "mie")
        code.op("i32.and")
        code.open("if")
        code.call(self.numbers["pending"])
        code.tee(self.cause)
        code.open("if")
        code.get(self.cause)
        self._trap(code)
        code.op("end", "end")

    def _trap(self, code: Code) -> None:
        """Takes the trap on the stack, and goes on with the handler, or comes back."""
        code.call(self.numbers["enter_trap"])
        code.open("if")
        self._come_back(code, TRAPPED)
        code.op("end")
        code.const(I32, 1)
        code.set(self.jumped)
        code.branch(self.top)

    def _translated(self, code: Code, interpret: int) -> None:
        """Runs the translation of the code at pc, if there is one; else leaves the block."""
        at = self.layout.at
        # page: what tells apart translations for one virtual address.
        self.load(code, "linear")
        code.open("if")
        code.const(I32, 1)
        code.set(self.page)
        code.op("else")
        self._execute_entry(code)
        code.branch(interpret, "br_if")
        code.get(self.place)
        code.access("i32.load", 4)
        self.load(code, "pc")
        code.const(I32, PAGE_MASK)
        code.op("i32.and", "i32.add")
        code.set(self.page)
        code.op("end")
        self._place(code, PLACES, 4)
        code.access("i32.load", at["places"])
        self.load(code, "pc")
        code.op("i32.eq")
        code.get(self.place)
        code.access("i32.load", at["places"] + 4)
        code.get(self.page)
        code.op("i32.eq", "i32.and")
        code.open("if")
        code.get(self.place)
        code.access("i32.load", at["places"] + 8)
        code.call_indirect(self.module.type_of((), (I32,)))
        code.tee(self.place)
        code.const(I32, ENDING)
        code.op("i32.ne")
        code.set(self.jumped)
        code.get(self.place)
        code.const(I32, 0)
        code.op("i32.ne")
        self.load(code, "left")
        code.const(I32, 0)
        code.op("i32.ne", "i32.and", "i32.eqz")
        code.branch(self.top, "br_if")
        code.branch(interpret)
        code.op("end")
        code.get(self.jumped)
        code.open("if")
        self._warm(code)
        code.op("end")

    def _execute_entry(self, code: Code) -> None:
        """Pushes whether nothing is remembered of the page at pc; its entry is in `place`."""
        self.load(code, "execute_table")
        self.load(code, "pc")
        code.const(I32, 9)
        code.op("i32.shr_u")
        code.const(I32, (ENTRIES - 1) << 3)
        code.op("i32.and", "i32.add")
        code.tee(self.place)
        code.access("i32.load", 0)
        self.load(code, "pc")
        code.const(I32, PAGE_MASK)
        code.op("i32.and", "i32.ne")

    def _place(self, code: Code, entries: int, shift: int) -> None:
        """Pushes, and keeps in `place`, the offset of the entry for pc in a table."""
        self.load(code, "pc")
        code.const(I32, 1)
        code.op("i32.shr_u")
        code.const(I32, entries - 1)
        code.op("i32.and")
        code.const(I32, shift)
        code.op("i32.shl")
        code.tee(self.place)

    def _warm(self, code: Code) -> None:
        """Counts the arrivals at pc; comes back where it is worth translating."""
        heat = self.layout.at["heat"]
        code.const(I32, 0)
        code.set(self.jumped)
        self._place(code, HEAT, 3)
        code.access("i32.load", heat)
        self.load(code, "pc")
        code.op("i32.ne")
        code.open("if")
        code.get(self.place)
        self.load(code, "pc")
        code.access("i32.store", heat)
        code.get(self.place)
        code.const(I32, 0)
        code.access("i32.store", heat + 4)
        code.op("end")
        code.get(self.place)
        code.get(self.place)
        code.access("i32.load", heat + 4)
        code.const(I32, 1)
        code.op("i32.add")
        code.access("i32.store", heat + 4)
        code.get(self.place)
        code.access("i32.load", heat + 4)
        self.load(code, "threshold")
        code.op("i32.eq")
        code.open("if")
        self._come_back(code, HOT)
        code.op("end")

    def _interpret(self, code: Code) -> None:
        """Executes the instruction at pc."""
        numbers = self.numbers
        self._fetch(code)
        code.get(self.word)
        code.call(numbers["begin"])
        code.set(self.word)
        self._decode(code)
        system = code.open("block")
        code.get(self.word)
        code.const(I32, 0x7F)
        code.op("i32.and")
        code.const(I32, SYSTEM)
        code.op("i32.ne")
        code.branch(system, "br_if")
        code.call(numbers["synchronize"])
        code.op("end")
        code.get(self.word)
        code.get(self.slot)
        code.call_indirect(self.module.type_of((I32,), ()))
        self._check_trap(code)
        # Has it jumped, be it to itself?
        self.load(code, "next_pc")
        self.load(code, "pc")
        code.op("i32.sub")
        code.const(I32, 1)
        code.op("i32.sub")
        code.const(I32, 3)
        code.op("i32.gt_u")
        code.get(self.jumped)
        code.op("i32.or")
        code.set(self.jumped)
        self.store(code, "pc", lambda: self.load(code, "next_pc"))
        self._increment(code, "left", -1)
        self._finish_if(code, "waiting", WAITING)

    def _check_trap(self, code: Code) -> None:
        """Takes the trap of the instruction at pc, if it has trapped."""
        self.load(code, "trapped")
        code.open("if")
        self.load(code, "trapped")
        code.const(I32, 2)
        code.op("i32.eq")
        code.open("if")
        self.put(code, "trapped", 0)
        self._come_back(code, DEVICE)
        code.op("end")
        code.const(I32, 0)
        self._trap(code)
        code.op("end")

    def _fetch(self, code: Code) -> None:
        """Reads the word at pc: directly, where it is known to be open to that."""
        layout = self.layout
        fetched = code.open("block")
        slowly = code.open("block")
        self.load(code, "linear")
        code.open("if")
        self.load(code, "pc")
        code.const(I32, layout.ram_base)
        code.op("i32.sub")
        code.tee(self.place)
        code.const(I32, layout.size - 4)
        code.op("i32.gt_u")
        code.branch(slowly, "br_if")
        code.get(self.place)
        code.access("i32.load", layout.at["ram"])
        code.set(self.word)
        code.branch(fetched)
        code.op("end")
        # Two bytes before its end, a page might not hold all of the word.
        self.load(code, "pc")
        code.const(I32, 0xFFF)
        code.op("i32.and")
        code.const(I32, 0xFFC)
        code.op("i32.gt_u")
        code.branch(slowly, "br_if")
        self._execute_entry(code)
        code.branch(slowly, "br_if")
        code.get(self.place)
        code.access("i32.load", 4)
        self.load(code, "pc")
        code.op("i32.add")
        code.access("i32.load", 0)
        code.set(self.word)
        code.branch(fetched)
        code.op("end")
        code.call(self.numbers["fetch"])
        code.set(self.word)
        self._check_trap(code)
        self.load(code, "linear")
        code.branch(fetched, "br_if")
        self.load(code, "pc")
        code.call(self.numbers["remember_execute2" if layout.config.has_c else "remember_execute4"])
        code.op("drop", "end")

    def _decode(self, code: Code) -> None:
        """Finds the slot of the word's handler: remembered, or found in the encoding table."""
        decoded = self.layout.at["decoded"]
        code.get(self.word)
        code.const(I32, 0x9E3779B1)
        code.op("i32.mul")
        code.const(I32, 20)
        code.op("i32.shr_u")
        code.const(I32, DECODED - 1)
        code.op("i32.and")
        code.const(I32, 3)
        code.op("i32.shl")
        code.tee(self.place)
        code.access("i32.load", decoded)
        code.get(self.word)
        code.op("i32.ne")
        code.open("if")
        code.get(self.place)
        code.get(self.word)
        code.access("i32.store", decoded)
        code.get(self.place)
        code.get(self.word)
        code.call(self.numbers["decode"])
        code.access("i32.store", decoded + 4)
        code.op("end")
        code.get(self.place)
        code.access("i32.load", decoded + 4)
        code.set(self.slot)


def _result_width(block: Block) -> int:
    """The width of what a traced function returns, 0 for nothing."""
    end = block.end
    if isinstance(end, Fork):
        return _result_width(end.yes) or _result_width(end.no)
    if isinstance(end, Raise) or end.value is None:
        return 0
    return end.value.width


class _Traced:
    """Writes a traced function: a tree of ifs whose leaves return."""

    def __init__(self, core: _Core, trace: Trace) -> None:
        self.core, self.trace = core, trace
        self.layout = core.layout
        self.code = Code(len(trace.params))
        values = Values(self.code, count_uses(trace.body))
        values.locals = {param: number for number, param in enumerate(trace.params)}
        self._block(trace.body, values)
        self.code.op("unreachable")

    def _block(self, block: Block, values: Values) -> None:
        code, core = self.code, self.core
        for op in block.ops:
            self._op(op, values)
        end = block.end
        if isinstance(end, Fork):
            outcome = values.constant(end.condition)
            if outcome is not None:
                self._block(end.yes if outcome else end.no, values)
                return
            values.push(end.condition)
            code.open("if")
            self._block(end.yes, values.fork())
            code.op("end")
            self._block(end.no, values)
            return
        if isinstance(end, Raise):
            core.store(code, "cause", lambda: values.push(end.cause))
            core.store(code, "tval", lambda: values.push(end.tval))
            self._leave(1)
            return
        if end.value is not None:
            values.push(end.value)
        code.op("return")

    def _leave(self, trapped: int) -> None:
        """Returns, with the word `trapped` set where that is not 0."""
        if trapped:
            self.core.put(self.code, "trapped", trapped)
        if self.trace.returns:
            self.code.const(kind_of(self.trace.returns), 0)
        self.code.op("return")

    def _op(self, op: Op, values: Values) -> None:
        code = self.code
        if op.kind == "set":
            self._set(op.name, op.args[0], values)
        elif op.kind == "get":
            self.core.load(code, op.name)
        elif op.kind == "get_item":
            self._index(op, values)
            code.access("i32.load", self.layout.at[op.name])
        elif op.kind == "set_item":
            self._index(op, values)
            values.push(op.args[1])
            code.access("i32.store", self.layout.at[op.name])
            if op.name != "x":
                self.core.put(code, "flush", 1)
        elif op.kind == "storage":
            getattr(self, "_" + op.name)(op, values)
            return
        else:
            for arg in op.args:
                values.push(arg)
            code.call(self.core.numbers[op.name])
        if op.result is not None:
            values.bind(op.result)
        if op.kind == "call" and op.name in self.core.trapping:
            self.core.load(code, "trapped")
            code.open("if")
            self._leave(0)
            code.op("end")

    def _set(self, name: str, value: Expr, values: Values) -> None:
        """Changes a word; notes what follows for translation."""
        code, core = self.code, self.core
        if name == "mstatus":
            core.load(code, "mstatus")
            values.push(value)
            code.op("i32.xor")
            code.const(I32, 1 << MXR)
            code.op("i32.and")
            code.open("if")
            core.put(code, "flush", 1)
            code.op("end")
        core.store(code, name, lambda: values.push(value))
        if name == "satp":
            core.put(code, "flush", 1)
        if name in ("satp", "mstatus", "mode"):
            core.put(code, "regime_changed", 1)

    def _index(self, op: Op, values: Values) -> None:
        values.push(op.args[0])
        self.code.const(I32, {4: 2, 8: 3}[self.layout.bytes_of(op.name)])
        self.code.op("i32.shl")

    # -- storage ---------------------------------------------------------------------------------

    def _is_ram(self, op: Op, values: Values) -> None:
        self._in_ram(op, values)
        assert op.result is not None
        values.bind(op.result)

    def _in_ram(self, op: Op, values: Values) -> None:
        code, layout = self.code, self.layout
        values.push(op.args[0])
        code.const(I64, layout.ram_base)
        code.op("i64.sub")
        code.const(I64, layout.size - op.size)
        code.op("i64.le_u")

    def _reaches(self, op: Op, values: Values) -> None:
        """What is not RAM is for Python to decide, before the instruction has changed anything."""
        self._in_ram(op, values)
        self.code.op("i32.eqz")
        self.code.open("if")
        self._leave(2)
        self.code.op("end")
        assert op.result is not None
        values.known[op.result] = 1

    def _read(self, op: Op, values: Values) -> None:
        code = self.code
        if self.trace.key.name == "walk":
            values.push(op.args[0])
            code.op("i32.wrap_i64")
            code.call(self.core.numbers["mark"])
        values.push(op.args[0])
        code.op("i32.wrap_i64")
        code.const(I32, self.layout.ram_base)
        code.op("i32.sub")
        code.access("i32.load" + BITS[op.size], self.layout.at["ram"])
        assert op.result is not None
        values.bind(op.result)

    def _write(self, op: Op, values: Values) -> None:
        values.push(op.args[0])
        self.code.op("i32.wrap_i64")
        values.push(op.args[1])
        if self.trace.key.name != "walk":
            self.code.call(self.core.numbers[f"write{op.size}"])
            return
        # A and D bits that a walk sets take no right away: what is remembered stays right.
        before = self.code.local(I32)
        self.core.load(self.code, "flush")
        self.code.set(before)
        self.code.call(self.core.numbers[f"write{op.size}"])
        self.core.store(self.code, "flush", lambda: self.code.get(before))
