"""What is of a wrong type gives one clear line, and never a traceback from the inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kit import VMM, KitError, Machine

NAME = "expected a file's name, bytes or an Image"
WRONG: dict[str, Callable[[Any, Any], object]] = {
    "reader: expected a Deck or a file's name, not 3": lambda m, v: Machine(reader=3),
    "disk: expected a DiskImage or a file's name, not b'x'": lambda m, v: Machine(disk=b"x"),
    "console: expected a function, not 3": lambda m, v: Machine(console=3),
    "dedicated: expected devices by name, not 'p'": lambda m, v: Machine(dedicated="p"),
    "there is no setting 'printer'; of devices, reader, ": lambda m, v: Machine(printer="paper"),
    "memory None: expected a size such as 16M": lambda m, v: Machine(memory=None),  # type: ignore[arg-type]
    "isa 3: expected text such as rv32imac": lambda m, v: Machine(isa=3),  # type: ignore[arg-type]
    "modes 3: expected M, MU or MSU": lambda m, v: Machine(modes=3),  # type: ignore[arg-type]
    "pmp x: expected 0 or 16": lambda m, v: Machine(pmp="x"),  # type: ignore[arg-type]
    "budget: expected a number of steps, not '3'": lambda m, v: m.run("3"),
    "a0: expected a number, not 'x'": lambda m, v: m.set_register("a0", "x"),
    f"image: {NAME}, not None": lambda m, v: m.load(None),
    f"image: {NAME}, not 3": lambda m, v: v.create("a", image=3),
    "append: expected a text, not 3": lambda m, v: m.load(b"1234", append=3),
    "initrd: expected a file's name or bytes, not 3": lambda m, v: m.load(b"1234", initrd=3),
    "address: expected a number, not 'x'": lambda m, v: m.read_memory("x", 4),
    "data: expected bytes, not 'abc'": lambda m, v: m.write_memory(0x8000_0000, "abc"),
    "restore: expected what save returned, not 'x'": lambda m, v: m.restore("x"),
    "VMM: expected a machine, as in VMM\\(Machine\\(\\)\\), not 'x'": lambda m, v: VMM("x"),  # type: ignore[arg-type]
    "VMM: expected a name for the virtual machine, not 3": lambda m, v: v.create(3),
    "there is no setting 'paging'; of devices, ": lambda m, v: v.create("a", paging=True),
}


@pytest.mark.parametrize(("message", "call"), WRONG.items(), ids=WRONG)
def test_it_is_said_what_was_expected(message: str, call: Callable[[Any, Any], object]) -> None:
    machine, vmm = Machine(memory="64K"), VMM(Machine(memory="8M"))
    with pytest.raises(KitError, match=message):
        call(machine, vmm)
    assert vmm.kernel.allocator.owner == {}
