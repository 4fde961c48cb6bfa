"""WebAssembly's binary format: as much of it as generated code needs.

WebAssembly Core Specification, chapter 5. `Code` is the body of a function, written instruction
by instruction; `Module` collects functions and writes the binary. The addresses in it count from
the start of what a module may use; where that is not the start of the memory, `linked` adds it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["I32", "I64", "Code", "Module", "linked", "sleb", "uleb"]

I32, I64 = 0x7F, 0x7E
FUNCREF, VOID = 0x70, 0x40

_PLAIN = {
    "unreachable": 0x00, "else": 0x05, "end": 0x0B, "return": 0x0F, "drop": 0x1A, "select": 0x1B,
    "i32.wrap_i64": 0xA7, "i64.extend_i32_s": 0xAC, "i64.extend_i32_u": 0xAD,
    "i32.extend8_s": 0xC0, "i32.extend16_s": 0xC1,
    **{
        f"{kind}.{name}": first + number
        for kind, compare, compute in (("i32", 0x45, 0x6A), ("i64", 0x50, 0x7C))
        for first, names in (
            (compare, "eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u"),
            (compute, "add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr"),
        )
        for number, name in enumerate(names.split())
    },
}  # fmt: skip
_ACCESS = {
    "i32.load": 0x28, "i64.load": 0x29, "i32.load8_u": 0x2D, "i32.load16_u": 0x2F,
    "i32.store": 0x36, "i64.store": 0x37, "i32.store8": 0x3A, "i32.store16": 0x3B,
}  # fmt: skip
_BLOCKS = {"block": 0x02, "loop": 0x03, "if": 0x04}


def uleb(value: int) -> bytes:
    """An unsigned number in LEB128."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def sleb(value: int) -> bytes:
    """A signed number in LEB128."""
    out = bytearray()
    while not -64 <= value < 64:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)


def _address(value: int) -> bytes:
    """A number of 32 bits in LEB128, in five bytes whatever it is, so that it can be replaced."""
    return bytes((
        value & 0x7F | 0x80, value >> 7 & 0x7F | 0x80, value >> 14 & 0x7F | 0x80,
        value >> 21 & 0x7F | 0x80, value >> 28,
    ))  # fmt: skip


class Code:
    """The body of a function. Locals are numbered behind the parameters."""

    def __init__(self, params: int = 0) -> None:
        self.bytes = bytearray()
        self._addresses: list[tuple[int, int]] = []
        self._rare: list[int] = []
        self._params = params
        self._locals: list[int] = []
        self.depth = 0
        """How many blocks are open."""

    def local(self, kind: int) -> int:
        """A new local variable."""
        self._locals.append(kind)
        return self._params + len(self._locals) - 1

    def get(self, local: int) -> None:
        """Pushes a local."""
        self.bytes += b"\x20" + uleb(local)

    def set(self, local: int) -> None:
        """Pops into a local."""
        self.bytes += b"\x21" + uleb(local)

    def tee(self, local: int) -> None:
        """Stores the top of the stack in a local, too."""
        self.bytes += b"\x22" + uleb(local)

    def const(self, kind: int, value: int) -> None:
        """Pushes a constant: of any sign, taken modulo the width of its kind."""
        bits = 32 if kind == I32 else 64
        value = (value + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1))
        self.bytes += (b"\x41" if kind == I32 else b"\x42") + sleb(value)

    def op(self, *names: str) -> None:
        """Instructions without operands of their own."""
        for name in names:
            self.bytes.append(_PLAIN[name])
            self.depth -= name == "end"

    def access(self, name: str, offset: int) -> None:
        """A load or store at the address on the stack plus `offset`."""
        self.bytes += bytes([_ACCESS[name], 0])
        self._addresses.append((len(self.bytes), offset))
        self.bytes += _address(offset)

    def open(self, name: str) -> int:
        """Opens a block, loop or if without a result; returns how many were open before."""
        self.bytes += bytes([_BLOCKS[name], VOID])
        self.depth += 1
        return self.depth - 1

    def branch(self, block: int, name: str = "br") -> None:
        """Leaves the block (or repeats the loop) that `open` returned `block` for."""
        opcode = {"br": 0x0C, "br_if": 0x0D}[name]
        self.bytes += bytes([opcode]) + uleb(self.depth - 1 - block)

    def rarely(self) -> None:
        """Says that the condition of the ``if`` or ``br_if`` that follows is seldom true."""
        self._rare.append(len(self.bytes))

    def call(self, function: int) -> None:
        """Calls a function of the module by its number."""
        self.bytes += b"\x10" + uleb(function)

    def call_indirect(self, kind: int) -> None:
        """Calls the table's entry whose number is on the stack, as a function of type `kind`."""
        self.bytes += b"\x11" + uleb(kind) + b"\0"

    def tail_call(self, function: int) -> None:
        """Ends this function, and calls one that returns in its place."""
        self.bytes += b"\x12" + uleb(function)

    def tail_call_indirect(self, kind: int) -> None:
        """As `call_indirect`, but in the place of this function."""
        self.bytes += b"\x13" + uleb(kind) + b"\0"

    def hints(self) -> list[int]:
        """Where branches stand that are seldom taken, counted from the declaration of locals."""
        return [len(self._declaration()) + place for place in self._rare]

    def _declaration(self) -> bytes:
        runs: list[list[int]] = []
        for kind in self._locals:
            if runs and runs[-1][1] == kind:
                runs[-1][0] += 1
            else:
                runs.append([1, kind])
        return uleb(len(runs)) + b"".join(uleb(n) + bytes([kind]) for n, kind in runs)

    def body(self) -> tuple[bytes, list[tuple[int, int]]]:
        """The whole body, with its size and the declaration of its locals.

        And the addresses in it: where each stands, and what it is.
        """
        head = self._declaration()
        head = uleb(len(head) + len(self.bytes) + 1) + head
        addresses = [(len(head) + place, address) for place, address in self._addresses]
        return head + bytes(self.bytes) + b"\x0b", addresses


