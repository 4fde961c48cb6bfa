"""Building guests: from the sources in a folder to programs, by the rules of its `build.toml`.

A folder's own `built/` holds programs that were built before, and in `built/build.json` a digest of
all that each was made from. Where the digest still holds, no compiler is needed.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from kit.errors import KitError
from kit.files import replace_file
from kit.machine.loader import BUILD_FILE
from kit.resources import guests_dir
from kit.toolchain.compiler import CODE_FLAGS, LINK_FLAGS, Unit, compiler, shown
from kit.toolchain.embed import binary, stripped
from kit.toolchain.recipe import Program, Recipe, read_recipe

__all__ = ["Builder", "Built", "build_file", "build_folder", "recipe_of"]

BUILT = "built"
RECORD = "build.json"

Report = Callable[[str], None]


def to_stderr(warnings: str) -> None:
    """Where the compiler's warnings go unless somebody wants them elsewhere."""
    print(warnings, file=sys.stderr)


@dataclass(frozen=True)
class Built:
    """A program that was built: an ELF file in `data`. `fresh` says that it was not there yet."""

    program: Program
    data: bytes
    digest: str
    fresh: bool


def build_folder(folder: Path, report: Report = to_stderr) -> Built:
    """The program that `kit run` starts from a folder; of several stages, from the last."""
    recipe = recipe_of(folder)
    while recipe.stages and not recipe.programs:
        recipe = recipe_of(recipe.stages[-1])
    return Builder(recipe, report).build(recipe.main)


def build_file(source: Path, base: int | None = None, report: Report = to_stderr) -> Built:
    """A single C file; by the rules of its folder, if its `build.toml` names it."""
    source = source.resolve()
    recipe = read_recipe(source.parent) if (source.parent / BUILD_FILE).is_file() else None
    for program in recipe.programs.values() if recipe is not None else ():
        if program.sources[0] == source:
            assert recipe is not None
            return Builder(recipe, report).build(program)
    single = Program(source.stem, (source,))
    single = single if base is None else replace(single, base=base)
    return Builder(Recipe(source.parent, {single.name: single}), report).build(single)


def recipe_of(folder: Path) -> Recipe:
    """How a folder is built. Raises `KitError` if there is nothing to be compiled in it."""
    recipe = read_recipe(folder)
    if recipe is None:
        raise KitError(f"{folder}: nothing to build here: neither build.toml nor a .c file")
    return recipe


class Builder:
    """Builds the programs of one recipe. Warnings are handed to `report`."""

    def __init__(self, recipe: Recipe, report: Report = to_stderr) -> None:
        self.recipe, self.report = recipe, report
        self.library = guests_dir().resolve() / "lib"
        self.record = _read_record(recipe.folder / BUILT / RECORD)

    def build(self, program: Program, *, anew: bool = False) -> Built:
        """The program; from `built/`, unless something has changed or `anew` is set."""
        digest = self.digest(program)
        found = None if anew else self._found(program, digest)
        if found is not None:
            return Built(program, found, digest, fresh=False)
        return Built(program, self._link(program), digest, fresh=True)

    def digest(self, program: Program) -> str:
        """A digest of everything that decides what the program is, the compiler aside."""
        rules = [CODE_FLAGS, LINK_FLAGS, program.name, program.base, program.define, program.format]
        parts = [(name, self.digest(self.recipe.programs[name])) for name in program.embed]
        text = json.dumps([rules, parts])
        files = [*program.sources, *sorted(self._known(program)), *self._library_sources()]
        for file in [*files, self._script(program)]:
            text += f"\n{self._relative(file)} {_content_digest(file)}"
        return hashlib.sha256(text.encode()).hexdigest()

    def write(self, folder: Path, built: Iterable[Built]) -> list[Path]:
        """Writes programs, and the record of what they were made from; returns their files."""
        folder.mkdir(parents=True, exist_ok=True)
        record = dict(_read_record(folder / RECORD))
        paths = []
        for one in built:
            path = folder / f"{one.program.name}.elf"
            replace_file(path, one.data)
            paths.append(path)
            record[one.program.name] = one.digest
        if any(one.fresh for one in built):
            record["compiler"] = compiler().version
        replace_file(folder / RECORD, json.dumps(record, indent=2, sort_keys=True) + "\n")
        return paths

    def _found(self, program: Program, digest: str) -> bytes | None:
        if self.record.get(program.name) != digest:
            return None
        try:
            return (self.recipe.folder / BUILT / f"{program.name}.elf").read_bytes()
        except OSError:
            return None

    def _link(self, program: Program) -> bytes:
        tools = compiler()
        library = self._library_sources()
        known = frozenset(self._known(program))
        units = [self._unit(source, program, known) for source in program.sources]
        units += [Unit(source, (self.library,), known, self._names()) for source in library]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            made = list(pool.map(tools.compile, units))
        for _, warnings in made:
            if warnings:
                self.report(warnings)
        codes = [code for code, _ in made]
        own = _named(program.sources, codes)
        if program.embed:
            own["embedded"] = self._embed(program)
        lib = _named(library, codes[len(program.sources) :])
        return tools.link(own, lib, self._script(program), program.base)

    def _embed(self, program: Program) -> bytes:
        """An object with the table of embedded programs: see `guests/lib/programs.h`."""
        contents = {}
        for name in program.embed:
            part = self.recipe.programs[name]
            data = self.build(part).data
            contents[name] = binary(data) if part.format == "binary" else stripped(data)
        return compiler().embed(contents)

    def _unit(self, source: Path, program: Program, known: frozenset[Path]) -> Unit:
        folders = (self.recipe.folder.resolve(), *program.include, self.library)
        return Unit(source, folders, known, self._names(), program.define)

    def _known(self, program: Program) -> set[Path]:
        """The headers that the program's sources may include."""
        folders = {self.recipe.folder.resolve(), self.library, *program.include}
        folders |= {source.parent for source in program.sources}
        return {path.resolve() for folder in folders for path in folder.glob("*.h")}

    @functools.cache  # noqa: B019 - a builder does not outlive its folder's build
    def _library_sources(self) -> tuple[Path, ...]:
        return tuple(sorted([*self.library.glob("*.c"), *self.library.glob("*.S")]))

    def _script(self, program: Program) -> Path:
        return program.script or self.library / "link.ld"

    def _names(self) -> tuple[tuple[Path, str], ...]:
        """In debug information, names begin at the kit's folder guests/, or at the own folder."""
        own, kit = self.recipe.folder.resolve(), self.library.parent.parent
        if kit in own.parents:
            return ((kit, ""),)
        # The last one that fits is taken.
        return ((own.parent, ".."), (kit, ""), (own, ""))

    def _relative(self, file: Path) -> str:
        """A file's name in digests: the same wherever the folder is."""
        start = self.library if self.library in file.parents else self.recipe.folder.resolve()
        prefix = "lib" if start == self.library else "."
        return f"{prefix}/{Path(os.path.relpath(file, start)).as_posix()}"


def _named(sources: Iterable[Path], codes: Iterable[bytes]) -> dict[str, bytes]:
    """Objects by the names of their sources; of two equal ones, the second gets a number."""
    named: dict[str, bytes] = {}
    for source, code in zip(sources, codes, strict=False):
        name = source.name
        while name in named:
            name += "-2"
        named[name] = code
    return named


def _content_digest(file: Path) -> str:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise KitError(f"{shown(file)}: cannot read it: {error.strerror}") from None
    # A checkout on Windows may have other line ends; it still is the same source.
    return hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()


def _read_record(file: Path) -> dict[str, str]:
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}
