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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kit.engine.cache import cached_bytes
from kit.errors import KitError
from kit.toolchain.embed import table

__all__ = ["CODE_FLAGS", "CompileError", "Compiler", "Unit", "compiler"]

INSTALL = "pip install 'vmm-kit[c]'"

CODE_FLAGS = (
    "-target", "riscv32-unknown-none-elf", "-march=rv32imac_zicsr_zifencei", "-mabi=ilp32",
    "-std=gnu17", "-ffreestanding", "-fno-common", "-fno-strict-aliasing",
    "-fno-ident",
    "-Og", "-g", "-Wall", "-fno-omit-frame-pointer",
    "-fno-unwind-tables", "-fno-asynchronous-unwind-tables",
)  # fmt: skip
"""The machine's instruction set, no library beneath, code that can be followed in a debugger."""

LINK_FLAGS = (
    "--nostdlib", "--discard-locals",
    "--compress-debug-sections=zlib", "--build-id=none", "-z", "max-page-size=4096",
)  # fmt: skip

FOLDER_OF_COMPILER = "compiler"
"""What the compiler's own folder of headers is called in debug information."""

_SEPARATOR = b"\0"


class CompileError(KitError):
    """Mistakes in C or assembly source, or in how the parts fit together.

    The message is the compiler's: ``file:line:col: error: what``, the source line and a caret.
    """


@dataclass(frozen=True)
class Unit:
    """A source file to be compiled.

    `folders` are searched for headers, in order; `known` are all files that it may include, for a
    build that nobody has declared cannot be repeated. `names` says, for folders, what they are
    called in debug information: nothing of the host's own folders must remain there.
    """

    source: Path
    folders: tuple[Path, ...] = ()
    known: frozenset[Path] = frozenset()
    names: tuple[tuple[Path, str], ...] = ()
    define: tuple[tuple[str, str], ...] = ()


