from __future__ import annotations

import re
import shutil
import struct
import subprocess

import pytest

from kit.devices.disk_image import DiskImage
from kit.errors import KitError
from kit.machine.board import ADDRESSES, standard_devices
from kit.machine.device_tree import Node, device_tree, flatten
from tests.conftest import missing

RAM = (0x80000000, 16 << 20)

Tree = dict[str, "Tree | bytes"]


def parsed(blob: bytes) -> Tree:
    """The tree in a blob, read back as the specification says, independently of the writer."""
    magic, total, at, names, reserved, version, compatible = struct.unpack_from(">7I", blob)
    assert (magic, version, compatible, total) == (0xD00DFEED, 17, 16, len(blob))
    assert reserved % 8 == at % 4 == 0
    assert blob[reserved : reserved + 16] == bytes(16)
    stack: list[Tree] = [{}]
    while (token := struct.unpack_from(">I", blob, at)[0]) != 9:
        at += 4
        if token == 1:
            name = blob[at : blob.index(b"\0", at)].decode()
            at += (len(name) + 4) // 4 * 4
            node: Tree = {}
            stack[-1][name] = node
            stack.append(node)
        elif token == 2:
            stack.pop()
        else:
            length, offset = struct.unpack_from(">2I", blob, at)
            key = blob[names + offset : blob.index(b"\0", names + offset)].decode()
            stack[-1][key] = blob[at + 8 : at + 8 + length]
            at += 8 + (length + 3) // 4 * 4
    assert len(stack) == 1
    root = stack[0][""]
    assert isinstance(root, dict)
    return root


def at(tree: Tree, path: str) -> Tree:
    for name in path.split("/"):
        node = tree[name]
        assert isinstance(node, dict)
        tree = node
    return tree


