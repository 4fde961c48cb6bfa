"""What a goal depends on: pieces of the sources, each with a digest.

A piece is a function or method, an assignment to a name of a module, or the rest of a module (its
frame: imports, classes, decorators, signatures). A goal depends on the functions that were run to
state it, on the names that these use, and on the frames of all modules that theirs import. While
all of those are unchanged, so is the goal.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import kit

__all__ = ["Sources", "instrumented", "module_files", "pieces_of"]

ROOT = Path(kit.__file__).parent
FOLDERS = ("isa", "vmm", "proof", "proof/lemmas")
FILES = ("bits.py", "errors.py", "engine/paths.py", "engine/compiled.py", "machine/bus.py")
"""Whatever can be run to state a goal,"""
TOOLS = (
    "__init__ counterexample mutant mutants mutants_by_hand mutants_equivalent mutants_generated "
    "remembered sources table variant verify worker"
).split()
"""and not what has it decided (of `kit.proof`)."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def module_files() -> dict[str, Path]:
    """The modules that goals are stated with, by name."""
    named = [ROOT / name for name in FILES]
    named += [file for folder in FOLDERS for file in sorted((ROOT / folder).glob("*.py"))]
    tools = {ROOT / "proof" / f"{name}.py" for name in TOOLS}
    return {_module_name(file): file for file in named if file not in tools}


def _module_name(file: Path) -> str:
    parts = file.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@dataclass
class _Module:
    """A module's pieces: digests, the names that they use, and where imported names come from."""

    digests: dict[str, str] = field(default_factory=dict)
    uses: dict[str, set[str]] = field(default_factory=dict)
    constants: set[str] = field(default_factory=set)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, name: str, text: str, uses: Iterable[str]) -> None:
        digest = hashlib.sha256((self.digests.get(name, "") + text).encode()).hexdigest()
        self.digests[name] = digest[:20]
        self.uses.setdefault(name, set()).update(uses)


def _names(nodes: Iterable[ast.AST]) -> set[str]:
    return {found.id for node in nodes for found in ast.walk(node) if isinstance(found, ast.Name)}


class _Reader:
    """Takes a source apart."""

    def __init__(self, text: str) -> None:
        self.module = _Module()
        self.lines = text.splitlines()
        self.frame: set[str] = set()
        self.cut: set[int] = set()
        for node in ast.parse(text).body:
            self._statement(node)
        rest = (line for n, line in enumerate(self.lines, 1) if n not in self.cut)
        told = [line for line in rest if line.strip() and not line.lstrip().startswith("#")]
        self.module.add("", "\n".join(told), self.frame)

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, FUNCTION):
            self._function(node.name, node)
        elif isinstance(node, ast.ClassDef):
            self._class(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self._import(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            self._cut(node.lineno, node.end_lineno)
        elif names := list(_assigned(node)):
            for name in names:
                self.module.add(name, self._text(node.lineno, node.end_lineno), _names([node]))
                self.module.constants.add(name)
            self._cut(node.lineno, node.end_lineno)
        else:
            self.frame |= _names([node])

    def _class(self, node: ast.ClassDef) -> None:
        self.frame |= _names([*node.bases, *node.decorator_list])
        for inner in node.body:
            if isinstance(inner, FUNCTION):
                self._function(f"{node.name}.{inner.name}", inner)
            elif isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Constant):
                self._cut(inner.lineno, inner.end_lineno)
            else:
                self.frame |= _names([inner])

    def _function(self, name: str, node: Function) -> None:
        """A piece of its own; decorators and signature belong to the frame too."""
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        self.module.add(name, self._text(first, node.end_lineno), _names([node]))
        self.frame |= _names([*node.decorator_list, node.args])
        self._cut(max(node.body[0].lineno, node.lineno + 1), node.end_lineno)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            source = alias.name if isinstance(node, ast.Import) else node.module or ""
            name = "" if isinstance(node, ast.Import) else alias.name
            self.module.imports[alias.asname or alias.name] = source, name

    def _text(self, first: int, last: int | None) -> str:
        return "\n".join(self.lines[first - 1 : last])

    def _cut(self, first: int, last: int | None) -> None:
        self.cut |= set(range(first, (last or first) + 1))


def _assigned(node: ast.stmt) -> Iterator[str]:
    """The names that a statement assigns to, if it does nothing else."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = list(node.targets)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = [node.target]
    for target in targets:
        for name in target.elts if isinstance(target, ast.Tuple) else [target]:
            if isinstance(name, ast.Name):
                yield name.id


def pieces_of(module: str, text: str) -> dict[str, str]:
    """The digests of the pieces of a module's source."""
    digests = _Reader(text).module.digests
    return {f"{module}:{piece}": digest for piece, digest in digests.items()}


class Sources:
    """The pieces of all sources."""

    def __init__(self) -> None:
        self._modules = {
            name: _Reader(file.read_text(encoding="utf-8")).module
            for name, file in module_files().items()
        }
        self.digests = {
            f"{name}:{piece}": digest
            for name, module in self._modules.items()
            for piece, digest in module.digests.items()
        }

    def closure(self, functions: Iterable[str]) -> frozenset[str]:
        """All that the outcome of running these functions depends on."""
        found = set(functions) & self.digests.keys()
        waiting = list(found)
        while waiting:
            for piece in self._needs(waiting.pop()):
                if piece not in found:
                    found.add(piece)
                    waiting.append(piece)
        return frozenset(found)

    def _needs(self, piece: str) -> Iterator[str]:
        """The frame around a piece, and the names that it uses, here or in modules imported."""
        name, _, inner = piece.partition(":")
        module = self._modules[name]
        yield f"{name}:"
        if not inner:
            for source, what in module.imports.values():
                for other in (source, f"{source}.{what}"):
                    if other in self._modules:
                        yield f"{other}:"
        for used in module.uses[inner]:
            if used in module.constants:
                yield f"{name}:{used}"
            elif used in module.imports:
                yield from self._imported(*module.imports[used])

    def _imported(self, source: str, what: str) -> Iterator[str]:
        whole = f"{source}.{what}" if what else source
        if whole in self._modules:  # a module, of which any name may be used
            yield from (f"{whole}:{name}" for name in self._modules[whole].constants)
        elif source in self._modules and what in self._modules[source].constants:
            yield f"{source}:{what}"


class _Noting(ast.NodeTransformer):
    """Makes each function and method say first that it is run."""

    def __init__(self, module: str) -> None:
        self._where = f"{module}:"

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        outer, self._where = self._where, f"{self._where}{node.name}."
        node.body = [self.visit(n) if isinstance(n, FUNCTION) else n for n in node.body]
        self._where = outer
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        said = ast.parse(f"__note__({self._where + node.name!r})").body[0]
        for part in ast.walk(said):
            ast.copy_location(part, node.body[0])
        has_docstring = ast.get_docstring(node, clean=False) is not None
        node.body.insert(int(has_docstring), said)
        return node


def instrumented(module: str, text: str) -> ast.Module:
    """A source in which every function first calls ``__note__`` with its own name."""
    tree = ast.parse(text)
    noting = _Noting(module)
    tree.body = [
        noting.visit(node) if isinstance(node, ast.FunctionDef | ast.ClassDef) else node
        for node in tree.body
    ]
    return tree
