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

__all__ = ["explain_last_trap", "explain_next_step"]

MODES = {0: "U", 1: "S", 3: "M"}
INTERRUPT = 1 << 31
DONE = {"read": "read", "write": "wrote", "execute": "fetched an instruction from"}
FLAGS = "VRWXUGAD"
REGISTERS = {M: ("mcause", "mtval", "mepc"), S: ("scause", "stval", "sepc")}
IN_MSTATUS = {"MPRV": 17, "SUM": 18, "MXR": 19, "TVM": 20, "TW": 21, "TSR": 22}
FETCHING, ACCESSING = (1, 12), (1, 5, 7, 12, 13, 15)
"""Causes of what could not be fetched; and of all for which an address was translated."""


def explain_last_trap(machine: Computer) -> str:
    """Why the last trap happened, as far as the registers still tell.

    Raises `KitError` where they do not, because it has been returned from.
    """
    hart = machine.hart
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
    return _text(found, probe.hart, names_of(machine))


def explain_next_step(machine: Computer) -> str:
    """Why the step that the machine is about to make ends in a trap, or that it does not."""
    found = _outcome(machine.hart)
    if found.cause is None:
        word = found.probe.hart.instruction
        done = disassemble(word, machine.hart.pc, xlen=machine.config.xlen)
        return f"No trap: {done} at {names_of(machine).describe(machine.hart.pc)} completes."
    return _text(found, machine.hart, names_of(machine))


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
    step(probe.cpu, Decoder(hart.config.extensions, hart.config.xlen))
    for call in probe.tree.all("take_trap"):
        cause, tval, interrupt = call.args
        return _Outcome(probe, cause | (INTERRUPT if interrupt else 0), tval)
    return _Outcome(probe, None, 0)


def _text(found: _Outcome, hart: Hart, names: Names) -> str:
    cause = found.cause
    assert cause is not None
    mode = MODES[hart.mode]
    if cause & INTERRUPT:
        return "\n".join(_interrupt(cause, hart, names))
    word = found.probe.hart.instruction
    fetched = cause not in FETCHING
    doing = disassemble(word, hart.pc, xlen=hart.config.xlen) if fetched else ""
    where = names.describe(hart.pc)
    lines = [f"{cause_name(cause)}: {_summary(found, hart, mode, doing, fetched)}, at {where}."]
    if cause in ACCESSING:
        *_, last = found.probe.tree.all("translate")
        lines += _translation(last, hart)
    lines += _remedies(found, hart)
    handler = found.probe.hart
    lines.append(f"The trap went to {MODES[handler.mode]}-mode, {names.describe(handler.pc)}.")
    return "\n".join(lines)


def _summary(found: _Outcome, hart: Hart, mode: str, doing: str, fetched: bool) -> str:
    cause, tval = found.cause, found.tval
    who = f"{mode}-mode"
    if cause in (8, 9, 11):
        return f"{who} called its kernel by ecall; a7 is {hart.x[17]:#x}, a0 is {hart.x[10]:#x}"
    if cause == 3:
        return f"{who} executed ebreak"
    if cause == 2:
        return f"{who} may not execute {doing} (the word {tval:#x})"
    if cause == 0:
        return f"{who} jumped to {tval:#x} ({doing}), where no instruction can begin"
    if not fetched:
        return f"{who} fetched an instruction from {tval:#010x}"
    if cause in (4, 6):
        return f"{who} accessed {tval:#010x} ({doing}), which is no multiple of the access's size"
    return f"{who} {'read' if cause in (5, 13) else 'wrote'} {tval:#010x} ({doing})"


def _interrupt(cause: int, hart: Hart, names: Names) -> Iterator[str]:
    number = cause & ~INTERRUPT
    by = "a device's wire" if hart.wires >> number & 1 else "software, in mip"
    yield (
        f"{cause_name(cause)}: it was pending, by {by}, and enabled (bit {number} of mie, "
        f"{hart.mie:#x}), in {MODES[hart.mode]}-mode with mstatus {hart.mstatus:#x} and mideleg "
        f"{hart.mideleg:#x}, before the instruction at {names.describe(hart.pc)}."
    )
    others = (hart.mip | hart.wires) & hart.mie & ~(1 << number)
    if others:
        also = ", ".join(cause_name(INTERRUPT | n) for n in range(16) if others >> n & 1)
        yield f"It came before others that were pending and enabled, too: {also}."


def _translation(call: Call, hart: Hart) -> Iterator[str]:
    """How an address was translated and checked, step by step."""
    address, size, access = call.args
    walks = list(call.all("walk"))
    if not walks:
        yield f"Address {address:#010x} is physical: nothing translates it."
    for walk in walks:
        mode = walk.args[2]
        yield f"Sv32 translates {address:#010x}, for {MODES[mode]}-mode; satp is {hart.satp:#010x}."
        for level, (place, _, entry) in enumerate(walk.reads):
            yield f"  level {1 - level}: the entry at {place:#x} is {entry:#010x}: {_entry(entry)}."
        for place, _, entry in walk.writes:
            yield f"  the entry at {place:#x} becomes {entry:#010x}: {_entry(entry)}."
        for check in walk.all("pmp_allows"):
            if not check.result:
                yield from _pmp(check, hart, "the table's entry")
    for check in (one for one in call.calls if one.name == "pmp_allows"):
        yield from _pmp(check, hart, f"{size} bytes")
    if call.trap is None:
        yield f"  {DONE[access]} was allowed at {call.result or 0:#x}, but nothing answers there."


def _entry(entry: int) -> str:
    """A page-table entry in words."""
    flags = " ".join(flag for bit, flag in enumerate(FLAGS) if entry >> bit & 1) or "no flags"
    return f"{flags}, page {entry >> 10 << 12:#x}"


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
        if _outcome(hart, lambda copy, mode=mode: setattr(copy, "mode", mode)).cause != found.cause  # type: ignore[misc]
    ]
    if able:
        yield f"It would have passed in {' and in '.join(able)}."
    elif found.cause == 2 and hart.mode != M:
        yield "It would not have passed in a more privileged mode."
    changes = list(_changes(found, hart))
    for count in (1, 2):
        passed = []
        for some in combinations(changes, count):

            def change(copy: Hart, some: tuple[_Change, ...] = some) -> None:
                for one in some:
                    one.act(copy)

            if _outcome(hart, change).cause != found.cause:
                passed.append(" and ".join(one.text for one in some))
        if passed:
            yield f"In {MODES[hart.mode]}-mode it would have passed " + "; or ".join(passed) + "."
            return


@dataclass
class _Change:
    text: str
    act: Callable[[Hart], None]


def _changes(found: _Outcome, hart: Hart) -> Iterator[_Change]:
    for name, bit in IN_MSTATUS.items():
        state = "clear" if hart.mstatus >> bit & 1 else "set"
        yield _Change(f"with mstatus.{name} {state}", _flip("mstatus", bit))
    if found.cause == 2:
        for name in ("mcounteren", "scounteren"):
            for bit in range(3):
                if not getattr(hart, name) >> bit & 1:
                    yield _Change(f"with bit {bit} of {name} set", _flip(name, bit))
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
    """Each flag of the entry at which a walk ended, the other way round; and an aligned page."""
    for bit, flag in enumerate(FLAGS):
        state = "clear" if entry >> bit & 1 else "set"

        def act(hart: Hart, bit: int = bit) -> None:
            hart.bus.write(place, size, hart.bus.read(place, size) ^ 1 << bit)

        yield _Change(f"with {flag} {state} in the entry at {place:#x}", act)
    yield _Change(
        f"with an aligned page in the entry at {place:#x}",
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