def cells(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


def test_what_is_written_reads_back() -> None:
    tree = Node("", {"a": b"12345", "b": b""}, [Node("child", {"a": b"1"}), Node("other")])
    assert parsed(flatten(tree)) == {"a": b"12345", "b": b"", "child": {"a": b"1"}, "other": {}}


def test_memory_and_clock_are_those_of_the_machine() -> None:
    tree = parsed(device_tree(standard_devices(), memory=RAM))
    assert at(tree, "memory@80000000")["reg"] == cells(0, RAM[0], 0, RAM[1])
    assert at(tree, "cpus")["timebase-frequency"] == cells(10_000_000)


def test_processor_is_described_as_configured() -> None:
    cpu = at(parsed(device_tree({}, memory=RAM, isa="rv32imac", modes="MSU")), "cpus/cpu@0")
    assert cpu["riscv,isa"] == b"rv32imac_zicntr_zicsr_zifencei_svadu\0"
    assert cpu["mmu-type"] == b"riscv,sv32\0"
    cpu = at(parsed(device_tree({}, memory=RAM, isa="rv32ima", modes="MU")), "cpus/cpu@0")
    assert cpu["riscv,isa"] == b"rv32ima_zicntr_zicsr_zifencei\0"
    assert cpu["mmu-type"] == b"riscv,none\0"
    assert cpu["riscv,isa-extensions"] == b"i\0m\0a\0zicntr\0zicsr\0zifencei\0"
    cpu = at(parsed(device_tree({}, memory=RAM, ad="fault")), "cpus/cpu@0")
    assert b"svade" in cpu["riscv,isa-extensions"]  # type: ignore[operator]


def test_every_device_has_a_node_with_its_window_and_interrupt() -> None:
    devices = standard_devices(disk=DiskImage(bytes(512)))
    soc = at(parsed(device_tree(devices, memory=RAM)), "soc")
    nodes = {name: node for name, node in soc.items() if isinstance(node, dict)}
    assert len(nodes) == len(devices)
    for name, device in devices.items():
        (node,) = (n for key, n in nodes.items() if key.endswith(f"@{ADDRESSES[name]:x}"))
        assert node["reg"] == cells(0, ADDRESSES[name], 0, device.size)
        assert node.get("interrupts") == (cells(device.irq) if device.irq else None)
    assert at(soc, "serial@10000000")["compatible"] == b"ns16550a\0"
    assert at(soc, "virtio_mmio@10001000")["compatible"] == b"virtio,mmio\0"
    assert at(soc, "card-reader@10010000")["compatible"] == b"vmm-kit,card-reader\0"
    assert at(soc, "line-printer@10011000")["compatible"] == b"vmm-kit,line-printer\0"
    assert at(soc, "card-punch@10012000")["compatible"] == b"vmm-kit,card-punch\0"


def test_devices_that_are_not_there_are_not_described() -> None:
    tree = parsed(device_tree({}, memory=RAM))
    assert not [name for name in at(tree, "soc") if "@" in name]
    assert "poweroff" not in tree
    assert "stdout-path" not in at(tree, "chosen")


def test_plic_has_no_context_for_a_mode_that_is_missing() -> None:
    for modes, wires in (("MSU", cells(2, 11, 2, 9)), ("M", cells(2, 11))):
        tree = parsed(device_tree(standard_devices(), memory=RAM, modes=modes))
        assert at(tree, "soc/plic@c000000")["interrupts-extended"] == wires


def test_poweroff_and_reboot_go_to_the_finisher() -> None:
    tree = parsed(device_tree(standard_devices(), memory=RAM))
    finisher = at(tree, "soc/test@100000")
    assert at(tree, "poweroff")["value"] == cells(0x5555)
    assert at(tree, "reboot")["value"] == cells(0x7777)
    assert at(tree, "reboot")["regmap"] == finisher["phandle"]


def test_chosen_has_boot_arguments_and_initial_ram_disk() -> None:
    blob = device_tree(
        standard_devices(), memory=RAM, append="root=/dev/vda", initrd=(0x80800000, 100)
    )
    assert at(parsed(blob), "chosen") == {
        "bootargs": b"root=/dev/vda\0",
        "stdout-path": b"/soc/serial@10000000\0",
        "linux,initrd-start": cells(0x80800000),
        "linux,initrd-end": cells(0x80800064),
    }


@pytest.mark.parametrize("append", ["a\0b", "ümlaut"])
def test_boot_arguments_are_plain_text(append: str) -> None:
    with pytest.raises(KitError, match="not plain ASCII"):
        device_tree({}, memory=RAM, append=append)


def test_dtc_reads_it_without_complaint() -> None:
    if shutil.which("dtc") is None:
        missing("dtc is not installed (Debian package device-tree-compiler)")
    blob = device_tree(standard_devices(), memory=RAM, append="x", initrd=(0x80800000, 1))
    run = subprocess.run(
        ["dtc", "-I", "dtb", "-O", "dts"], input=blob, capture_output=True, check=True
    )
    assert run.stderr == b""
    assert re.search(rb'bootargs = "x"', run.stdout)


def test_same_nodes_as_qemus_board_for_the_same_devices() -> None:
    """Compared with what QEMU 7.2 writes: names, windows and interrupts of what both have."""
    soc = at(parsed(device_tree(standard_devices(), memory=RAM)), "soc")
    qemu = {
        "serial@10000000": (cells(0, 0x10000000, 0, 0x100), cells(10)),
        "test@100000": (cells(0, 0x100000, 0, 0x1000), None),
        "virtio_mmio@10008000": (cells(0, 0x10008000, 0, 0x1000), cells(8)),
        "virtio_mmio@10001000": (cells(0, 0x10001000, 0, 0x1000), cells(1)),
        "plic@c000000": (cells(0, 0xC000000, 0, 0x600000), None),
        "clint@2000000": (cells(0, 0x2000000, 0, 0x10000), None),
    }
    for name, (window, interrupt) in qemu.items():
        node = at(soc, name)
        assert (node["reg"], node.get("interrupts")) == (window, interrupt)
