"""Shadow tables as they lie in real storage: the machine finds in them what the kernel has mapped.

These goals run the code of `kit.vmm.shadow.Shadow` on words of real storage, and ask the machine's
own `translate` what it makes of them.

The invariant, with a ghost: each frame of the pool is free, or the root of one regime, or the table
of one regime for one 4 MiB (`_kind` and `_of`, unknown functions of the frame). A root stands in
the kernel's dictionary under its own key; a pointer in a root leads to the table that is its own; a
valid entry in a table leads to a frame, in whose list of entries it stands, and lets nobody write a
protected frame. It is stated for one arbitrary regime and address, which is all of them. A loop
over a frame's entries is followed for the one that is looked at: the others are other words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import z3

from kit.isa.config import Config
from kit.isa.translation import translate
from kit.proof.contracts import RIGHTS
from kit.proof.goals import Goal, Obligation, lemma
from kit.proof.numbers import Number, Paths, Truth, number, truth, word
from kit.proof.terms import Meaning, Outcome, SymbolicState, is_ram
from kit.proof.world import World, world_of
from kit.vmm.protection import WRITE
from kit.vmm.shadow import POOL, Shadow

PLEN, PAGES = 34, 22
"""Bits of a real address, and of the number of a real page."""
KEY = 2
"""Bits of a regime's key: enough for the two regimes that a goal tells apart."""
HOST = "host "
POOLED = [z3.BitVec(f"pooled_{n}", PAGES) for n in range(POOL)]
FREE, ROOT, TABLE = (z3.BitVecVal(n, 2) for n in range(3))
W = 2


def _page(address: Any) -> Any:
    """The number of the page that an address is in."""
    return z3.simplify(z3.Extract(PLEN - 1, 12, word(address, PLEN)))


def _start(page: Any) -> Any:
    """The address at which a page begins."""
    return z3.Concat(page, z3.BitVecVal(0, 12))


def _named(name: str, width: int) -> Any:
    return z3.BitVec(name, width)


@dataclass
class Ghost:
    """What each frame of the pool is for: its kind, its regime, and its 4 MiB.

    Frames are told by the numbers of their pages.
    """

    kind: Any
    regime: Any
    region: Any

    @classmethod
    def unknown(cls) -> Ghost:
        """A ghost of which nothing is known."""
        frame = z3.BitVecSort(PAGES)
        return cls(
            *(
                z3.Array(name, frame, z3.BitVecSort(width))
                for name, width in (("kind", 2), ("regime", KEY), ("region", 10))
            )
        )

    def assign(self, frame: Any, kind: Any, regime: Any, region: Any) -> None:
        """From now on a frame is for something else."""
        self.kind = z3.Store(self.kind, frame, kind)
        self.regime = z3.Store(self.regime, frame, regime)
        self.region = z3.Store(self.region, frame, region)

    def becomes_table(self, frame: Any, regime: Any, region: Any) -> None:
        """A frame that was free, and has not become a root, is a table from now on."""
        free = self.kind[frame] == FREE
        kind = z3.If(free, TABLE, self.kind[frame])
        self.assign(frame, kind, regime, z3.If(free, region, self.region[frame]))

    def is_root(self, frame: Any, regime: Any) -> Any:
        """Is a frame the root of a regime?"""
        return z3.And(self.kind[frame] == ROOT, self.regime[frame] == regime, _is_frame(frame))

    def is_table(self, frame: Any, regime: Any, region: Any) -> Any:
        """Is a frame a regime's table for a region?"""
        mine = z3.And(self.regime[frame] == regime, self.region[frame] == region)
        return z3.And(self.kind[frame] == TABLE, mine, _is_frame(frame))


def _is_frame(frame: Any) -> Any:
    """A frame of the pool is a page of real RAM."""
    return is_ram(_start(frame), 4096, HOST)


class _Real:
    """The words of real storage, as the shadow tables are read and written."""

    def __init__(self, cells: Any) -> None:
        self.cells = cells
        self.cleared: list[Any] = []

    def read(self, address: Any, size: int) -> Number:
        return number(z3.Select(self.cells, _cell(address)))

    def write(self, address: Any, size: int, value: Any) -> None:
        self.cells = z3.Store(self.cells, _cell(address), word(value, 32))

    def write_bytes(self, address: Any, data: bytes) -> None:
        """A page of zeros: every word of it, so the whole page is another function."""
        assert data == bytes(4096)
        frame, at = _page(address), _named("cell", PLEN - 2)
        self.cleared.append(frame)
        inside = z3.Extract(PLEN - 3, 10, at) == frame
        zero = z3.BitVecVal(0, 32)
        self.cells = z3.Lambda([at], z3.If(inside, zero, z3.Select(self.cells, at)))


