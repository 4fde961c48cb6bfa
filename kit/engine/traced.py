"""A traced function as WebAssembly: a tree of ifs whose leaves return."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from kit.bits import Expr
from kit.engine.layout import ABSENT, READ, VALUED, WRITING, WRITTEN, Layout
from kit.engine.paths import Block, Fork, Key, Op, Raise, Trace
from kit.engine.state import StateCode
from kit.engine.wasm import I32, I64
from kit.engine.wasm_expr import BITS, Values, all_ops, count_uses, kind_of

__all__ = ["result_width", "traced_code"]

MXR = 19


def result_width(block: Block) -> int:
    """The width of what a traced function returns, 0 for nothing."""
    end = block.end
    if isinstance(end, Fork):
        return result_width(end.yes) or result_width(end.no)
    if isinstance(end, Raise) or end.value is None:
        return 0
    return end.value.width


def traced_code(
    trace: Trace, layout: Layout, numbers: Mapping[Any, int], trapping: Set[Key]
) -> StateCode:
    """The function of a trace.

    `numbers` are those of the functions it may call; those in `trapping` may leave the word
    `trapped` set, and then so does this one.
    """
    return _Traced(trace, layout, numbers, trapping).code


class _Traced:
    def __init__(
        self, trace: Trace, layout: Layout, numbers: Mapping[Any, int], trapping: Set[Key]
    ) -> None:
        self.trace, self.layout = trace, layout
        self.numbers, self.trapping = numbers, trapping
        self.code = StateCode(layout, len(trace.params))
        values = Values(self.code, count_uses(trace.body))
        values.locals = {param: number for number, param in enumerate(trace.params)}
        self._block(trace.body, values)
        self.code.op("unreachable")

    def _block(self, block: Block, values: Values) -> None:
        code = self.code
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
            code.store("cause", lambda: values.push(end.cause))
            code.store("tval", lambda: values.push(end.tval))
            self._leave(1)
            return
        if end.value is not None:
            values.push(end.value)
        code.op("return")

    def _leave(self, trapped: int) -> None:
        """Returns, with the word `trapped` set where that is not 0."""
        if trapped:
            self.code.put("trapped", trapped)
        if self.trace.returns:
            self.code.const(kind_of(self.trace.returns), 0)
        self.code.op("return")

    def _op(self, op: Op, values: Values) -> None:
        code = self.code
        if op.kind == "set":
            self._set(op.name, op.args[0], values)
        elif op.kind == "get":
            code.load(op.name)
        elif op.kind == "get_item":
            self._index(op, values)
            code.access("i32.load", self.layout.at[op.name])
        elif op.kind == "set_item":
            self._index(op, values)
            values.push(op.args[1])
            code.access("i32.store", self.layout.at[op.name])
            if op.name != "x":
                code.put("flush", 1)
        elif op.kind == "storage":
            getattr(self, "_" + op.name)(op, values)
            return
        elif op.name.name == "translate" and self._kind():
            self._translate(op, values)
            return
        else:
            self._call(op, values)
            return
        if op.result is not None:
            values.bind(op.result)

    def _call(self, op: Op, values: Values) -> None:
        code = self.code
        for arg in op.args:
            values.push(arg)
        code.call(self.numbers[op.name])
        if op.result is not None:
            values.bind(op.result)
        if op.name in self.trapping:
            code.load("trapped")
            code.open("if")
            self._leave(0)
            code.op("end")

    def _translate(self, op: Op, values: Values) -> None:
        """Where a device has been accessed, that is where: tables may have changed meanwhile."""
        code = self.code
        assert op.result is not None
        for arg in op.args:  # before the `if`, since what is computed in it is not known behind
            if arg not in values.locals:
                values.push(arg)
                values.bind(arg)
        code.load("outside")
        code.const(I32, READ)
        code.op("i32.lt_u")
        code.open("if")
        self._call(op, values)
        code.op("else")
        code.load("outside_address")
        if kind_of(op.result.width) == I64:
            code.op("i64.extend_i32_u")
        code.set(values.locals[op.result])
        code.op("end")

    def _set(self, name: str, value: Expr, values: Values) -> None:
        """Changes a word; notes what follows for translation."""
        code = self.code
        if name == "mstatus":
            code.load("mstatus")
            values.push(value)
            code.op("i32.xor")
            code.const(I32, 1 << MXR)
            code.op("i32.and")
            code.open("if")
            code.put("flush", 1)
            code.op("end")
        code.store(name, lambda: values.push(value))
        if name == "satp":
            code.put("flush", 1)
        if name in ("satp", "mstatus", "mode"):
            code.put("regime_changed", 1)

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
        """What is not RAM, Python is asked about, before the instruction has changed anything."""
        code = self.code
        assert op.result is not None
        self._in_ram(op, values)
        values.bind(op.result)
        code.get(values.locals[op.result])
        code.op("i32.eqz")
        code.open("if")
        code.load("outside")
        code.op("i32.eqz")
        code.open("if")
        code.store("outside_kind", lambda: self._push_kind(op, values))
        code.store("outside_address", lambda: self._push_address(op, values))
        code.put("outside_size", op.size)
        self._leave(2)
        code.op("end")
        code.load("outside")
        code.const(I32, ABSENT)
        code.op("i32.ne")
        code.set(values.locals[op.result])
        code.op("end")

    def _kind(self) -> int:
        """What is done to what `reaches` asked for: 0 if that is not simply a load or a store."""
        kinds = {op.name for op in all_ops(self.trace.body) if op.kind == "storage"}
        if kinds == {"reaches", "read"}:
            return READ
        return WRITING if kinds == {"reaches", "write"} else 0

    def _push_kind(self, op: Op, values: Values) -> None:
        """As `_kind`; also 0 for an address of more than 32 bits."""
        values.push(op.args[0])
        self.code.const(I64, 32)
        self.code.op("i64.shr_u", "i64.eqz")
        self.code.const(I32, self._kind())
        self.code.op("i32.mul")

    def _push_address(self, op: Op, values: Values) -> None:
        values.push(op.args[0])
        self.code.op("i32.wrap_i64")

    def _read(self, op: Op, values: Values) -> None:
        code = self.code
        if self.trace.key.name == "walk":
            values.push(op.args[0])
            code.op("i32.wrap_i64")
            code.call(self.numbers["mark"])
        assert op.result is not None
        result = code.local(kind_of(op.result.width))
        values.locals[op.result] = result
        if self._kind() == READ:
            self._in_ram(op, values)
            code.op("i32.eqz")
            code.open("if")
            code.load("outside_value")
            code.set(result)
            code.op("else")
        self._push_address(op, values)
        code.const(I32, self.layout.ram_base)
        code.op("i32.sub")
        code.access("i32.load" + BITS[op.size], self.layout.at["ram"])
        code.set(result)
        if self._kind() == READ:
            code.op("end")

    def _write(self, op: Op, values: Values) -> None:
        if self._kind() == WRITING:
            self._write_outside(op, values)
        self._push_address(op, values)
        values.push(op.args[1])
        if self.trace.key.name != "walk":
            self.code.call(self.numbers[f"write{op.size}"])
            if self._kind() == WRITING:
                self.code.op("end")
            return
        # A and D bits that a walk sets take no right away: what is remembered stays right.
        before = self.code.local(I32)
        self.code.load("flush")
        self.code.set(before)
        self.code.call(self.numbers[f"write{op.size}"])
        self.code.store("flush", lambda: self.code.get(before))

    def _write_outside(self, op: Op, values: Values) -> None:
        """Hands the value for a device to Python, or goes on if that has it; ``else`` is RAM."""
        code = self.code
        self._in_ram(op, values)
        code.op("i32.eqz")
        code.open("if")
        code.load("outside")
        code.const(I32, WRITTEN)
        code.op("i32.ne")
        code.open("if")
        code.store("outside_value", lambda: values.push(op.args[1]))
        code.put("outside", VALUED)
        self._leave(2)
        code.op("end", "else")
