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

from kit.bits import Bits
from kit.engine.layout import ACCESSES, Layout
from kit.engine.paths import Definitions, Key, Op, Trace
from kit.engine.questions import begin, decode, handler, illegal, linear, page_is_open, regime
from kit.engine.remembering import Remembering
from kit.engine.running import Running
from kit.engine.traced import result_width, traced_code
from kit.engine.wasm import I32, Code, Module
from kit.engine.wasm_expr import all_ops, kind_of, raises
from kit.isa.encoding import Decoder
from kit.isa.step import count
from kit.isa.storage import fetch
from kit.isa.translation import translate
from kit.isa.trap import pending_interrupt, take_trap

__all__ = ["core_module"]

SIZES = (1, 2, 4)


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
            *((("translate", a, s), translate, (word, s, a)) for a in ACCESSES for s in SIZES),
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
        exported = [
            "run",
            "drop",
            "chain",
            *(f"remember_{a}{s}" for a in ACCESSES[:2] for s in SIZES),
        ]
        self.module.exports = [(name, self.numbers[name]) for name in exported]

    def _trace(self, function: Callable[..., Any], shape: tuple[Any, ...]) -> Trace:
        trace = self.definitions.trace(function, shape)
        if trace.returns is None:
            widths = [result_width(trace.body)]
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
        names = [*self.traces, *families, *Remembering.names, *Running.names]
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
            self.module.functions.append(
                ((params, results), traced_code(trace, self.layout, self.numbers, self.trapping))
            )
        for key, members in self.families.items():
            self._add(self._family(key, members), *self._family_shape(members))
        for code, shape in Remembering(self.layout, self.numbers).functions():
            self._add(code, *shape)
        for code, shape in Running(self.layout, self.numbers, self.module).functions():
            self._add(code, *shape)

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
