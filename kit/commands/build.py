"""`kit build`: compiles and links the programs of a guest's folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit.errors import KitError
from kit.resources import locate

if TYPE_CHECKING:
    from kit.toolchain.recipe import Recipe

__all__ = ["add_build"]


def add_build(commands: Any) -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "build",
        help="build a guest from C",
        description="Compiles and links the programs of FOLDER, as its build.toml says, or a "
        "single C file. What has not changed since is not built again.",
    )
    parser.add_argument("folder", metavar="FOLDER", help="a folder with C sources, or a C file")
    parser.add_argument(
        "-o", dest="output", metavar="DIR", help="where programs go (default: FOLDER/built)"
    )
    parser.add_argument("--force", action="store_true", help="build what has not changed, too")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Builds; returns the exit status."""
    path = locate(args.folder)
    if not path.exists():
        raise KitError(f"{args.folder}: there is no such folder or C file")
    output = None if args.output is None else Path(args.output)
    if path.is_dir():
        from kit.toolchain.build import recipe_of

        _build_folder(recipe_of(path), output, args.force)
    else:
        _build_single(path, output)
    return 0


def _build_folder(recipe: Recipe, output: Path | None, force: bool) -> None:
    from kit.toolchain.build import BUILT, Builder, recipe_of

    builder = Builder(recipe)
    built = [builder.build(program, anew=force) for program in recipe.programs.values()]
    if built:
        for path in builder.write(output or recipe.folder / BUILT, built):
            _say(path)
    for stage in recipe.stages:
        _build_folder(recipe_of(stage), None if output is None else output / stage.name, force)


def _build_single(path: Path, output: Path | None) -> None:
    from kit.files import replace_file
    from kit.toolchain.build import BUILT, build_file

    built = build_file(path)
    folder = output or path.parent / BUILT
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{path.stem}.elf"
    replace_file(target, built.data)
    _say(target)


def _say(path: Path) -> None:
    print(f"kit: {path}", file=sys.stderr)
