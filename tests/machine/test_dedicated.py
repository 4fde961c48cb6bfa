"""Devices that one machine gives to another."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kit import Machine
from kit.control.vmm import VMM
from kit.devices.channel import Channel
from kit.devices.deck import Deck
from kit.devices.device import Device
from kit.devices.disk_image import DiskImage
from kit.devices.line_printer import LinePrinter
from kit.errors import KitError
from kit.isa.assembler import assemble
from kit.machine.board import ADDRESSES, Board, standard_devices
from kit.machine.bus import Bus, Storage
from kit.machine.device_tree import device_tree
from tests.machine.board_fixture import Bootable, Lines
from tests.machine.test_device_tree import at, cells, parsed

PRINTS_A_LINE = f"""
        li t0, {ADDRESSES["printer"]}
        li t1, 'A'
        sb t1, 0x80(t0)
        li t1, 1
        sw t1, 4(t0)
    1:  lw t1, 0(t0)
        andi t1, t1, 2          # DONE
        beqz t1, 1b
        li t0, {ADDRESSES["finisher"]}
        li t1, 0x5555
        sw t1, 0(t0)
    2:  j 2b
"""


def board(**devices: object) -> Board:
    return Board(Lines(), Bus(Storage(1 << 20)), standard_devices(**devices))


def test_a_guest_prints_on_the_real_printer_in_its_own_time() -> None:
    machine = Machine(memory="4M")
    printer = machine.printer
    vmm = VMM(machine)
    vm = vmm.create("guest", assemble(PRINTS_A_LINE), dedicated={"printer": printer}, memory="64K")
    own = Machine(memory="64K")
    own.load(assemble(PRINTS_A_LINE))
    assert vm.run() == own.run()
    assert vm.printer is printer
    assert (printer.text, vm.hart.mtime) == (own.printer.text, own.hart.mtime)
    with pytest.raises(KitError, match="this machine has no printer"):
        _ = machine.printer


def test_a_destroyed_virtual_machine_gives_its_dedicated_devices_back() -> None:
    machine = Machine(memory="4M")
    printer, vmm = machine.printer, VMM(machine)
    vmm.create("one", memory="64K", dedicated={"printer": printer})
    vmm.destroy("one")
    assert machine.printer is printer
    two = vmm.create("two", memory="64K", dedicated={"printer": printer})
    assert two.printer is printer


def test_a_dedicated_device_leaves_its_machine_and_comes_back_as_after_power_on() -> None:
    lender = Bootable(disk=DiskImage(bytes(512)))
    disk = lender.devices["disk"]
    borrower = board(dedicated={"disk": disk})
    assert borrower.devices["disk"] is disk
    assert disk.host is borrower
    assert "virtio0" not in borrower.devices
    assert not lender.bus.reaches(ADDRESSES["disk"], 4)
    borrower.bus.write(ADDRESSES["disk"] + 0x70, 4, 1)
    borrower.close()
    assert lender.devices["disk"] is disk
    assert disk.host is lender
    assert lender.bus.read(ADDRESSES["disk"] + 0x70, 4) == 0
    assert "disk" not in borrower.devices


def test_a_line_that_is_up_goes_down_on_the_machine_that_the_device_leaves() -> None:
    lender = board()
    plic, uart = ADDRESSES["plic"], ADDRESSES["uart"]
    lender.bus.write(plic + 4 * 10, 4, 1)
    lender.bus.write(plic + 0x2000, 4, 1 << 10)
    lender.bus.write(uart + 1, 1, 1)
    lender.devices["uart"].feed(b"x")
    lender.refresh()
    assert lender.hart.wires & 1 << 11
    lender.bus.read(plic + 0x200004, 4)
    lender.bus.write(plic + 0x200004, 4, 10)
    board(dedicated={"uart": lender.devices["uart"]})
    lender.bus.read(plic + 0x200004, 4)
    lender.bus.write(plic + 0x200004, 4, 10)
    lender.refresh()
    assert not lender.hart.wires & 1 << 11


def test_no_two_machines_get_the_same_device() -> None:
    machine = board()
    printer = machine.devices["printer"]
    first = board(dedicated={"printer": printer})
    with pytest.raises(KitError, match="printer: is dedicated to a machine already"):
        board(dedicated={"reader": machine.devices["reader"], "printer": printer})
    assert printer.host is first
    assert machine.devices["reader"].host is machine


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dedicated": {"clint": board().devices["clint"]}}, "clint: cannot be dedicated"),
        ({"dedicated": {"virtio1": board().devices["virtio1"]}}, "virtio1: cannot be dedicated"),
        ({"dedicated": {"punch": LinePrinter()}}, "'punch' is no name for the device 'printer'"),
        ({"dedicated": {"device": Device()}}, "'device' is no name"),
        (
            {"dedicated": {"reader": board().devices["reader"]}, "reader": Deck()},
            "reader: is dedicated, so it cannot be set up anew",
        ),
    ],
)
def test_what_cannot_be_dedicated_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(KitError, match=message):
        board(**settings)


def test_a_new_device_can_stand_in_for_a_standard_one() -> None:
    printer = LinePrinter(line=1)
    assert board(dedicated={"printer": printer}).devices["printer"] is printer


def test_a_channel_is_on_the_boards_that_ask_for_it() -> None:
    assert "channel" not in board().devices
    joined = board(channel=True)
    soc = at(parsed(device_tree(joined.devices, memory=(0x80000000, 1 << 20))), "soc")
    node = at(soc, "channel@10013000")
    assert node["compatible"] == b"vmm-kit,channel\0"
    assert node["interrupts"] == cells(15)


def test_a_channel_can_be_attached_and_taken_away_later() -> None:
    later = board()
    later.attach(Channel())
    assert later.bus.reaches(ADDRESSES["channel"], 4)
    with pytest.raises(KitError, match="there is a channel already"):
        later.attach(Channel())
    with pytest.raises(KitError, match="no place for a device 'device'"):
        later.attach(Device())
    later.detach("channel")
    assert not later.bus.reaches(ADDRESSES["channel"], 4)
    with pytest.raises(KitError, match="no channel that can be taken away"):
        later.detach("channel")


@pytest.mark.parametrize("go", [Board.close, lambda board: board.detach("channel")])
def test_a_machine_that_goes_or_its_channel_parts_it(go: Callable[[Board], object]) -> None:
    one, two = board(channel=True), board(channel=True)
    Channel.join(one.devices["channel"], two.devices["channel"])
    go(one)
    assert two.devices["channel"].other is None


def test_a_machine_that_cannot_be_created_gives_its_device_back() -> None:
    vmm = VMM(Machine(memory="4M"))
    printer = vmm.machine.printer
    with pytest.raises(KitError):
        vmm.create("guest", b"\x7fELF", memory="1M", dedicated={"printer": printer})
    vmm.create("guest", memory="1M", dedicated={"printer": printer})