def _cell(address: Any) -> Any:
    return z3.Extract(PLEN - 1, 2, word(address, PLEN))


@dataclass
class _Roots:
    """The kernel's dictionary of roots: which regimes have one, and where."""

    ghost: Ghost
    has: Any = field(
        default_factory=lambda: z3.Array("has_root", z3.BitVecSort(KEY), z3.BoolSort())
    )
    at: Any = field(
        default_factory=lambda: z3.Array("root_at", z3.BitVecSort(KEY), z3.BitVecSort(PAGES))
    )

    def __contains__(self, key: Any) -> bool:
        return bool(Truth(z3.Select(self.has, key)))

    def __getitem__(self, key: Any) -> Number:
        return number(_start(z3.Select(self.at, key)))

    def __setitem__(self, key: Any, frame: Number) -> None:
        root = _page(frame)
        self.ghost.assign(root, ROOT, key, z3.BitVecVal(0, 10))
        self.has = z3.Store(self.has, key, z3.BoolVal(True))
        self.at = z3.Store(self.at, key, root)

    def clear(self) -> None:
        """All frames of the pool are free again."""
        self.has = z3.K(z3.BitVecSort(KEY), z3.BoolVal(False))
        self.ghost.kind = z3.K(z3.BitVecSort(PAGES), FREE)


class _Unused:
    """The free frames: so many, and which one comes next is unknown."""

    def __init__(self, stage: TableStage) -> None:
        self._stage = stage
        self.length: Any = Number(z3.ZeroExt(72, _named("unused", 8)))
        self._taken = 0

    def __bool__(self) -> bool:
        return bool(self.length != 0)

    def pop(self) -> Number:
        """One of them: it is free, and so nobody's."""
        frame = _named(f"free_{self._taken}", PAGES)
        self._taken += 1
        self.length = self.length - 1
        assert Paths.current is not None
        Paths.current.assume(self._stage.ghost.kind[frame] == FREE)
        Paths.current.assume(_is_frame(frame))
        return number(_start(frame))


class _Entries:
    """The lists of entries: those that were there (one is looked at), and those added here."""

    def __init__(self, stage: TableStage) -> None:
        self._stage = stage
        self.known = z3.Function(
            "in_list", z3.BitVecSort(PAGES), z3.BitVecSort(PLEN), z3.BoolSort()
        )
        self.added: list[tuple[Any, Any]] = []
        self.emptied: list[Any] = []
        self.cleared = False

    def has(self, frame: Any, entry: Any) -> Any:
        """Is the entry at an address in the list of a frame?"""
        old = z3.And(self.known(frame, entry), *(frame != other for other in self.emptied))
        old = z3.And(old, not self.cleared)
        return z3.Or(old, *(z3.And(frame == f, entry == e) for f, e in self.added))

    def setdefault(self, frame: Any, empty: list[Any]) -> _Entries:
        self._frame = _page(frame)
        return self

    def append(self, entry: Any) -> None:
        self.added.append((self._frame, word(entry, PLEN)))

    def get(self, frame: Any, default: Any) -> Iterator[Number]:
        """The entry that is looked at, if it is among them."""
        watched = self._stage.watched
        if Truth(self.has(_page(frame), watched)):
            yield number(watched)

    def pop(self, frame: Any, default: Any) -> list[Number]:
        found = list(self.get(frame, default))
        self.emptied.append(_page(frame))
        self.added = [pair for pair in self.added if not pair[0].eq(_page(frame))]
        return found

    def clear(self) -> None:
        self.added, self.emptied, self.cleared = [], [], True


class _Protected:
    """The protected frames."""

    def __init__(self) -> None:
        self.term = z3.Array("protected", z3.BitVecSort(PAGES), z3.BoolSort())

    def __contains__(self, frame: Any) -> bool:
        return bool(Truth(z3.Select(self.term, _page(frame))))

    def add(self, frame: Any) -> None:
        self.term = z3.Store(self.term, _page(frame), z3.BoolVal(True))

    def clear(self) -> None:
        self.term = z3.K(z3.BitVecSort(PAGES), z3.BoolVal(False))


