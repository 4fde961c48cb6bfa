"""Traced definitions as WebAssembly: the way to the fast engine.

Every word is an i64. The state lies in the module's memory, eight bytes a word, at the offsets of
`layout`. Storage operations are imported functions of the module ``bus``, named with the size of
the access (``read4``). A function that traps stores cause and value at ``cause`` and ``tval``, sets
``trapped``, and returns; so does its caller.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from kit.bits import Expr
from kit.engine.paths import Block, Definitions, Fork, Key, Op, Raise, Trace
from kit.engine.python_code import function_name
from kit.isa.cpu import ARRAYS, WORDS

__all__ = ["layout", "wasm_module"]

I64, VOID_BLOCK = 0x7E, 0x40
IF, ELSE, END, RETURN, CALL, SELECT = 0x04, 0x05, 0x0B, 0x0F, 0x10, 0x1B
LOCAL_GET, LOCAL_SET, LOAD, STORE, CONST = 0x20, 0x21, 0x29, 0x37, 0x42
UNREACHABLE, LOCAL_TEE, CONST_I32 = 0x00, 0x22, 0x41
EQZ, EQ, LT_S, LT_U, EQZ_I32 = 0x50, 0x51, 0x53, 0x54, 0x45
WRAP, EXTEND_U = 0xA7, 0xAD
BINARY = {"add": 0x7C, "sub": 0x7D, "mul": 0x7E, "and": 0x83, "or": 0x84, "xor": 0x85}
SHL, SHR_S, SHR_U, DIV_U, REM_U = 0x86, 0x87, 0x88, 0x80, 0x82


def layout() -> dict[str, int]:
    """Where each word (or the first word of each file) lies in the module's memory, in bytes."""
    places, at = {}, 0
    for name in ("trapped", "cause", "tval", *WORDS):
        places[name] = at
        at += 8
    for name, (count, _) in ARRAYS.items():
        places[name] = at
        at += 8 * count
    return places


def uleb(value: int) -> bytes:
    """An unsigned number in LEB128."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def sleb(value: int) -> bytes:
    """A signed number of 64 bits in LEB128."""
    value = (value ^ 1 << 63) - (1 << 63)
    out = bytearray()
    while not -64 <= value < 64:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value & 0x7F])


def _vector(parts: Iterable[bytes]) -> bytes:
    items = list(parts)
    return uleb(len(items)) + b"".join(items)


def _section(number: int, parts: Iterable[bytes]) -> bytes:
    body = _vector(parts)
    return bytes([number]) + uleb(len(body)) + body


def _name(text: str) -> bytes:
    return uleb(len(text)) + text.encode()


def wasm_module(definitions: Definitions, wanted: Iterable[Trace]) -> bytes:
    """A module that exports the wanted functions, under their Python names, and its memory.

    It holds every function that they call, but none that selects by a number that is not known.
    """
    traces: dict[Key, Trace] = {}
    queue = list(wanted)
    exported = [trace.key for trace in queue]
    while queue:
        trace = queue.pop()
        if trace.key not in traces:
            traces[trace.key] = trace
            queue += [definitions.traces[op.name] for op in _ops(trace.body) if op.kind == "call"]
    imports = sorted({_import(op) for t in traces.values() for op in _ops(t.body) if _import(op)})
    return _Module(traces, imports, exported).binary()


def _ops(block: Block) -> Iterable[Op]:
    yield from block.ops
    if isinstance(block.end, Fork):
        yield from _ops(block.end.yes)
        yield from _ops(block.end.no)


def _import(op: Op) -> tuple[str, int, bool]:
    """Of a storage operation: the imported function's name, its arguments, has it a result."""
    if op.kind != "storage":
        return ("", 0, False)
    return (f"{op.name}{op.size}", len(op.args), op.result is not None)


