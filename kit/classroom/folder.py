"""The student's folder: the lessons as notebooks, which are the student's from then on.

``python -m kit.classroom.folder my-os`` makes or completes a folder.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from kit.errors import KitError
from kit.resources import lessons_dir

__all__ = ["KERNEL", "kernel_metadata", "open_folder"]

KERNEL = "python3"
"""The Jupyter kernel that the lessons run on."""


def open_folder(folder: str | Path) -> list[Path]:
    """Puts the lessons into ``folder/lessons`` as notebooks; returns the ones that are new.

    A notebook that exists already is never changed: it may hold the student's work. Raises
    `KitError` where the folder cannot be written or jupytext is missing.
    """
    try:
        import jupytext
    except ImportError:
        raise KitError("notebooks need jupytext; please run: pip install 'vmm-kit[lab]'") from None

    target = Path(folder) / "lessons"
    new = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        for source in sorted(lessons_dir().glob("*.md")):
            notebook = target / f"{source.stem}.ipynb"
            if notebook.exists():
                continue
            # The unfinished file has another name, so that an interruption leaves no half lesson.
            partial = notebook.with_suffix(".part")
            lesson = jupytext.read(source)
            lesson.metadata.update(kernel_metadata())
            text = jupytext.writes(lesson, fmt="ipynb")
            partial.write_text(text, encoding="utf-8")
            partial.replace(notebook)
            new.append(notebook)
    except OSError as error:
        raise KitError(f"cannot write the lessons to {target}: {error.strerror}") from None
    return new


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


def main(arguments: list[str]) -> int:
    """Opens the folder named by the only argument; says what is new."""
    try:
        if len(arguments) != 1:
            raise KitError("usage: python -m kit.classroom.folder FOLDER")
        new = open_folder(arguments[0])
    except KitError as error:
        print(f"kit: {error}", file=sys.stderr)
        return 2
    for notebook in new:
        print(f"new: {notebook}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
