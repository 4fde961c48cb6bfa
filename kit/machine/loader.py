"""Programs on their way into storage, as boot loaders put them there.

An image is an ELF file, a flat binary (also a flat Linux `Image`), or an Intel HEX file, told by
its contents; or assembly source, told by its name. `boot` finds the places in RAM for it, an
initial RAM disk and a device tree, as QEMU's `virt` board would, and the `Boot` puts them there and
readies the hart.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import NoneType
from typing import Any, Protocol

from kit.devices.device import Device
from kit.errors import KitError, expect
from kit.isa.config import Config
from kit.isa.image import Image
from kit.machine.device_tree import device_tree
from kit.resources import locate

__all__ = ["Boot", "Bootable", "Image", "Segment", "boot", "read_image", "read_source"]

MIB = 1 << 20
PAGE = 4096
DTB_ALIGN = 2 * MIB
DTB_LIMIT = 0xC0000000
"""As QEMU: the device tree stays where a 32-bit kernel can map it."""
INITRD_OFFSET = 128 * MIB

HEX_START = re.compile(rb"\s*:[0-9A-Fa-f]{10}")

ELF_MAGIC = b"\x7fELF"
ELF_HEADER = struct.Struct("<16sHHIIIIIHHHHHH")
PROGRAM_HEADER = struct.Struct("<8I")
SECTION_HEADER = struct.Struct("<10I")
SYMBOL = struct.Struct("<IIIBBH")
CLASS_32, LITTLE, EXECUTABLE, RISCV = 1, 1, 2, 243
LOAD, SYMBOL_TABLE = 1, 2
GLOBAL_OR_WEAK = (1, 2)
SECTION_SYMBOL, FILE_SYMBOL = 3, 4
MOST = 1 << 30
"""Bytes of an image or initial RAM disk at most: whoever names /dev/zero keeps their memory."""

_KINDS = {".elf": "ELF", ".hex": "Intel HEX", ".ihex": "Intel HEX"}
"""What a file with such a name has to hold; with any other name it is a flat binary."""

MAIN_SOURCES = ("main.s", "monitor.s", "kernel.s")
"""What a guest's main source file may be called."""

BUILD_FILE = "build.toml"
"""In a folder whose programs are compiled: how."""

LONGEST_NAME = 1024


class Bootable(Protocol):
    """What a machine, real or virtual, needs to have for a program to be booted on it."""

    @property
    def config(self) -> Config:
        """Its processor, for the device tree."""

    @property
    def ram(self) -> tuple[int, int]:
        """The first address of its RAM, and how many bytes there are."""

    @property
    def devices(self) -> Mapping[str, Device]:
        """Its devices by name, for the device tree."""

    def set_register(self, name: str, value: int) -> None:
        """Changes a register."""

    def write_memory(self, address: int, data: bytes) -> None:
        """Changes storage."""


@dataclass(frozen=True)
class Segment:
    """Bytes for storage, from the guest-physical `address` on."""

    address: int
    data: bytes

    @property
    def end(self) -> int:
        """The address after its last byte."""
        return self.address + len(self.data)


@dataclass(frozen=True)
class Boot:
    """What has to be where in storage for a program to start: `boot` makes it, `place` does it.

    `dtb` and `initrd` are the segments of device tree and initial RAM disk.
    """

    image: Image
    dtb: Segment
    initrd: Segment | None = None

    @property
    def symbols(self) -> dict[str, int]:
        """The image's symbols."""
        return self.image.symbols

    def place(self, machine: Bootable) -> None:
        """Writes it all, and sets pc, a0 (the hart's number, 0) and a1 (the device tree)."""
        for address, size in self.image.zeroed:
            machine.write_memory(address, bytes(size))
        for address, data in self.image.segments:
            machine.write_memory(address, data)
        for segment in [self.dtb] if self.initrd is None else [self.dtb, self.initrd]:
            machine.write_memory(segment.address, segment.data)
        machine.set_register("pc", self.image.entry)
        machine.set_register("a0", 0)
        machine.set_register("a1", self.dtb.address)

    def save(self) -> dict[str, Any]:
        """It all, in a form that JSON can hold; `restored` of it starts the same program."""
        places = [self.dtb] if self.initrd is None else [self.dtb, self.initrd]
        return {
            "entry": self.image.entry,
            "segments": [(address, data.hex()) for address, data in self.image.segments],
            "zeroed": self.image.zeroed,
            "symbols": self.image.symbols,
            "places": [(segment.address, segment.data.hex()) for segment in places],
        }

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Boot:
        """What `save` saved."""
        segments = [(address, bytes.fromhex(data)) for address, data in state["segments"]]
        zeroed = [(address, size) for address, size in state["zeroed"]]
        image = Image(state["entry"], segments, state["symbols"], zeroed=zeroed)
        places = [Segment(address, bytes.fromhex(data)) for address, data in state["places"]]
        return cls(image, *places)