class _Module:
    def __init__(
        self, traces: dict[Key, Trace], imports: list[tuple[str, int, bool]], exported: list[Key]
    ) -> None:
        self.traces = traces
        self.imports = [row for row in imports if row[0]]
        self.exported = exported
        self.places = layout()
        numbers = [name for name, _, _ in self.imports] + list(traces)
        self.number = {name: position for position, name in enumerate(numbers)}

    def binary(self) -> bytes:
        shapes = [(arity, result) for _, arity, result in self.imports]
        shapes += [(len(t.params), t.returns is not None) for t in self.traces.values()]
        types = sorted(set(shapes))
        first = len(self.imports)
        functions = [uleb(types.index(shape)) for shape in shapes[first:]]
        imports = [
            _name("bus") + _name(row[0]) + b"\0" + uleb(types.index((row[1], row[2])))
            for row in self.imports
        ]
        exports = [_name("memory") + b"\2\0"]
        exports += [_name(function_name(k)) + b"\0" + uleb(self.number[k]) for k in self.exported]
        code = [_Function(self, trace).body() for trace in self.traces.values()]
        return b"".join(
            [
                b"\0asm\1\0\0\0",
                _section(1, (self._type(*shape) for shape in types)),
                _section(2, imports),
                _section(3, functions),
                _section(5, [b"\0\1"]),
                _section(7, exports),
                _section(10, (uleb(len(body)) + body for body in code)),
            ]
        )

    @staticmethod
    def _type(arity: int, result: bool) -> bytes:
        return b"\x60" + _vector([bytes([I64])] * arity) + _vector([bytes([I64])] * result)


