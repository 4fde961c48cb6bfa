"""The one door to a guest's storage, on symbolic addresses: `kit.vmm.allocator.GuestStorage`.

Processor, devices and the kernel's own walks all come through it. Guests whose pages a pager moves
are not covered: see what is assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import z3

from kit.isa.config import Config
from kit.machine.bus import PAGE
from kit.proof.goals import Goal, Obligation, lemma
from kit.proof.lemmas.direct import frames_are_its_own, real
from kit.proof.numbers import Number, Paths, Truth, number, truth, word
from kit.proof.stage import SymbolicSet
from kit.proof.terms import is_ram, ram_is_somewhere
from kit.vmm.allocator import GuestStorage

PLEN = 34


class _Frames:
    """The frame of each page, by the page's number from the start of RAM."""

    def __getitem__(self, page: Any) -> Number:
        base = z3.BitVec("ram_base", PLEN)
        return number(real(base + word(page, PLEN) * PAGE))


class _Pages:
    """The kernel's dictionary from frames back to pages."""

    def get(self, frame: Any) -> Number | None:
        page = z3.BitVec("page", PLEN)
        return number(page) if Truth(word(frame, PLEN) == real(page)) else None


class _Stage:
    """A `GuestStorage` of which every access to real storage or to a device is noted."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []
        storage: Any = object.__new__(GuestStorage)
        storage._base, storage._size = (
            number(z3.BitVec(name, PLEN)) for name in ("ram_base", "ram_size")
        )
        storage._real, storage.frames, storage._page_of = self, _Frames(), _Pages()
        storage.tables, storage.stale = SymbolicSet("is_table", PLEN), Truth(z3.Bool("stale"))
        storage.pager = storage.watch = None
        storage.read_device, storage.write_device = self._device, self._device
        self.storage = storage

    def _device(self, *args: Any) -> Number:
        self.events.append(("device", word(args[0], PLEN), *args[1:]))
        return number(z3.BitVec("device_value", 32))

    def read(self, address: Any, size: int) -> Number:
        self.events.append(("read", word(address, PLEN), size))
        return number(z3.BitVec("ram_value", 32))

    def write(self, address: Any, size: int, value: Any) -> None:
        self.events.append(("write", word(address, PLEN), size, word(value, 32)))


def _address() -> Any:
    return z3.BitVec("address", PLEN)


def _explore(
    size: int,
    act: Callable[[_Stage], Any],
    claims: Callable[[_Stage, Any], dict[str, Any]],
    ram_only: bool = False,
) -> list[Obligation]:
    address = _address()
    known = [
        ram_is_somewhere(PLEN),
        address & (size - 1) == 0,
        z3.Implies(is_ram(address, 1), frames_are_its_own(address)),
        # No frame is at address 0, which stands for "no frame".
        z3.Implies(is_ram(address, 1), z3.Extract(PLEN - 1, 12, real(address)) != 0),
    ]

    if ram_only:
        known.append(is_ram(address, size))

    def run() -> tuple[_Stage, Any]:
        stage = _Stage()
        return stage, act(stage)

    obligations = []
    for path in Paths(known).explore(run):
        demanded = claims(*path.result)
        hypotheses = [*known, *path.conditions]
        obligations.append(Obligation(hypotheses, demanded, {"address": address}))
    return obligations


def _only(stage: _Stage, kind: str, size: int) -> dict[str, Any]:
    """One access was made: to the frame's bytes where it is RAM, else to a device, as asked for."""
    if len(stage.events) != 1:
        return {f"one access, not {len(stage.events)}": z3.BoolVal(False)}
    ((what, at, width, *_),) = stage.events
    ram = is_ram(_address(), size)
    if what == "device":
        return {"device": z3.And(z3.Not(ram), at == _address(), z3.BoolVal(width == size))}
    return {kind: z3.And(ram, at == real(_address()), z3.BoolVal((what, width) == (kind, size)))}


def _read(size: int) -> list[Obligation]:
    address = number(_address())
    return _explore(
        size,
        lambda stage: stage.storage.read(address, size),
        lambda stage, _: _only(stage, "read", size),
    )


def _write(size: int) -> list[Obligation]:
    """A write to a page that shadow entries depend on is noticed."""
    address, value = number(_address()), number(z3.BitVec("value", 32))

    def claims(stage: _Stage, _: Any) -> dict[str, Any]:
        page = _address() & -PAGE
        table = z3.And(is_ram(_address(), size), SymbolicSet("is_table", PLEN).has(number(page)))
        stale = truth(stage.storage.stale) == z3.Or(z3.Bool("stale"), table)
        return {**_only(stage, "write", size), "noticed": stale}

    return _explore(size, lambda stage: stage.storage.write(address, size, value), claims)


def _real_address() -> list[Obligation]:
    def claims(stage: _Stage, found: Number) -> dict[str, Any]:
        return {
            "real": z3.Implies(is_ram(_address(), 1), word(found, PLEN) == real(_address())),
            "nothing accessed": z3.BoolVal(not stage.events),
        }

    return _explore(1, lambda stage: stage.storage.real_address(number(_address())), claims, True)


def _guest_address() -> list[Obligation]:
    """Back from a real address: to the page whose frame it is, and the same offset."""
    page = z3.BitVec("page", PLEN)

    def claims(stage: _Stage, found: Number | None) -> dict[str, Any]:
        here = z3.Extract(PLEN - 1, 12, _address()) == z3.Extract(PLEN - 1, 12, real(page))
        if found is None:
            return {"not its own": z3.Not(z3.And(here, page & PAGE - 1 == 0))}
        back = word(found, PLEN) == (page | _address() & PAGE - 1)
        return {"own": z3.Implies(page & PAGE - 1 == 0, z3.And(here, back))}

    return _explore(1, lambda stage: stage.storage.guest_address(number(_address())), claims)


@lemma("storage")
def storage(config: Config) -> Mapping[str, Goal]:
    """Every read or write of a guest's storage, at any address, whoever makes it, is one access to
    the same bytes of the frame that the page has, and to nothing else; or, where there is no RAM,
    one access to the guest's own devices. A write to a page that shadow entries depend on marks
    them as stale."""
    goals: dict[str, Goal] = {
        "real address": _real_address,
        "guest address": _guest_address,
    }
    for size in (1, 2, 4):
        goals[f"read, {size} bytes"] = partial(_read, size)
        goals[f"write, {size} bytes"] = partial(_write, size)
    return goals
