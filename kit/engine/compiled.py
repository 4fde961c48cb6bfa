"""The instruction set of a configuration as Python functions over ints, traced or from the cache."""

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

__all__ = ["compiled_isa", "instruction_arguments"]


def instruction_arguments(row: Instruction, xlen: int) -> tuple[Bits, ...]:
    """Words of the shape of an instruction's operands, in the order of `Instruction.operands`."""
    return tuple(
        Bits(xlen if row.is_signed(name) else width, 0) for name, width in row.widths.items()
    )


def _by_position(row: Instruction) -> Callable[..., None]:
    """An instruction's meaning with its operands by position."""

    def run(cpu: Any, *operands: Bits) -> None:
        assert row.execute is not None
        row.execute(cpu, **dict(zip(row.widths, operands, strict=True)))

    run.__name__ = "do_" + row.name
    return run


def _source(config: Config) -> str:
    """Traces every definition that an engine calls and prints them as a Python module."""
    # Tracing is needed only when the cache has nothing, so its modules are loaded only then.
    from kit.engine.paths import Definitions
    from kit.engine.python_code import function_name, python_module
    from kit.isa.step import count
    from kit.isa.storage import fetch
    from kit.isa.trap import pending_interrupt, take_trap

    definitions = Definitions(config)
    word = Bits(config.xlen, 0)
    roles = {
        "fetch": definitions.trace(fetch, ()),
        "pending_interrupt": definitions.trace(pending_interrupt, ()),
        "take_interrupt": definitions.trace(take_trap, (word, word, True)),
        "take_exception": definitions.trace(take_trap, (word, word, False)),
        "count_completed": definitions.trace(count, (True,)),
        "count_trapped": definitions.trace(count, (False,)),
    }
    execute = {
        row.name: definitions.trace(_by_position(row), instruction_arguments(row, config.xlen))
        for row in Decoder(config.extensions, config.xlen).by_name.values()
        if row.execute is not None
    }
    lines = [f"{role} = {function_name(trace.key)}" for role, trace in roles.items()]
    entries = ", ".join(f"{n!r}: {function_name(trace.key)}" for n, trace in execute.items())
    lines.append(f"execute = {{{entries}}}")
    return python_module(definitions.traces.values(), "\n".join(lines))


@lru_cache
def compiled_isa(config: Config) -> SimpleNamespace:
    """The functions fetch, pending_interrupt, take_interrupt, take_exception, count_completed and
    count_trapped of the hart, and `execute`: from an instruction's name to its function."""
    root = Path(kit.isa.__file__).parent.parent
    files = [root / "bits.py", *(root / "isa").glob("*.py"), *(root / "engine").glob("*.py")]
    name = f"isa-{source_digest(files, repr(config))}"
    namespace: dict[str, Any] = {}
    exec(cached_code(name, lambda: _source(config)), namespace)
    return SimpleNamespace(**namespace)
