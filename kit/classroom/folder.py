"""The student's folder: what is in it is the student's, and files are the truth.

    my-os/course.toml     which course this is, and the language of its messages
    my-os/lessons/        notebooks, and beside them the files of lessons 00 to 04
    my-os/batch/ multi/   the student's systems in C, a folder to a stage
    my-os/vmm/            the student's VMM
    my-os/.kit/           what the kit keeps: snapshots, an attic, runs that failed, answers

Nothing here overwrites a file that the student has changed, and before anything is replaced a
snapshot of all of the student's files is taken.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from kit import __version__
from kit.classroom.lesson import Lesson, lessons
from kit.errors import KitError
from kit.files import replace_file

__all__ = ["COURSE_FILE", "KERNEL", "Folder", "find_folder", "kernel_metadata"]

KERNEL = "python3"
"""The Jupyter kernel that the lessons run on."""
COURSE_FILE = "course.toml"
_PARTS = ("lessons", "batch", "multi", "vmm")
_BUILT = "built"
_COURSE = """\
# This folder belongs to a course with vmm-kit. The files in it are yours: no command overwrites
# what you have changed. `kit course --help` says what you can do here.

kit = "{version}"          # the version that made this folder
# language = "ja"          # of messages; without this, your computer's
"""
_EDITOR = """\
root = true

[*]
charset = utf-8
end_of_line = lf
insert_final_newline = true

[*.{c,h}]
indent_style = space
indent_size = 2

