"""The instruction set and the VMM kernel as formulas, for z3 to decide about."""
