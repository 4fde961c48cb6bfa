"""The recorder: keeps the latest exits of a VMM's guests, in bounded storage.

A VMM without a recorder pays one test of an attribute for each exit. With one, an exit is a row of
plain numbers; words are made of it only when the recording is asked for.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from kit.devices.unit_record import ACK, BUFFER, COMMAND, COUNT, IE, STATUS, UnitRecord
from kit.isa.causes import cause_name
from kit.isa.disassembler import disassemble
from kit.machine.board import ADDRESSES
from kit.machine.bus import PAGE
from kit.trace.recording import KINDS, Event, Frame, Recording, Region
from kit.vmm.protection import CUT

if TYPE_CHECKING:
    from kit.control.virtual_machine import VirtualMachine
    from kit.control.vmm import VMM
    from kit.vmm.kernel import VirtualCpu

__all__ = ["Recorder"]

_KINDS = {
    "cut page": "cut page",
    "device": "device",
    "emulate mret": "return",
    "emulate sret": "return",
    "emulate wfi": "wait",
    "failure": "stop",
    "interrupt": "interrupt",
    "refill": "page",
    "reflect": "trap",
    "timer": "turn",
}
"""What the kernel calls an exit, and the kind of the event. Other exits are emulations."""

_OWN = {"failure", "refill", "timer"}
"""Exits that no instruction of the guest asked for."""

_MODES = "US?M"
_ECALL_FROM_U, _STORE, _MACHINE_MODE = 8, 15, 3
_REGISTERS = {STATUS: "STATUS", COMMAND: "COMMAND", IE: "IE", COUNT: "COUNT", ACK: "ACK"}


class _Exit(NamedTuple):
    """An exit in numbers: `value` is the real mtval, `data` what an access carried."""

    step: int
    time: int
    vcpu: VirtualCpu
    kind: str
    before: int
    after: int
    pc: int
    next_pc: int
    cause: int
    value: int
    word: int
    data: int


class Recorder:
    """Records the latest `capacity` exits of the guests of `vmm`, from now on."""

    def __init__(self, vmm: VMM, capacity: int = 20_000) -> None:
        self._vmm = vmm
        self._real = vmm.kernel.real
        self._exits: deque[_Exit] = deque(maxlen=capacity)
        self._data_register: dict[tuple[int, int], int] = {}
        self._seen = 0
        vmm.record(self)

    def stop(self) -> None:
        """Records nothing more; what has been recorded stays."""
        self._vmm.record(None)

    def __call__(self, vcpu: VirtualCpu, kind: str, before: int, cause: int) -> None:
        """Keeps one exit. The kernel calls this after it has dealt with it."""
        real, hart = self._real, vcpu.hart
        pc, word, data = real.mepc, 0, 0
        if kind == "interrupt":
            pc = hart.mepc if hart.mode == _MACHINE_MODE else hart.sepc
        elif kind == "reflect" or (hart.mode > before and kind not in _OWN):
            # What could not be carried out in U-mode ends in the guest's kernel, too. a7 says which
            # service is wanted; any other trap has its cause in mcause or scause.
            kind = "reflect"
            virtual = hart.mcause if hart.mode == _MACHINE_MODE else hart.scause
            data = hart.x[17] if cause == _ECALL_FROM_U else virtual
        elif kind not in _OWN:
            word = hart.instruction
            data = hart.x[self._register(vcpu, word, cause)]
        self._seen += 1
        self._exits.append(
            _Exit(
                real.mcycle, hart.mtime, vcpu, kind, before, hart.mode,
                pc, hart.pc, cause, real.mtval, word, data,
            )
        )  # fmt: skip

    def _register(self, vcpu: VirtualCpu, word: int, cause: int) -> int:
        """The register whose value an access stores, or into which it loads."""
        key = word, cause
        number = self._data_register.get(key)
        if number is None:
            found = vcpu.decoder.decode(word)
            operands = found[1] if found is not None else {}
            number = operands.get("rs2" if cause == _STORE else "rd", 0)
            self._data_register[key] = number
        return number

    def recording(self) -> Recording:
        """What has been kept so far, and how storage is divided now."""
        machines = self._vmm.machines.values()
        return Recording(
            events=tuple(map(_event, self._exits)),
            regions=tuple(region for machine in machines for region in _regions(machine)),
            frames=tuple(frame for machine in machines for frame in _frames(machine)),
            dropped=self._seen - len(self._exits),
            vms=tuple(self._vmm.machines),
        )


def _event(row: _Exit) -> Event:
    kind = _KINDS.get(row.kind, "emulate")
    if kind == "trap" and row.cause == _ECALL_FROM_U and row.before == 0:
        kind = "ecall"
    return Event(
        step=row.step,
        vm=row.vcpu.name,
        kind=kind,
        before=_MODES[row.before],
        after=_MODES[row.after],
        pc=row.pc,
        cause="" if kind == "interrupt" else cause_name(row.cause),
        text=_text(kind, row),
        time=row.time,
    )


def _text(kind: str, row: _Exit) -> str:
    """What was done, in a few words."""
    if kind == "device":
        sign = "=" if row.cause == _STORE else "is"
        return f"{_device_register(row.value)} {sign} {row.data:#x}"
    if kind == "ecall":
        return f"ecall, service {row.data} in a7"
    if kind == "trap":
        return f"{cause_name(row.data)}, mtval {row.value:#010x}"
    if kind == "interrupt":
        return cause_name(row.cause | 1 << 31)
    if kind == "page":
        return f"page of {row.value:#010x}"
    if kind == "return":
        return f"{row.kind.removeprefix('emulate ')} to {row.next_pc:#010x}"
    if kind == "stop":
        return row.vcpu.failure
    if row.word:
        return disassemble(row.word, row.pc, xlen=row.vcpu.hart.config.xlen)
    return KINDS[kind][1]


def _device_register(address: int) -> str:
    """The device and the register at a guest-physical address, as the manual calls them."""
    below = [(base, name) for name, base in ADDRESSES.items() if base <= address]
    if not below:
        return f"{address:#010x}"
    base, name = max(below)
    offset = address - base
    if name not in ("reader", "printer", "punch"):
        return f"{name} +{offset:#x}"
    if offset >= BUFFER:
        return f"{name} BUFFER+{offset - BUFFER}"
    return f"{name} {_REGISTERS.get(offset, f'+{offset:#x}')}"


def _regions(machine: VirtualMachine) -> list[Region]:
    """The devices of a virtual machine, and its RAM by what the guest's PMP allows its U-mode."""
    name = machine.name
    regions = [
        Region(name, device.name, ADDRESSES[key], device.size, "device")
        for key, device in machine.devices.items()
        if isinstance(device, UnitRecord)
    ]
    base, size = machine.ram
    code, hart = machine.vcpu.code, machine.hart
    start, rights = base, code.page_rights(hart, base, 0)
    for page in range(base + PAGE, base + size + PAGE, PAGE):
        now = code.page_rights(hart, page, 0) if page < base + size else None
        if now != rights:
            regions.append(_storage(name, start, page - start, rights))
            start, rights = page, now
    return regions


def _storage(vm: str, start: int, size: int, rights: int) -> Region:
    if rights >> CUT & 1:
        return Region(vm, "cut by a PMP boundary", start, size, "free")
    letters = "".join(letter if rights >> n & 1 else "-" for n, letter in enumerate("rwx"))
    owner = "program" if rights else "kernel"
    return Region(vm, f"{owner} storage", start, size, owner, letters)


def _frames(machine: VirtualMachine) -> list[Frame]:
    """The guest's storage in runs that are contiguous in real storage too."""
    frames: list[Frame] = []
    for number, real in enumerate(machine.vcpu.storage.frames):
        if frames and frames[-1].real + frames[-1].size == real:
            last = frames.pop()
            frames.append(Frame(last.vm, last.start, last.size + PAGE, last.real))
        else:
            frames.append(Frame(machine.name, machine.ram[0] + PAGE * number, PAGE, real))
    return frames