[*.{s,S}]
indent_style = space
indent_size = 8
"""
_SETTINGS = {".editorconfig": _EDITOR}


@dataclass(frozen=True)
class Change:
    """What became of a file: "new", "updated", "yours" (left alone), "restored" or "adopted"."""

    what: str
    path: str


class Folder:
    """A student's folder, which may have to be made first: see `start`."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        self.kit = self.path / ".kit"

    # -- making and completing it --------------------------------------------------------------

    def start(self) -> list[Change]:
        """Makes the folder, or completes it: the files of all lessons that are not there yet.

        Raises `KitError` where it cannot be written, or jupytext is missing.
        """
        self._try(self.path.mkdir, parents=True, exist_ok=True)
        for part in (*_PARTS, ".kit"):
            self._try((self.path / part).mkdir, exist_ok=True)
        if not (self.path / COURSE_FILE).exists():
            self._write(COURSE_FILE, _COURSE.format(version=__version__))
        for name, text in (_SETTINGS | {"batch/compile_flags.txt": _flags()}).items():
            if not (self.path / name).exists():
                self._write(name, text)
        return self._add(lessons())

    def open(self, lesson: Lesson) -> list[Change]:
        """Takes a snapshot, then adds those files of a lesson that are not there."""
        self.snapshot()
        return self._add([lesson])

    def _add(self, wanted: Iterable[Lesson]) -> list[Change]:
        changes, given = [], self.given()
        for lesson in wanted:
            for name, text in self._of(lesson).items():
                if (self.path / name).exists():
                    continue
                self._write(name, text)
                given[name] = _digest(text)
                changes.append(Change("new", name))
        self._keep_given(given)
        return changes

    def _of(self, lesson: Lesson, solution: bool = False) -> dict[str, str]:
        """All files of a lesson, its notebook among them, by path."""
        files = {_place(name): text for name, text in lesson.files(solution).items()}
        return {notebook_of(lesson): _notebook(lesson)} | files

    def update(self) -> list[Change]:
        """Brings in what a newer kit gives. A file that the student has changed stays as it is;
        the kit's is then put into ``.kit/new``, to be looked at."""
        self.snapshot()
        changes, given = self._add(lessons()), self.given()
        for lesson in lessons():
            for name, text in self._of(lesson).items():
                if given.get(name) == _digest(text):
                    continue
                if self._is_untouched(name, given):
                    self._write(name, text)
                    given[name] = _digest(text)
                    changes.append(Change("updated", name))
                else:
                    self._write(f".kit/new/{name}", text)
                    changes.append(Change("yours", name))
        self._keep_given(given)
        return changes

    def reset(self, file: str | Path) -> Change:
        """Gives a file back as the course gave it. Raises `KitError` if it gave no such file."""
        name = self._name(file)
        for lesson in lessons():
            text = self._of(lesson).get(name)
            if text is not None:
                self.snapshot()
                self._write(name, text)
                self._keep_given(self.given() | {name: _digest(text)})
                return Change("restored", name)
        raise KitError(f"{file}: the course has not given a file of this name, so it cannot reset")

    def adopt(self, lesson: Lesson) -> list[Change]:
        """Takes the kit's solution of a lesson; the student's files go to ``.kit/attic``."""
        self.snapshot()
        changes, attic = [], self._fresh("attic", lesson.number)
        for name, text in self._of(lesson, solution=True).items():
            if name.endswith(".ipynb"):
                continue
            old = self.path / name
            if old.exists():
                if old.read_bytes() == text.encode():
                    continue
                copy = attic / name
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(old, copy)
            self._write(name, text)
            changes.append(Change("adopted", name))
        return changes

    # -- looking -------------------------------------------------------------------------------

    def status(self, lesson: Lesson) -> dict[str, str]:
        """Each file of a lesson with "untouched", "changed" or "missing"."""
        given, found = self.given(), {}
        for name in self._of(lesson):
            if not (self.path / name).exists():
                found[name] = "missing"
            else:
                found[name] = "untouched" if self._is_untouched(name, given) else "changed"
        return found

    def _is_untouched(self, name: str, given: dict[str, str]) -> bool:
        path = self.path / name
        return path.is_file() and given.get(name) == _digest(path.read_bytes())

    def given(self) -> dict[str, str]:
        """A digest of each file as the course gave it, by path."""
        return dict(self.read_json("given.json"))

    def _keep_given(self, given: dict[str, str]) -> None:
        self.write_json("given.json", given)

    def settings(self) -> dict[str, Any]:
        """What ``course.toml`` says. Raises `KitError` where it cannot be read."""
        try:
            return tomllib.loads((self.path / COURSE_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise KitError(f"{self.path / COURSE_FILE}: cannot be read: {error}") from None

    # -- what the kit keeps ----------------------------------------------------------------------

    def read_json(self, name: str) -> Any:
        """What was kept under a name; an empty dict if nothing was, or it is damaged."""
        try:
            return json.loads((self.kit / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def write_json(self, name: str, value: Any) -> None:
        """Keeps something under a name."""
        self._write(f".kit/{name}", json.dumps(value, indent=1, ensure_ascii=False) + "\n")

    def snapshot(self) -> Path | None:
        """Packs all of the student's files into ``.kit/snapshots``; None if nothing has changed
        since the last one."""
        files = sorted(self._students_files())
        digest = _digest("".join(f"{name} {_digest(path.read_bytes())}\n" for name, path in files))
        state = self.read_json("snapshots.json")
        if not files or state.get("last") == digest:
            return None
        number = int(state.get("count", 0)) + 1
        target = self.kit / "snapshots" / f"{number:04}.zip"
        self._try(target.parent.mkdir, parents=True, exist_ok=True)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, path in files:
                packed.write(path, name)
        self.write_json("snapshots.json", {"count": number, "last": digest})
        return target

    def _students_files(self) -> Iterator[tuple[str, Path]]:
        for part in _PARTS:
            for path in (self.path / part).rglob("*"):
                name = path.relative_to(self.path)
                hidden = any(one.startswith(".") or one == _BUILT for one in name.parts)
                if path.is_file() and not hidden:
                    yield name.as_posix(), path

    def _fresh(self, *parts: str) -> Path:
        """A folder in ``.kit`` that is not there yet."""
        base = self.kit.joinpath(*parts)
        number = 1
        while (found := base.with_name(f"{base.name}-{number}")).exists():
            number += 1
        return found

    # -- files -----------------------------------------------------------------------------------

    def _name(self, file: str | Path) -> str:
        """A file's path in the folder, whichever way it was named."""
        for base in (Path.cwd(), self.path, self.path / "lessons"):
            path = (base / file).resolve()
            if path.is_relative_to(self.path.resolve()) and path.is_file():
                return path.relative_to(self.path.resolve()).as_posix()
        return _place(Path(file).as_posix())

    def _write(self, name: str, text: str) -> None:
        path = self.path / name
        self._try(path.parent.mkdir, parents=True, exist_ok=True)
        replace_file(path, text)

    def _try(self, action: Any, *arguments: Any, **options: Any) -> None:
        try:
            action(*arguments, **options)
        except OSError as error:
            raise KitError(f"cannot write the folder {self.path}: {error.strerror}") from None


def find_folder(start: str | Path = ".") -> Folder:
    """The student's folder that a path lies in. Raises `KitError` where there is none."""
    here = Path(start).absolute()
    for path in (here, *here.parents, here / "my-os"):
        if (path / COURSE_FILE).is_file():
            return Folder(path)
    raise KitError(
        f"{here}: no {COURSE_FILE} here or above; make your folder with: kit course start my-os"
    )


def notebook_of(lesson: Lesson) -> str:
    """The path of a lesson's notebook in the student's folder."""
    return f"lessons/{lesson.name}.ipynb"


def _place(name: str) -> str:
    """Where a file of a lesson goes: beside the notebooks, unless it belongs to a system."""
    return name if name.split("/")[0] in _PARTS else f"lessons/{name}"


def _digest(data: str | bytes) -> str:
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def _flags() -> str:
    """What an editor's C support wants to know: one compiler flag a line."""
    from kit.resources import guests_dir

    flags = ["--target=riscv32", "-march=rv32imac", "-ffreestanding", "-Iinclude"]
    return "\n".join([*flags, f"-I{guests_dir() / 'lib'}", ""])


def _notebook(lesson: Lesson) -> str:
    """A lesson as a notebook, without solutions and outputs."""
    return _converted(lesson.notebook())


@cache
def _converted(text: str) -> str:
    try:
        import jupytext
    except ImportError:
        raise KitError("notebooks need jupytext; please run: pip install 'vmm-kit[lab]'") from None
    notebook = jupytext.reads(text, fmt="md:myst")
    notebook.metadata.update(kernel_metadata())
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"  # the same text gives the same notebook
    return str(jupytext.writes(notebook, fmt="ipynb"))


def kernel_metadata() -> dict[str, Any]:
    """What JupyterLab writes into a notebook about its kernel when it opens it.

    A notebook that has it already is not marked as changed by being opened. Empty where no kernel
    is installed.
    """
    try:
        from ipykernel.ipkernel import IPythonKernel
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
    except ImportError:
        return {}
    try:
        spec = KernelSpecManager().get_kernel_spec(KERNEL)
    except NoSuchKernel:
        return {}
    named = {"name": KERNEL, "display_name": spec.display_name, "language": spec.language}
    return {"kernelspec": named, "language_info": dict(IPythonKernel.language_info)}
