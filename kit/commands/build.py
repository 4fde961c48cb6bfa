"""`kit build`: compiles and links what a guest's folder describes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit.errors import KitError
from kit.resources import locate

if TYPE_CHECKING:
    from kit.toolchain.build import Built
    from kit.toolchain.recipe import Recipe

__all__ = ["add_build"]

SURPLUS = "one folder is built; its build.toml may list several as its stages"


def add_build(commands: Any) -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "build",
        help="build a guest from C",
        description="Builds programs and disks from a folder, as its build.toml says, or a program "
        "from a single C file. What has not changed since is taken as it is.",
    )
    parser.add_argument("path", metavar="FOLDER", help="a folder with C sources, or a C file")
    parser.add_argument(
        "-o", dest="output", metavar="DIR", help="where it goes (default: built, in the folder)"
    )
    parser.add_argument("--force", action="store_true", help="build what has not changed, too")
    parser.set_defaults(run=run, surplus=SURPLUS)


def run(args: argparse.Namespace) -> int:
    """Builds; returns the exit status."""
    path = locate(args.path)
    output = None if args.output is None else Path(args.output)
    if path.is_dir():
        from kit.toolchain.build import recipe_of

        _build_all(recipe_of(path), output, args.force)
        return 0
    if path.suffix != ".c" or not path.is_file():
        raise KitError(f"{args.path}: there is no such folder or C file")
    from kit.toolchain.build import BUILT, builder_of

    builder, program = builder_of(path, anew=args.force)
    built = builder.build(program)
    _say(builder.write(output or path.parent / BUILT, [built]), [built])
    return 0


def _build_all(recipe: Recipe, output: Path | None, force: bool) -> None:
    """Builds a folder's programs and disks, then its stages."""
    from kit.toolchain.build import BUILT, Builder, recipe_of

    builder = Builder(recipe, anew=force)
    built = [builder.build(program) for program in recipe.programs.values()]
    built += [builder.build_disk(disk) for disk in recipe.disks.values()]
    if built:
        _say(builder.write(output or recipe.folder / BUILT, built), built)
    for stage in recipe.stages:
        _build_all(recipe_of(stage), None if output is None else output / stage.name, force)


def _say(paths: list[Path], built: list[Built]) -> None:
    for path, one in zip(paths, built, strict=True):
        print(f"kit: {path}{'' if one.fresh else ' is as it was'}", file=sys.stderr)
