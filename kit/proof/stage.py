"""The kernel's own code on symbolic state: everything that it touches, with terms for numbers.

`Stage` sets up a `Kernel` and a `VirtualCpu` as objects of their own classes whose registers,
storage and shadow tables are symbolic. What the kernel does to storage and tables is either carried
out on terms or noted in `events`, as the contracts of those parts have it (lemmas *storage* and
*tables*).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from unittest import mock

import z3

from kit.isa.cpu import ARRAYS, WORDS
from kit.isa.encoding import Instruction
from kit.proof.contracts import PMP, WALK
from kit.proof.numbers import Number, Truth, number, word
from kit.proof.terms import Contract, Meaning, SymbolicState, is_ram
from kit.proof.world import World
from kit.vmm import kernel as kernel_module
from kit.vmm.kernel import Kernel, VirtualCpu, kernel_roles

__all__ = ["Stage", "SymbolicHart", "SymbolicSet", "operands_of"]


class _File:
    """A file of registers, which the kernel copies as a whole."""

    def __init__(self, hart: SymbolicHart, name: str) -> None:
        self._hart, self._name = hart, name

    @property
    def term(self) -> Any:
        """The array."""
        return self._hart.state.files[self._name]

    def __setitem__(self, which: slice, other: _File) -> None:
        assert which == slice(None)
        files = self._hart.state.files | {self._name: other.term}
        self._hart.state = replace(self._hart.state, files=files)


class SymbolicHart:
    """A hart whose words are numbers; `state` has them as terms."""

    state: SymbolicState

    def __init__(self, state: SymbolicState, config: Any) -> None:
        object.__setattr__(self, "state", state)
        object.__setattr__(self, "config", config)

    def __getattr__(self, name: str) -> Any:
        if name in ARRAYS:
            return _File(self, name)
        return number(self.state.words[name])

    def __setattr__(self, name: str, value: Any) -> None:
        if name in WORDS:
            width = self.state.words[name].size()
            value = replace(self.state, words=self.state.words | {name: word(value, width)})
            name = "state"
        object.__setattr__(self, name, value)


class SymbolicSet:
    """A set of numbers of which only what was added here is known."""

    def __init__(self, name: str, width: int) -> None:
        self._old = z3.Function(name, z3.BitVecSort(width), z3.BoolSort())
        self._width = width
        self.added: list[Any] = []
        self.cleared = False

    def has(self, value: Any) -> Any:
        """Is a number in it? (A term.)"""
        at = word(value, self._width)
        known = [at == other for other in self.added]
        return z3.Or(*known, z3.And(not self.cleared, self._old(at)))

    def __contains__(self, value: Any) -> bool:
        return bool(Truth(self.has(value)))

    def add(self, value: Any) -> None:
        """Adds a number."""
        self.added.append(word(value, self._width))

    def clear(self) -> None:
        """Takes everything out."""
        self.added, self.cleared = [], True


class _Storage:
    """The guest's storage as the dispatcher sees it: the hart's own, and each page in a frame."""

    pager = None

    def __init__(self, hart: SymbolicHart, plen: int, frame_of: Callable[[Any], Any]) -> None:
        self._hart, self._plen, self._frame_of = hart, plen, frame_of
        self.stale: Any = False
        self.evicted: Any = False
        self.attention: Any = False
        self.tables = SymbolicSet("is_table", plen)

    def is_ram(self, address: Any, size: int) -> Truth:
        return Truth(is_ram(word(address, self._plen), size))

    def read(self, address: Any, size: int) -> Number:
        return number(self._hart.state.octets(word(address, self._plen), size))

    def real_address(self, address: Any) -> Number:
        return number(self._frame_of(word(address, self._plen)))

    def guest_address(self, real: Any) -> Number:
        return number(self._frame_of(word(real, self._plen), back=True))  # type: ignore[call-arg]


class _Shadow:
    """Shadow tables of which the dispatcher's requests are noted."""

    def __init__(self, stage: Stage, plen: int) -> None:
        self._stage = stage
        self.protected = SymbolicSet("is_protected", plen)
        self._plen = plen

    @property
    def has_room(self) -> Truth:
        return Truth(z3.Bool("has_room"))

    def drop(self) -> None:
        self._stage.events.append(("drop",))
        self.protected.clear()

    def protect(self, frame: Any) -> None:
        self._stage.events.append(("protect", word(frame, self._plen)))
        self.protected.add(frame)

    def root(self, key: Any) -> Number:
        self._stage.events.append(("root", key))
        return number(z3.BitVec("root_table", self._plen))

    def map(self, key: Any, page: Any, frame: Any, rights: Any) -> None:
        self._stage.events.append(
            ("map", key, word(page, 32), word(frame, self._plen), word(rights, 3))
        )


class _Decoded:
    """What the kernel remembers of decoded words: nothing, so that each is decoded."""

    def __init__(self) -> None:
        self._found: Any = None

    def __len__(self) -> int:
        return 0

    def __contains__(self, word: Any) -> bool:
        return False

    def __setitem__(self, word: Any, found: Any) -> None:
        self._found = found

    def __getitem__(self, word: Any) -> Any:
        return self._found


