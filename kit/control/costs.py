"""What virtualisation costs, in modelled cycles: a stated table, and a report made with it.

Nothing here depends on the host. The table says how many cycles each kind of exit would take in a
VMM written in machine code on a simple processor; see `docs/explanation/costs.md` for what it
counts. A step that the guest makes directly is one cycle.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from kit.vmm.kernel import NO_GUEST_STEP

__all__ = ["COSTS", "OTHER", "Report", "Usage", "cost_of", "report"]

COSTS: dict[str, int] = {
    "emulate csr": 110,
    "emulate mret": 130,
    "emulate sret": 130,
    "emulate sfence.vma": 90,
    "emulate wfi": 100,
    "reflect": 120,
    "refill": 210,
    "device": 160,
    "table write": 260,
    "cut page": 370,
    "interpreted": 100,
    "timer": 90,
    "interrupt": 50,
    "switch": 200,
    "failure": 0,
}
"""Cycles of each kind of exit (`VirtualCpu.counts`), the way into the VMM and back included. All
CSR instructions cost the same."""

OTHER = 160
"""Cycles of a kind that is not in the table."""

OVERHEAD_ONLY = NO_GUEST_STEP | {"switch"}
"""What makes no progress in the guest: it costs cycles, but is no step of virtual time."""


def cost_of(kind: str) -> int:
    """The cycles of one exit of a kind."""
    return COSTS.get("emulate csr" if kind.startswith("emulate csr") else kind, OTHER)


@dataclass(frozen=True)
class Usage:
    """What one virtual machine has used.

    `direct` are the steps that it made by itself, `exits` how often each kind of exit happened.
    """

    name: str
    direct: int
    exits: dict[str, int] = field(default_factory=dict)

    @property
    def virtual_time(self) -> int:
        """Its own steps: direct ones, and those that the VMM made for it. Waiting is none."""
        made = sum(count for kind, count in self.exits.items() if kind not in OVERHEAD_ONLY)
        return self.direct + made

    @property
    def emulations(self) -> int:
        """Privileged instructions that the VMM interpreted."""
        return sum(count for kind, count in self.exits.items() if kind.startswith("emulate "))

    @property
    def refills(self) -> int:
        """Shadow entries that were filled in."""
        return self.exits.get("refill", 0)

    @property
    def vmm_cycles(self) -> int:
        """Cycles in the VMM, by the cost table."""
        return sum(count * cost_of(kind) for kind, count in self.exits.items())

    @property
    def total_cycles(self) -> int:
        """Cycles of the machine: direct steps, and those in the VMM."""
        return self.direct + self.vmm_cycles

    @property
    def ratio(self) -> float:
        """T/V: total cycles over virtual time; 1.0 were a virtual machine for nothing."""
        return self.total_cycles / self.virtual_time if self.virtual_time else 1.0

    def numbers(self) -> dict[str, object]:
        """Counted and derived numbers, by name."""
        derived = ("virtual_time", "emulations", "refills", "vmm_cycles", "total_cycles")
        values = {name: getattr(self, name) for name in derived}
        return asdict(self) | values | {"ratio": round(self.ratio, 4)}


@dataclass(frozen=True)
class Report:
    """What the virtual machines of a VMM have used."""

    machines: tuple[Usage, ...]

    def of(self, name: str) -> Usage:
        """The usage of one of them. Raises KeyError if there is none of that name."""
        return {usage.name: usage for usage in self.machines}[name]

    def text(self) -> str:
        """A table for people: a line for each virtual machine, then its exits by kind."""
        head = ("", "steps", "direct", "emulated", "refills", "VMM cycles", "T/V")
        rows = [
            (
                usage.name,
                f"{usage.virtual_time:,}",
                f"{usage.direct:,}",
                f"{usage.emulations:,}",
                f"{usage.refills:,}",
                f"{usage.vmm_cycles:,}",
                f"{usage.ratio:.2f}",
            )
            for usage in self.machines
        ]
        return _table([head, *rows]) + "".join(_exits(usage) for usage in self.machines)

    def to_json(self) -> str:
        """The same and the cost table, as one JSON object."""
        machines = {usage.name: usage.numbers() for usage in self.machines}
        return json.dumps({"costs": COSTS | {"other": OTHER}, "machines": machines}, indent=2)


def report(counts: Mapping[str, Counter[str]]) -> Report:
    """The report on virtual machines, from the counts of each (`VirtualCpu.counts`), by name."""
    return Report(tuple(_usage(name, count) for name, count in counts.items()))


def _usage(name: str, counts: Counter[str]) -> Usage:
    exits = {kind: counts[kind] for kind in sorted(counts) if kind != "direct" and counts[kind]}
    return Usage(name, counts["direct"], exits)


def _exits(usage: Usage) -> str:
    """The exits of one virtual machine, the most expensive kind first."""
    rows = [("  exits of " + usage.name, "number", "cycles")]
    by_cost = sorted(usage.exits, key=lambda kind: (-usage.exits[kind] * cost_of(kind), kind))
    for kind in by_cost:
        number = usage.exits[kind]
        rows.append(("  " + kind, f"{number:,}", f"{number * cost_of(kind):,}"))
    return "\n" + _table(rows)


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    """Columns under each other: the first to the left, the others to the right."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = []
    for first, *others in rows:
        cells = [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join([f"{first:<{widths[0]}}", *cells]).rstrip() + "\n")
    return "".join(lines)
