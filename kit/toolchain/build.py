"""Building guests: from the sources in a folder to programs and disks, as its recipe says.

A folder's own `built/` holds what was built before, and in `built/build.json` a digest of all that
each was made from. Where the digest still holds, no compiler is needed.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.devices.disk_image import DiskImage
from kit.errors import KitError
from kit.files import replace_file
from kit.isa.image import Image
from kit.machine.board import RAM_BASE
from kit.machine.loader import BUILD_FILE, read_image
from kit.toolchain.compiler import CODE_FLAGS, LINK_FLAGS, Object, Unit, compiler
from kit.toolchain.disks import make_disk
from kit.toolchain.embed import binary, stripped
from kit.toolchain.library import Library
from kit.toolchain.messages import shown
from kit.toolchain.recipe import Disk, Program, Recipe, read_recipe

__all__ = ["BUILT", "RECORD", "Builder", "Built", "builder_of", "compile_c", "recipe_of"]
__all__ += ["run_settings"]

BUILT = "built"
RECORD = "build.json"

Report = Callable[[str], None]
Make = Callable[[], tuple[bytes, str]]
"""Makes something; returns it, and the version of the compiler, if one was used."""


def to_stderr(warnings: str) -> None:
    """Where the compiler's warnings go unless somebody wants them elsewhere."""
    print(warnings, file=sys.stderr)


def recipe_of(folder: Path) -> Recipe:
    """How a folder is built. Raises `KitError` if there is nothing to be compiled in it."""
    recipe = read_recipe(folder)
    if recipe is None:
        raise KitError(f"{folder}: nothing to build: neither {BUILD_FILE} nor a .c file is in it")
    return recipe


def builder_of(path: Path, base: int = RAM_BASE, *, anew: bool = False) -> tuple[Builder, Program]:
    """Who builds what is run from a path, and which program that is.

    A folder stands for its main program, or for that of the last of its stages. A C file is built
    as the `build.toml` beside it says, if one of its programs begins with it; otherwise it is a
    program by itself, for the address `base`. Raises `KitError`.
    """
    if path.is_dir():
        recipe = recipe_of(path)
        while recipe.stages and not recipe.programs:
            recipe = recipe_of(recipe.stages[-1])
        return Builder(recipe, anew=anew), recipe.main
    source = path.resolve()
    if (source.parent / BUILD_FILE).is_file():
        recipe = recipe_of(path.parent)
        for program in recipe.programs.values():
            if program.sources[0] == source:
                return Builder(recipe, anew=anew), program
    single = Program(source.stem, (source,), base)
    return Builder(Recipe(path.parent, {single.name: single}), anew=anew), single


def run_settings(folder: Path) -> dict[str, Any]:
    """How `kit run` starts a folder's main program: see `RUN_KEYS`, but the program is left out.

    The disk is in memory: what a guest writes to it is gone with the run. Raises `KitError`.
    """
    builder, _ = builder_of(folder)
    said = {key: value for key, value in builder.recipe.run.items() if key != "program"}
    disk = said.get("disk")
    if isinstance(disk, str):
        said["disk"] = DiskImage(builder.build_disk(builder.recipe.disks[disk]).data)
    elif disk is not None:
        said["disk"] = DiskImage(disk.read_bytes())
    return said


def compile_c(text: str, *, name: str = "cell", line: int = 1, base: int = RAM_BASE) -> Image:
    """The program that a text in C makes, with the library, for the address `base`.

    Mistakes are shown at the lines of the source `name`, whose line `line` the text begins with.
    Raises `CompileError`, and `KitError` where no compiler is installed.
    """
    library = Library()
    quoted = json.dumps(name, ensure_ascii=False)
    unit = library.unit_of(f"#line {line} {quoted}\n{text}\n", name)
    return read_image(_linked([unit], {}, library, library.script, base, to_stderr))


@dataclass(frozen=True)
class Built:
    """Something that was built, and a digest of what it was made from.

    `compiler` is the version of the one that was used, or empty. `file` is what it is called in
    `built/`; `fresh` says that it was not there already.
    """

    file: str
    data: bytes
    compiler: str
    digest: str
    fresh: bool


