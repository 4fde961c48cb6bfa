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
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kit.errors import KitError
from kit.machine.board import RAM_BASE
from kit.machine.loader import BUILD_FILE
from kit.toolchain.recipe_values import (
    DISK_KEYS,
    PROGRAM_KEYS,
    RUN_KEYS,
    check_keys,
    files,
    matching,
    name,
    read,
    texts,
)

__all__ = ["Disk", "Program", "Recipe", "read_recipe"]


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
class Disk:
    """A disk's image of `size` bytes: zeros, or what the Python script `maker` makes of it.

    The script gets `programs`, by name, and `files`.
    """

    name: str
    size: int
    maker: Path | None = None
    programs: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """A folder's programs and disks by name. `run` is how `kit run` starts it: see `RUN_KEYS`.

    `stages` are folders with recipes of their own. If nothing else is said, the program of the
    first table is run, if it is only one.
    """

    folder: Path
    programs: Mapping[str, Program]
    disks: Mapping[str, Disk] = field(default_factory=dict)
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
    sources = matching(folder, "*.c") + matching(folder, "*.S")
    if not any(path.suffix == ".c" for path in sources):
        return None
    called = re.sub(r"[^A-Za-z0-9_.-]", "-", folder.resolve().name) or "program"
    return Recipe(folder, {called: Program(called, sources)})


def _from_file(file: Path) -> Recipe:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise KitError(f"{file}: cannot read it: {error.strerror}") from None
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise KitError(f"{file}: not TOML: {' '.join(str(error).split())}") from None
    check_keys(document, ("program", "disk", "stages", "run"), f"{file}")
    tables = _tables(document, "program", file)
    programs: dict[str, Program] = {}
    for where, table in tables:
        for program in _programs(table, where, file.parent):
            if program.name in programs:
                raise KitError(f"{file}: two programs are called {program.name!r}")
            programs[program.name] = program
    disks = [_disk(table, where, file.parent) for where, table in _tables(document, "disk", file)]
    stages = [_stage(text, file) for text in texts(document.get("stages", []), f"{file}: stages")]
    run = read(document.get("run", {}), RUN_KEYS, f"{file}: run", file.parent)
    if tables and "name" in tables[0][1]:
        run.setdefault("program", tables[0][1]["name"])
    recipe = Recipe(file.parent, programs, {disk.name: disk for disk in disks}, tuple(stages), run)
    _check_names(recipe, file)
    return recipe


def _tables(document: Mapping[str, Any], key: str, file: Path) -> list[tuple[str, dict[str, Any]]]:
    """The tables of an array, each with where it stands, for messages."""
    found = document.get(key, [])
    if not isinstance(found, list) or not all(isinstance(table, dict) for table in found):
        raise KitError(f"{file}: {key}: expected tables [[{key}]]")
    return [(f"{file}: {key} {number}", table) for number, table in enumerate(found, 1)]


def _programs(table: Mapping[str, Any], where: str, folder: Path) -> list[Program]:
    """The program that a table describes, or one for each of its sources `each`."""
    own = {key: value for key, value in table.items() if key not in ("name", "each", "sources")}
    known = ("name", "each", "sources", *PROGRAM_KEYS)
    check_keys(table, known, where)
    settings = read(own, PROGRAM_KEYS, where, folder)
    common = _sources(table.get("sources", []), f"{where}: sources", folder)
    if "each" in table:
        if "name" in table:
            raise KitError(f"{where}: name and each: leave one of them out")
        each = _sources(table["each"], f"{where}: each", folder)
        return [Program(name(p.stem, where, folder), (p, *common), **settings) for p in each]
    if not common:
        raise KitError(f"{where}: sources: expected names of files, such as *.c")
    return [Program(name(table.get("name"), f"{where}: name", folder), common, **settings)]


def _sources(value: Any, where: str, folder: Path) -> tuple[Path, ...]:
    found = files(value, where, folder)
    for path in found:
        if path.suffix not in (".c", ".S", ".s"):
            raise KitError(f"{where}: {path}: expected C (.c) or assembly source (.S)")
    return found


def _disk(table: Mapping[str, Any], where: str, folder: Path) -> Disk:
    settings = read(table, DISK_KEYS, where, folder)
    for key in ("name", "size"):
        if key not in settings:
            raise KitError(f"{where}: {key}: is missing")
    disk = Disk(**settings)
    if disk.maker is None and (disk.programs or disk.files):
        raise KitError(f"{where}: maker: is missing; it is to put programs and files on the disk")
    return disk


def _stage(text: str, file: Path) -> Path:
    folder = file.parent / text
    if not folder.is_dir():
        raise KitError(f"{file}: stages: there is no folder {folder}")
    return folder


def _check_names(recipe: Recipe, file: Path) -> None:
    """Raises `KitError` where a program is named that is not there."""
    if not recipe.programs and not recipe.stages:
        raise KitError(f"{file}: nothing to build; list a [[program]], or stages")
    used = [(f"program {one.name}: embed", one.embed) for one in recipe.programs.values()]
    used += [(f"disk {one.name}: programs", one.programs) for one in recipe.disks.values()]
    used += [("run: program", (recipe.run["program"],))] if "program" in recipe.run else []
    for where, names in used:
        for one in names:
            if one not in recipe.programs:
                raise KitError(f"{file}: {where}: there is no program {one!r}")
    disk = recipe.run.get("disk")
    if isinstance(disk, str) and disk not in recipe.disks:
        raise KitError(f"{file}: run: disk: there is no file, and no [[disk]], {disk!r}")
    for program in recipe.programs.values():
        _check_embedding(recipe, program, (), file)


def _check_embedding(recipe: Recipe, program: Program, outer: tuple[str, ...], file: Path) -> None:
    if program.name in outer:
        raise KitError(f"{file}: program {program.name}: embed: would be a part of itself")
    for inner in program.embed:
        _check_embedding(recipe, recipe.programs[inner], (*outer, program.name), file)
