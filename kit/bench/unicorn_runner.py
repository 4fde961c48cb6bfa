"""Runs an ELF file on Unicorn, with what the loads need: RAM, UART and finisher.

A program of its own, so that Unicorn is measured as a whole process like the other engines:
``python -m kit.bench.unicorn_runner IMAGE``.
"""

from __future__ import annotations

import sys
from typing import Any

import unicorn
from unicorn.riscv_const import UC_RISCV_REG_PC

from kit.machine.loader import read_image

__all__ = ["main"]

RAM, RAM_SIZE = 0x8000_0000, 16 << 20
UART, FINISHER, PAGE = 0x1000_0000, 0x10_0000, 0x1000
THR, LSR, TRANSMITTER_EMPTY = 0, 5, 0x60
PASS = 0x5555


class _Board:
    """The two devices, and how the run ended."""

    def __init__(self) -> None:
        self.printed = bytearray()
        self.ended: int | None = None

    def uart_read(self, _machine: Any, offset: int, _size: int, _data: Any) -> int:
        return TRANSMITTER_EMPTY if offset == LSR else 0

    def uart_write(self, _machine: Any, offset: int, _size: int, value: int, _data: Any) -> None:
        if offset == THR:
            self.printed.append(value & 0xFF)

    def finish(self, machine: Any, _offset: int, _size: int, value: int, _data: Any) -> None:
        self.ended = 0 if value == PASS else value >> 16
        machine.emu_stop()


def main(path: str) -> int:
    """Runs the image; prints what it sent to the UART; returns the code that it ended with."""
    image = read_image(path)
    machine = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32)
    # The guest's own tables translate, not a host's view of them.
    machine.ctl_set_tlb_mode(unicorn.UC_TLB_CPU)
    board = _Board()
    machine.mem_map(RAM, RAM_SIZE)
    machine.mmio_map(UART, PAGE, board.uart_read, None, board.uart_write, None)
    machine.mmio_map(FINISHER, PAGE, None, None, board.finish, None)
    for address, data in image.segments:
        machine.mem_write(address, data)
    machine.reg_write(UC_RISCV_REG_PC, image.entry)
    machine.emu_start(image.entry, -1)
    sys.stdout.write(board.printed.decode("latin-1"))
    return 1 if board.ended is None else board.ended


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