class Builder:
    """Builds what one recipe describes. Warnings are handed to `report`.

    With `anew`, what is in `built/` counts for nothing.
    """

    def __init__(self, recipe: Recipe, report: Report = to_stderr, *, anew: bool = False) -> None:
        self.recipe, self.report = recipe, report
        self.folder = recipe.folder.resolve()
        self.library = Library()
        self.record = {} if anew else _read_record(recipe.folder / BUILT / RECORD)
        self._made: dict[str, Built] = {}

    def build(self, program: Program) -> Built:
        """The program, an ELF file; from `built/`, unless something has changed."""
        digest = self.digest(program)
        return self._built(f"{program.name}.elf", digest, lambda: self._link(program))

    def build_disk(self, disk: Disk) -> Built:
        """The disk's image; from `built/`, unless something has changed."""
        digest = self._disk_digest(disk)
        return self._built(f"{disk.name}.img", digest, lambda: self._lay_out(disk))

    def digest(self, program: Program) -> str:
        """A digest of everything that decides what the program is, the compiler aside."""
        rules = [CODE_FLAGS, LINK_FLAGS, program.base, program.define]
        inner = [self.recipe.programs[name] for name in program.embed]
        parts = [(part.name, part.format, self.digest(part)) for part in inner]
        headers = sorted(self._headers(program), key=self._relative)
        files = [*program.sources, *headers, *self.library.sources, self._script(program)]
        return self._digest([rules, parts], files)

    def write(self, folder: Path, built: Iterable[Built]) -> list[Path]:
        """Writes what was built, and the record of what it was made from; returns the files."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"{folder}: cannot make it: {error.strerror}"
            raise KitError(f"{what}; choose another folder by -o") from None
        record = _read_record(folder / RECORD)
        paths = []
        for one in built:
            replace_file(folder / one.file, one.data)
            paths.append(folder / one.file)
            record[one.file] = {"digest": one.digest}
            record[one.file] |= {"compiler": one.compiler} if one.compiler else {}
        replace_file(folder / RECORD, json.dumps(record, indent=2, sort_keys=True) + "\n")
        return paths

    def _built(self, file: str, digest: str, make: Make) -> Built:
        if file not in self._made:
            self._made[file] = self._kept(file, digest) or Built(file, *make(), digest, fresh=True)
        return self._made[file]

    def _kept(self, file: str, digest: str) -> Built | None:
        """What is in `built/`, if the digest still holds."""
        known = self.record.get(file, {})
        if known.get("digest") != digest:
            return None
        try:
            data = (self.recipe.folder / BUILT / file).read_bytes()
        except OSError:
            return None
        return Built(file, data, known.get("compiler", ""), digest, fresh=False)

    # Programs

    def _link(self, program: Program) -> tuple[bytes, str]:
        folders, headers, names = self._folders(program), self._headers(program), self._names()
        units = [
            Unit(source, folders, headers, names, program.define) for source in program.sources
        ]
        more = {"embedded": self._embedded(program)} if program.embed else {}
        script = self._script(program)
        data = _linked(units, more, self.library, script, program.base, self.report)
        return data, compiler().version

    def _embedded(self, program: Program) -> Object:
        """An object with the table of embedded programs: see `guests/lib/programs.h`."""
        contents = {}
        for name in program.embed:
            part = self.recipe.programs[name]
            data = self.build(part).data
            contents[name] = binary(data) if part.format == "binary" else stripped(data)
        return Object(self.folder / BUILD_FILE, compiler().embed(contents))

    def _folders(self, program: Program) -> tuple[Path, ...]:
        """Where the program's sources may include headers from, in the order of looking."""
        beside = [source.parent for source in program.sources]
        return tuple(dict.fromkeys([self.folder, *program.include, *beside, self.library.folder]))

    def _headers(self, program: Program) -> frozenset[Path]:
        """All headers that the program's sources may include."""
        folders = self._folders(program)
        return frozenset(path.resolve() for folder in folders for path in folder.glob("*.h"))

    def _names(self) -> tuple[tuple[Path, str], ...]:
        """In debug information, names begin at the kit's folder guests/, or at the own folder."""
        kit = self.library.root
        if kit / "guests" in self.folder.parents:
            return ((kit, ""),)
        return ((self.folder.parent, ".."), (kit, ""), (self.folder, ""))

    def _script(self, program: Program) -> Path:
        return program.script or self.library.script

    # Disks

    def _lay_out(self, disk: Disk) -> tuple[bytes, str]:
        contents = {}
        version = ""
        for name in disk.programs:
            built = self.build(self.recipe.programs[name])
            contents[name], version = stripped(built.data), built.compiler
        for file in disk.files:
            contents[file.name] = file.read_bytes()
        return make_disk(disk, contents), version

    def _disk_digest(self, disk: Disk) -> str:
        parts = [(name, self.digest(self.recipe.programs[name])) for name in disk.programs]
        maker = [] if disk.maker is None else [disk.maker]
        return self._digest([disk.size, parts], [*maker, *disk.files])

    # Digests

    def _digest(self, rules: object, files: Iterable[Path]) -> str:
        """A digest that is the same wherever the folder is, and with whatever line ends."""
        text = json.dumps(rules)
        for file in files:
            text += f"\n{self._relative(file)} {_content_digest(file)}"
        return hashlib.sha256(text.encode()).hexdigest()

    def _relative(self, file: Path) -> str:
        if self.library.folder in file.parents:
            return f"lib/{file.name}"
        return Path(os.path.relpath(file, self.folder)).as_posix()


def _linked(
    units: list[Unit],
    more: dict[str, Object],
    library: Library,
    script: Path,
    base: int,
    report: Report,
) -> bytes:
    """The program made of these units, of `more` objects, and of what it uses of the library."""
    tools = compiler()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = list(pool.map(tools.compile, [*units, *library.units()]))
    for one in made:
        if one.warnings:
            report(one.warnings)
    own, lib = _by_name(made[: len(units)]), _by_name(made[len(units) :])
    return tools.link(own | more, lib, script, base)


def _by_name(objects: Iterable[Object]) -> dict[str, Object]:
    """Objects by the names of their sources; where two are alike, the second gets more."""
    named: dict[str, Object] = {}
    for one in objects:
        name = one.source.name
        while name in named:
            name += "-2"
        named[name] = one
    return named


def _content_digest(file: Path) -> str:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise KitError(f"{shown(file)}: cannot read it: {error.strerror}") from None
    # A checkout on Windows may have other line ends; it still is the same source.
    return hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest()


def _read_record(file: Path) -> dict[str, dict[str, str]]:
    """What is known of each file in `built/`; of a record that is damaged, what can be used."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    entries = record.items() if isinstance(record, dict) else ()
    return {name: entry for name, entry in entries if isinstance(entry, dict)}
