"""`kit course`: the student's folder, its lessons, and the checks of exercises."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit.errors import KitError

if TYPE_CHECKING:
    from kit.classroom.folder import Change, Folder

__all__ = ["add_course"]

DEFAULT_FOLDER = "my-os"
_ACTIONS = (
    ("start", "make the folder, or bring what is missing", "where", "the folder (default my-os)"),
    ("open", "bring what is missing of a lesson; a snapshot first", "lesson", "such as 06"),
    ("status", "say what is changed, and how many points there are", "", ""),
    ("check", "check an exercise, or all of a lesson", "exercise", "such as 06.2, or 06"),
    ("reset", "give a file back as the course gave it; a snapshot first", "file", "the file"),
    ("adopt", "take a lesson's solution; your files go to .kit/attic", "lesson", "such as 06"),
    ("update", "bring what a newer kit has; what you have changed stays", "", ""),
)
"""Name, what it does, its argument, what that is."""


def add_course(commands: Any) -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "course",
        help="your folder for the lessons: make it, check exercises",
        description="Works on the folder with your lessons and your operating systems. No file "
        "that you have changed is overwritten unless you name it. Actions: "
        + "; ".join(f"{name}: {help_}" for name, help_, _, _ in _ACTIONS)
        + ".",
    )
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="ACTION", help="one of those above"
    )
    for name, help_, argument, what in _ACTIONS:
        action = actions.add_parser(name, help=help_, description=f"{name}: {help_}.")
        if argument:
            optional = {"nargs": "?", "default": DEFAULT_FOLDER} if name == "start" else {}
            action.add_argument(argument, metavar=argument.upper(), help=what, **optional)
        if name != "start":
            action.add_argument(
                "--folder", default=".", metavar="DIR", help="your folder (default: where you are)"
            )
        if name == "check":
            action.add_argument("--hints", type=int, default=0, choices=range(3), metavar="N",
                                help="tell so many of two hints")  # fmt: skip
            action.add_argument("--json", action="store_true", help="print one JSON object a line")
        action.set_defaults(act=globals()[f"_{name}"])
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Does what was asked for; returns the exit status."""
    return int(args.act(args))


def _start(args: argparse.Namespace) -> int:
    from kit.classroom.folder import Folder

    folder = Folder(args.where)
    _say(folder.start())
    print(f"kit: your folder is {folder.path}", file=sys.stderr)
    return 0


def _open(args: argparse.Namespace) -> int:
    from kit.classroom.folder import notebook_of
    from kit.classroom.lesson import lesson_named

    folder, lesson = _folder(args), lesson_named(args.lesson)
    _say(folder.open(lesson))
    print(folder.path / notebook_of(lesson))
    return 0


def _status(args: argparse.Namespace) -> int:
    from kit.classroom.lesson import lessons

    folder = _folder(args)
    points = folder.read_json("points.json")
    for lesson in lessons():
        print(f"{lesson.title}")
        for name, state in folder.status(lesson).items():
            if not name.endswith(".ipynb"):
                print(f"  {state:10} {name}")
        for number, (score, total) in sorted(points.items()):
            if number.startswith(lesson.number):
                print(f"  {score:4} of {total:2} {number}")
    return 0


def _check(args: argparse.Namespace) -> int:
    from kit.classroom.lesson import lesson_named
    from kit.classroom.report import as_text
    from kit.classroom.runner import check_exercise, exercises_of, language_of

    folder = _folder(args)
    language = language_of(folder)
    numbers = [args.exercise]
    if "." not in args.exercise:
        numbers = list(exercises_of(lesson_named(args.exercise)))
    whole = True
    for number in numbers:
        report = check_exercise(folder, number, language)
        text = json.dumps(report.to_json()) if args.json else as_text(report, args.hints, language)
        print(text)
        whole = whole and report.holds
    return 0 if whole else 1


def _reset(args: argparse.Namespace) -> int:
    _say([_folder(args).reset(args.file)])
    return 0


def _adopt(args: argparse.Namespace) -> int:
    from kit.classroom.lesson import lesson_named

    _say(_folder(args).adopt(lesson_named(args.lesson)))
    return 0


def _update(args: argparse.Namespace) -> int:
    _say(_folder(args).update())
    return 0


def _folder(args: argparse.Namespace) -> Folder:
    from kit.classroom.folder import find_folder

    if not Path(args.folder).is_dir():
        raise KitError(f"{args.folder}: there is no such folder")
    return find_folder(args.folder)


def _say(changes: list[Change]) -> None:
    for change in changes:
        hint = "; the course's is in .kit/new" if change.what == "yours" else ""
        print(f"{change.what}: {change.path}{hint}")
