"""What a machine is configured to have: instruction sets, modes, protection, page-table policy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from kit.errors import KitError

__all__ = ["Config"]

_ORDER = "imac"


@dataclass(frozen=True)
class Config:
    """The constants of one processor.

    `isa` is "rv32i" followed by any of m, a, c; `modes` is "M", "MU" or "MSU"; `pmp` is the number
    of PMP entries (0 or 16); `ad` says who sets the accessed and dirty bits of a page-table entry:
    the hardware ("update", as Svadu) or, after a page fault, the guest ("fault", as Svade).
    `holes` are names of alterations that break the architecture's rules, from `kit.isa.holes`.

    Raises `KitError` for anything else.
    """

    isa: str = "rv32imac"
    modes: str = "MSU"
    pmp: int = 16
    ad: str = "update"
    holes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.isa, str):
            raise KitError(f"isa {self.isa!r}: expected text such as rv32imac")
        letters = self.isa.removeprefix("rv32")
        if not self.isa.startswith("rv32i") or letters != "".join(
            letter for letter in _ORDER if letter in letters
        ):
            raise KitError(
                f"isa {self.isa!r}: expected rv32i followed by any of m, a, c, such as rv32imac"
            )
        if self.modes not in ("M", "MU", "MSU"):
            raise KitError(f"modes {self.modes!r}: expected M, MU or MSU")
        if self.pmp not in (0, 16):
            raise KitError(f"pmp {self.pmp}: expected 0 or 16 entries")
        if self.ad not in ("update", "fault"):
            raise KitError(f"ad {self.ad!r}: expected update or fault")
        if self.holes:
            from kit.isa.holes import check_holes  # which needs the processor, which needs this

            check_holes(self.holes)

    @cached_property
    def xlen(self) -> int:
        """Width of a register in bits."""
        return int(self.isa[2:4])

    @cached_property
    def plen(self) -> int:
        """Width of a physical address in bits."""
        return 34 if self.xlen == 32 else 56

    @property
    def extensions(self) -> str:
        """The letters of the instruction sets, in capitals."""
        return self.isa[4:].upper()

    @property
    def has_s(self) -> bool:
        """Is there a supervisor mode?"""
        return "S" in self.modes

    @property
    def has_u(self) -> bool:
        """Is there a user mode?"""
        return "U" in self.modes

    @property
    def has_c(self) -> bool:
        """Are there compressed instructions?"""
        return "C" in self.extensions
