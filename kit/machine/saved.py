"""Whether a saved state is one that a machine like this one can be in.

`restore` asks before it changes anything. Whatever passes here, the machine runs on with.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from kit.devices.saved import (
    Check,
    check_fields,
    hexadecimal,
    items,
    listed,
    maybe,
    record,
    word,
)
from kit.errors import KitError
from kit.isa.config import Config
from kit.isa.cpu import ARRAYS, WORDS, width_of
from kit.isa.csr import CSRS, existing_numbers
from kit.isa.hart import RESET_PC, Hart
from kit.machine.bus import AddressSpace
from kit.machine.inspect import write_register

__all__ = ["check_state", "pack", "unpack"]

_HEADER = b"vmm-kit state 1\n"
_LONGEST = 1 << 30
"""Bytes of a state's words and devices at most, disks included."""

_FREE = {"next_pc", "instruction", "completed", "waiting", "wires", "reservation_valid"}
_FREE |= {"reservation", "mtime", "mcycle", "minstret"}
"""Words of a hart that may have any value, as far as they are not checked here by themselves."""


def pack(state: dict[str, Any], storage: bytes) -> bytes:
    """A machine's state as bytes: a checked header, the words and devices, and the storage."""
    words = json.dumps(state).encode()
    body = zlib.compress(len(words).to_bytes(4, "little") + words + storage, 1)
    return _HEADER + zlib.crc32(body).to_bytes(4, "little") + body


def unpack(data: bytes, memory: int) -> tuple[Any, bytes]:
    """What `pack` packed, with `memory` bytes of storage or fewer.

    Raises `KitError` where it is damaged or something else.
    """
    body = data[len(_HEADER) + 4 :]
    head = _HEADER + zlib.crc32(body).to_bytes(4, "little")
    if data[: len(head)] != head:
        raise KitError("restore: this is no saved state of this version of the kit, or is damaged")
    try:
        plain = zlib.decompressobj().decompress(body, 4 + _LONGEST + memory)
        end = 4 + int.from_bytes(plain[:4], "little")
        return json.loads(plain[4:end]), plain[end:]
    except (ValueError, RecursionError, zlib.error):
        raise KitError("restore: the state is whole, but makes no sense") from None


def check_state(state: Any, config: str, hart: Hart, bus: AddressSpace, storage: bytes) -> None:
    """Raises `KitError` unless a machine that is configured so, with such a hart, can be in it."""
    if not isinstance(state, dict) or not isinstance(state.get("config"), str):
        raise KitError("restore: the state is whole, but makes no sense")
    if state["config"] != config:
        raise KitError("restore: the state was saved by a machine that is configured otherwise")
    fields: dict[str, Check] = {
        "config": lambda value: True,
        "hart": lambda value: isinstance(value, dict),
        "devices": lambda value: isinstance(value, dict),
        "steps": word(64),
        "boot": maybe(lambda value: _is_boot(value, bus)),
    }
    check_fields("machine", fields, state)
    if not bus.is_ram(RESET_PC, len(storage)) or bus.is_ram(RESET_PC, len(storage) + 1):
        raise KitError("restore: the saved storage has another size than this machine's")
    _check_hart(state["hart"], hart.config, bus)


def _check_hart(state: dict[str, Any], config: Config, bus: AddressSpace) -> None:
    """Every word in its width; and every register has a value that it takes when it is written."""
    fields = {name: word(width_of(name, config)) for name in WORDS}
    fields |= {
        name: items(*[word(width_of(name, config))] * count) for name, (count, _) in ARRAYS.items()
    }
    check_fields("hart", fields, state)
    if state["reservation_valid"] and not _is_reservable(state["reservation"], bus):
        raise KitError("restore: hart: no machine has this reservation")
    legal = Hart(config, bus)
    for name in _FREE:
        setattr(legal, name, state[name])
    for name, value in _registers(state, config):
        write_register(legal, name, value)
    wrong = [name for name, value in legal.snapshot().items() if value != state[name]]
    if wrong:
        raise KitError(f"restore: hart: no machine has this {wrong[0]}")


def _is_reservable(address: int, bus: AddressSpace) -> bool:
    return address % 4 == 0 and bus.is_ram(address, 4)


def _registers(state: Mapping[str, Any], config: Config) -> list[tuple[str, int]]:
    """Names and values of the registers that can be written; PMP addresses before their locks."""
    values = [("pc", state["pc"]), ("mode", state["mode"])]
    values += [(f"x{number}", value) for number, value in enumerate(state["x"])]
    names = {CSRS[number].name for number in existing_numbers(config)}
    values += [(name, state[name]) for name in WORDS if name in names and name not in _FREE]
    for file in ("pmpaddr", "pmpcfg"):
        numbered = ((f"{file}{number}", value) for number, value in enumerate(state[file]))
        values += [(name, value) for name, value in numbered if name in names]
    return values


def _is_boot(value: Any, bus: AddressSpace) -> bool:
    """Whether this is a loaded program, all of it within the RAM."""
    places = listed(items(word(32), hexadecimal(0)))
    fields: dict[str, Check] = {
        "entry": word(32),
        "segments": places,
        "zeroed": listed(items(word(32), word(32))),
        "symbols": lambda names: isinstance(names, dict) and all(map(_is_whole, names.values())),
        "places": lambda value: places(value) and len(value) in (1, 2),
    }
    if not record(fields)(value):
        return False
    spaces = [(address, len(data) // 2) for address, data in value["segments"] + value["places"]]
    spaces += [(address, length) for address, length in value["zeroed"]]
    return all(bus.is_ram(address, length) for address, length in spaces)


def _is_whole(value: Any) -> bool:
    return type(value) is int
