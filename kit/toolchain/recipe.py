"""What a guest's folder is built to: `build.toml`, or the plain rule where there is none.

    [[program]]                     # one program made of several sources
    name = "kernel"
    sources = ["*.c", "*.S"]
    embed = ["init", "shell"]       # programs that are linked into this one, as data

    [[program]]                     # one program for each of these sources
    each = ["user/*.c"]
    sources = ["user/lib/*.S"]      # linked into each of them
    base = 0x1000

    [run]
    program = "kernel"

`docs/reference/toolchain.md` lists all keys. A folder without `build.toml` is one program, made of
all its ``.c`` and ``.S`` files. Every mistake is a `KitError` that names file and key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kit.errors import KitError
from kit.machine.board import RAM_BASE
from kit.machine.loader import BUILD_FILE

__all__ = ["BUILD_FILE", "Program", "Recipe", "read_recipe"]

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
C_SOURCES = ("*.c", "*.S")
FORMATS = ("elf", "binary")


@dataclass(frozen=True)
class Program:
    """A program: its `sources` in order, and the address `base` that it is linked for.

    `include` are further folders for headers, `define` macros. `embed` names programs that are
    linked into it as data; `format` is the form in which this one is embedded elsewhere.
    """

    name: str
    sources: tuple[Path, ...]
    base: int = RAM_BASE
    include: tuple[Path, ...] = ()
    define: tuple[tuple[str, str], ...] = ()
    script: Path | None = None
    embed: tuple[str, ...] = ()
    format: str = "elf"


@dataclass(frozen=True)
class Recipe:
    """A folder's programs by name. `run` is how `kit run` starts it: `program`, and options.

    If nothing else is said, that is the program of the first table, if it is only one.
    """

    folder: Path
    programs: Mapping[str, Program]
    stages: tuple[Path, ...] = ()
    run: Mapping[str, Any] = field(default_factory=dict)

    @property
    def main(self) -> Program:
        """The program that `kit run` starts. Raises `KitError` if nothing says which."""
        chosen = self.run.get("program")
        if chosen is not None:
            return self.programs[chosen]
        if len(self.programs) == 1:
            return next(iter(self.programs.values()))
        names = ", ".join(self.programs)
        raise KitError(f"{self.folder}: several programs ({names}); name the source to run")


def read_recipe(folder: Path) -> Recipe | None:
    """How a folder is built, or None if it holds nothing to be compiled. Raises `KitError`."""
    file = folder / BUILD_FILE
    if file.is_file():
        return _from_file(file)
    sources = _matching(folder, C_SOURCES)
    if not any(path.suffix == ".c" for path in sources):
        return None
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", folder.resolve().name) or "program"
    return Recipe(folder, {name: Program(name, sources)})


def _from_file(file: Path) -> Recipe:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise KitError(f"{file}: cannot read it: {error.strerror}") from None
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise KitError(f"{file}: not TOML: {' '.join(str(error).split())}") from None
    _check_keys(document, ("program", "stages", "run"), f"{file}")
    tables = document.get("program", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise KitError(f"{file}: program: expected tables [[program]]")
    programs: dict[str, Program] = {}
    for number, table in enumerate(tables, 1):
        for program in _programs(table, f"{file}: program {number}", file.parent):
            if program.name in programs:
                raise KitError(f"{file}: two programs are called {program.name!r}")
            programs[program.name] = program
    stages = _texts(document.get("stages", []), f"{file}: stages")
    run = _run(document.get("run", {}), file)
    if tables and "name" in tables[0]:
        run.setdefault("program", tables[0]["name"])
    recipe = Recipe(file.parent, programs, tuple(_stage(name, file) for name in stages), run)
    return _checked(recipe, file)


def _checked(recipe: Recipe, file: Path) -> Recipe:
    for program in recipe.programs.values():
        for name in program.embed:
            if name not in recipe.programs or name == program.name:
                raise KitError(f"{file}: {program.name}: embed: there is no other program {name!r}")
    if not recipe.programs and not recipe.stages:
        raise KitError(f"{file}: nothing to build; list a [[program]], or stages")
    chosen = recipe.run.get("program")
    if chosen is not None and chosen not in recipe.programs:
        raise KitError(f"{file}: run.program: there is no program {chosen!r}")
    return recipe


def _programs(table: Mapping[str, Any], where: str, folder: Path) -> list[Program]:
    """The program that a table describes, or one for each of its sources `each`."""
    _check_keys(table, (*PROGRAM_KEYS, "name", "each", "sources"), where)
    settings: dict[str, Any] = {}
    for key, value in table.items():
        if key in PROGRAM_KEYS:
            settings[key] = PROGRAM_KEYS[key](value, f"{where}: {key}", folder)
    common = _sources(table.get("sources", []), f"{where}: sources", folder)
    if "each" in table:
        if "name" in table:
            raise KitError(f"{where}: name and each: leave one of them out")
        each = _sources(table["each"], f"{where}: each", folder)
        return [Program(_name(p.stem, where), (p, *common), **settings) for p in each]
    if not common:
        raise KitError(f"{where}: sources: expected names of files, such as *.c")
    return [Program(_name(table.get("name"), where), common, **settings)]


def _name(value: Any, where: str) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise KitError(f"{where}: name: expected letters, digits and _ . -; it is {value!r}")
    return value


def _sources(value: Any, where: str, folder: Path) -> tuple[Path, ...]:
    """The files that patterns name, in the patterns' order, each pattern's by name."""
    found: dict[Path, None] = {}
    for pattern in _texts(value, where):
        matching = _matching(folder, (pattern,))
        if not matching:
            raise KitError(f"{where}: there is no file {folder / pattern}")
        found.update(dict.fromkeys(matching))
    for path in found:
        if path.suffix not in (".c", ".S", ".s"):
            raise KitError(f"{where}: {path}: expected C (.c) or assembly source (.S)")
    return tuple(found)


def _matching(folder: Path, patterns: tuple[str, ...]) -> tuple[Path, ...]:
    found = []
    for pattern in patterns:
        outside = folder
        while pattern.startswith("../"):  # glob does not climb
            outside, pattern = outside.resolve().parent, pattern[3:]
        try:
            found += sorted(path.resolve() for path in outside.glob(pattern) if path.is_file())
        except (ValueError, NotImplementedError):
            return ()
    return tuple(found)


def _texts(value: Any, where: str) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) and text for text in texts):
        raise KitError(f"{where}: expected a list of texts")
    return texts


def _address(value: Any, where: str, _: Path) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 32:
        raise KitError(f"{where}: expected an address, such as 0x80000000")
    return value


def _folders(value: Any, where: str, folder: Path) -> tuple[Path, ...]:
    paths = tuple((folder / text).resolve() for text in _texts(value, where))
    for path in paths:
        if not path.is_dir():
            raise KitError(f"{where}: there is no folder {path}")
    return paths


def _file(value: Any, where: str, folder: Path) -> Path:
    path = (folder / value).resolve() if isinstance(value, str) else folder
    if not path.is_file():
        raise KitError(f"{where}: there is no such file: {value!r}")
    return path


def _define(value: Any, where: str, _: Path) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict) or not all(isinstance(v, str | int) for v in value.values()):
        raise KitError(f"{where}: expected macros, such as {{ QUANTUM = 1000 }}")
    for name in value:
        if not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            raise KitError(f"{where}: {name!r} is no name of a macro")
    return tuple((name, str(int(v) if isinstance(v, bool) else v)) for name, v in value.items())


def _format(value: Any, where: str, _: Path) -> str:
    if value not in FORMATS:
        raise KitError(f"{where}: expected {' or '.join(FORMATS)}")
    return str(value)


PROGRAM_KEYS: dict[str, Callable[[Any, str, Path], Any]] = {
    "base": _address,
    "include": _folders,
    "define": _define,
    "script": _file,
    "embed": lambda value, where, _: tuple(_texts(value, where)),
    "format": _format,
}

RUN_FILES = ("reader", "disk", "initrd")
RUN_TEXTS = ("program", "memory", "modes", "append")


def _run(table: Any, file: Path) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise KitError(f"{file}: run: expected a table [run]")
    _check_keys(table, (*RUN_FILES, *RUN_TEXTS), f"{file}: run")
    for key, value in table.items():
        if not isinstance(value, str):
            raise KitError(f"{file}: run.{key}: expected a text")
    return {k: file.parent / v if k in RUN_FILES else v for k, v in table.items()}


def _stage(name: str, file: Path) -> Path:
    folder = file.parent / name
    if not folder.is_dir():
        raise KitError(f"{file}: stages: there is no folder {folder}")
    return folder


def _check_keys(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            raise KitError(f"{where}: {key}: there is no such key; expected {', '.join(known)}")
