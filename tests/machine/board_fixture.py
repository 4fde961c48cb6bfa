"""A board without a processor: what the devices see of a machine."""

from __future__ import annotations

from kit.devices.deck import Deck
from kit.devices.disk_image import DiskImage
from kit.isa.config import Config
from kit.machine.board import RAM_BASE, Board, standard_devices
from kit.machine.bus import Bus, Storage


class Lines:
    def __init__(self) -> None:
        self.mtime = 0
        self.wires = 0


class Bootable(Board):
    """A board on which a program can be put; `registers` is what has been set."""

    def __init__(
        self,
        memory: int = 1 << 20,
        config: Config | None = None,
        reader: Deck | None = None,
        disk: DiskImage | None = None,
    ) -> None:
        self.config = config or Config()
        self.ram = RAM_BASE, memory
        self.registers: dict[str, int] = {}
        self.space = Bus(Storage(memory))
        super().__init__(Lines(), self.space, standard_devices(reader=reader, disk=disk))

    def set_register(self, name: str, value: int) -> None:
        self.registers[name] = value

    def write_memory(self, address: int, data: bytes) -> None:
        self.bus.write_bytes(address, data)
