"""Why a trap happened, in plain words.

No rule of the architecture is stated here. The step is made once more by the definitions, on a copy
(`kit.isa.probe`), and what they looked at is told. Why they refused is found by asking them again
with one thing changed: what would have let the step pass is what was wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from kit.errors import KitError
from kit.isa.causes import cause_name
from kit.isa.cpu import M, S
from kit.isa.disassembler import disassemble
from kit.isa.encoding import Decoder
from kit.isa.hart import Hart
from kit.isa.probe import Call, Probe
from kit.isa.step import step
from kit.isa.trap import return_from
from kit.machine.names import Names, names_of

if TYPE_CHECKING:
    from kit.machine.computer import Computer

__all__ = ["Explanation", "describe_step", "explain_last_trap", "explain_next_step", "walk_writes"]

MODES = {0: "U", 1: "S", 3: "M"}
INTERRUPT = 1 << 31
FLAGS = "VRWXUGAD"
LEAF = 0xE
PARTICIPLES = {"read": "read", "write": "written", "execute": "executed"}
TO = {1: "read", 2: "write", 3: "execute"}
COUNTERS = ("CY", "TM", "IR")
REGISTERS = {M: ("mcause", "mtval", "mepc"), S: ("scause", "stval", "sepc")}
IN_MSTATUS = {"MPRV": 17, "SUM": 18, "MXR": 19, "TVM": 20, "TW": 21, "TSR": 22}
FETCHING, ACCESSING = (1, 12), (1, 5, 7, 12, 13, 15)
"""Causes of what could not be fetched; and of all for which an address was translated."""


@dataclass
class Explanation:
    """Why a trap happened.

    `entry` is the address of the page-table entry at which the last walk ended, if there was one.
    """

    before: list[str]
    entry: int | None
    after: list[str]

    def text(self, entered: str) -> str:
        """It in words; `entered` is a sentence about where that entry was written."""
        told = [] if self.entry is None else [f"  {entered}"]
        return "\n".join([*self.before, *told, *self.after])


def explain_last_trap(machine: Computer) -> str:
    """Why the last trap happened, as far as the registers still tell.

    Raises `KitError` where they do not: it has been returned from, or there was none.
    """
    hart = machine.hart
    if not any((hart.mcause, hart.mepc, hart.mtval, hart.scause, hart.sepc, hart.stval)):
        raise KitError("explain: this machine has not taken a trap yet")
    if hart.mode not in REGISTERS:
        raise KitError(
            "explain: the last trap has been returned from; keep a History, and it will be found"
        )
    cause, tval, epc = (getattr(hart, name) for name in REGISTERS[hart.mode])
    probe = Probe(hart)
    return_from(probe.cpu, hart.mode)
    probe.hart.pc = epc
    probe.hart.waiting = 0
    found = _outcome(probe.hart)
    if found.cause != cause or found.tval != tval:
        return (
            f"{cause_name(cause)} at {names_of(machine).describe(epc)}, xtval {tval:#x}. More "
            "cannot be said from here: what the instruction depended on has changed since. With a "
            "History, the machine is looked at as it was."
        )
    explanation = _explanation(found, probe.hart, names_of(machine))
    return explanation.text("Where it was entered is not known: no History is kept of this run.")


def explain_next_step(machine: Computer) -> Explanation:
    """Why the step that the machine is about to make ends in a trap, or that it does not."""
    found = _outcome(machine.hart)
    if found.cause is None:
        return Explanation([f"No trap: {describe_step(machine)}, completes."], None, [])
    return _explanation(found, machine.hart, names_of(machine))


def describe_step(machine: Computer) -> str:
    """The instruction that the machine is about to execute: what, where, and in which mode."""
    word = _outcome(machine.hart).probe.hart.instruction
    doing = disassemble(word, machine.hart.pc, xlen=machine.config.xlen)
    where = names_of(machine).describe(machine.hart.pc)
    return f"{doing} at {where}, in {MODES[machine.hart.mode]}-mode"


def walk_writes(machine: Computer, address: int) -> bool:
    """Does a walk of the step that the machine is about to make write there (its A or D bit)?"""
    walks = _outcome(machine.hart).probe.tree.all("walk")
    return any(place == address for walk in walks for place, _, _ in walk.writes)


@dataclass
class _Outcome:
    """What a step came to: its trap, if it took one, and how."""

    probe: Probe
    cause: int | None
    tval: int


def _outcome(hart: Hart, change: Callable[[Hart], None] | None = None) -> _Outcome:
    probe = Probe(hart)
    if change is not None:
        change(probe.hart)
    step(probe.cpu, Decoder.of(hart.config))
    for call in probe.tree.all("take_trap"):
        cause, tval, interrupt = call.args
        return _Outcome(probe, cause | (INTERRUPT if interrupt else 0), tval)
    return _Outcome(probe, None, 0)


def _explanation(found: _Outcome, hart: Hart, names: Names) -> Explanation:
    cause, entry = found.cause, None
    assert cause is not None
    handler = found.probe.hart
    goes = f"The trap went to {MODES[handler.mode]}-mode, {names.describe(handler.pc)}."
    if cause & INTERRUPT:
        return Explanation([*_interrupt(cause, hart, handler.mode, names), goes], None, [])
    word = handler.instruction
    fetched = cause not in FETCHING
    doing = disassemble(word, hart.pc, xlen=hart.config.xlen) if fetched else ""
    where = names.describe(hart.pc)
    summary = _summary(found, hart, MODES[hart.mode], doing, fetched)
    lines = [f"{cause_name(cause)}: {summary}, at {where}."]
    if cause in ACCESSING:
        *_, last = found.probe.tree.all("translate")
        lines += _translation(last, hart)
        entry = next((w.reads[-1][0] for w in last.all("walk") if w.reads), None)
    return Explanation(lines, entry, [*_remedies(found, hart), goes])


def _summary(found: _Outcome, hart: Hart, mode: str, doing: str, fetched: bool) -> str:
    cause, tval = found.cause, found.tval
    who = f"{mode}-mode"
    if cause in (8, 9, 11):
        return f"{who} called its kernel by ecall; a7 is {hart.x[17]:#x}, a0 is {hart.x[10]:#x}"
    if cause == 3:
        return f"{who} executed ebreak"
    if cause == 2 and Decoder.of(hart.config).decode(tval) is None:
        return f"the word {tval:#x} is no instruction of this machine"
    if cause == 2:
        return f"{who} may not execute {doing} (the word {tval:#x})"
    if cause == 0:
        return f"{who} jumped to {tval:#x} ({doing}), where no instruction can begin"
    if not fetched:
        return f"{who} tried to fetch an instruction from {tval:#010x}"
    if cause in (4, 6):
        return f"{who} accessed {tval:#010x} ({doing}), which is no multiple of the access's size"
    return f"{who} tried to {'read' if cause in (5, 13) else 'write'} {tval:#010x} ({doing})"


def _interrupt(cause: int, hart: Hart, goes_to: int, names: Names) -> Iterator[str]:
    number, mode, taker = cause & ~INTERRUPT, MODES[hart.mode], MODES[goes_to]
    where = names.describe(hart.pc)
    yield f"{cause_name(cause)}: it interrupted {mode}-mode before the instruction at {where}."
    by = "by a device's wire" if hart.wires >> number & 1 else "set in mip by software"
    if hart.mode == goes_to:
        enabled = f"mstatus.{taker}IE is set"
    else:
        enabled = f"{mode}-mode, being less privileged than {taker}-mode, cannot keep it off"
    yield (
        f"It was pending ({by}), bit {number} of mie enables it (mie is {hart.mie:#x}), and "
        f"{enabled}."
    )
    if hart.mideleg >> number & 1:
        yield f"Bit {number} of mideleg ({hart.mideleg:#x}) gives it to S-mode."
    others = (hart.mip | hart.wires) & hart.mie & ~(1 << number)
    if others:
        also = ", ".join(cause_name(INTERRUPT | n) for n in range(16) if others >> n & 1)
        yield f"Others were pending and enabled in mie, too, but come after it: {also}."


def _translation(call: Call, hart: Hart) -> Iterator[str]:
    """How an address was translated and checked, step by step."""
    address, size, access = call.args
    walks = list(call.all("walk"))
    if not walks:
        mode = "M-mode" if hart.mode == M else f"{MODES[hart.mode]}-mode with satp {hart.satp:#x}"
        yield f"In {mode} an address is physical: nothing translates {address:#010x}."
    for walk in walks:
        mode = walk.args[2]
        yield f"Sv32 translates {address:#010x}, for {MODES[mode]}-mode; satp is {hart.satp:#010x}."
        for level, (place, _, entry) in enumerate(walk.reads):
            number = 1 - level
            told = _entry(entry, number)
            yield f"  level {number}: the entry at {place:#x} is {entry:#010x}: {told}."
        for place, _, entry in walk.writes:
            yield f"  The walk sets A or D there: the entry at {place:#x} becomes {entry:#010x}."
        for check in walk.all("pmp_allows"):
            if not check.result:
                yield from _pmp(check, hart, "the table's entry")
    for check in (one for one in call.calls if one.name == "pmp_allows"):
        yield from _pmp(check, hart, f"{size} bytes")
    if call.trap is None:
        yield (
            f"  So it is allowed, but at {call.result or 0:#010x} there is neither storage nor a "
            f"device that lets itself be {PARTICIPLES[access]} like this."
        )


def _entry(entry: int, level: int) -> str:
    """A page-table entry in words."""
    flags = " ".join(flag for bit, flag in enumerate(FLAGS) if entry >> bit & 1) or "no flags"
    page = f"{entry >> 10 << 12:#x}"
    if not entry & 1:
        return f"{flags}, so nothing is mapped"
    if not entry & LEAF:
        return f"{flags}, the next table is at {page}"
    *rights, last = (right for bit, right in TO.items() if entry >> bit & 1)
    to = f"{', '.join(rights)} and {last}" if rights else last
    size, whom = "4 MiB" if level else "a page", "U-mode" if entry >> 4 & 1 else "S-mode"
    return f"{flags}, {size} at {page} for {whom} to {to}"


def _pmp(check: Call, hart: Hart, what: str) -> Iterator[str]:
    address, _, access, mode = check.args
    verdict = "allows" if check.result else "does not allow"
    for match in check.all("entry_matches"):
        if match.result:
            entry = match.args[0]
            config = hart.pmpcfg[entry // 4] >> 8 * (entry % 4) & 0xFF
            rights = "".join(c if config >> n & 1 else "-" for n, c in enumerate("rwx"))
            lock = ", locked" if config >> 7 else ""
            part = "" if match.result == 3 else ", which covers only a part of it,"
            yield (
                f"  PMP entry {entry} ({rights}{lock}, pmpaddr{entry} {hart.pmpaddr[entry]:#x})"
                f"{part} {verdict} {access} of {what} at {address:#x} in {MODES[mode]}-mode."
            )
            return
    if not check.result:
        yield f"  No PMP entry matches {what} at {address:#x}, so {MODES[mode]}-mode is denied."


# -- what would have let it pass -----------------------------------------------------------------


def _remedies(found: _Outcome, hart: Hart) -> Iterator[str]:
    """What, if it alone were otherwise, would have let the step pass."""
    if found.cause in (0, 3, 4, 6, 8, 9, 11):
        return
    modes = [mode for mode in (S, M) if MODES[mode] in hart.config.modes and mode > hart.mode]
    able = [
        f"{MODES[mode]}-mode"
        for mode in modes
        if _passes(found, hart, lambda copy, mode=mode: setattr(copy, "mode", mode))  # type: ignore[misc]
    ]
    if able:
        yield f"It would have passed in {' and in '.join(able)}."
    elif found.cause == 2 and hart.mode != M:
        yield "It would not have passed in a more privileged mode either."
    changes = list(_changes(found, hart))
    for count in (1, 2):
        passed = []
        for some in combinations(changes, count):

            def change(copy: Hart, some: tuple[_Change, ...] = some) -> None:
                for one in some:
                    one.act(copy)

            if _passes(found, hart, change):
                passed.append(" and ".join(one.text for one in some))
        if passed:
            yield f"In {MODES[hart.mode]}-mode it would have passed " + "; or ".join(passed) + "."
            return


def _passes(found: _Outcome, hart: Hart, change: Callable[[Hart], None]) -> bool:
    """Would the step have passed? A fetch has, whatever the instruction that it fetches does."""
    cause = _outcome(hart, change).cause
    return cause is None or (found.cause in FETCHING and cause not in FETCHING)


@dataclass
class _Change:
    text: str
    act: Callable[[Hart], None]


def _changes(found: _Outcome, hart: Hart) -> Iterator[_Change]:
    for name, bit in IN_MSTATUS.items():
        if name == "MPRV" and not hart.mstatus >> bit & 1:
            continue  # to borrow another mode's rights would be no advice
        state = "clear" if hart.mstatus >> bit & 1 else "set"
        yield _Change(f"with mstatus.{name} {state}", _flip("mstatus", bit))
    if found.cause == 2:
        for name in ("mcounteren", "scounteren"):
            for bit in range(3):
                if not getattr(hart, name) >> bit & 1:
                    yield _Change(f"with {name}.{COUNTERS[bit]} set", _flip(name, bit))
        return
    for call in found.probe.tree.all("walk"):
        if call.trap is not None and call.reads:
            yield from _entry_changes(*call.reads[-1])
    for check in found.probe.tree.all("pmp_allows"):
        if not check.result:
            yield from _pmp_changes(check, hart)


def _flip(name: str, bit: int) -> Callable[[Hart], None]:
    return lambda hart: setattr(hart, name, getattr(hart, name) ^ 1 << bit)


def _entry_changes(place: int, size: int, entry: int) -> Iterator[_Change]:
    """Each flag of the entry at which a walk ended, the other way round; and an aligned address."""
    for bit, flag in enumerate(FLAGS):
        state = "clear" if entry >> bit & 1 else "set"

        def act(hart: Hart, bit: int = bit) -> None:
            hart.bus.write(place, size, hart.bus.read(place, size) ^ 1 << bit)

        yield _Change(f"with {flag} {state} in the entry at {place:#x}", act)
    yield _Change(
        f"with a multiple of 4 MiB in the entry at {place:#x}",
        lambda hart: hart.bus.write(place, size, entry & ~(0x3FF << 10)),
    )


def _pmp_changes(check: Call, hart: Hart) -> Iterator[_Change]:
    for match in check.all("entry_matches"):
        if match.result:
            entry = match.args[0]
            for bit, right in enumerate("rwx"):
                if not hart.pmpcfg[entry // 4] >> 8 * (entry % 4) + bit & 1:

                    def act(copy: Hart, at: int = entry, bit: int = bit) -> None:
                        copy.pmpcfg[at // 4] |= 1 << 8 * (at % 4) + bit

                    yield _Change(f"with {right} in PMP entry {entry}", act)
            return
