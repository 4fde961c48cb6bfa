"""How instructions get executed."""
