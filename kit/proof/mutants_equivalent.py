"""Mutants that are no bugs: what they change, no guest can tell.

Or not in the configuration that `kit verify` proves: those show where there are fewer modes or no
compressed instructions, which is for the tests to compare.
"""

from __future__ import annotations

__all__ = ["EQUIVALENT"]

NO_SUPERVISOR = "it only concerns guests without S-mode"
NO_COMPRESSED = "it only concerns machines without compressed instructions"
ONLY_WIDTHS = "of the words that stand for arguments, only the widths matter"

NO_ADDRESS = "where an access faults, its address is not looked at"

EQUIVALENT: dict[str, str] = {
    "access.reach: 0 -> 1 (2)": NO_ADDRESS,
    "csr._set_stored: == -> !=": NO_SUPERVISOR,
    "csr._set_stored: == -> != (2)": NO_COMPRESSED,
    "interpreters.emulate_sret: 3 -> 4": NO_COMPRESSED,
    "interpreters.emulate_sret: ~ -> nothing (3)": NO_COMPRESSED,
    "kernel.Kernel._carry_out: vcpu.failure = f"
    '"the instruction {word:#x} at {hart.pc:#x} accesses no storage" -> pass': (
        "it is never executed: the lemma dispatch says that no guest is given up"
    ),
    "kernel.Kernel._decode: >= -> >": "how many decoded words are remembered, no guest can tell",
    'kernel.Kernel._leave: vcpu.counts["direct"] += direct -> pass': (
        "what is counted there goes into the operator's report only"
    ),
    'kernel.Kernel._prepare: self.recorder(vcpu, "interrupt", before, cause) -> pass': (
        "the recorder only listens"
    ),
    "kernel.kernel_roles: 0 -> 1 (3)": ONLY_WIDTHS,
    "kernel.kernel_roles: 0 -> 1 (4)": ONLY_WIDTHS,
    "protection.entry_covers: zext -> sext (2)": (
        "the two bits that it makes others are shifted out at once"
    ),
}
"""By the mutant's name, why."""