class _Roles(Mapping[str, Callable[..., Any]]):
    """The kernel's traced functions by role, as the compiled ones are found."""

    def __init__(self, stage: Stage, contracts: Mapping[str, Contract]) -> None:
        self._stage = stage
        self._meaning: Meaning = stage.world.vmm(contracts)
        self._roles = kernel_roles(stage.world.config)

    def __getitem__(self, name: str) -> Callable[..., Any]:
        return lambda hart, *values: self._stage.act(self._meaning, self._roles, name, hart, values)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return self[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._roles)

    def __len__(self) -> int:
        return len(self._roles)


def operands_of(row: Instruction, instruction: Any, xlen: int) -> dict[str, Any]:
    """The operands of an instruction word, as the instruction's function takes them."""
    operands = {}
    for name in row.widths:
        pieces = sorted((f for f in row.fields if f.operand == name), key=lambda f: f.at)
        value = z3.BitVecVal(0, row.widths[name])
        for piece in pieces:
            bits = z3.Extract(piece.low + piece.size - 1, piece.low, instruction)
            value |= z3.ZeroExt(value.size() - piece.size, bits) << piece.at
        extended = z3.SignExt(xlen - value.size(), value) if row.is_signed(name) else value
        operands[name] = z3.simplify(extended)
    return operands


class Stage:
    """A kernel with one guest, all of whose registers are those of `world.start`.

    `frame_of` gives a frame for a page. An instruction word decodes to `row`, or to nothing.
    Interpreters, accesses and trap delivery do what the definition does, which is what the lemmas
    *emulation*, *access* and *reflection* say of them; `contracts` are those of all other calls.
    """

    def __init__(
        self,
        world: World,
        frame_of: Callable[[Any], Any],
        row: Instruction | None = None,
        contracts: Mapping[str, Contract] | None = None,
    ) -> None:
        self.world = world
        self.events: list[tuple[Any, ...]] = []
        self.row = row
        config = world.config
        self.hart = SymbolicHart(world.start, config)
        host = SymbolicState.unknown(world.isa().definitions, "host ")
        self.real = SymbolicHart(host, config)
        self.storage = _Storage(self.hart, config.plen, frame_of)
        self.shadow = _Shadow(self, config.plen)
        roles = _Roles(self, {**WALK, **PMP} if contracts is None else contracts)
        self.vcpu = self._vcpu(roles)
        self.kernel = self._kernel()

    def _vcpu(self, roles: _Roles) -> Any:
        vcpu: Any = object.__new__(VirtualCpu)
        vcpu.name, vcpu.failure, vcpu.on_machine_trap = "guest", "", None
        vcpu.hart, vcpu.storage, vcpu.shadow = self.hart, self.storage, self.shadow
        vcpu.v = self
        vcpu.decoder, vcpu.decoded = self, _Decoded()
        vcpu.interpreters = vcpu.code = roles
        vcpu.counts = Counter()
        return vcpu

    def _kernel(self) -> Any:
        kernel: Any = object.__new__(Kernel)
        bus = SimpleNamespace(write=self._write_timer)
        kernel.machine = SimpleNamespace(bus=bus, breakpoints=())
        kernel.real, kernel.recorder, kernel._current = self.real, None, self.vcpu
        kernel._budget, kernel._left, kernel._entered, kernel._deadline = (
            number(z3.BitVec(name, 64)) for name in ("budget", "left", "entered", "deadline")
        )
        return kernel

    def _write_timer(self, address: int, size: int, value: Any) -> None:
        self.events.append(("timer", address, word(value, 8 * size)))

    def explore(self, function: Callable[[], Any]) -> Any:
        """What `function` returns; where it has the definition make a step, that is noted."""
        with mock.patch.object(kernel_module, "step", self._definition_step):
            return function()

    def _definition_step(self, cpu: Any, decoder: Any) -> None:
        """A step by `kit.isa.step`, right by definition: afterwards all registers are unknown."""
        definitions = self.world.isa().definitions
        self.hart.state = SymbolicState.unknown(definitions, "stepped ")
        self.events.append(("definition",))

    # -- what the kernel calls ---------------------------------------------------------------

    def decode(self, instruction: Any) -> Any:
        """In place of the decoder: `row` with its operands (lemma *decoder*), or nothing."""
        if self.row is None:
            return None
        values = operands_of(self.row, word(instruction, 32), self.world.config.xlen)
        return self.row, {name: number(value) for name, value in values.items()}

    def act(
        self, meaning: Meaning, roles: Any, name: str, hart: SymbolicHart, values: tuple[Any, ...]
    ) -> Number | None:
        """Runs a function of the kernel, or does what a lemma says that it does."""
        world, xlen = self.world, self.world.config.xlen
        if name == "deliver_exception":
            cause, value = (word(v, xlen) for v in values)
            hart.state = world.trap(world.isa(), hart.state, cause, value, False)
            return None
        if name in world.rows:
            row = world.rows[name]
            shape = roles[name][1]
            operands = {
                operand: word(value, bits.width)
                for operand, bits, value in zip(row.widths, shape, values, strict=True)
            }
            self.events.append(("step", name, operands, hart.state))
            hart.state = world.bare_step(row, operands, hart.state, WALK)
            return None
        function, shape = roles[name]
        given = iter(values)
        args = [word(next(given), arg.width) if hasattr(arg, "node") else arg for arg in shape]
        done = meaning.call(function, hart.state, *args)
        hart.state = done.state
        return None if done.value is None else number(done.value)
