"""Witnesses: concrete states that show a property, run with the definitions as they stand.

The solver's word is not taken for it: a witness counts only after `kit.isa.step.step` has been run
on it, and has done what was claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kit.errors import KitError
from kit.isa.causes import cause_name
from kit.isa.config import Config
from kit.isa.cpu import ARRAYS, WORDS, M, S
from kit.isa.encoding import Decoder
from kit.isa.hart import Hart, cpu_of
from kit.isa.step import step
from kit.proof.classification.states import MPRV, MXR, REGISTERS, RIGHTS, SUM

__all__ = ["RAM", "SIZE", "Check", "Claim", "Ran", "State", "Witness", "run"]

RAM, SIZE = 0x8000_0000, 1 << 24
"""Where the witnesses' storage is; the instruction is at its beginning."""

MODES = {0: "U", 1: "S", 3: "M"}
CY, IR = 1, 4
MEMORY_TRAPS = (1, 5, 7, 12, 13, 15)

State = dict[str, Any]
"""Words by name, files as lists, and ``storage``: bytes by address."""


class _Storage:
    """RAM in which most bytes are zero; `touched` are those that were read or written."""

    def __init__(self, contents: Mapping[int, int]) -> None:
        self.bytes = dict(contents)
        self.written: dict[int, int] = {}

    def is_ram(self, address: int, size: int) -> bool:
        return RAM <= address <= RAM + SIZE - size

    reaches = is_ram

    def read(self, address: int, size: int) -> int:
        return sum(self.bytes.get(address + n, 0) << 8 * n for n in range(size))

    def write(self, address: int, size: int, value: int) -> None:
        for n in range(size):
            self.bytes[address + n] = self.written[address + n] = value >> 8 * n & 0xFF


@dataclass(frozen=True)
class Ran:
    """A step that was made: the state before and after, what it wrote, and the cause if it
    trapped."""

    before: State
    after: State
    written: dict[int, int]
    trap: int | None

    @property
    def is_rejected(self) -> bool:
        """Did the instruction trap by itself, that is, not by a memory trap?"""
        return self.trap is not None and self.trap not in MEMORY_TRAPS

    @property
    def result(self) -> tuple[Any, ...]:
        """What the program sees of it."""
        after = self.after
        held = after["reservation"] if after["reservation_valid"] else None
        return after["x"], after["pc"], after["waiting"], held, self.written

    def changes(self, part: str) -> bool:
        """Did it change a part of the control state (see `states.PARTS`)?"""
        if part == "clocks":
            return self.clocks_jumped()
        return bool(_part(self.before, part) != _part(self.after, part))

    def clocks_jumped(self) -> bool:
        """Do the clocks say anything but that a step has passed?"""
        before, after = self.before, self.after
        held = after["mcountinhibit"]
        return (after["mtime"], after["mcycle"], after["minstret"]) != (
            before["mtime"] + 1 & (1 << 64) - 1,
            before["mcycle"] + (not held & CY) & (1 << 64) - 1,
            before["minstret"] + (not held & IR) & (1 << 64) - 1,
        )


def _part(state: State, part: str) -> Any:
    status = state["mstatus"]
    if part == "mode":
        return state["mode"]
    if part == "processor":
        return state["waiting"]
    if part == "registers":
        return status & ~RIGHTS, [state[name] for name in REGISTERS]
    data = status >> 11 & 3 if status >> MPRV & 1 else state["mode"]
    rights = status >> SUM & 1, status >> MXR & 1
    return state["satp"], rights, data, state["pmpcfg"], state["pmpaddr"]


def run(config: Config, decoder: Decoder, state: State) -> Ran:
    """Makes one step from a state."""
    storage = _Storage(state["storage"])
    hart = Hart(config, storage)
    hart.put_back(state)
    step(cpu_of(hart), decoder)
    trap = None
    if not hart.completed:
        trap = hart.scause if hart.mode == S and state["mode"] != M else hart.mcause
    return Ran(state, hart.snapshot(), storage.written, trap)


@dataclass(frozen=True)
class Witness:
    """States that show a property, after they were run.

    `shows` is the property, `text` what happened in words, and `runs` the steps.
    """

    shows: str
    text: str
    runs: tuple[Ran, ...]

    def numbers(self) -> dict[str, Any]:
        """What JSON can hold: of each step the words before that are not zero, and what changed."""
        return {
            "shows": self.shows,
            "text": self.text,
            "steps": [
                {"before": _nonzero(r.before), "changes": _changed(r), "trap": r.trap}
                for r in self.runs
            ],
        }


Check = Callable[[Sequence[Ran]], bool]
"""Do some steps show a property?"""


