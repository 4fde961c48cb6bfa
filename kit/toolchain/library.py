"""The library that every guest in C can use: the folder `guests/lib`."""

from __future__ import annotations

from pathlib import Path

from kit.resources import guests_dir
from kit.toolchain.compiler import Unit

__all__ = ["Library"]


class Library:
    """Its `sources`, `headers` and linker `script`. Raises `KitError` where there is none."""

    def __init__(self) -> None:
        self.folder = guests_dir().resolve() / "lib"
        self.sources = sorted([*self.folder.glob("*.c"), *self.folder.glob("*.S")])
        self.headers = frozenset(self.folder.glob("*.h"))
        self.script = self.folder / "link.ld"

    @property
    def root(self) -> Path:
        """The folder that the kit's ``guests/`` is in: names in debug information start there."""
        return self.folder.parent.parent

    def units(self) -> list[Unit]:
        """The sources, to be compiled: the same for every guest."""
        names = ((self.root, ""),)
        return [Unit(source, (self.folder,), self.headers, names) for source in self.sources]

    def unit_of(self, text: str, name: str) -> Unit:
        """A text that may include the library's headers, to be compiled."""
        return Unit(Path(name), (self.folder,), self.headers, ((self.root, ""),), text=text)
