"""Instructions that run directly: in the machine's U-mode, behind shadow tables.

The machine and the guest's bare machine execute the same instruction with the same definition. They
differ in mode, in CSRs, and in where storage is: a guest page is in the frame that the allocator
gave it. What the shadow tables promise (lemmas *shadow* and *tables*) is a hypothesis here: where
the machine's walk does not fault, it leads to the frame of the page to which the guest's own walk
leads, which has nothing to set in the guest's tables any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import z3

from kit.engine.paths import Key
from kit.isa.config import Config
from kit.isa.encoding import Instruction
from kit.isa.storage import fetch
from kit.proof.contracts import ACCESS, PAGE_FAULT, WALK, walk_of
from kit.proof.goals import Goal, Obligation, lemma
from kit.proof.lemmas.emulation import shown
from kit.proof.terms import Outcome, SymbolicState, cell_of, is_ram
from kit.proof.world import World, legal, world_of
from kit.vmm.interpreters import INTERPRETERS

HOST = "host "
U = 0
TRAPS_OF_THEIR_OWN = (0, 3, 4, 6)
"""Exceptions that the machine takes exactly where the guest's bare machine does."""
ILLEGAL, ECALL = 2, 8


def real(address: Any) -> Any:
    """The real address of a guest-physical one: its page's frame, and the same offset."""
    page = z3.Extract(address.size() - 1, 12, address)
    frame = z3.Function("frame_of", page.sort(), page.sort())(page)
    return z3.Concat(frame, z3.Extract(11, 0, address))


def _owner(address: Any) -> Any:
    """The page whose frame a real address is in, if there is one."""
    frame = z3.Extract(address.size() - 1, 12, address)
    return z3.Function("page_in", frame.sort(), frame.sort())(frame)


def frames_are_its_own(address: Any) -> Any:
    """A guest page has a frame in real RAM, and no other page has it."""
    page = z3.Extract(address.size() - 1, 12, address)
    where = real(address)
    whole = z3.Concat(z3.Extract(address.size() - 1, 12, where), z3.BitVecVal(0, 12))
    owned = z3.And(is_ram(whole, 4096, HOST), _owner(where) == page)
    start = z3.Concat(page, z3.BitVecVal(0, 12))
    return z3.Implies(is_ram(start, 4096), owned)


class Twin:
    """The machine while it runs the guest of `world` directly, and what is known of the two."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.guest = world.start
        host = SymbolicState.unknown(world.isa().definitions, HOST)
        w = self.guest.words
        self.host = replace(
            host.with_words(
                pc=w["pc"],
                next_pc=w["next_pc"],
                instruction=w["instruction"],
                mode=z3.BitVecVal(U, 2),
                reservation_valid=w["reservation_valid"],
                reservation=real(w["reservation"]),
            ),
            files=host.files | {"x": self.guest.files["x"]},
        )
        self.promises: list[Any] = []

    def _address(self, name: str) -> Any:
        """Any address of a word, by this name."""
        cell = z3.Const(name, self.guest.storage.sort().domain())
        return z3.Concat(cell, z3.BitVecVal(0, 2))

    def translate(self, state: SymbolicState, key: Key, args: list[Any]) -> Outcome:
        """The machine's `translate`: it faults, or leads to where the shadow tables may lead."""
        (size, access), (address,) = key.static, args
        right = ACCESS[access]
        faults = z3.Function(f"host_{access}_{size}_faults", address.sort(), z3.BoolSort())(address)
        walk = walk_of(self.guest, address, size, right)
        page = z3.Concat(z3.Extract(33, 12, walk.leads), z3.BitVecVal(0, 12))
        promise = z3.And(z3.Not(walk.faults), z3.Not(walk.sets), is_ram(page, 4096))
        self.promises += [z3.Or(faults, promise), frames_are_its_own(walk.leads)]
        # What the guest has at its address is what is in the frame.
        here = self._has(self.guest, walk.leads) == self._has(self.host, real(walk.leads))
        self.promises.append(z3.Implies(is_ram(page, 4096), here))
        cause = z3.BitVecVal(PAGE_FAULT[right], self.world.config.xlen)
        return Outcome(state, real(walk.leads), faults, cause, address)

    @staticmethod
    def _has(state: SymbolicState, address: Any) -> Any:
        """The word of storage that an address is in."""
        return z3.Select(state.storage, cell_of(address))

    def hypotheses(self) -> list[Any]:
        """The invariant of both machines, and what the shadow tables and the allocator promise.

        Of the machine's own registers, only that no counter is open matters (lemma *exit*).
        """
        mine = legal(self.host, self.world.config)
        del mine["mode"], mine["x0"], mine["pc"]
        mine["counters"] = self.host.words["mcounteren"] == 0
        reserved = self.guest.words["reservation"]
        held = z3.Implies(is_ram(reserved, 4), frames_are_its_own(reserved))
        return [
            *self.world.invariant(), *mine.values(), held, *self.promises,
        ]  # fmt: skip

    def storage_agrees(self, host: SymbolicState, guest: SymbolicState) -> Any:
        """A claim: any word of the guest's RAM that was the same in its frame is so again."""
        at = self._address("any_address")
        page = z3.Concat(z3.Extract(at.size() - 1, 12, at), z3.BitVecVal(0, 12))
        before = self._has(self.guest, at) == self._has(self.host, real(at))
        after = self._has(guest, at) == self._has(host, real(at))
        return z3.Implies(z3.And(is_ram(page, 4096), frames_are_its_own(at), before), after)

    def others_are_safe(self, host: SymbolicState) -> Any:
        """A claim: a word of real storage that has changed is in a frame of the guest's RAM."""
        at = self._address("any_real_address")
        page = z3.Concat(_owner(at), z3.BitVecVal(0, 12))
        same = self._has(host, at) == self._has(self.host, at)
        return z3.Or(same, is_ram(page, 4096))