class TableStage:
    """A `Shadow` on symbolic storage; one regime and one address in it are looked at.

    `watched` is where that address's entry is, at first.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.regime, self.address = _named("regime_", KEY), _named("address", 32)
        self.ghost = Ghost.unknown()
        self.real = _Real(z3.Array("real_words", z3.BitVecSort(PLEN - 2), z3.BitVecSort(32)))
        shadow: Any = object.__new__(Shadow)
        shadow._real, shadow.frames = self.real, [number(_start(frame)) for frame in POOLED]
        shadow._roots, shadow._entries = _Roots(self.ghost), _Entries(self)
        shadow._unused, shadow.protected = _Unused(self), _Protected()
        self.shadow = shadow
        self.found: Any = None
        self.before = self.view(self.regime, self.address)
        self.watched = self.before["entry at"]

    # -- what the tables hold ------------------------------------------------------------------

    def view(self, regime: Any, address: Any) -> dict[str, Any]:
        """The words on the way to an address's entry in a regime, as they are now."""
        root = z3.Select(self.shadow._roots.at, regime)
        pointer = z3.Select(self.real.cells, z3.Concat(root, z3.Extract(31, 22, address)))
        table = z3.Extract(31, 10, pointer)
        cell = z3.Concat(table, z3.Extract(21, 12, address))
        place, entry = z3.Concat(cell, z3.BitVecVal(0, 2)), z3.Select(self.real.cells, cell)
        has = z3.Select(self.shadow._roots.has, regime)
        there = z3.And(has, z3.Extract(0, 0, pointer) == 1)
        present = z3.And(there, z3.Extract(0, 0, entry) == 1)
        return {
            "has root": has, "root": root, "pointer": pointer, "table": table, "there": there,
            "entry at": place, "entry": entry, "present": present,
        }  # fmt: skip

    def invariant(self, regime: Any, address: Any) -> dict[str, Any]:
        """What holds of a regime's way to an address's entry."""
        view, ghost = self.view(regime, address), self.ghost
        region = z3.Extract(31, 22, address)
        pointer, entry = view["pointer"], view["entry"]
        frame = z3.Extract(31, 10, entry)
        listed = self.shadow._entries.has(frame, view["entry at"])
        closed = z3.Implies(
            z3.Select(self.shadow.protected.term, frame), z3.Extract(W, W, entry) == 0
        )
        usual = z3.And(entry & 0x3F1 == 0xD1, z3.Or(entry & 4 == 0, entry & 2 == 2))
        return {
            "root": z3.Implies(view["has root"], ghost.is_root(view["root"], regime)),
            "pointer": z3.Implies(view["has root"], z3.Or(pointer == 0, pointer & 0x3FF == 1)),
            "table": z3.Implies(view["there"], ghost.is_table(view["table"], regime, region)),
            "entry": z3.Implies(view["there"], z3.Or(entry & 1 == 0, usual)),
            "listed": z3.Implies(view["present"], listed),
            "protected": z3.Implies(view["present"], closed),
        }

    # -- what the machine makes of them --------------------------------------------------------

    def machine(self, regime: Any, address: Any, access: str) -> Outcome:
        """The machine's own walk in U-mode, with the regime's root in satp, all memory open.

        The machine's MXR, SUM and MPRV are never set (lemma *exit*).
        """
        definitions = self.world.isa().definitions
        state = SymbolicState.unknown(definitions, HOST)
        root = self.view(regime, address)["root"]
        satp = z3.Concat(z3.BitVecVal(1 << 9, 10), root)
        status = state.words["mstatus"] & ~0xE_0000
        state = replace(
            state.with_words(mode=z3.BitVecVal(0, 2), satp=satp, mstatus=status),
            storage=self.real.cells,
        )
        meaning = Meaning(definitions, {"pmp_allows": _open})
        return meaning.call(translate, state, address, 1, access)


def _open(state: SymbolicState, key: Any, args: list[Any]) -> Outcome:
    """The machine's PMP has one entry, which opens everything (lemma *exit*)."""
    return Outcome(state, z3.BitVecVal(1, 1), z3.BoolVal(False), None, None)


# -- goals ---------------------------------------------------------------------------------------


