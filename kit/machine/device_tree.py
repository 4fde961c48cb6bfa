"""The device tree: a description of exactly this machine, for the program that boots on it.

`device_tree` makes the flattened form (Devicetree Specification 0.4, chapter 5), with the nodes
and properties that QEMU's `virt` board has for the same devices.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from kit.devices.device import Device
from kit.devices.finisher import PASS, RESET
from kit.devices.plic import SOURCES
from kit.devices.virtio import EmptySlot
from kit.errors import KitError
from kit.machine.board import ADDRESSES, TIMEBASE

__all__ = ["Node", "device_tree", "flatten", "isa_extensions"]

MAGIC, FORMAT, COMPATIBLE_FORMAT = 0xD00DFEED, 17, 16
BEGIN_NODE, END_NODE, PROPERTY, END = 1, 2, 3, 9
HEADER_SIZE, RESERVATIONS_SIZE = 40, 16

CPU, CPU_INTERRUPTS, PLIC, FINISHER = 1, 2, 3, 4
"""Phandles."""
M_SOFT, M_TIMER, S_EXTERNAL, M_EXTERNAL = 3, 7, 9, 11
UART_CLOCK = 3_686_400

UNIT_RECORD = {"reader": "card-reader", "printer": "line-printer", "punch": "card-punch"}


@dataclass
class Node:
    """A node of the tree: properties, in order, and the nodes below it."""

    name: str
    properties: dict[str, bytes] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)


def cells(*values: int) -> bytes:
    """A property of 32-bit numbers."""
    return struct.pack(f">{len(values)}I", *values)


def strings(*values: str) -> bytes:
    """A property of one or more strings. Raises KitError if one cannot be in a device tree."""
    for value in values:
        if "\0" in value or not value.isascii():
            raise KitError(f"device tree: {value!r} is not plain ASCII text")
    return b"".join(value.encode("ascii") + b"\0" for value in values)


def device_tree(
    devices: Mapping[str, Device],
    *,
    memory: tuple[int, int],
    isa: str = "rv32imac",
    modes: str = "MSU",
    ad: str = "update",
    append: str = "",
    initrd: tuple[int, int] | None = None,
) -> bytes:
    """The device tree blob of a machine.

    `memory` is (first address, bytes) of its RAM, `isa`, `modes` and `ad` are as in its
    configuration; `append` becomes the boot arguments; `initrd` is (first address, bytes) of the
    initial RAM disk. Raises KitError if `append` is not plain ASCII.
    """
    supervisor = "S" in modes
    root = Node("", _two_cells() | {"compatible": strings("riscv-virtio")})
    root.properties["model"] = strings("riscv-virtio,vmm-kit")
    memory_node = Node(
        f"memory@{memory[0]:x}", {"device_type": strings("memory"), "reg": _reg(*memory)}
    )
    soc = Node("soc", _two_cells() | {"compatible": strings("simple-bus"), "ranges": b""})
    for name, device in devices.items():
        soc.children.append(_device_node(name, device, supervisor))
    root.children = [_chosen(devices, append, initrd), memory_node, _cpus(isa, supervisor, ad), soc]
    if "finisher" in devices:
        root.children += [_syscon("poweroff", PASS), _syscon("reboot", RESET)]
    return flatten(root)


def isa_extensions(isa: str, *, supervisor: bool, ad: str) -> list[str]:
    """The names of what the processor has: "i", "m", ..., "zicsr", ...

    >>> isa_extensions("rv32ima", supervisor=False, ad="update")
    ['i', 'm', 'a', 'zicntr', 'zicsr', 'zifencei']
    """
    letters, *words = isa.lower().removeprefix("rv32").split("_")
    known = {"zicntr", "zicsr", "zifencei", *words}
    if supervisor:
        known.add("svadu" if ad == "update" else "svade")
    # Canonical order: single letters, then unprivileged (z), then supervisor (s) extensions.
    return [*letters, *sorted(known, key=lambda name: (name[0] != "z", name))]


def _chosen(devices: Mapping[str, Device], append: str, initrd: tuple[int, int] | None) -> Node:
    chosen = Node("chosen")
    if append:
        chosen.properties["bootargs"] = strings(append)
    if "uart" in devices:
        chosen.properties["stdout-path"] = strings(f"/soc/serial@{ADDRESSES['uart']:x}")
    if initrd is not None:
        start, length = initrd
        chosen.properties["linux,initrd-start"] = cells(start)
        chosen.properties["linux,initrd-end"] = cells(start + length)
    return chosen


def _cpus(isa: str, supervisor: bool, ad: str) -> Node:
    extensions = isa_extensions(isa, supervisor=supervisor, ad=ad)
    letters = "".join(name for name in extensions if len(name) == 1)
    words = [name for name in extensions if len(name) > 1]
    cpu = Node(
        "cpu@0",
        {
            "phandle": cells(CPU),
            "device_type": strings("cpu"),
            "reg": cells(0),
            "status": strings("okay"),
            "compatible": strings("riscv"),
            "riscv,isa": strings("_".join([f"rv32{letters}", *words])),
            "riscv,isa-base": strings("rv32i"),
            "riscv,isa-extensions": strings(*extensions),
            "mmu-type": strings("riscv,sv32" if supervisor else "riscv,none"),
        },
    )
    controller = {
        "#address-cells": cells(0),
        "#interrupt-cells": cells(1),
        "interrupt-controller": b"",
        "compatible": strings("riscv,cpu-intc"),
        "phandle": cells(CPU_INTERRUPTS),
    }
    cpu.children.append(Node("interrupt-controller", controller))
    cpus = {"#address-cells": cells(1), "#size-cells": cells(0)}
    return Node("cpus", cpus | {"timebase-frequency": cells(TIMEBASE)}, [cpu])


def _device_node(name: str, device: Device, supervisor: bool) -> Node:
    if name == "finisher":
        compatible = strings("sifive,test1", "sifive,test0", "syscon")
        return _node("test", name, device, compatible, {"phandle": cells(FINISHER)})
    if name == "clint":
        wires = cells(CPU_INTERRUPTS, M_SOFT, CPU_INTERRUPTS, M_TIMER)
        compatible = strings("sifive,clint0", "riscv,clint0")
        return _node("clint", name, device, compatible, {"interrupts-extended": wires})
    if name == "plic":
        compatible = strings("sifive,plic-1.0.0", "riscv,plic0")
        return _node("plic", name, device, compatible, _plic_properties(supervisor))
    if name == "uart":
        clock = {"clock-frequency": cells(UART_CLOCK)}
        return _node("serial", name, device, strings("ns16550a"), clock)
    if isinstance(device, EmptySlot):
        return _node("virtio_mmio", name, device, strings("virtio,mmio"), {})
    kind = UNIT_RECORD.get(name, name)
    return _node(kind, name, device, strings(f"vmm-kit,{kind}"), {})


def _node(kind: str, name: str, device: Device, compatible: bytes, extra: dict[str, bytes]) -> Node:
    base = ADDRESSES[name]
    node = Node(f"{kind}@{base:x}", {"compatible": compatible, "reg": _reg(base, device.size)})
    if device.irq:
        node.properties["interrupt-parent"] = cells(PLIC)
        node.properties["interrupts"] = cells(device.irq)
    node.properties |= extra
    return node


def _plic_properties(supervisor: bool) -> dict[str, bytes]:
    contexts = [CPU_INTERRUPTS, M_EXTERNAL]
    if supervisor:
        contexts += [CPU_INTERRUPTS, S_EXTERNAL]
    return {
        "phandle": cells(PLIC),
        "riscv,ndev": cells(SOURCES - 1),
        "interrupts-extended": cells(*contexts),
        "interrupt-controller": b"",
        "#address-cells": cells(0),
        "#interrupt-cells": cells(1),
    }


def _syscon(name: str, value: int) -> Node:
    register = {"regmap": cells(FINISHER), "offset": cells(0), "value": cells(value)}
    return Node(name, {"compatible": strings(f"syscon-{name}")} | register)


def _two_cells() -> dict[str, bytes]:
    return {"#address-cells": cells(2), "#size-cells": cells(2)}


def _reg(base: int, size: int) -> bytes:
    return cells(0, base, 0, size)


def flatten(root: Node) -> bytes:
    """The blob of a tree."""
    names = bytearray()
    offsets: dict[str, int] = {}
    structure = bytearray()
    _emit(root, structure, names, offsets)
    structure += cells(END)
    at_structure = HEADER_SIZE + RESERVATIONS_SIZE
    at_names = at_structure + len(structure)
    total = at_names + len(names)
    header = cells(
        MAGIC, total, at_structure, at_names, HEADER_SIZE, FORMAT, COMPATIBLE_FORMAT, 0
    ) + cells(len(names), len(structure))
    return header + bytes(RESERVATIONS_SIZE) + bytes(structure) + bytes(names)


def _emit(node: Node, out: bytearray, names: bytearray, offsets: dict[str, int]) -> None:
    out += cells(BEGIN_NODE) + _padded(node.name.encode("ascii") + b"\0")
    for name, value in node.properties.items():
        if name not in offsets:
            offsets[name] = len(names)
            names += name.encode("ascii") + b"\0"
        out += cells(PROPERTY, len(value), offsets[name]) + _padded(value)
    for child in node.children:
        _emit(child, out, names, offsets)
    out += cells(END_NODE)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
