"""The one exception for everything a user can cause."""

from __future__ import annotations

from typing import Any

__all__ = ["KitError", "expect"]


class KitError(Exception):
    """What, where, and what to do about it, in a message for the user; `kit` exits with 2."""


def expect(name: str, value: object, what: str, *kinds: Any) -> None:
    """Raises `KitError` unless a value is of one of these kinds, which are described by `what`.

    For what people write themselves; a type checker would have told them, but few use one.
    """
    if not isinstance(value, kinds):
        raise KitError(f"{name}: expected {what}, not {value!r}")