def boot(
    machine: Bootable,
    image: str | Path | bytes | Image,
    *,
    initrd: str | Path | bytes | None = None,
    append: str = "",
    include: Sequence[str | Path] = (),
) -> Boot:
    """Works out where an image, the device tree and an initial RAM disk go; writes nothing.

    `append` are the boot arguments, `include` folders for `read_image`. Raises KitError if
    anything cannot be read or does not fit.
    """
    expect("append", append, "a text", str)
    expect("initrd", initrd, "a file's name or bytes", bytes, str, Path, NoneType)
    base, size = machine.ram
    name = "image" if isinstance(image, bytes | Image) else str(image)
    loaded = read_image(image, base, include)
    taken = _spaces(loaded)
    _check(loaded.entry, taken, base, base + size, name)

    def tree(disk: tuple[int, int] | None) -> bytes:
        config = machine.config
        return device_tree(
            machine.devices,
            memory=machine.ram,
            isa=config.isa,
            modes=config.modes,
            ad=config.ad,
            append=append,
            initrd=disk,
        )

    # The tree's length does not depend on where the disk is, only on whether there is one.
    length = len(tree(None if initrd is None else (0, 0)))
    dtb = _dtb_address(length, taken, base, base + size, name)
    if initrd is None:
        return Boot(loaded, Segment(dtb, tree(None)))
    data, name = read_source(initrd, "initial RAM disk")
    taken.append((dtb, dtb + length))
    where = _initrd_address(data, name, loaded.entry, taken, machine.ram, dtb)
    return Boot(loaded, Segment(dtb, tree((where, len(data)))), Segment(where, data))


def read_image(
    source: str | Path | bytes | Image, base: int = 0x80000000, include: Sequence[str | Path] = ()
) -> Image:
    """The image in a file or in bytes; a flat binary belongs at the address `base`.

    A file of assembly source (``.s``) is assembled, and so is a guest's folder, by its main source
    (one of `MAIN_SOURCES`). A C file, and a folder with `BUILD_FILE` or C files, is built.
    ``guests/...`` finds the kit's own from anywhere. What it includes is
    looked for beside it, then in the folders `include`. Raises KitError if it cannot be read, is
    empty, or is damaged or unsuitable.
    """
    if isinstance(source, Image):
        return source
    expect("image", source, "a file's name, bytes or an Image", bytes, str, Path, Image)
    if not isinstance(source, bytes):
        source = _find(Path(source))
        if source.suffix == ".c" or source.is_dir():
            # Most images are built already: compiler and assembler are loaded when needed.
            from kit.toolchain.build import builder_of

            builder, program = builder_of(source, base)
            return _Elf(builder.build(program).data, str(source)).image()
        if source.suffix in (".s", ".S"):
            from kit.isa.assembler import assemble_file

            image = assemble_file(source, base=base, include_paths=include)
            if not image.segments and not image.zeroed:
                raise KitError(f"{source}: the program is empty")
            return image
    data, name = read_source(source, "image")
    if data.startswith(ELF_MAGIC):
        return _Elf(data, name).image()
    if HEX_START.match(data):
        return _hex_image(data, name)
    kind = _KINDS.get(Path(name).suffix.lower()) if not isinstance(source, bytes) else None
    if kind is not None:
        raise KitError(f"{name}: this is no {kind} file, whatever its name says")
    return Image(base, [(base, data)])


