"""Another kernel in place of the kit's own, within this process: a mutant's, or a student's.

`install` makes the modules of the kit be imported anew, some from changed sources. `replace` puts
the functions of a student's file in place of the kernel's of the same name, wherever they are used.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any
from unittest import mock

from kit.errors import KitError
from kit.isa.config import Config
from kit.proof.sources import instrumented, module_files

__all__ = [
    "Notes",
    "functions_in",
    "install",
    "kernel_functions",
    "kernel_of",
    "replace",
    "uncompiled",
    "where_in",
]

KERNEL = "kit.vmm"


class Notes:
    """Which functions were run, while those that were traced before count as run again."""

    def __init__(self) -> None:
        self.now: set[str] = set()
        self._of_trace: dict[tuple[int, Any], set[str]] = {}

    def note(self, name: str) -> None:
        """A function is run."""
        self.now.add(name)

    def follow(self) -> None:
        """From now on, whoever runs a trace runs the functions that it was made from."""
        from kit.engine.paths import Definitions
        from kit.proof.terms import Meaning

        explore, run = Definitions._explore, Meaning.run

        def exploring(definitions: Any, function: Any, key: Any, args: Any) -> Any:
            outer, self.now = self.now, set()
            try:
                return explore(definitions, function, key, args)
            finally:
                self._of_trace[id(definitions), key] = self.now
                self.now = outer

        def running(meaning: Any, trace: Any, state: Any, args: Any) -> Any:
            if trace.key.name not in meaning.contracts:
                self.now |= self._of_trace.get((id(meaning.definitions), trace.key), set())
            return run(meaning, trace, state, args)

        Definitions._explore = exploring  # type: ignore[method-assign,assignment]
        Meaning.run = running  # type: ignore[method-assign,assignment]


class _Loader(SourceFileLoader):
    """Compiles a module from a changed source, or so that it notes what is run; keeps nothing."""

    def __init__(self, name: str, path: str, changed: str | None, noting: bool) -> None:
        super().__init__(name, path)
        self._changed, self._noting = changed, noting

    def path_stats(self, path: Any) -> Any:
        raise OSError("not from the cache of compiled modules")

    def get_data(self, path: Any) -> bytes:
        return super().get_data(path) if self._changed is None else self._changed.encode()

    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> CodeType:  # type: ignore[override]
        text = bytes(data).decode()
        tree = instrumented(self.name, text) if self._noting else ast.parse(text)
        code: CodeType = compile(tree, path, "exec", dont_inherit=True)
        return code


class _Finder(MetaPathFinder):
    def __init__(self, changed: Mapping[str, str], noting: bool) -> None:
        self._changed, self._noting = dict(changed), noting
        self._files = module_files()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name not in self._files or not (self._noting or name in self._changed):
            return None
        file = str(self._files[name])
        loader = _Loader(name, file, self._changed.get(name), self._noting)
        return spec_from_file_location(name, file, loader=loader)


def install(changed: Mapping[str, str], notes: Notes | None = None) -> None:
    """Makes all modules of the kit be imported anew, those in `changed` from that text."""
    if notes is not None:
        builtins.__note__ = notes.note  # type: ignore[attr-defined]
    if changed or notes is not None:
        for name in [name for name in sys.modules if name.split(".")[0] == "kit"]:
            del sys.modules[name]
        sys.meta_path.insert(0, _Finder(changed, notes is not None))


# -- a student's functions -----------------------------------------------------------------------


def functions_in(file: Path) -> set[str]:
    """The names of the functions that a file defines. Raises `KitError` where it is no Python."""
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    except OSError as error:
        raise KitError(f"{file}: cannot read it: {error.strerror}") from None
    except UnicodeDecodeError:
        raise KitError(f"{file}: this is no text in UTF-8") from None
    except (SyntaxError, ValueError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) else ""
        raise KitError(f"{file}{line}: {getattr(error, 'msg', error)}") from None
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def kernel_functions() -> dict[str, list[str]]:
    """Every function and method of the kernel, by name, and the pieces of source that it is."""
    found: dict[str, list[str]] = {}
    for module, file in module_files().items():
        if not module.startswith(KERNEL):
            continue
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                found.setdefault(node.name, []).append(f"{module}:{node.name}")
            elif isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("__"):
                        piece = f"{module}:{node.name}.{inner.name}"
                        found.setdefault(inner.name, []).append(piece)
    return found


def where_in(file: Path, error: BaseException) -> str:
    """``file:line: what`` for an exception that a student's file has to do with, or nothing."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(file):
            line = trace.tb_lineno
        trace = trace.tb_next
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"{file}:{line}: {what}" if line else ""