def _mapped(stage: TableStage) -> tuple[Any, Any, Any, Any]:
    """What `map` is called with: a regime, a page, a frame, and rights, none to write only."""
    return _named("key", KEY), _named("page", 20), _named("frame", 22), _named("rights", 3)


def _explore(
    world: World, act: Callable[[TableStage], None], claims: Callable[[TableStage], dict[str, Any]]
) -> list[Obligation]:
    """Every path of something done to the tables, and what is claimed of them afterwards.

    Before, the invariant holds of the regime and address that are looked at, and of those that
    something is done to.
    """
    first = TableStage(world)
    key, page, frame, rights = _mapped(first)
    place = z3.Concat(page, z3.BitVecVal(0, 12))
    known = [
        *first.invariant(first.regime, first.address).values(),
        *first.invariant(key, place).values(),
        z3.Distinct(*POOLED[-3:]),
        *(_is_frame(pooled) for pooled in POOLED[-3:]),
        z3.Or(z3.Extract(1, 1, rights) == 0, z3.Extract(0, 0, rights) == 1),
    ]

    def run() -> TableStage:
        stage = TableStage(world)
        act(stage)
        return stage

    obligations = []
    terms = {"address": first.address, "page": page, "frame": frame, "rights": rights}
    for path in Paths(known).explore(run):
        stage = path.result
        now = {
            f"invariant: {name}": claim
            for name, claim in stage.invariant(stage.regime, stage.address).items()
        }
        demanded = {**now, **claims(stage)}
        for case in _cases(stage):
            if _possible([*known, *path.conditions, *case]):
                hypotheses = [*known, *path.conditions, *case]
                obligations.append(Obligation(hypotheses, demanded, terms))
    return obligations


def _cases(stage: TableStage) -> list[list[Any]]:
    """How what is looked at may lie to what is done: each on its own is easier to decide."""
    key, page, _, _ = _mapped(stage)
    regime = stage.regime == key
    region = z3.Extract(31, 22, stage.address) == z3.Extract(19, 10, page)
    same = z3.Extract(31, 12, stage.address) == page
    return [
        [z3.Not(regime)],
        [regime, z3.Not(region)],
        [regime, region, z3.Not(same)],
        [regime, same],
    ]


def _possible(hypotheses: list[Any]) -> bool:
    solver = z3.SolverFor("QF_AUFBV")
    solver.add(*hypotheses)
    return bool(solver.check() != z3.unsat)


def _same_or_gone(stage: TableStage, but: Any = None) -> Any:
    """The entry that is looked at is what it was, or there is none now."""
    now = stage.view(stage.regime, stage.address)
    same = z3.And(stage.before["present"], now["entry"] == stage.before["entry"])
    claim = z3.Implies(now["present"], same)
    return claim if but is None else z3.Or(but, claim)


def _map(world: World) -> list[Obligation]:
    def act(stage: TableStage) -> None:
        assert Paths.current is not None
        # There is room (lemma *shadow*): two free frames at least.
        Paths.current.assume(truth(stage.shadow._unused.length >= 2))
        key, page, frame, rights = _mapped(stage)
        place, at = (number(z3.Concat(n, z3.BitVecVal(0, 12))) for n in (page, frame))
        stage.shadow.map(key, place, at, number(rights))
        for table in stage.real.cleared:
            stage.ghost.becomes_table(table, key, z3.Extract(19, 10, page))

    def claims(stage: TableStage) -> dict[str, Any]:
        key, page, frame, rights = _mapped(stage)
        mine = z3.And(stage.regime == key, z3.Extract(31, 12, stage.address) == page)
        at = z3.Concat(page, z3.Extract(11, 0, stage.address))
        closed = z3.Select(stage.shadow.protected.term, frame)
        left, before = stage.shadow._unused.length, _Unused(stage).length
        now = stage.view(stage.regime, stage.address)
        stays = z3.And(now["present"], now["entry"] == stage.before["entry"])
        demanded = {
            "others": _same_or_gone(stage, but=mine),
            "others stay": z3.Implies(z3.And(stage.before["present"], z3.Not(mine)), stays),
            "frames": truth(left >= before - 2),
        }
        for right, access in RIGHTS.items():
            found = stage.machine(key, at, access)
            granted = z3.Extract(right, right, rights) == 1
            if right == WRITE:
                granted = z3.And(granted, z3.Not(closed))
            leads = z3.Concat(frame, z3.Extract(11, 0, at))
            demanded[access] = found.trapped == z3.Not(granted)
            demanded[f"{access}: leads to"] = z3.Implies(granted, found.value == leads)
            demanded[f"{access}: sets nothing"] = z3.Not(found.state.wrote)
        return demanded

    return _explore(world, act, claims)


