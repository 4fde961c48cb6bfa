"""Seeded bugs of the VMM kernel, and the comparison that has to find each of them.

`python -m tests.vmm.mutants NAME` runs the checks of `tests/vmm/checks.py` on a copy of the package
with one of the bugs of `kit.proof.mutants_by_hand`, and says which of them found it.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from kit.proof.mutant import VMM
from kit.proof.mutants_by_hand import BY_HAND as MUTANTS


class MutatedPackage:
    """Finds the modules of `kit.vmm` in another folder. (For ``sys.meta_path``.)"""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where the module is, if it is one of the package."""
        if name == "kit.vmm":
            return importlib.util.spec_from_file_location(
                name, self.folder / "__init__.py", submodule_search_locations=[str(self.folder)]
            )
        return None


def install(name: str, folder: Path) -> None:
    """Makes the next import of `kit.vmm` find a copy in `folder`, with the mutant's bug in it."""
    assert not any(module.startswith("kit.vmm") for module in sys.modules)
    copy = folder / "vmm"
    shutil.copytree(VMM, copy, ignore=shutil.ignore_patterns("__pycache__"))
    if name != "none":
        mutant = MUTANTS[name]
        (copy / f"{mutant.file}.py").write_text(mutant.source(), encoding="utf-8")
    sys.meta_path.insert(0, MutatedPackage(copy))


def main(name: str) -> None:
    """Runs all checks against a mutant, and prints which of them found it, or nothing."""
    sys.dont_write_bytecode = True
    with tempfile.TemporaryDirectory() as folder:
        install(name, Path(folder))
        from tests.vmm import checks

        wrong = checks.stillborn()
        print(f"stillborn: {wrong}" if wrong else checks.first_failure())


if __name__ == "__main__":
    main(sys.argv[1])