def replace(file: Path) -> None:
    """Puts a file's functions in place of the kernel's, in all modules that have been imported.

    Raises `KitError` for what is wrong with the file.
    """
    module = ModuleType(file.stem)
    module.__file__ = str(file)
    try:
        code = compile(file.read_text(encoding="utf-8"), str(file), "exec", dont_inherit=True)
        exec(code, module.__dict__)
    except (Exception, SystemExit) as error:
        raise KitError(where_in(file, error) or f"{file}: {error}") from None
    known = kernel_functions()
    for name, function in list(vars(module).items()):
        definition = inspect.unwrap(function) if callable(function) else None
        if not isinstance(definition, FunctionType):
            continue
        if definition.__code__.co_filename == str(file):
            for piece in known.get(name, []):
                _put(piece, definition)


@contextmanager
def kernel_of(file: str | Path | None) -> Iterator[None]:
    """While this lasts, VMMs are made with a student's kernel, if one is given.

    What a machine of theirs runs is the file's as long as the process lives. Raises `KitError`.
    """
    if file is None:
        yield
        return
    from kit.vmm import kernel

    functions_in(Path(file))
    replace(Path(file).absolute())
    with mock.patch.object(kernel, "compiled", uncompiled):
        yield


def uncompiled(
    name: str, config: Config, packages: object, roles: Callable[[], Any]
) -> dict[str, Callable[..., int | None]]:
    """The kernel's functions as they stand, in place of `kit.engine.compiled.compiled`."""
    from kit.bits import Bits
    from kit.isa.hart import cpu_of

    def direct(function: Callable[..., Any], shape: tuple[Any, ...]) -> Callable[..., int | None]:
        def run(hart: Any, *values: int) -> int | None:
            given = iter(values)
            args = [Bits(a.width, next(given)) if isinstance(a, Bits) else a for a in shape]
            answer = function(cpu_of(hart), *args)
            return None if answer is None else int(answer)

        return run

    return {role: direct(*meaning) for role, meaning in roles().items()}


def _put(piece: str, function: FunctionType) -> None:
    """One function in place of the kernel's."""
    module, _, inner = piece.partition(":")
    place: Any = sys.modules[module]
    *outer, name = inner.split(".")
    for part in outer:
        place = getattr(place, part)
    old = vars(place)[name]
    if outer:
        setattr(place, name, type(old)(function) if isinstance(old, staticmethod) else function)
        return
    new = _opaque_as(old, function)
    for holder in list(sys.modules.values()):
        if getattr(holder, "__name__", "").startswith("kit."):
            _exchange(vars(holder), old, new)


def _opaque_as(old: Callable[..., Any], function: FunctionType) -> Callable[..., Any]:
    """The function, one step in its callers' traces where the old one is."""
    from kit.isa.cpu import opaque

    if not hasattr(old, "definition"):
        return function
    marked: Any = old
    return opaque(marked.returns, dispatch=marked.dispatch)(function)


def _exchange(names: dict[str, Any], old: Any, new: Any) -> None:
    """Puts `new` for `old` in a module, and in its tables of functions."""
    for name, value in list(names.items()):
        if value is old:
            names[name] = new
        elif isinstance(value, dict) and name.isupper():
            for key, entry in list(value.items()):
                value[key] = _exchanged(entry, old, new)


def _exchanged(entry: Any, old: Any, new: Any) -> Any:
    if entry is old:
        return new
    if isinstance(entry, partial) and entry.func is old:
        return partial(new, *entry.args, **entry.keywords)
    return entry
