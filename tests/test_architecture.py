"""The laws that the sources obey: which way imports point, how small the kernel is, start-up."""

from __future__ import annotations

import ast
import io
import os
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

import kit

ROOT = Path(kit.__file__).parent
LAYERS = ("bits errors files resources", "isa", "engine devices", "machine", "vmm", "control")
KERNEL_LINES = 1000
ALLOWED_UP = {("machine", "toolchain")}
"""The loader reads Intel HEX, and builds C, by the toolchain, when it meets such a file."""


def layer(module: str) -> int:
    """The height of a module of the kit; everything that is not a layer is on top."""
    room = module.split(".")[1] if "." in module else ""
    for height, rooms in enumerate(LAYERS):
        if room in rooms.split():
            return height
    return len(LAYERS)


def imports(file: Path) -> list[str]:
    """The modules of the kit that a file imports, wherever in it."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
    return [name for name in found if name.startswith("kit.")]


def test_imports_point_from_the_vmm_to_the_hardware_and_never_back() -> None:
    wrong = []
    for height, rooms in enumerate(LAYERS):
        for room in rooms.split():
            files = (ROOT / room).rglob("*.py") if (ROOT / room).is_dir() else [ROOT / f"{room}.py"]
            for file in files:
                for name in imports(file):
                    if layer(name) > height and (room, name.split(".")[1]) not in ALLOWED_UP:
                        wrong.append(f"{file.relative_to(ROOT)} imports {name}")
    assert wrong == []


def code_lines(source: str) -> int:
    """Lines that are neither blank, comment nor docstring."""
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in (
            tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
            tokenize.ENDMARKER,
        ):  # fmt: skip
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def test_the_vmm_kernel_has_at_most_1000_lines_of_code() -> None:
    sizes = {file.name: code_lines(file.read_text()) for file in (ROOT / "vmm").glob("*.py")}
    assert sum(sizes.values()) <= KERNEL_LINES, sizes


KERNEL_MAY_USE = {
    "kit.bits": {"Bits", "concat", "select"},
    "kit.isa.config": {"Config"},
    "kit.isa.cpu": {"Cpu", "M", "S", "U", "opaque"},
    "kit.isa.encoding": {"Decoder"},
    "kit.isa.hart": {"Hart", "cpu_of"},
    "kit.isa.step": {"step"},
    "kit.engine.compiled": {"Roles", "compiled", "instruction_roles"},
    "kit.machine.bus": {"PAGE", "AddressSpace"},
    "kit.machine.computer": {"Computer"},
}
"""What the kernel shares with the machine: words, encodings, one whole step. No rule otherwise."""


@pytest.mark.parametrize("file", sorted((ROOT / "vmm").glob("*.py")), ids=lambda file: file.name)
def test_the_kernel_states_its_rules_itself(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("kit."):
            continue
        if not str(node.module).startswith("kit.vmm"):
            names = {alias.name for alias in node.names}
            assert names <= KERNEL_MAY_USE.get(str(node.module), set()), node.module


def test_a_second_start_traces_nothing_and_never_imports_z3(tmp_path: Path) -> None:
    program = (
        "import sys; from kit import Machine, VMM; VMM(Machine()).create('a');"
        "print(sorted({'z3', 'kit.engine.paths'} & set(sys.modules)))"
    )
    environment = {**os.environ, "VMM_KIT_CACHE": str(tmp_path)}
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, check=True
        ).stdout.decode().strip()
        for _ in range(2)
    ]  # fmt: skip
    assert outputs == ["['kit.engine.paths']", "[]"]


def test_a_damaged_cache_is_made_again(tmp_path: Path) -> None:
    program = "from kit import Machine; Machine().run(1)"
    environment = {**os.environ, "VMM_KIT_CACHE": str(tmp_path)}
    command = [sys.executable, "-c", program]
    subprocess.run(command, env=environment, check=True)
    files = list(tmp_path.iterdir())
    whole = [file.read_bytes() for file in files]
    for file in files:
        file.write_bytes(file.read_bytes()[:1000])
    subprocess.run(command, env=environment, check=True)
    assert [file.read_bytes() for file in files] == whole
