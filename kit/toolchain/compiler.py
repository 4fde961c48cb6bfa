"""The C compiler for guests: clang and lld, as the Python package `ziglang` brings them.

Everything that decides what a guest's code looks like is here: target, flags, linker's options.
Objects and programs are kept in the cache under a digest of all that went into them.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kit.engine.cache import cached_bytes
from kit.errors import KitError
from kit.toolchain.embed import table
from kit.toolchain.messages import compilers_words, linkers_words, shown

__all__ = ["CODE_FLAGS", "LINK_FLAGS", "CompileError", "Compiler", "Object", "Unit", "compiler"]

INSTALL = "pip install 'vmm-kit[c]'"

TARGET = (
    "-target", "riscv32-unknown-none-elf", "-march=rv32imac_zicsr_zifencei", "-mabi=ilp32",
    "-mno-relax",
)  # fmt: skip
"""The machine's instruction set. The linker changes no instruction any more: what the compiler
shows is what runs, and lines in messages and debug information are exact."""

CODE_FLAGS = (
    *TARGET, "-std=gnu17", "-ffreestanding", "-fno-common", "-fno-strict-aliasing", "-fno-ident",
    "-Og", "-g", "-Wall", "-fno-omit-frame-pointer",
    "-fno-unwind-tables", "-fno-asynchronous-unwind-tables",
)  # fmt: skip
"""No library beneath; code that can be followed in a debugger."""

LINK_FLAGS = (
    "--nostdlib", "--discard-locals", "--compress-debug-sections=zlib", "--build-id=none",
    "-z", "max-page-size=4096",
)  # fmt: skip

FOLDER_OF_COMPILER = "compiler"
"""What the compiler's own folder of headers is called in debug information."""

_END_OF_WORDS = b"\0"


class CompileError(KitError):
    """Mistakes in C or assembly source, or in how the parts fit together.

    The message is the compiler's: ``file:line:col: error: what``, the source line and a caret.
    """


@dataclass(frozen=True)
class Unit:
    """A source to be compiled: a file, or a `text` that is called `source`.

    `folders` are searched for headers, in order; `known` are all files that it may include, so that
    nothing goes into an object unseen. `names` says what folders are called in debug information:
    nothing of the host's own folders must remain there; of several, the last one that fits counts.
    """

    source: Path
    folders: tuple[Path, ...] = ()
    known: frozenset[Path] = frozenset()
    names: tuple[tuple[Path, str], ...] = ()
    define: tuple[tuple[str, str], ...] = ()
    text: str | None = None


@dataclass(frozen=True)
class Object:
    """What became of a unit: an object file, and the compiler's `warnings`."""

    source: Path
    code: bytes
    warnings: str = ""