def _unchanged(one: SymbolicState, two: SymbolicState, but: set[str]) -> dict[str, Any]:
    claims = {
        name: value == two.words[name]
        for name, value in one.words.items()
        if name not in but and not value.eq(two.words[name])
    }
    claims |= {
        name: value == two.files[name]
        for name, value in one.files.items()
        if name not in but and not value.eq(two.files[name])
    }
    return claims


MOVED = {"pc", "next_pc", "instruction", "completed", "reservation_valid", "reservation", "x"}
CLOCKS = {"mtime", "mcycle", "minstret"}


def _instruction(world: World, row: Instruction) -> list[Obligation]:
    twin, operands = Twin(world), world.operands(row)
    done = world.execute(world.isa({"translate": twin.translate}), row, twin.host, operands)
    isa = world.isa(WALK)
    bare = world.execute(isa, row, twin.guest, operands)
    trapped = z3.simplify(done.trapped)
    about = {"instruction": row.name, "bare": True}
    terms = {**operands, **shown(world)}
    cases: list[tuple[Any, dict[str, Any]]] = [(z3.Not(trapped), _completed(twin, done, bare))]
    if done.cause is not None:
        cases.append((trapped, _trapped(twin, row, done, bare)))
    return [
        Obligation(twin.hypotheses(), _where(case, claims), terms, about) for case, claims in cases
    ]


def _where(condition: Any, claims: dict[str, Any]) -> dict[str, Any]:
    return {name: z3.Implies(condition, claim) for name, claim in claims.items()}


def _completed(twin: Twin, done: Outcome, bare: Outcome) -> dict[str, Any]:
    """The guest's bare machine completes it too, with the same results; nothing else changes."""
    host, guest = done.state, bare.state
    index = z3.BitVec("any_of_x", 8)
    valid = guest.words["reservation_valid"]
    place = host.words["reservation"] == real(guest.words["reservation"])
    finished = twin.world.finish(twin.world.isa(), replace(done, trapped=z3.BoolVal(False))).words
    after = twin.world.finish(twin.world.isa(), replace(bare, trapped=z3.BoolVal(False))).words
    claims = {
        "completes": z3.Not(bare.trapped),
        "x": z3.Select(host.files["x"], index) == z3.Select(guest.files["x"], index),
        "pc": finished["pc"] == after["pc"],
        "reservation_valid": host.words["reservation_valid"] == valid,
        "reservation": z3.Implies(valid == 1, place),
        "storage": twin.storage_agrees(host, guest),
        "isolation": twin.others_are_safe(host),
        "the machine's devices": host.log == twin.host.log,
        "devices": guest.log == twin.guest.log,
    }
    for which, one, two in (("the machine's ", host, twin.host), ("", guest, twin.guest)):
        same = _unchanged(one, two, MOVED)
        claims |= {which + name: claim for name, claim in same.items()}
    return claims | _clocks(twin, after)