@dataclass(frozen=True)
class Claim:
    """That steps from these states show a property, which `check` recognises."""

    shows: str
    states: tuple[State, ...]
    check: Check

    def of_word(self, change: Callable[[int], int]) -> Claim:
        """The same of another instruction word."""
        return replace(self, states=tuple(_with_word(state, change) for state in self.states))

    def simplified(self, config: Config, decoder: Decoder) -> Claim:
        """The same of states in which as much as possible is zero.

        Raises `KitError` where running them does not show what is claimed.
        """
        if not self._holds(config, decoder, self.states):
            raise KitError(f"z3 found that it is {self.shows}, but running it does not show that")
        states = self.states
        waiting = [[key for key in _KEYS if any(_is_set(state, key) for state in states)]]
        while waiting:
            keys = waiting.pop()
            fewer = tuple(_cleared(state, keys) for state in states)
            if fewer == states:
                continue
            if self._holds(config, decoder, fewer):
                states = fewer
            elif len(keys) > 1:
                middle = len(keys) // 2
                waiting += [keys[:middle], keys[middle:]]
        return replace(self, states=states)

    def _holds(self, config: Config, decoder: Decoder, states: Sequence[State]) -> bool:
        return self.check([run(config, decoder, state) for state in states])

    def witness(self, config: Config, decoder: Decoder) -> Witness:
        """The claim's steps, made. Raises `KitError` where they do not show what is claimed."""
        runs = tuple(run(config, decoder, state) for state in self.states)
        if not self.check(runs):
            raise KitError(f"z3 found that it is {self.shows}, but running it does not show that")
        return Witness(self.shows, _text(runs), runs)


Place = tuple[str, int]
"""A word by its name, and which bit of it (mstatus) or which one of a file; -1: all of it."""

_FIXED = {"pc", "next_pc", "instruction", "completed", "mode", "mstatus"}
_KEYS: list[Place] = [
    *(("x", n) for n in range(1, 32)),
    *((name, n) for name in ("pmpaddr", "pmpcfg") for n in range(ARRAYS[name][0])),
    *((name, -1) for name in sorted(WORDS.keys() - _FIXED)),
    *(("mstatus", bit) for bit in range(32)),
]


def _is_set(state: State, place: Place) -> bool:
    name, n = place
    if name in ARRAYS:
        return bool(state[name][n])
    return bool(state[name] if n < 0 else state[name] >> n & 1)


def _cleared(state: State, keys: Sequence[Place]) -> State:
    """The state with zeros at some places."""
    state = {**state, **{name: list(state[name]) for name in ARRAYS}}
    for name, n in keys:
        if name in ARRAYS:
            state[name][n] = 0
        else:
            state[name] = 0 if n < 0 else state[name] & ~(1 << n)
    return state


def _with_word(state: State, change: Callable[[int], int]) -> State:
    storage = state["storage"]
    word = change(sum(storage[RAM + n] << 8 * n for n in range(4)))
    return state | {"storage": storage | {RAM + n: word >> 8 * n & 0xFF for n in range(4)}}


def _nonzero(state: State) -> dict[str, Any]:
    shown: dict[str, Any] = {"mode": MODES[state["mode"]]}
    for name in sorted(WORDS):
        if state[name] and name not in ("mode", "next_pc", "instruction", "completed"):
            shown[name] = state[name]
    for name in ARRAYS:
        shown |= {f"{name}{n}": value for n, value in enumerate(state[name]) if value}
    return shown


def _changed(ran: Ran) -> dict[str, Any]:
    """What is another value afterwards than before, the passing of time aside."""
    before, after = ran.before, ran.after
    found: dict[str, Any] = {}
    skipped = {"next_pc", "instruction", "completed", "mtime", "mcycle", "minstret"}
    for name in sorted(WORDS.keys() - skipped):
        if after[name] != before[name]:
            found[name] = MODES[after[name]] if name == "mode" else after[name]
    if ran.clocks_jumped():
        found |= {n: after[n] for n in ("mcycle", "minstret") if after[n] != before[n]}
    for name in ARRAYS:
        pairs = enumerate(zip(before[name], after[name], strict=True))
        found |= {f"{name}{n}": new for n, (old, new) in pairs if old != new}
    return found | _words(ran.written)


def _words(written: Mapping[int, int]) -> dict[str, int]:
    """Bytes that lie side by side, as one number."""
    found: dict[str, int] = {}
    for start in written:
        if start - 1 not in written:
            size = next(n for n in range(1, 9) if start + n not in written)
            value = sum(written[start + n] << 8 * n for n in range(size))
            found[f"[{start:#x}]"] = value
    return found


def _text(runs: Sequence[Ran]) -> str:
    """One line: what the states have in common is left out."""
    shown = [_nonzero(ran.before) for ran in runs]
    parts = []
    for ran, own in zip(runs, shown, strict=True):
        others = [other for other in shown if other is not own]
        interesting = {
            name: value
            for name, value in own.items()
            if name != "pc"
            and (name == "mode" or any(other.get(name) != value for other in others))
        }
        for other in others:
            interesting |= {name: 0 for name in other.keys() - own.keys() if name != "pc"}
        if not others:
            interesting = {name: value for name, value in own.items() if name != "pc"}
        parts.append(f"{_list(interesting)}: {_outcome(ran)}")
    return "; ".join(parts)


def _outcome(ran: Ran) -> str:
    if ran.trap is not None:
        return f"traps ({cause_name(ran.trap)})"
    changed = _changed(ran)
    if changed.get("pc") == ran.before["pc"] + 4:
        del changed["pc"]
    return _list(changed) if changed else "nothing changes"


def _list(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} = {value:#x}" if isinstance(value, int) else f"{name} = {value}"
        for name, value in values.items()
    )