class Compiler:
    """A compiler of a certain `version`, which goes into each digest."""

    def __init__(self, program: Path, headers: Path, version: str) -> None:
        """`program` is zig, which is clang and lld too; `headers` are the compiler's own."""
        self.program, self.headers, self.version = program, headers, version

    def compile(self, unit: Unit) -> Object:
        """The unit's object file. Raises `CompileError`."""
        files = unit.known if unit.text is not None else {unit.source, *unit.known}
        contents = sorted((str(path), _digest(path)) for path in files)
        key = self._key("object", self._flags(unit), str(unit.source), unit.text, contents)
        folders = {*unit.folders, unit.source.parent} - {Path()}
        try:
            data = cached_bytes(key, lambda: self._compile(unit))
        except _ToolError as error:
            raise CompileError(compilers_words(str(error), folders)) from None
        words, _, code = data.partition(_END_OF_WORDS)
        return Object(unit.source, code, compilers_words(words.decode(), folders))

    def link(
        self, objects: Mapping[str, Object], library: Mapping[str, Object], script: Path, base: int
    ) -> bytes:
        """The program, for the address `base`. Objects of the library are taken where needed.

        Both have their objects by name, for messages. Raises `CompileError`.
        """
        parts = [
            [(name, _sha(one.code)) for name, one in some.items()] for some in (objects, library)
        ]
        key = self._key("program", LINK_FLAGS, parts, _digest(script), base)
        try:
            return cached_bytes(key, lambda: self._link(objects, library, script, base))
        except _ToolError as error:
            sources = {f"own/{name}": one.source for name, one in objects.items()}
            sources |= {f"lib/{name}": one.source for name, one in library.items()}
            raise CompileError(linkers_words(str(error), sources)) from None

    def embed(self, contents: Mapping[str, bytes]) -> bytes:
        """An object with these files as data, and a table of them: `guests/lib/programs.h`."""
        source = table(contents)
        key = self._key("data", TARGET, source, [_sha(data) for data in contents.values()])
        return cached_bytes(key, lambda: self._embed(source, contents))

    def _key(self, kind: str, *parts: object) -> str:
        return f"c-{kind}-{_sha(json.dumps([self.version, kind, *parts]).encode())[:32]}"

    def _flags(self, unit: Unit) -> list[str]:
        flags = [*CODE_FLAGS, "-nostdinc", "-fdebug-compilation-dir=."]
        flags += [f"-I{folder.as_posix()}" for folder in unit.folders]
        flags += ["-isystem", self.headers.as_posix()]
        for folder, name in (*unit.names, (self.headers, FOLDER_OF_COMPILER)):
            # With an empty name, the slash goes too: "/home/me/os/trap.c" becomes "trap.c".
            flags.append(f"-ffile-prefix-map={folder.as_posix()}{'' if name else '/'}={name}")
        return flags + [f"-D{name}={value}" for name, value in unit.define]

    def _compile(self, unit: Unit) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            out, found = Path(folder, "out.o"), Path(folder, "found.d")
            where = ["-MD", "-MT", "out", "-MF", str(found), "-o", str(out), "-c"]
            source = [unit.source.as_posix()] if unit.text is None else ["-x", "c", "-"]
            words = self._run("clang", *self._flags(unit), *where, *source, text=unit.text)
            self._check_included(unit, found.read_text(encoding="utf-8"))
            return words.encode() + _END_OF_WORDS + out.read_bytes()

    def _check_included(self, unit: Unit, rule: str) -> None:
        """Raises `CompileError` if a file was included that the build does not know of."""
        names = re.sub(r"\\\n", " ", rule).partition(": ")[2]
        files = [re.sub(r"\\(.)", r"\1", name) for name in re.split(r"(?<!\\)\s+", names) if name]
        for file in (Path(name).resolve() for name in files if name != "-"):
            if self.headers in file.parents or file == unit.source or file in unit.known:
                continue
            raise CompileError(
                f"{shown(unit.source)}: includes {shown(file)}, which is no header (.h) in a "
                f"folder that the build knows of; list it under 'include' in build.toml"
            )

    def _link(
        self, objects: Mapping[str, Object], library: Mapping[str, Object], script: Path, base: int
    ) -> bytes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            own = _write(folder, "own", objects)
            lib = _write(folder, "lib", library)
            arguments = [*LINK_FLAGS, f"--defsym=BASE={base:#x}", "-T", str(script)]
            arguments += ["-o", "program.elf", *own, "--start-lib", *lib, "--end-lib"]
            self._run("ld.lld", *arguments, folder=folder)
            return (folder / "program.elf").read_bytes()

    def _embed(self, source: str, contents: Mapping[str, bytes]) -> bytes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for number, data in enumerate(contents.values()):
                (folder / str(number)).write_bytes(data)
            (folder / "table.S").write_text(source, encoding="ascii")
            self._run("clang", *TARGET, "-c", "-o", "table.o", "table.S", folder=folder)
            return (folder / "table.o").read_bytes()

    def _run(
        self, tool: str, *arguments: str, folder: Path | None = None, text: str | None = None
    ) -> str:
        """Runs a tool, in a folder, with a text as its input; returns its words."""
        command = [str(self.program), tool, *arguments]
        given = b"" if text is None else text.encode()
        try:
            done = subprocess.run(command, input=given, capture_output=True, cwd=folder)
        except OSError as error:
            raise KitError(f"{self.program}: cannot run it: {error.strerror}") from None
        words = done.stderr.decode("utf-8", "replace")
        if done.returncode:
            raise _ToolError(words or f"{tool} ended with status {done.returncode}")
        return words


class _ToolError(Exception):
    """What a tool said before it failed."""


@functools.cache
def compiler() -> Compiler:
    """The compiler that is installed. Raises `KitError` where there is none."""
    spec = importlib.util.find_spec("ziglang")
    if spec is None or spec.origin is None:
        raise KitError(f"a C compiler is needed, and none is installed; please run: {INSTALL}")
    folder = Path(spec.origin).resolve().parent
    program = folder / ("zig.exe" if sys.platform == "win32" else "zig")
    version = importlib.metadata.version("ziglang")
    return Compiler(program, folder / "lib" / "include", f"ziglang {version}")


def _write(folder: Path, inner: str, objects: Mapping[str, Object]) -> list[str]:
    """Writes objects into a folder within another; their names from the outer one on."""
    (folder / inner).mkdir()
    names = [f"{inner}/{name}.o" for name in objects]
    for name, one in zip(names, objects.values(), strict=True):
        (folder / name).write_bytes(one.code)
    return names


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest(path: Path) -> str:
    try:
        return _sha(path.read_bytes())
    except OSError as error:
        raise KitError(f"{shown(path)}: cannot read it: {error.strerror}") from None
