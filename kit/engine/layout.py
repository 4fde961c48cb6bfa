"""Where things lie in the linear memory that generated code works on.

From its start: the words of the hart, what the engine keeps for itself, its tables, and the
machine's RAM. Sizes are in bytes.
"""

from __future__ import annotations

from kit.isa.config import Config
from kit.isa.cpu import ARRAYS, WORDS, width_of

__all__ = ["ACCESSES", "REGIMES", "Layout"]

ENGINE_WORDS = (
    # The instruction being executed has trapped (1), or is one for Python (2); the trap's values.
    *("trapped", "cause", "tval"),
    # Steps still to be made, and their number when the clocks were right.
    *("left", "counted"),
    # How many breakpoints there are; whether they count for the first step; `left` at the start.
    *("breaks", "break_first", "started"),
    # An access to what is not RAM: how far it is (see `NOT_ASKED`), whether it reads or writes,
    # where, how many bytes, and the value.
    *("outside", "outside_kind", "outside_address", "outside_size", "outside_value"),
    # Why `run` came back, and which traps it comes back for (0 none, 1 into M-mode, 2 all).
    *("reason", "listen"),
    # After how many arrivals the code at an address is worth translating.
    "threshold",
    # To be done before the next instruction: drop what is remembered of translations; look at
    # mode and mstatus again; leave `run`.
    *("flush", "regime_changed", "leave"),
    # The place of the translation that was entered last; how many addresses were in no window, and
    # the last of them.
    *("current", "misses", "missed", "missed_kind"),
    # A walk has read a table in a page of which that was not known.
    "marked",
    # The regime: is every address physical and allowed? which tables of remembered translations?
    *("linear", "read_table", "write_table", "execute_table"),
    # How many pages hold tables that walks have read; how many pages with translated code were
    # written to.
    *("table_pages", "written_pages"),
    # How many ranges of RAM are watched; how many writes to them Python has not been told of.
    *("watches", "watch_hits"),
)
BUDGET, TRAPPED, WAITING, DEVICE, HOT, CODE, BREAKPOINT, SCATTERED = range(8)
"""Why `run` came back: steps made, a trap that is listened for, the hart waits, an instruction for
Python (not executed), code worth translating at pc, translated code was written over, pc is at a
breakpoint, the translation at `current` misses its windows too often."""
BREAKPOINTS = 64
WATCHES = 16
"""Ranges of RAM that can be watched."""
WATCH_HITS = 16
"""Writes to what is watched that are kept until the instruction is over: a store, or an entry of a
table in each of its walks."""
NOT_ASKED, ABSENT, WRITING, VALUED, READ, WRITTEN = range(6)
"""How far an access to what is not RAM is: Python has not been asked; nothing answers there; a
device is there, but the value for it is not; now it is; a device has been read; the device has it.
Each time the instruction is executed anew, until it can be completed. From `READ` on a device has
acted, perhaps on storage: so the instruction is not fetched again, nor its address translated."""
INTERPRETED, ENDING, MISSING, MISSED = 1, 2, 3, 4
"""What translated code returns where the core is to execute the next instruction: because it cannot
do it, because the budget is about to end, because no translation begins there, or because an
address (`missed`, accessed as `missed_kind` says) is in no window."""
OFTEN = 4096
"""So many misses make a translation scattered."""
KINDS = tuple((access, size) for access in ("read", "write") for size in (1, 2, 4))
TABLE_PAGE, CODE_PAGE, WATCH_PAGE = 1, 2, 4
"""Why a page is guarded: it holds tables, or translated code, or something that is watched."""
INVALID = 0x800
"""A tag that no page has."""
PAGE_MASK = 0xFFFF_F000
REGIMES = 5
"""Regimes of translation kept apart: U, S, S with SUM, M, and one that is never used."""
ACCESSES = ("read", "write", "execute")
ENTRIES = 256
"""Remembered translations for each regime and access: the page's address, and what to add to an
address in it for the place in memory."""
WINDOW = ENTRIES * 8
"""Behind them is the window, a run of pages of which all is remembered: its address, its size, and
what to add."""
TABLE = WINDOW + 16
DECODED = 4096
PLACES = 8192
HEAT = 1 << 14
GOLDEN = 0x9E3779B1
"""2**32 divided by the golden ratio: a number times it has its differences in its upper bits."""
LINEAR = 1
"""Stands for the page of code where every address is physical."""
TABLE_LIMIT = 1024
WRITTEN_LIMIT = 64


def key_of(pc: int, page: int) -> int:
    """What the entries for code at a virtual address are found by: two processes each have theirs.

    `page` is where in memory the page of the code is, or `LINEAR`.
    """
    return pc >> 1 ^ (page >> 12) * GOLDEN & 0xFFFF_FFFF


class Layout:
    """The offsets, for a machine of this configuration with `size` bytes of RAM from `ram_base`."""

    def __init__(self, config: Config, ram_base: int, size: int) -> None:
        self.config, self.ram_base, self.size = config, ram_base, size
        self.at: dict[str, int] = {}
        self._end = 0
        for name in (*WORDS, *ENGINE_WORDS):
            self._take(name, self.bytes_of(name))
        for name, (count, _) in ARRAYS.items():
            self._take(name, count * self.bytes_of(name))
        self._take("tables", TABLE_LIMIT * 4)
        self._take("written", WRITTEN_LIMIT * 4)
        self._take("breakpoints", BREAKPOINTS * 4)
        # Address and length of each range that is watched; of each write to one.
        self._take("watched", WATCHES * 8)
        self._take("watch_hit", WATCH_HITS * 8)
        self._take("decoded", DECODED * 8)
        self._take("heat", HEAT * 8)
        self._take("places", PLACES * 16)
        self._take("remembered", len(ACCESSES) * REGIMES * TABLE)
        # For each page a byte, why it is guarded (`TABLE_PAGE` and so on); for each 32 bytes, is
        # there translated code in them?
        self._take("guards", size >> 12)
        self._take("lines", size >> 5)
        self._end = -(-self._end >> 16) << 16
        self._take("ram", size)
        self.total = self._end

    def _take(self, name: str, size: int) -> None:
        self._end = -(-self._end // 8) * 8
        self.at[name] = self._end
        self._end += size

    def bytes_of(self, name: str) -> int:
        """The bytes of a word, or of each word of a file."""
        if name in ENGINE_WORDS:
            return 4
        return 4 if width_of(name, self.config) <= 32 else 8

    def remembered(self, access: str, regime: int = 0) -> int:
        """Where the table for an access in a regime begins."""
        number = ACCESSES.index(access) * REGIMES + regime
        return self.at["remembered"] + number * TABLE

    @property
    def delta(self) -> int:
        """What to add to a physical address in RAM to find it in the linear memory."""
        return self.at["ram"] - self.ram_base
