"""A mutant: a bug seeded into one source of the VMM kernel."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import kit

__all__ = ["VMM", "Mutant"]

VMM = Path(kit.__file__).parent / "vmm"


class Mutant(NamedTuple):
    """In `file`, the text `old` is replaced by `new`.

    It must be there exactly once; or, where `at` is given, at this place (in characters).
    """

    file: str
    old: str
    new: str
    at: int | None = None

    @property
    def module(self) -> str:
        """The module that is changed."""
        return f"kit.vmm.{self.file}"

    def source(self) -> str:
        """The changed source. Raises ValueError where `old` is not where it should be."""
        text = (VMM / f"{self.file}.py").read_text(encoding="utf-8")
        if self.at is not None:
            if text[self.at : self.at + len(self.old)] != self.old:
                raise ValueError(f"{self.file}.py has no {self.old!r} at {self.at}")
            return text[: self.at] + self.new + text[self.at + len(self.old) :]
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file}.py has {text.count(self.old)} times: {self.old}")
        return text.replace(self.old, self.new)