def _clocks(twin: Twin, after: dict[str, Any]) -> dict[str, Any]:
    """The clocks of the guest advance as `Kernel._leave` counts a direct step."""
    before = twin.guest.words
    held = before["mcountinhibit"]
    one = z3.BitVecVal(1, 64)
    none = z3.BitVecVal(0, 64)
    cycle, instret = (z3.If(held & mask == 0, one, none) for mask in (1, 4))
    return {
        "mtime": after["mtime"] == before["mtime"] + 1,
        "mcycle": after["mcycle"] == before["mcycle"] + cycle,
        "minstret": after["minstret"] == before["minstret"] + instret,
    }


def _trapped(twin: Twin, row: Instruction, done: Outcome, bare: Outcome) -> dict[str, Any]:
    """Nothing has happened yet, and the cause tells the kernel what there is to do."""
    host = done.state
    shared = z3.Or(*(done.cause == cause for cause in TRAPS_OF_THEIR_OWN))
    faults = [done.cause == cause for cause in (PAGE_FAULT[0], PAGE_FAULT[1])]
    claims = {
        "same exception": z3.Implies(
            shared, z3.And(bare.trapped, bare.cause == done.cause, bare.tval == done.tval)
        ),
        "illegal": z3.BoolVal(row.name in INTERPRETERS) == (done.cause == ILLEGAL),
        "call": z3.BoolVal(row.name == "ecall") == (done.cause == ECALL),
        "causes": z3.Or(shared, done.cause == ILLEGAL, done.cause == ECALL, *faults),
        "illegal's value": z3.Implies(
            done.cause == ILLEGAL, done.tval == host.words["instruction"]
        ),
    }
    claims |= {
        f"the machine's {name}": claim
        for name, claim in _unchanged(host, twin.host, {"next_pc"}).items()
    }
    claims["the machine's storage"] = host.storage == twin.host.storage
    claims["the machine's devices"] = host.log == twin.host.log
    return claims


def _fetch(world: World) -> list[Obligation]:
    twin = Twin(world)
    got = world.isa({"translate": twin.translate}).call(fetch, twin.host)
    bare = world.isa(WALK).call(fetch, twin.guest)
    # Of a compressed instruction only the lower half counts.
    low = z3.Extract(15, 0, got.value) == z3.Extract(15, 0, bare.value)
    short = z3.Extract(1, 0, got.value) != 3
    claims = {
        "fetches": z3.Not(bare.trapped),
        "word": z3.And(low, z3.Or(short, got.value == bare.value)),
        "storage": bare.state.storage == twin.guest.storage,
        "the machine's storage": got.state.storage == twin.host.storage,
    }
    claims = _where(z3.Not(got.trapped), claims)
    claims["cause"] = z3.Implies(got.trapped, got.cause == PAGE_FAULT[2])
    return [Obligation(twin.hypotheses(), claims, shown(world))]


@lemma("direct")
def direct(config: Config) -> Mapping[str, Goal]:
    """For each instruction with any operands, in any legal state of guest and machine: executed in
    the machine's U-mode it either completes, and then it does to registers, pc and storage what it
    does on the guest's bare machine, in any virtual mode, and touches no other storage, no CSR and
    no device; or it traps, with nothing done, and with a cause that the kernel knows."""
    world = world_of(config)
    goals: dict[str, Goal] = {"fetch": partial(_fetch, world)}
    for row in world.rows.values():
        if row.execute is not None:
            goals[row.name] = partial(_instruction, world, row)
    return goals
