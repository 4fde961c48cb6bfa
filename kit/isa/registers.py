"""The names of the 32 integer registers: architectural (x10) and ABI (a0)."""

from __future__ import annotations

__all__ = ["ABI_NAMES", "REGISTERS"]

ABI_NAMES: tuple[str, ...] = (
    *("zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1"),
    *(f"a{n}" for n in range(8)),
    *(f"s{n}" for n in range(2, 12)),
    *(f"t{n}" for n in range(3, 7)),
)
"""The ABI name of each register, by number. Unprivileged Architecture, chapter 25."""

REGISTERS: dict[str, int] = {
    **{name: number for number, name in enumerate(ABI_NAMES)},
    **{f"x{number}": number for number in range(32)},
    "fp": 8,
}
"""The number of every register name that assembly may use."""