def _find(path: Path) -> Path:
    """What a path means: the file itself, a folder to be built, or a folder's main source."""
    path = locate(path)
    if not path.is_dir() or (path / BUILD_FILE).is_file():
        return path
    for name in MAIN_SOURCES:
        if (path / name).is_file():
            return path / name
    if any(path.glob("*.c")):
        return path
    expected = ", ".join((BUILD_FILE, *MAIN_SOURCES))
    what = "a folder without a main source"
    raise KitError(f"{path}: {what}; it needs a .c file or one of {expected}")


def read_source(source: str | Path | bytes, what: str) -> tuple[bytes, str]:
    """The bytes of a file, or the bytes themselves, and a name for messages.

    `what` names the kind of thing in messages. Raises KitError if it is empty or cannot be read.
    """
    if isinstance(source, bytes):
        data, name = source, what
    else:
        name = str(source)
        try:
            with open(source, "rb") as file:
                data = file.read(MOST + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise KitError(f"{name}: cannot read the {what}: {reason}") from None
    if not data:
        raise KitError(f"{name}: the {what} is empty")
    if len(data) > MOST:
        raise KitError(f"{name}: the {what} is larger than {MOST >> 20} MiB")
    return data, name


def _spaces(image: Image) -> list[tuple[int, int]]:
    """The pieces of storage that an image takes, as (first address, address after the last)."""
    loaded = [(address, address + len(data)) for address, data in image.segments]
    return loaded + [(address, address + size) for address, size in image.zeroed]


def _check(entry: int, spaces: list[tuple[int, int]], base: int, end: int, name: str) -> None:
    ram = f"RAM ({base:#x} to {end - 1:#x})"
    for start, stop in spaces:
        if start < base or stop > end:
            raise KitError(
                f"{name}: {stop - start} bytes for address {start:#x} are not all in {ram}; "
                "link it elsewhere, or use more memory"
            )
    for one, other in pairwise(sorted(spaces)):
        if one[1] > other[0]:
            raise KitError(f"{name}: two segments overlap at address {other[0]:#x}")
    if not base <= entry < end or entry % 2:
        raise KitError(
            f"{name}: cannot start at {entry:#x}: not an even address in {ram}; "
            "set the entry point when linking"
        )


def _dtb_address(length: int, taken: list[tuple[int, int]], base: int, end: int, name: str) -> int:
    end = min(end, DTB_LIMIT)
    for align in (DTB_ALIGN, PAGE):
        address = _highest_gap(length, taken, base, end, align)
        if address is not None:
            return address
    raise KitError(f"{name}: no room in RAM for the device tree; use more memory")


def _initrd_address(
    data: bytes,
    name: str,
    entry: int,
    taken: list[tuple[int, int]],
    ram: tuple[int, int],
    dtb: int,
) -> int:
    """Where QEMU puts it, half-way up; failing that, as high as it fits below the device tree."""
    base, size = ram
    usual = entry + min(size // 2, INITRD_OFFSET)
    usual = (usual + PAGE - 1) // PAGE * PAGE
    beyond = usual + len(data)
    if beyond <= dtb and all(beyond <= start or usual >= stop for start, stop in taken):
        return usual
    address = _highest_gap(len(data), taken, base, dtb, PAGE)
    if address is None:
        raise KitError(
            f"{name}: no room in RAM for an initial RAM disk of {len(data)} bytes; use more memory"
        )
    return address


def _highest_gap(
    length: int, taken: list[tuple[int, int]], base: int, end: int, align: int
) -> int | None:
    """The highest aligned address from which on `length` bytes are free, or None."""
    top = end
    for start, stop in [*sorted(taken, reverse=True), (base, base)]:
        address = (top - length) // align * align
        if address >= max(stop, base):
            return address
        top = min(top, start)
    return None


def _hex_image(data: bytes, name: str) -> Image:
    # The reader of HEX files belongs to the toolchain, which stands on the machine.
    from kit.toolchain.hexfile import read_hex_file

    found = read_hex_file(data.decode("latin-1"), name)
    if not found.segments:
        raise KitError(f"{name}: the HEX file holds no data")
    entry = found.segments[0][0] if found.start is None else found.start
    return Image(entry, found.segments)


class _Elf:
    """A 32-bit RISC-V ELF executable. System V ABI, chapters 4 and 5.

    Every number in the file is checked before it is used: the file may be damaged or hostile.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self.data = data
        self.name = name
        if len(data) < ELF_HEADER.size:
            raise self._error("the ELF header is cut off")
        fields = ELF_HEADER.unpack_from(data)
        identity, self.type, self.machine = fields[0], fields[1], fields[2]
        self.entry, self.programs, self.sections = fields[4:7]
        self.program_size, self.program_count, self.section_size, self.section_count = fields[9:13]
        if identity[4] != CLASS_32 or identity[5] != LITTLE:
            raise self._error("not a 32-bit little-endian ELF file; build it for rv32")
        if self.machine != RISCV:
            raise self._error(f"an ELF file for machine {self.machine}, not for RISC-V")
        if self.type != EXECUTABLE:
            raise self._error("not an executable ELF file; link it (without -r, -shared or -pie)")

    def image(self) -> Image:
        """Segments at their physical addresses; the entry point translated likewise."""
        headers = self._table(self.programs, self.program_size, self.program_count, PROGRAM_HEADER)
        image = Image(self.entry, [], self._symbols(), elf=self.data)
        for kind, offset, virtual, physical, in_file, in_memory, *_ in headers:
            if kind != LOAD or not in_memory:
                continue
            if in_file > in_memory or offset + in_file > len(self.data):
                raise self._error(f"the segment for {physical:#x} reaches beyond its bounds")
            if in_file:
                image.segments.append((physical, self.data[offset : offset + in_file]))
            if in_memory > in_file:
                image.zeroed.append((physical + in_file, in_memory - in_file))
            if virtual <= self.entry < virtual + in_memory:
                image.entry = self.entry - virtual + physical
        if not image.segments:
            raise self._error("nothing to load: no segment of type LOAD has contents")
        return image

    def _symbols(self) -> dict[str, int]:
        """Names and values; of several symbols of one name, a global one wins."""
        if not self.section_count:
            return {}
        sections = self._table(self.sections, self.section_size, self.section_count, SECTION_HEADER)
        found: dict[str, int] = {}
        for header in sections:
            if header[1] != SYMBOL_TABLE:
                continue
            if header[6] >= len(sections):
                raise self._error("the symbol table has no names")
            names = self._bytes(*sections[header[6]][4:6])
            self._collect(self._bytes(*header[4:6]), names, found)
        return found

    def _collect(self, table: bytes, names: bytes, found: dict[str, int]) -> None:
        whole = len(table) // SYMBOL.size * SYMBOL.size
        local: dict[str, int] = {}
        for at, value, _, info, _, section in SYMBOL.iter_unpack(table[:whole]):
            if not section or info & 15 in (SECTION_SYMBOL, FILE_SYMBOL) or at >= len(names):
                continue
            end = names.find(b"\0", at, at + LONGEST_NAME)
            name = names[at : end if end >= 0 else at + LONGEST_NAME].decode("utf-8", "replace")
            # Names with "$" mark pieces of code and data for disassemblers.
            if name and not name.startswith("$"):
                (found if info >> 4 in GLOBAL_OR_WEAK else local).setdefault(name, value)
        for name, value in local.items():
            found.setdefault(name, value)

    def _table(
        self, offset: int, entry_size: int, count: int, layout: struct.Struct
    ) -> list[tuple[int, ...]]:
        if count and entry_size != layout.size:
            raise self._error(f"table entries of {entry_size} bytes instead of {layout.size}")
        return list(layout.iter_unpack(self._bytes(offset, count * layout.size)))

    def _bytes(self, offset: int, length: int) -> bytes:
        if offset + length > len(self.data):
            raise self._error(f"cut off: {offset + length} bytes needed, {len(self.data)} there")
        return self.data[offset : offset + length]

    def _error(self, text: str) -> KitError:
        return KitError(f"{self.name}: {text}")