def _root(world: World) -> list[Obligation]:
    def act(stage: TableStage) -> None:
        stage.found = stage.shadow.root(_mapped(stage)[0])

    def claims(stage: TableStage) -> dict[str, Any]:
        roots, key = stage.shadow._roots, _mapped(stage)[0]
        known = z3.And(z3.Select(roots.has, key), word(stage.found, PLEN) == _start(roots.at[key]))
        return {"known": known, "entries": _same_or_gone(stage)}

    return _explore(world, act, claims)


def _frame_number(stage: TableStage) -> Number:
    return number(z3.Concat(_mapped(stage)[2], z3.BitVecVal(0, 12)))


def _protect(world: World) -> list[Obligation]:
    def claims(stage: TableStage) -> dict[str, Any]:
        now = stage.view(stage.regime, stage.address)
        without = stage.before["entry"] & ~4
        same = z3.Or(now["entry"] == stage.before["entry"], now["entry"] == without)
        here = z3.Extract(31, 10, now["entry"]) == _mapped(stage)[2]
        closed = z3.Extract(W, W, now["entry"]) == 0
        return {
            "entries": z3.Implies(now["present"], z3.And(stage.before["present"], same)),
            "protected": z3.Implies(z3.And(now["present"], here), closed),
        }

    return _explore(world, lambda stage: stage.shadow.protect(_frame_number(stage)), claims)


def _unmap(world: World) -> list[Obligation]:
    def claims(stage: TableStage) -> dict[str, Any]:
        now = stage.view(stage.regime, stage.address)
        here = z3.Extract(31, 10, now["entry"]) == _mapped(stage)[2]
        return {
            "entries": _same_or_gone(stage),
            "nothing leads there": z3.Not(z3.And(now["present"], here)),
        }

    return _explore(world, lambda stage: stage.shadow.unmap(_frame_number(stage)), claims)


def _drop(world: World) -> list[Obligation]:
    def claims(stage: TableStage) -> dict[str, Any]:
        return {"nothing": z3.Not(stage.view(stage.regime, stage.address)["present"])}

    return _explore(world, lambda stage: stage.shadow.drop(), claims)


def _machine(world: World, access: str) -> list[Obligation]:
    """The machine's walk finds the entry, or faults, and never sets a bit."""

    def claims(stage: TableStage) -> dict[str, Any]:
        found = stage.machine(stage.regime, stage.address, access)
        view = stage.view(stage.regime, stage.address)
        leads = z3.Concat(z3.Extract(31, 10, view["entry"]), z3.Extract(11, 0, stage.address))
        right = {"read": 1, "write": 2, "execute": 3}[access]
        let = z3.Extract(right, right, view["entry"]) == 1
        through = z3.And(view["present"], let, found.value == leads)
        fault = z3.Or(*(found.cause == cause for cause in (12, 13, 15)))
        rooted = view["has root"]
        return {
            "leads": z3.Implies(z3.And(rooted, z3.Not(found.trapped)), through),
            "faults": z3.Implies(z3.And(rooted, found.trapped), fault),
            "sets nothing": z3.Implies(rooted, z3.Not(found.state.wrote)),
        }

    return _explore(world, lambda stage: None, claims)


@lemma("tables")
def tables(config: Config) -> Mapping[str, Goal]:
    """In real storage, after anything the kernel does to shadow tables: for every regime and every
    address, the machine's own walk leads to the frame that was mapped there last, with the rights
    it was mapped with, none to write a protected frame; or it ends in a page fault. It never sets a
    bit, and no other regime or address is affected, except that entries may go; not by mapping,
    which uses two frames of the pool at most, so that refills come to an end."""
    world = world_of(config)
    return {
        "map": partial(_map, world),
        "root": partial(_root, world),
        "protect": partial(_protect, world),
        "unmap": partial(_unmap, world),
        "drop": partial(_drop, world),
        **{
            f"the machine's {access}": partial(_machine, world, access)
            for access in RIGHTS.values()
        },
    }
