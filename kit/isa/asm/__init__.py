"""The parts of the assembler; `kit.isa.assembler` is the door."""
