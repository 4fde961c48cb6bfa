"""A kit for building operating systems on a machine you can see into."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kit.control.vmm import VMM as VMM
    from kit.errors import KitError as KitError
    from kit.isa.assembler import assemble as assemble
    from kit.machine.machine import Machine as Machine
    from kit.toolchain.build import compile_c as compile_c

__version__ = "0.1.0"

__all__ = ["VMM", "KitError", "Machine", "assemble", "compile_c"]

_HOMES = {
    "KitError": "kit.errors",
    "Machine": "kit.machine.machine",
    "VMM": "kit.control.vmm",
    "assemble": "kit.isa.assembler",
    "compile_c": "kit.toolchain.build",
}


def __getattr__(name: str) -> Any:
    """Loads a public name when it is first used, so that `import kit` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'kit' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def _tell_ipython() -> None:
    """In a notebook, machines show themselves; see `kit.widgets.display`."""
    if "IPython" in sys.modules:
        importlib.import_module("kit.widgets.display").register()


_tell_ipython()
