"""Mutants that are no bugs: what they change, no guest and no machine can tell."""

from __future__ import annotations

__all__ = ["EQUIVALENT"]

EQUIVALENT: dict[str, str] = {}
"""By the mutant's name, why."""
