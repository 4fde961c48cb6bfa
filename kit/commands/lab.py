"""`kit lab`: the student's folder in JupyterLab, at a lesson."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit.errors import KitError

if TYPE_CHECKING:
    from kit.classroom.folder import Folder

__all__ = ["add_lab"]

DEFAULT_FOLDER = "my-os"


def add_lab(commands: Any) -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "lab",
        help="open the lessons in JupyterLab",
        description="Makes your folder if there is none, brings what is missing, and opens "
        "JupyterLab at a lesson. Everything stays on this computer.",
    )
    parser.add_argument(
        "folder", nargs="?", default="", metavar="FOLDER",
        help="your folder (default: the one you are in, or else my-os)",
    )  # fmt: skip
    parser.add_argument("--lesson", default="00", metavar="NN", help="open this one (default 00)")
    parser.add_argument("--port", type=int, metavar="N", help="of JupyterLab")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Opens JupyterLab, and returns its exit status when it ends."""
    from kit.classroom.folder import Folder, notebook_of
    from kit.classroom.lesson import lesson_named

    if importlib.util.find_spec("jupyterlab") is None:
        raise KitError("JupyterLab is missing; please run: pip install 'vmm-kit[lab]'")
    lesson = lesson_named(args.lesson)
    folder = Folder(chosen_folder(args.folder))
    folder.start()
    print(f"kit: your folder is {folder.path}; control-C twice ends JupyterLab", file=sys.stderr)
    words = command(folder.path, notebook_of(lesson), args.port, args.no_browser)
    return subprocess.run(words, env=environment(folder), check=False).returncode


def chosen_folder(named: str) -> Path:
    """The folder that was named; or the one we are in, or that is beside us; or a new one."""
    from kit.classroom.folder import find_folder

    if named:
        return Path(named)
    try:
        return find_folder().path
    except KitError:
        return Path(DEFAULT_FOLDER)


def command(folder: Path, notebook: str, port: int | None, no_browser: bool) -> list[str]:
    """How JupyterLab is started: without any request for news."""
    words = [
        sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{notebook}", "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    if port is not None:
        words.append(f"--port={port}")
    if no_browser:
        words.append("--no-browser")
    if getattr(os, "geteuid", lambda: 1)() == 0:
        words.append("--allow-root")  # in a container everybody is root
    return words


def environment(folder: Folder) -> dict[str, str]:
    """The variables for JupyterLab: with a place for settings, by which it asks no question about
    news before the first lesson."""
    disabled = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    folder.write_json("jupyter/labconfig/page_config.json", disabled)
    paths = [str(folder.kit / "jupyter"), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    return {**os.environ, "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, paths))}
