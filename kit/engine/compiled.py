"""Definitions as Python functions over ints: traced when they are first needed, then cached."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import kit.isa
from kit.bits import Bits
from kit.engine.cache import cached_code, source_digest
from kit.isa.config import Config
from kit.isa.encoding import Decoder, Instruction

__all__ = ["Roles", "compiled", "compiled_isa", "instruction_arguments", "instruction_roles"]


def instruction_arguments(row: Instruction, xlen: int) -> tuple[Bits, ...]:
    """Words of the shape of an instruction's operands, in the order of `Instruction.operands`."""
    return tuple(
        Bits(xlen if row.is_signed(name) else width, 0) for name, width in row.widths.items()
    )


def _by_position(row: Instruction, function: Callable[..., None], name: str) -> Callable[..., None]:
    """A function that takes an instruction's operands, with the operands by position."""

    def run(cpu: Any, *operands: Bits) -> None:
        function(cpu, **dict(zip(row.widths, operands, strict=True)))

    run.__name__ = name
    return run


Roles = dict[str, tuple[Callable[..., Any], tuple[Any, ...]]]
"""Functions to trace: under which name, and with arguments of which shape."""


def compiled(
    name: str, config: Config, packages: tuple[Path, ...], roles: Callable[[], Roles]
) -> Any:
    """The functions in `roles`, traced and compiled, as a dictionary by their names there.

    They come from the cache if nothing in `packages` (folders of sources), in the instruction set
    or in the engine has changed since they were put there.
    """
    root = Path(kit.isa.__file__).parent.parent
    folders = (root / "isa", root / "engine", *packages)
    files = [root / "bits.py", *(file for folder in folders for file in folder.glob("*.py"))]
    namespace: dict[str, Any] = {}
    key = f"{name}-{source_digest(files, repr(config))}"
    exec(cached_code(key, lambda: _source(config, roles())), namespace)
    return namespace["roles"]


def _source(config: Config, roles: Roles) -> str:
    """Traces the definitions and prints them as a Python module with a table `roles`."""
    # Tracing is needed only when the cache has nothing, so its modules are loaded only then.
    from kit.engine.paths import Definitions
    from kit.engine.python_code import function_name, python_module

    definitions = Definitions(config)
    names = {
        role: function_name(definitions.trace(function, shape).key)
        for role, (function, shape) in roles.items()
    }
    table = ", ".join(f"{role!r}: {name}" for role, name in names.items())
    return python_module(definitions.traces.values(), f"roles = {{{table}}}")


def instruction_roles(
    config: Config, functions: dict[str, Callable[..., None]], prefix: str
) -> Roles:
    """Roles for functions that are given an instruction's operands, by its name."""
    table = Decoder.of(config).by_name
    return {
        name: (_by_position(table[name], functions[name], prefix + name), shape)
        for name in functions
        if name in table
        for shape in [instruction_arguments(table[name], config.xlen)]
    }


def _isa_roles(config: Config) -> Roles:
    from kit.isa.step import count
    from kit.isa.storage import fetch
    from kit.isa.trap import pending_interrupt, take_trap

    word = Bits(config.xlen, 0)
    meanings = {
        row.name: row.execute
        for row in Decoder.of(config).by_name.values()
        if row.execute is not None
    }
    return {
        "fetch": (fetch, ()),
        "pending_interrupt": (pending_interrupt, ()),
        "take_interrupt": (take_trap, (word, word, True)),
        "take_exception": (take_trap, (word, word, False)),
        "count_completed": (count, (True,)),
        "count_trapped": (count, (False,)),
        **instruction_roles(config, meanings, "do_"),
    }


@lru_cache
def compiled_isa(config: Config) -> SimpleNamespace:
    """The functions fetch, pending_interrupt, take_interrupt, take_exception, count_completed and
    count_trapped of the hart, and `execute`: from an instruction's name to its function."""
    functions = compiled("isa", config, (), lambda: _isa_roles(config))
    return SimpleNamespace(execute=functions, **functions)
