"""A kit for building operating systems on a machine you can see into.

>>> from kit import VMM, Machine, assemble
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kit.control.vmm import VMM
    from kit.isa.assembler import assemble
    from kit.machine.machine import Machine

__all__ = ["VMM", "Machine", "__version__", "assemble"]

__version__ = "0.1.0"

_HOMES = {
    "VMM": "kit.control.vmm",
    "Machine": "kit.machine.machine",
    "assemble": "kit.isa.assembler",
}


def __getattr__(name: str) -> object:
    # Imported on first use: who wants one room of the house need not wait for the others.
    if name not in _HOMES:
        raise AttributeError(f"module 'kit' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