Shape = tuple[tuple[int, ...], tuple[int, ...]]
"""The type of a function: its parameters and results."""


@dataclass
class Module:
    """Functions over an imported memory ``env.memory`` and an imported table ``env.table``.

    Functions are numbered from 0: first the imported ones (of ``env``), then those of the module.
    """

    imports: list[tuple[str, Shape]] = field(default_factory=list)
    functions: list[tuple[Shape, Code]] = field(default_factory=list)
    exports: list[tuple[str, int]] = field(default_factory=list)
    elements: list[tuple[int, int]] = field(default_factory=list)
    """What to put into the table: slot, and number of the function."""
    types: list[Shape] = field(default_factory=list)

    def type_of(self, params: Iterable[int] = (), results: Iterable[int] = ()) -> int:
        """The number of a function type."""
        shape = (tuple(params), tuple(results))
        if shape not in self.types:
            self.types.append(shape)
        return self.types.index(shape)

    def binary(self) -> bytes:
        """The module in WebAssembly's binary format, with a list of the addresses in it."""
        for shape in (*(row[1] for row in self.imports), *(row[0] for row in self.functions)):
            self.type_of(*shape)
        limits = b"\x01\0" + uleb(65536)
        imports = [_name("env") + _name("memory") + b"\2" + limits]
        imports.append(_name("env") + _name("table") + b"\1" + bytes([FUNCREF]) + b"\0\0")
        imports += [
            _name("env") + _name(name) + b"\0" + uleb(self.type_of(*shape))
            for name, shape in self.imports
        ]
        parts = [
            _section(1, [b"\x60" + _vector(bytes([k]) for k in p) + _vector(bytes([k]) for k in r)
                         for p, r in self.types]),
            _section(2, imports),
            _section(3, [uleb(self.type_of(*shape)) for shape, _ in self.functions]),
            _section(7, [_name(name) + b"\0" + uleb(number) for name, number in self.exports]),
            _section(9, [
                b"\0\x41" + sleb(slot) + b"\x0b\x01" + uleb(number)
                for slot, number in self.elements
            ]),
            self._branch_hints(),
        ]  # fmt: skip
        bodies = [code.body() for _, code in self.functions]
        binary = b"\0asm\1\0\0\0" + b"".join(parts) + _section(10, [body for body, _ in bodies])
        start = len(binary) - sum(len(body) for body, _ in bodies)
        rows = bytearray()
        for body, addresses in bodies:
            for place, address in addresses:
                rows += _ROW.pack(start + place, address)
            start += len(body)
        listed = _name("addresses") + rows + struct.pack("<I", len(rows))
        return binary + b"\0" + uleb(len(listed)) + listed

    def _branch_hints(self) -> bytes:
        """The custom section about branches that are seldom taken (proposal "branch hinting")."""
        rows = [
            uleb(number) + _vector(uleb(place) + b"\1\0" for place in code.hints())
            for number, (_, code) in enumerate(self.functions, len(self.imports))
            if code.hints()
        ]
        body = _name("metadata.code.branch_hint") + _vector(rows)
        return b"\0" + uleb(len(body)) + body if rows else b""


_ROW = struct.Struct("<II")


def linked(binary: bytes, base: int) -> bytes:
    """What `Module.binary` returned, with `base` added to the addresses."""
    (size,) = struct.unpack("<I", binary[-4:])
    out = bytearray(binary)
    for place, address in _ROW.iter_unpack(binary[-4 - size : -4]):
        out[place : place + 5] = _address(base + address)
    return bytes(out)


def _vector(parts: Iterable[bytes]) -> bytes:
    items = list(parts)
    return uleb(len(items)) + b"".join(items)


def _section(number: int, parts: list[bytes]) -> bytes:
    if not parts:
        return b""
    body = _vector(parts)
    return bytes([number]) + uleb(len(body)) + body


def _name(text: str) -> bytes:
    return uleb(len(text)) + text.encode()
