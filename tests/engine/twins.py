"""Twins: a machine on the reference engine and one on the fast engine that should do the same.

What is compared: how runs end, every word of the state that a program can see, steps, and RAM.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import wasmtime

from kit import Machine
from kit.engine.fast import FastEngine
from kit.engine.translations import FIRST_SLOT
from kit.isa.config import Config
from kit.isa.image import Image
from kit.machine.computer import Computer
from kit.machine.protocol import Stop

SCRATCH = ("next_pc", "instruction")
"""Words that have a meaning only within a step."""

GO_ON = 77
"""What a translation gives here instead of calling the next one."""
COUNTING = """
(module
  (import "env" "memory" (memory 0))
  (import "env" "steps" (global $steps (mut i64)))
  (import "env" "translation" (func $translation (result i32)))
  (import "env" "chain" (func $chain (result i32)))
  (func (export "counted") (result i32)
    (local $before i32) (local $result i32)
    (local.set $before (i32.load (i32.const {left})))
    (local.set $result (call $translation))
    (global.set $steps (i64.add (global.get $steps)
      (i64.extend_i32_u (i32.sub (local.get $before) (i32.load (i32.const {left}))))))
    (if (i32.eq (local.get $result) (i32.const {go_on})) (then (return_call $chain)))
    (local.get $result)))
"""
GOING_ON = '(module (func (export "go_on") (result i32) (i32.const {go_on})))'


class Meter:
    """Counts the translations that an engine makes from now on, and the steps made within them."""

    def __init__(self, engine: FastEngine) -> None:
        self._runtime: Any = engine._runtime
        self._load = self._runtime.load
        self._slot = FIRST_SLOT
        store = self._runtime.store
        kind = wasmtime.GlobalType(wasmtime.ValType.i64(), True)
        self._steps = wasmtime.Global(store, kind, wasmtime.Val.i64(0))
        text = COUNTING.format(left=engine._layout.at["left"], go_on=GO_ON)
        self._module = wasmtime.Module(store.engine, wasmtime.wat2wasm(text))
        going_on = wasmtime.wat2wasm(GOING_ON.format(go_on=GO_ON))
        instance = wasmtime.Instance(store, wasmtime.Module(store.engine, going_on), [])
        functions = self._runtime.functions
        self._chain, functions["chain"] = functions["chain"], instance.exports(store)["go_on"]
        self._runtime.load = self._load_and_count

    @property
    def translations(self) -> int:
        """How many there were."""
        return self._slot - FIRST_SLOT

    @property
    def steps(self) -> int:
        """Steps made within translations."""
        return int(self._steps.value(self._runtime.store))

    def _load_and_count(self, binary: bytes, keep: bool = False) -> None:
        self._load(binary, keep)
        store, table = self._runtime.store, self._runtime.table
        while self._slot < self._runtime.slots:
            translation = table.get(store, self._slot)
            if not isinstance(translation, wasmtime.Func):
                break
            given = [self._runtime.memory, self._steps, translation, self._chain]
            instance = wasmtime.Instance(store, self._module, given)
            table.set(store, self._slot, instance.exports(store)["counted"])
            self._slot += 1


def state(machine: Computer) -> dict[str, object]:
    """Every word of a machine that a program can see, and its steps."""
    words: dict[str, object] = dict(machine.hart.snapshot())
    for name in SCRATCH:
        del words[name]
    return {**words, "steps": machine.steps}


class _Everything(set[tuple[int, int]]):
    """A set that contains whatever is asked for."""

    def __contains__(self, one: object) -> bool:
        return True


class Twins:
    """Machines of one configuration with one program loaded; `fast` translates at `threshold`.

    Where accesses are `scattered`, it translates from the start as the engine does when it has
    found that out.
    """

    def __init__(
        self,
        program: Image | bytes | Path | str,
        config: Config | None = None,
        memory: str | int = "256K",
        threshold: int = 2,
        scattered: bool = False,
        **devices: Any,
    ) -> None:
        config = config or Config()
        self.reference, self.fast = self.machines = tuple(
            Machine(config.isa, config.modes, config.pmp, memory, config.ad, engine, **devices)
            for engine in ("reference", "wasm")
        )
        engine = self.fast.engine
        assert isinstance(engine, FastEngine)
        engine.threshold = threshold
        if scattered:
            engine._translations._scattered = _Everything()
        self.meter = Meter(engine)
        for machine in self.machines:
            machine.load(program)

    def both(self, act: Callable[[Machine], Any]) -> None:
        """Does something to both."""
        for machine in self.machines:
            act(machine)

    def run(self, budget: int) -> Stop:
        """Runs both for up to `budget` steps, and compares how that ends."""
        stop, other = (machine.run(budget) for machine in self.machines)
        assert stop == other, self.where()
        self.compare()
        return stop

    def compare(self) -> None:
        """Fails where the two are not in the same state."""
        one, other = map(state, self.machines)
        assert one == other, self.where()

    def compare_storage(self) -> None:
        """Fails where RAM or devices differ."""
        one, other = (machine.read_memory(*machine.ram) for machine in self.machines)
        if one != other:
            wrong = [hex(machine_address(at)) for at in range(len(one)) if one[at] != other[at]]
            raise AssertionError(f"{self.where()}: storage differs at {', '.join(wrong[:8])}")
        assert self.reference.board.save() == self.fast.board.save(), self.where()

    def where(self) -> str:
        """How far they have come, for whoever has to find out why they differ."""
        return f"after {self.reference.steps} steps, and {self.fast.steps}"


def machine_address(offset: int) -> int:
    """The address of a byte of RAM."""
    return 0x8000_0000 + offset
