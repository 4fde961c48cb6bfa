"""The instruction set and the VMM kernel as formulas, for z3 to decide about.

>>> verify(instructions=["mret"]).is_proved  # doctest: +SKIP
True
"""

from kit.proof.verify import Report, verify

__all__ = ["Report", "verify"]