class Compiler:
    """A compiler of a certain `version`, for messages and digests."""

    def __init__(self, program: Path, headers: Path, version: str) -> None:
        """`program` is zig, which is clang and lld too; `headers` the compiler's own."""
        self.program, self.headers, self.version = program, headers, version

    def compile(self, unit: Unit) -> tuple[bytes, str]:
        """The object file, and the warnings. Raises `CompileError`."""
        contents = sorted((str(path), _digest(path)) for path in {unit.source, *unit.known})
        key = self._key("object", self._flags(unit), str(unit.source), contents)
        data = cached_bytes(key, lambda: self._compile(unit))
        warnings, _, code = data.partition(_SEPARATOR)
        return code, warnings.decode()

    def link(
        self,
        objects: Mapping[str, bytes],
        library: Mapping[str, bytes],
        script: Path,
        base: int,
    ) -> bytes:
        """The program, for the address `base`. Objects of the library are taken where needed.

        Both have their objects by name, for messages. Raises `CompileError`.
        """
        parts = [(name, hashlib.sha256(code).hexdigest()) for name, code in objects.items()]
        more = [(name, hashlib.sha256(code).hexdigest()) for name, code in library.items()]
        key = self._key("program", LINK_FLAGS, parts, more, _digest(script), base)
        return cached_bytes(key, lambda: self._link(objects, library, script, base))

    def embed(self, contents: Mapping[str, bytes]) -> bytes:
        """An object with these files as data, and a table of them: `guests/lib/programs.h`."""
        source = table(contents)
        parts = [hashlib.sha256(data).hexdigest() for data in contents.values()]
        key = self._key("data", CODE_FLAGS[:3], source, parts)
        return cached_bytes(key, lambda: self._embed(source, contents))

    def _embed(self, source: str, contents: Mapping[str, bytes]) -> bytes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for number, data in enumerate(contents.values()):
                (folder / str(number)).write_bytes(data)
            (folder / "table.S").write_text(source, encoding="ascii")
            self._run("clang", *CODE_FLAGS[:4], "-c", "-o", "table.o", "table.S", folder=folder)
            return (folder / "table.o").read_bytes()

    def _key(self, kind: str, *parts: object) -> str:
        text = json.dumps([self.version, kind, *parts], default=str)
        return f"c-{kind}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"

    def _flags(self, unit: Unit) -> list[str]:
        flags = [*CODE_FLAGS, "-nostdinc", "-fdebug-compilation-dir=."]
        flags += [f"-I{folder}" for folder in unit.folders] + ["-isystem", str(self.headers)]
        names = [*unit.names, (self.headers, FOLDER_OF_COMPILER)]
        flags += [f"-ffile-prefix-map={folder}{_slash(name)}={name}" for folder, name in names]
        return flags + [f"-D{name}={value}" for name, value in unit.define]

    def _compile(self, unit: Unit) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            out, found = Path(folder, "out.o"), Path(folder, "found.d")
            where = ["-MD", "-MT", "out", "-MF", str(found), "-o", str(out), "-c"]
            words = self._run("clang", *self._flags(unit), *where, str(unit.source))
            self._check_included(unit, found.read_text(encoding="utf-8"))
            return words.encode() + _SEPARATOR + out.read_bytes()

    def _check_included(self, unit: Unit, rule: str) -> None:
        """Raises `CompileError` if a file was included that the build does not know of."""
        names = re.sub(r"\\\n", " ", rule).partition(": ")[2]
        files = [re.sub(r"\\(.)", r"\1", name) for name in re.split(r"(?<!\\)\s+", names) if name]
        for file in (Path(name).resolve() for name in files):
            if self.headers in file.parents or file == unit.source or file in unit.known:
                continue
            raise CompileError(
                f"{shown(unit.source)}: includes {shown(file)}, which the build does not know of; "
                f"list its folder as 'include' in build.toml"
            )

    def _link(
        self, objects: Mapping[str, bytes], library: Mapping[str, bytes], script: Path, base: int
    ) -> bytes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name).resolve()
            own = _write(folder, objects)
            lib = _write(folder / "lib", library)
            out = folder / "program.elf"
            arguments = [*LINK_FLAGS, f"--defsym=BASE={base:#x}", "-T", str(script)]
            arguments += ["-o", str(out), *own, "--start-lib", *lib, "--end-lib"]
            self._run("ld.lld", *arguments, folder=folder)
            return out.read_bytes()

    def _run(self, tool: str, *arguments: str, folder: Path | None = None) -> str:
        command = [str(self.program), tool, *arguments]
        try:
            done = subprocess.run(command, capture_output=True, check=False, cwd=folder)
        except OSError as error:
            raise KitError(f"{self.program}: cannot run it: {error.strerror}") from None
        words = _plain(done.stderr.decode("utf-8", "replace"))
        if done.returncode:
            raise CompileError(words or f"{tool} ended with status {done.returncode}")
        return words


@functools.cache
def compiler() -> Compiler:
    """The compiler that is installed. Raises `KitError` where there is none."""
    spec = importlib.util.find_spec("ziglang")
    if spec is None or spec.origin is None:
        raise KitError(f"a C compiler is needed and not installed; please run: {INSTALL}")
    folder = Path(spec.origin).resolve().parent
    program = folder / ("zig.exe" if sys.platform == "win32" else "zig")
    version = importlib.metadata.version("ziglang")
    return Compiler(program, folder / "lib" / "include", f"ziglang {version}")


def shown(path: Path) -> str:
    """A path as the user would write it: from the current folder on, if it is in there."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _plain(words: str) -> str:
    """The compiler's words with paths as the user knows them, without its count of mistakes."""
    here = str(Path.cwd())
    words = words.replace(here.rstrip("\\/") + "/", "").replace("ld.lld: error: ", "error: ")
    lines = [line for line in words.splitlines() if not re.match(r"\d+ (error|warning)s? ", line)]
    return "\n".join(lines).strip()


def _slash(name: str) -> str:
    """With the empty name, the slash goes too: "/home/me/os/trap.c" becomes "trap.c"."""
    return "" if name else "/"


def _write(folder: Path, objects: Mapping[str, bytes]) -> Iterable[str]:
    folder.mkdir(exist_ok=True)
    names = []
    for name, code in objects.items():
        path = folder / f"{name}.o"
        path.write_bytes(code)
        names.append(path.relative_to(folder.parent if folder.name == "lib" else folder).as_posix())
    return names


def _digest(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise KitError(f"{shown(path)}: cannot read it: {error.strerror}") from None
    return hashlib.sha256(data).hexdigest()
