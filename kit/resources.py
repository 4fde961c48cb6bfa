"""Where the kit's own guests and lessons are, in a checkout and in an installed package."""

from __future__ import annotations

from pathlib import Path

from kit.errors import KitError

__all__ = ["guests_dir", "lessons_dir", "locate"]

_PACKAGE = Path(__file__).resolve().parent


def guests_dir() -> Path:
    """The folder with the guest operating systems, one folder each.

    Raises `KitError` where the installation lacks it.
    """
    return _find("guests")


def lessons_dir() -> Path:
    """The folder with the lessons, MyST notebooks named ``NN-title.md``.

    Raises `KitError` where the installation lacks it.
    """
    return _find("lessons")


def locate(path: str | Path) -> Path:
    """The path itself; or, where there is nothing at ``guests/...``, the kit's own of that name."""
    path = Path(path)
    if path.parts[:1] == ("guests",) and not path.exists():
        return guests_dir().joinpath(*path.parts[1:])
    return path


def _find(name: str) -> Path:
    checkout = (_PACKAGE.parent / "pyproject.toml").is_file()
    folder = (_PACKAGE.parent if checkout else _PACKAGE / "_data") / name
    if folder.is_dir():
        return folder
    raise KitError(
        f"the kit's folder {name!r} is missing at {folder}; please install vmm-kit again"
    )