class _Function:
    """Writes the body of one function: a tree of ifs, whose leaves return."""

    def __init__(self, module: _Module, trace: Trace) -> None:
        self.module = module
        self.trace = trace
        self.code = bytearray()
        self.locals = {param: number for number, param in enumerate(trace.params)}
        self.uses: Counter[Expr] = Counter()
        self._count_block(trace.body)

    def body(self) -> bytes:
        self._block(self.trace.body, frozenset())
        # Every path has returned; this is for the validator.
        self.code.append(UNREACHABLE)
        self.code.append(END)
        extra = len(self.locals) - len(self.trace.params)
        return _vector([uleb(extra) + bytes([I64])]) + bytes(self.code)

    def _count_block(self, block: Block) -> None:
        end = block.end
        roots = [arg for op in block.ops for arg in op.args]
        if isinstance(end, Fork):
            roots.append(end.condition)
            self._count_block(end.yes)
            self._count_block(end.no)
        elif isinstance(end, Raise):
            roots += [end.cause, end.tval]
        elif end.value is not None:
            roots.append(end.value)
        while roots:
            node = roots.pop()
            self.uses[node] += 1
            if self.uses[node] == 1:
                roots += [arg for arg in node.args if isinstance(arg, Expr)]

    # -- statements --------------------------------------------------------------------------

    def _block(self, block: Block, known: frozenset[Expr]) -> None:
        seen = set(known)
        for op in block.ops:
            self._op(op, seen)
        end = block.end
        if isinstance(end, Fork):
            self._push(end.condition, seen)
            self.code += bytes([WRAP, IF, VOID_BLOCK])
            self._block(end.yes, frozenset(seen))
            self.code.append(END)
            self._block(end.no, frozenset(seen))
            return
        if isinstance(end, Raise):
            for name, node in (("cause", end.cause), ("tval", end.tval)):
                self._store(name, node, seen)
            self._store("trapped", Expr("const", 1, 1), seen)
            self._leave()
            return
        if end.value is not None:
            self._push(end.value, seen)
        self.code.append(RETURN)

    def _leave(self) -> None:
        if self.trace.returns is not None:
            self._const(0)
        self.code.append(RETURN)

    def _store(self, name: str, node: Expr, seen: set[Expr]) -> None:
        self._const_i32(self.module.places[name])
        self._push(node, seen)
        self.code += bytes([STORE, 3, 0])

    def _op(self, op: Op, seen: set[Expr]) -> None:
        code, places = self.code, self.module.places
        if op.kind == "set":
            self._store(op.name, op.args[0], seen)
            return
        if op.kind in ("get_item", "set_item"):
            self._push(op.args[0], seen)
            self._const(8)
            code += bytes([BINARY["mul"], WRAP])
            if op.kind == "set_item":
                self._push(op.args[1], seen)
                code += bytes([STORE, 3]) + uleb(places[op.name])
                return
            code += bytes([LOAD, 3]) + uleb(places[op.name])
        elif op.kind == "get":
            self._const_i32(places[op.name])
            code += bytes([LOAD, 3, 0])
        else:
            for arg in op.args:
                self._push(arg, seen)
            key = op.name if op.kind == "call" else _import(op)[0]
            code += bytes([CALL]) + uleb(self.module.number[key])
        if op.result is not None:
            code += bytes([LOCAL_SET]) + uleb(self._local(op.result))
            seen.add(op.result)
        if op.kind == "call":
            self._const_i32(places["trapped"])
            code += bytes([LOAD, 3, 0, WRAP, IF, VOID_BLOCK])
            self._leave()
            code.append(END)

    def _local(self, node: Expr) -> int:
        return self.locals.setdefault(node, len(self.locals))

    # -- expressions -------------------------------------------------------------------------

    def _const(self, value: int) -> None:
        self.code += bytes([CONST]) + sleb(value)

    def _const_i32(self, value: int) -> None:
        self.code += bytes([CONST_I32]) + sleb(value)

    def _push(self, node: Expr, seen: set[Expr]) -> None:
        if node.op == "const":
            self._const(node.args[0])
            return
        if node.op == "symbol" or node in seen:
            self.code += bytes([LOCAL_GET]) + uleb(self._local(node))
            return
        self._compute(node, seen)
        if self.uses[node] > 1:
            # A tee keeps the value for later uses that this one dominates.
            self.code += bytes([LOCAL_TEE]) + uleb(self._local(node))
            seen.add(node)

    def _compute(self, node: Expr, seen: set[Expr]) -> None:
        code = self.code
        if node.op == "select":
            condition, yes, no = node.args
            self._push(yes, seen)
            self._push(no, seen)
            self._push(condition, seen)
            code += bytes([WRAP, SELECT])
        elif node.op == "extract":
            self._push(node.args[0], seen)
            self._const(node.args[1])
            code.append(SHR_U)
            self._mask(node.width)
        elif node.op == "zext":
            self._push(node.args[0], seen)
        elif node.op == "sext":
            self._push_signed(node.args[0], seen)
            self._mask(node.width)
        else:
            self._binary(node, seen)

    def _binary(self, node: Expr, seen: set[Expr]) -> None:
        a, b = node.args
        code, width = self.code, a.width
        if node.op in ("lts", "sar"):
            self._push_signed(a, seen)
        else:
            self._push(a, seen)
        if node.op == "lts":
            self._push_signed(b, seen)
        else:
            self._push(b, seen)
        if node.op in BINARY:
            code.append(BINARY[node.op])
            if node.op in ("add", "sub", "mul"):
                self._mask(width)
        elif node.op in ("eq", "ltu", "lts"):
            code += bytes([{"eq": EQ, "ltu": LT_U, "lts": LT_S}[node.op], EXTEND_U])
        elif node.op in ("divu", "remu"):
            self._divide(node, a, b, seen)
        else:
            self._shift(node, b, seen)

    def _divide(self, node: Expr, a: Expr, b: Expr, seen: set[Expr]) -> None:
        """WebAssembly traps on a zero divisor, so it is divided by one, and the result replaced."""
        code = self.code
        self._push(b, seen)
        code += bytes([EQZ, EXTEND_U, BINARY["or"]])
        code.append(DIV_U if node.op == "divu" else REM_U)
        if node.op == "divu":
            self._const((1 << node.width) - 1)
        else:
            self._push(a, seen)
        self._push(b, seen)
        code += bytes([EQZ, EQZ_I32, SELECT])

    def _shift(self, node: Expr, amount: Expr, seen: set[Expr]) -> None:
        """WebAssembly takes amounts modulo 64; larger ones give zero, or the sign."""
        code = self.code
        operation = {"shl": SHL, "shr": SHR_U, "sar": SHR_S}[node.op]
        if node.op == "sar":
            # On the stack is the amount; an amount of 63 or more is as good as 63.
            self._const(63)
            self._push(amount, seen)
            self._const(63)
            code += bytes([LT_U, SELECT])
        code.append(operation)
        if node.op != "sar":
            self._const(0)
            self._push(amount, seen)
            self._const(node.width)
            code += bytes([LT_U, SELECT])
        self._mask(node.width)

    def _push_signed(self, node: Expr, seen: set[Expr]) -> None:
        self._push(node, seen)
        if node.width < 64:
            self._const(64 - node.width)
            self.code.append(SHL)
            self._const(64 - node.width)
            self.code.append(SHR_S)

    def _mask(self, width: int) -> None:
        if width < 64:
            self._const((1 << width) - 1)
            self.code.append(BINARY["and"])
