"""The loads of `guests/bench`, and how they are built.

The table says of each load how many steps it makes, on any engine, and how many rounds fill about
a second. Tests compare the steps with those of the reference engine. How long a round takes was
measured on one computer; elsewhere the same rounds last longer or shorter, on all engines alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from kit.resources import guests_dir

__all__ = ["BARE", "KIT", "LOADS", "QUICK", "SETTINGS", "Load", "is_paged", "is_virtual"]

SETTINGS = ("bare", "sv32", "vm", "vm-sv32")
"""Physical addresses in M-mode, or Sv32 tables; on the machine itself, or in a virtual machine."""

BARE = ("bare", "sv32")
KIT = ("reference", "wasm")
"""The engines that are the kit's own, and run virtual machines."""


def is_paged(setting: str) -> bool:
    """Does a load run behind Sv32 tables there?"""
    return setting.endswith("sv32")


def is_virtual(setting: str) -> bool:
    """Does it run in a virtual machine?"""
    return setting.startswith("vm")


@dataclass(frozen=True, eq=False)
class Load:
    """A load: `guests/bench/NAME.s`, or another source there is for it.

    `start` are the steps before and after all rounds, without tables and with them; `per_round`
    those of a round. `rates` are rounds in a second: on QEMU, on engines that are slower, and
    (``vm``) in virtual machines, where traps make them slower.

    `exit_kind` is set where a single trap is measured: the kind of exit, in the VMM's counts.
    """

    name: str
    start: tuple[int, int] = (0, 0)
    per_round: int = 0
    rates: dict[str, float] = field(default_factory=dict)
    cpu_bound: bool = False
    handles_traps: bool = False
    settings: tuple[str, ...] = SETTINGS
    only_kit: bool = False
    source: str = ""
    empty_cache: bool = False
    exit_kind: str = ""

    def steps(self, rounds: int, paged: bool) -> int:
        """Steps of a whole run: instructions completed and traps taken."""
        return self.start[paged] + rounds * self.per_round

    def rounds(self, engine: str, setting: str, seconds: float) -> int:
        """Rounds that take an engine about so many seconds, but never more than QEMU's."""
        rates = [self.rates[name] for name in ("qemu", engine) if name in self.rates]
        if is_virtual(setting) and "vm" in self.rates:
            rates.append(self.rates["vm"])
        return max(1, round(min(rates, default=0) * seconds))

    def elf(self, rounds: int, paged: bool) -> bytes:
        """The image, built by the kit's assembler."""
        return _elf(self.source or f"bench/{self.name}.s", rounds, paged)


@cache
def _elf(source: str, rounds: int, paged: bool) -> bytes:
    from kit.isa.assembler import assemble  # what `kit --help` need not wait for

    path = Path(guests_dir(), source)
    program = f'.equ ROUNDS, {rounds}\n.equ PAGED, {paged:d}\n.include "{path.name}"\n'
    return assemble(program, name=path.name, include_paths=[path.parent]).to_elf()


# fmt: off
_TABLE = (
    Load("start-up", (107, 16_571)),
    Load("integer", (109, 16_573), 11_267, cpu_bound=True,
         rates={"qemu": 430_000, "unicorn": 200_000, "spike": 20_000, "reference": 20}),
    Load("sieve", (114, 16_578), 91_432, cpu_bound=True,
         rates={"qemu": 15_000, "unicorn": 1_250, "spike": 2_700, "reference": 3}),
    Load("quicksort", (110, 16_574), 75_867, cpu_bound=True,
         rates={"qemu": 22_000, "unicorn": 2_300, "spike": 2_900, "reference": 4}),
    Load("strings", (110, 16_574), 5_510, cpu_bound=True,
         rates={"qemu": 190_000, "unicorn": 29_000, "spike": 45_000, "reference": 50}),
    Load("matrix", (4_148, 20_612), 104_986, cpu_bound=True,
         rates={"qemu": 24_000, "unicorn": 8_700, "spike": 2_700, "reference": 3}),
    Load("crc", (33_401, 49_865), 40_969, cpu_bound=True,
         rates={"qemu": 45_000, "unicorn": 41_000, "spike": 7_100, "reference": 7}),
    Load("pointers", (1_179_767, 1_196_231), 1_285, cpu_bound=True,
         rates={"qemu": 5_500, "spike": 3_700, "reference": 50}),
    Load("self-modifying", (113, 16_577), 595,
         rates={"qemu": 7_000, "reference": 500}),
    Load("system-calls", (147, 33_036), 1_843, handles_traps=True,
         rates={"qemu": 5_500, "spike": 2_600, "reference": 100, "vm": 200}),
    Load("context-switches", (177, 33_066), 2_579, handles_traps=True,
         rates={"qemu": 32_000, "spike": 2_800, "reference": 100, "vm": 250}),
    Load("page-faults", (33_353, 33_370), 3_172, handles_traps=True,
         rates={"qemu": 4_000, "spike": 1_200, "reference": 80, "vm": 80}),
    Load("polling", (110, 16_574), 1_283,
         rates={"qemu": 33_000, "unicorn": 6_600, "wasm": 6_000, "reference": 200, "vm": 250}),
    Load("hello", (241, 241), settings=("bare",), only_kit=True, source="standalone/hello.s"),
    Load("hello-cold", (241, 241), settings=("bare",), only_kit=True,
         source="standalone/hello.s", empty_cache=True),
    Load("once", (20_128, 36_592), settings=("bare",), only_kit=True),
    Load("trap-csr", (109, 0), 1_027, rates={"vm": 200}, settings=("vm",), only_kit=True,
         exit_kind="emulate csrrw"),
    Load("trap-ecall", (114, 0), 1_283, rates={"vm": 200}, settings=("vm",), only_kit=True,
         exit_kind="reflect"),
    Load("trap-refill", (112, 16_576), 1_287, rates={"vm": 80}, settings=("vm", "vm-sv32"),
         only_kit=True, exit_kind="refill"),
)
# fmt: on

LOADS = {load.name: load for load in _TABLE}
"""The loads by name. The first one does nothing: it says what an engine's start-up takes."""

QUICK = ("integer", "strings", "system-calls", "hello", "trap-csr", "trap-ecall", "trap-refill")
"""What `kit bench --quick` measures, where no loads are named."""
