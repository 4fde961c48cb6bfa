"""The memory map: guest virtual, guest-physical and real storage, and how they hang together."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, ClassVar

from kit.widgets.maps import rights_of
from kit.widgets.view import View

__all__ = ["MemoryMap"]


class MemoryMap(View):
    """Storage of one machine in three columns, its walks, shadow tables and PMP.

    The option `address` chooses an address whose walk is shown, `tab` what is beside the picture:
    "walk", "shadow" or "pmp".
    """

    module: ClassVar[str] = "memory_map"
    prefixes: ClassVar[tuple[str, ...]] = (
        *("owner", "walk", "shadow", "pmp", "change", "map", "moment", "machine", "lamp", "kind"),
        *("event", "means", "handler"),
    )

    def text(self) -> str:
        """The runs of pages of the chosen machine, a line each."""
        film, machine = self.recorded.film, int(self.run.machine)
        rows = [row for row in film.maps if row[1] == machine]
        if not rows:
            return super().text()
        at = max(0, bisect_right([row[0] for row in rows], self.moment) - 1)
        guest: dict[str, Any] = film.parts[rows[at][2]]
        lines = [f"satp {guest['satp']:#010x}"]
        for virtual, physical, size, flags in guest["mapped"]:
            rights = rights_of(flags >> 1) + (" U" if flags & 16 else "")
            lines.append(f"{virtual:#010x} -> {physical:#010x} {size >> 10:>7} KiB {rights}")
        for start, size, owner, rights, name in guest["storage"]:
            lines.append(f"{start:#010x} {size >> 10:>7} KiB {owner:<8} {rights:<4} {name}")
        return "\n".join(lines)
