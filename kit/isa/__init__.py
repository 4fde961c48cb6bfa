"""What the processor means, stated once."""

from kit.isa import atomic, base, compressed, holes, multiply, system, zicsr

__all__ = ["atomic", "base", "compressed", "holes", "multiply", "system", "zicsr"]
