"""What saved states may hold: small checks, and the one place that refuses what fails them.

A saved state may come from anywhere. Its checksum says that it is whole, not that any machine was
ever in it; so whoever restores a part checks first that `save` could have made it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kit.errors import KitError

__all__ = ["TIME", "Check", "Fields", "among", "bits", "check_fields", "flag", "hexadecimal"]
__all__ += ["items", "listed", "maybe", "number", "power_of_two", "record", "word"]

DIGITS = frozenset("0123456789abcdef")

Check = Callable[[Any], bool]
"""Whether a value, as JSON gave it, could have been saved."""

Fields = Mapping[str, Check]
"""What a saved part has, by name."""


def number(least: int, most: int) -> Check:
    """A whole number in this range."""
    return lambda value: type(value) is int and least <= value <= most


def word(width: int) -> Check:
    """A number of so many bits."""
    return number(0, (1 << width) - 1)


TIME = word(65)
"""When something is due: mtime and a duration."""


def bits(mask: int) -> Check:
    """A number that has no bits outside a mask."""
    return lambda value: type(value) is int and value >= 0 and not value & ~mask


def power_of_two(width: int) -> Check:
    """A number with one bit of so many set."""
    return among(*(1 << bit for bit in range(width)))


def among(*values: Any) -> Check:
    """One of these values."""
    return lambda value: any(type(value) is type(one) and value == one for one in values)


flag = among(False, True)


def maybe(check: Check) -> Check:
    """None, or what passes the check."""
    return lambda value: value is None or check(value)


def hexadecimal(least: int, most: int | None = None) -> Check:
    """Bytes in hexadecimal digits, `least` to `most` of them (None: any number)."""

    def check(value: Any) -> bool:
        if not isinstance(value, str) or len(value) % 2 or len(value) < 2 * least:
            return False
        return (most is None or len(value) <= 2 * most) and set(value) <= DIGITS

    return check


def items(*checks: Check) -> Check:
    """A list of so many values, each of which passes its check."""

    def check(value: Any) -> bool:
        if not isinstance(value, list) or len(value) != len(checks):
            return False
        return all(one(item) for one, item in zip(checks, value, strict=True))

    return check


def listed(check: Check, most: int | None = None) -> Check:
    """A list of up to `most` values that pass the check."""

    def check_all(value: Any) -> bool:
        if not isinstance(value, list) or (most is not None and len(value) > most):
            return False
        return all(map(check, value))

    return check_all


def record(fields: Fields) -> Check:
    """A dictionary with just these fields, all of which pass their checks."""
    return lambda value: (
        isinstance(value, dict)
        and value.keys() == fields.keys()
        and all(check(value[name]) for name, check in fields.items())
    )


def check_fields(what: str, fields: Fields, state: Any) -> None:
    """Raises KitError, about the part `what`, unless the state has just these fields, all right."""
    if not isinstance(state, dict) or state.keys() != fields.keys():
        raise KitError(f"restore: {what}: this is not what is saved of it")
    for name, check in fields.items():
        if not check(state[name]):
            raise KitError(f"restore: {what}: no machine has this {name}")
