"""Columns of numbers, packed small enough that a million events travel to a browser.

A column is cut to the narrowest whole number of bytes that all its values fit into (1, 2, 4 or 8),
written as differences where it says so, and compressed with the first bytes of all values before
the second bytes, and so on: these are much alike. ``core.js`` has the other half.
"""

from __future__ import annotations

import base64
import json
import zlib
from array import array
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

__all__ = ["as_text", "beside", "pack", "pack_json", "pack_words", "unpack", "unzigzag", "zigzag"]

_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}


def zigzag(value: int) -> int:
    """A signed number as an unsigned one: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return 2 * value if value >= 0 else -2 * value - 1


def unzigzag(value: int) -> int:
    """What `zigzag` made a number from."""
    return -(value + 1) // 2 if value & 1 else value // 2


def pack(values: Sequence[int], delta: bool = False) -> dict[str, Any]:
    """A column of unsigned numbers; with `delta`, they must not become smaller."""
    plain: Sequence[int] = values
    if delta and len(values):
        plain = [values[0], *(after - before for before, after in pairwise(values))]
    most = max(plain, default=0)
    width = next(width for width in _CODES if most < 1 << 8 * width)
    return _packed(array(_CODES[width], plain), width, delta)


def pack_words(rows: Sequence[array[int]]) -> dict[str, Any]:
    """Rows of 32-bit words, equally many in each, one after the other."""
    words = array("I")
    for row in rows:
        words.extend(row)
    return _packed(words, 4, False)


def _packed(values: array[int], width: int, delta: bool) -> dict[str, Any]:
    data = values.tobytes()
    planes = b"".join(data[at::width] for at in range(width))
    return {
        "count": len(values),
        "width": width,
        "delta": delta,
        "data": zlib.compress(planes, 6),
    }


def unpack(column: dict[str, Any]) -> list[int]:
    """The numbers in a column."""
    count, width = column["count"], column["width"]
    planes = zlib.decompress(column["data"])
    data = bytearray(len(planes))
    for at in range(width):
        data[at::width] = planes[at * count : (at + 1) * count]
    values = list(array(_CODES[width], bytes(data)))
    if column["delta"]:
        for at in range(1, count):
            values[at] += values[at - 1]
    return values


def pack_json(value: Any) -> dict[str, Any]:
    """Any JSON value, compressed."""
    data = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return {"json": True, "data": zlib.compress(data, 6)}


def as_text(value: Any) -> Any:
    """A document whose bytes are written as base64, for pages."""
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {name: as_text(one) for name, one in value.items()}
    return [as_text(one) for one in value] if isinstance(value, list) else value


def beside(value: Any, buffers: list[bytes]) -> Any:
    """A document whose bytes are in `buffers`, with their numbers in their places."""
    if isinstance(value, bytes):
        buffers.append(value)
        return {"buffer": len(buffers) - 1}
    if isinstance(value, dict):
        return {name: beside(one, buffers) for name, one in value.items()}
    return [beside(one, buffers) for one in value] if isinstance(value, list) else value
