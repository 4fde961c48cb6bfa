"""A small machine for devices under test: a clock that stands still, and some storage."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from kit.devices.device import BusError, Device

BASE = 0x80000000

AnyDevice = TypeVar("AnyDevice", bound=Device)


class FakeHost:
    def __init__(self, size: int = 0x4000) -> None:
        self.now = 0
        self.storage = bytearray(size)

    def set_time(self, time: int) -> None:
        self.now = time

    def read_bytes(self, address: int, length: int) -> bytes:
        at = self._offset(address, length)
        return bytes(self.storage[at : at + length])

    def write_bytes(self, address: int, data: bytes) -> None:
        at = self._offset(address, len(data))
        self.storage[at : at + len(data)] = data

    def came_in(self, name: str, data: bytes) -> None:
        pass

    def tell(self, listener: Callable[[Any], object], what: Any) -> None:
        listener(what)

    def _offset(self, address: int, length: int) -> int:
        if not BASE <= address <= BASE + len(self.storage) - length:
            raise BusError(f"nothing at {address:#x}")
        return address - BASE


def hosted(device: AnyDevice) -> AnyDevice:
    device.host = FakeHost()
    return device


def wait(device: Device) -> int:
    """Lets time pass until the device has nothing more to do; returns how long that took."""
    start = device.host.now
    while (event := device.next_event()) is not None:
        device.host.set_time(event)
        device.advance(event)
    return device.host.now - start


def through_json(device: Device) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(json.dumps(device.save()))
    return state
