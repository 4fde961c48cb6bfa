"""One instruction, classified: every verdict is the solver's, over all legal states.

Definitions, with user = U and supervisor = M:

- *privileged*: there are states of M-mode in which it completes, and none of U-mode. Where it
  completes in U-mode only while a bit of a register of the control program's is set, it is
  privileged *while* that bit is clear.
- *control-sensitive*: there is a state in which it completes and changes the mode, the effective
  translation R, another control register, a clock, or whether the processor waits.
- *behaviour-sensitive*: there are two states that differ only in the mode, in R or in other control
  registers, in both it completes, and the program sees different results. Or it completes in
  U-mode, and traps in a more privileged mode in the same state.
- *dependent on time*: the same with two states that differ only in their clocks.
- *user-sensitive*: it is control-sensitive in U-mode, or behaviour-sensitive with both states in
  U-mode.

Memory traps are left out, as in the paper: loads and stores are looked at as if R led each address
to itself, so that E is storage as the program sees it. What R does to them is a matter of its own
(`Verdict.is_translated`): they are sensitive to it by their nature, and shadow tables take it over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import z3

from kit.engine.paths import Key
from kit.errors import KitError
from kit.isa.config import Config
from kit.isa.cpu import ARRAYS
from kit.isa.csr import CSRS, existing_numbers
from kit.isa.encoding import Decoder, Instruction
from kit.proof.classification.states import PARTS, Replaced, changes, differs, other_state
from kit.proof.classification.translated import translation_witness
from kit.proof.classification.witness import RAM, SIZE, Check, Claim, Ran, State, Witness
from kit.proof.terms import Outcome, SymbolicState
from kit.proof.world import World, legal

__all__ = ["ALWAYS", "NEVER", "OTHERS", "SOMETIMES", "Classifier", "Subject", "Verdict"]

U, S, M = 0, 1, 3
PATIENCE = 30_000
"""Milliseconds that the solver may take for one question."""

NEVER, SOMETIMES, ALWAYS = "never", "sometimes", "always"

OTHERS = "any other number"
"""Stands for the registers that do not exist."""

DECIDING = {
    "mcounteren.CY": ("mcounteren", 0),
    "mcounteren.TM": ("mcounteren", 1),
    "mcounteren.IR": ("mcounteren", 2),
    "mstatus.TVM": ("mstatus", 20),
    "mstatus.TW": ("mstatus", 21),
    "mstatus.TSR": ("mstatus", 22),
}
"""Bits by which M-mode opens an instruction to less privileged modes, or closes it."""

CONTROL = ("mode", "relocation", "registers", "processor", "clocks")
BEHAVIOUR = ("mode", "relocation", "registers")


@dataclass(frozen=True)
class Subject:
    """What is classified: an instruction; of those that access CSRs, with one register.

    `register` is empty where the instruction has none; `excluded` are the registers that the
    subject is not about (all that exist).
    """

    row: Instruction
    register: str = ""
    number: int | None = None
    excluded: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """Mnemonic, and register if there is one."""
        return f"{self.row.name} {self.register}".strip()


@dataclass(frozen=True)
class Verdict:
    """What was found out about a subject.

    `completes` says for each mode whether it completes there: never, sometimes or always.
    `closed_by` is the bit while which is clear it traps in U-mode, if there is one; `s_trapped_by`
    the setting of a bit that makes it trap in S-mode. `control`, `behaviour` and `user` have the
    parts of the state by which it is sensitive, ``trap`` where it traps the wrong way round.
    """

    name: str
    instruction: str
    register: str
    completes: dict[str, str]
    closed_by: str
    s_trapped_by: str
    control: tuple[str, ...]
    behaviour: tuple[str, ...]
    is_timed: bool
    user: tuple[str, ...]
    is_translated: bool
    witnesses: tuple[Witness, ...]

    @property
    def is_privileged(self) -> bool:
        """Does it trap in U-mode, as the control program sets the bits, and not in M-mode?"""
        return self.completes["M"] != NEVER and self.traps_in_u

    @property
    def traps_in_u(self) -> bool:
        """Does the control program see each of it in U-mode?"""
        return self.completes["U"] == NEVER or bool(self.closed_by)

    @property
    def is_sensitive(self) -> bool:
        """Is it sensitive in the paper's sense?"""
        return bool(self.control or self.behaviour)

    @property
    def breaks_theorem_1(self) -> bool:
        """Sensitive, and not privileged?"""
        return self.is_sensitive and not self.traps_in_u

    @property
    def breaks_theorem_3(self) -> bool:
        """Sensitive in U-mode, and not privileged?"""
        return bool(self.user) and not self.traps_in_u

    @property
    def leaks_time(self) -> bool:
        """Does a program in U-mode see the real clocks by it?"""
        return self.is_timed and not self.traps_in_u

    def numbers(self) -> dict[str, Any]:
        """All of it, as JSON can hold it."""
        return {
            "name": self.name,
            "instruction": self.instruction,
            "register": self.register,
            "privileged": self.is_privileged,
            "while_clear": self.closed_by,
            "completes": self.completes,
            "traps_in_S_while": self.s_trapped_by,
            "control_sensitive": list(self.control),
            "behaviour_sensitive": list(self.behaviour),
            "user_sensitive": list(self.user),
            "depends_on_time": self.is_timed,
            "translated": self.is_translated,
            "witnesses": [witness.numbers() for witness in self.witnesses],
        }


class Classifier:
    """Classifies instructions of the processor of a configuration, which has a U-mode.

    Where two registers mean the same to an instruction, what was found out about the one is said of
    the other, whose witnesses are run all the same.
    """

    def __init__(self, config: Config) -> None:
        self.world = World(config)
        self.decoder = Decoder.of(config)
        self.legal = z3.And(*legal(self.world.start, config).values())
        self.can_be_fetched = _can_be_fetched(self.world)
        self.entries = {
            name: [z3.Select(self.world.start.files[name], n) for n in range(size)]
            for name, (size, _) in ARRAYS.items()
        }
        self._known: dict[tuple[Any, ...], tuple[Verdict, list[Claim], list[Any]]] = {}
        self._others: dict[str, tuple[Replaced, Any]] = {}

    def other(self, part: str) -> tuple[Replaced, Any]:
        """Another state that differs in one part, and that it is legal."""
        if part not in self._others:
            pairs = other_state(self.world.start, part)
            self._others[part] = pairs, z3.substitute(self.legal, *pairs)
        return self._others[part]

    def subjects(self) -> list[Subject]:
        """All there is to classify: each instruction; of those for CSRs, with each register."""
        numbers = existing_numbers(self.world.config)
        found: list[Subject] = []
        for row in self.world.rows.values():
            if "csr" in row.widths:
                found += [Subject(row, CSRS[number].name, number) for number in numbers]
                found.append(Subject(row, OTHERS, None, tuple(numbers)))
            elif row.execute is not None:
                found.append(Subject(row))
        return found

    def classify(self, subject: Subject) -> Verdict:
        """The verdict on a subject. Raises `KitError` where the solver gives up."""
        case = _Classification(self, subject)
        key, terms = case.meaning()
        if key not in self._known:
            verdict = case.verdict()
            claims = [claim.simplified(self.world.config, self.decoder) for claim in case.claims]
            self._known[key] = verdict, claims, terms  # the terms must live: the key has their ids
        verdict, claims, _ = self._known[key]
        if subject.number is not None:
            number = subject.number
            claims = [claim.of_word(lambda word: word & 0xFFFFF | number << 20) for claim in claims]
        config, decoder = self.world.config, self.decoder
        witnesses = tuple(claim.witness(config, decoder) for claim in claims)
        if verdict.is_translated:
            witnesses += translation_witness(config, decoder, subject.row)
        return replace(verdict, name=subject.name, register=subject.register, witnesses=witnesses)


class _Classification:
    def __init__(self, classifier: Classifier, subject: Subject) -> None:
        self.classifier, self.world, self.subject = classifier, classifier.world, subject
        self.can_be_fetched = classifier.can_be_fetched
        self.start = self.world.start
        self.is_translated = False
        operands = self.world.operands(subject.row)
        self.known = [classifier.legal]
        if subject.number is not None:
            operands["csr"] = z3.BitVecVal(subject.number, 12)
        self.known += [operands["csr"] != number for number in subject.excluded]
        self.operands = operands
        isa = self.world.isa({"translate": self._as_it_is})
        self.done = self.world.execute(isa, subject.row, self.start, operands)
        self.claims: list[Claim] = []

    def meaning(self) -> tuple[tuple[Any, ...], list[Any]]:
        """What the instruction does, as a key, and the terms that the key stands for."""
        after = {**self.done.state.words, **self.done.state.files}
        before = {**self.start.words, **self.start.files}
        changed = {n: z3.simplify(v) for n, v in after.items() if not v.eq(before[n])}
        terms = {"trapped": z3.simplify(self.done.trapped), **changed}
        terms |= {"storage": self.done.state.storage, "log": self.done.state.log}
        others = self.subject.excluded  # among which the operand is not fixed
        key = (self.subject.row.name, others, *((n, term.get_id()) for n, term in terms.items()))
        return key, list(terms.values())

    def _as_it_is(self, state: SymbolicState, key: Key, args: list[Any]) -> Outcome:
        """Stands for `translate`: each address leads to itself."""
        self.is_translated = True
        width = self.world.config.plen
        where = z3.ZeroExt(width - args[0].size(), args[0])
        return Outcome(state, where, z3.BoolVal(False), None, None)

    # -- the questions -----------------------------------------------------------------------

    def verdict(self) -> Verdict:
        letters = {"U": U, "S": S, "M": M}
        completes = {c: self._completes(letters[c]) for c in self.world.config.modes[::-1]}
        closed_by = self._decided(U, (0,)) if completes["U"] == SOMETIMES else ""
        s_trapped_by = self._decided(S, (0, 1)) if completes.get("S") == SOMETIMES else ""
        if completes["U"] == NEVER and completes["M"] != NEVER:
            self._show_privileged()
        control = tuple(part for part in CONTROL if self._changes(part))
        behaviour = tuple(part for part in BEHAVIOUR if self._depends(part))
        wrong = [] if completes["U"] == NEVER else [m for m in completes if self._traps_only(m)]
        user: list[str] = []
        if completes["U"] != NEVER:
            user += [part for part in control if self._changes(part, U)]
            user += [part for part in behaviour if part not in ("mode", *user)
                     and self._depends(part, U)]  # fmt: skip
        return Verdict(
            name=self.subject.name,
            instruction=self.subject.row.name,
            register=self.subject.register,
            completes=completes,
            closed_by=closed_by,
            s_trapped_by=s_trapped_by,
            control=control,
            behaviour=(*behaviour, *(["trap"] if wrong else [])),
            is_timed=self._depends("clocks"),
            user=tuple(user),
            is_translated=self.is_translated,
            witnesses=(),
        )

    def _in_mode(self, mode: int) -> tuple[Replaced, Any]:
        place = [(self.start.words["mode"], z3.BitVecVal(mode, 2))]
        return place, z3.simplify(z3.substitute(self.done.trapped, *place))

    def _completes(self, mode: int) -> str:
        """Does it complete in a mode? (Misaligned addresses are as bad in each.)"""
        place, trapped = self._in_mode(mode)
        known = [z3.substitute(condition, *place) for condition in self.known]
        if z3.is_false(trapped) or self._model([*known, trapped]) is None:
            return ALWAYS
        if z3.is_true(trapped) or self._model([*known, z3.Not(trapped)]) is None:
            return NEVER
        return SOMETIMES

    def _decided(self, mode: int, values: Sequence[int]) -> str:
        """The bit that makes it trap in a mode whenever it has a value."""
        place, trapped = self._in_mode(mode)
        for name, (word, bit) in DECIDING.items():
            for value in values:
                given = z3.Extract(bit, bit, self.start.words[word]) == value
                known = [z3.substitute(condition, *place) for condition in self.known]
                if self._model([*known, given, z3.Not(trapped)]) is None:
                    return f"{name} = {value}"
        return ""

    def _changes(self, part: str, mode: int | None = None) -> bool:
        """Is there a state, of that mode if one is given, in which it changes a part?"""
        changed = changes(self.start, self.done.state, part)
        conditions = [z3.Not(self.done.trapped), changed, *self._of(mode)]
        where = " in U-mode" if mode is not None else ""
        shows = f"control-sensitive{where}: it changes {PARTS[part]}"
        return self._find(
            conditions, [[]], shows, lambda runs: runs[0].trap is None and runs[0].changes(part)
        )

    def _depends(self, part: str, mode: int | None = None) -> bool:
        """Are there two states that differ in one part, in which the results differ?"""
        pairs, legal_too = self.classifier.other(part)
        unlike = differs(self.done, pairs)
        if z3.is_false(unlike):
            return False
        trapped_too = z3.substitute(self.done.trapped, *pairs)
        conditions = [
            legal_too, *self._of(mode), unlike, z3.Not(self.done.trapped), z3.Not(trapped_too)
        ]  # fmt: skip
        kind = "dependent on time" if part == "clocks" else "behaviour-sensitive"
        where = " in U-mode" if mode is not None else ""
        shows = f"{kind}{where}: the result depends on {PARTS[part]}"
        return self._find(conditions, [[], pairs], shows, _unlike)

    def _traps_only(self, letter: str) -> bool:
        """Does it complete in U-mode where it traps in a more privileged mode?"""
        above = {"U": U, "S": S, "M": M}[letter]
        here, trapped = self._in_mode(U)
        there, trapped_there = self._in_mode(above)
        if above == U or trapped.eq(trapped_there):
            return False
        shows = f"behaviour-sensitive: it completes in U-mode where it traps in {letter}-mode"
        conditions = [self.start.words["mode"] == U, z3.Not(trapped), trapped_there]
        return self._find(
            conditions, [here, there], shows,
            lambda runs: runs[0].trap is None and runs[1].is_rejected,
        )  # fmt: skip

    def _show_privileged(self) -> None:
        here, trapped = self._in_mode(M)
        there, _ = self._in_mode(U)
        self._find(
            [self.start.words["mode"] == M, z3.Not(trapped)], [here, there],
            "privileged: it completes in M-mode, and traps in U-mode",
            lambda runs: runs[0].trap is None and runs[1].is_rejected,
        )  # fmt: skip

    def _of(self, mode: int | None) -> list[Any]:
        return [] if mode is None else [self.start.words["mode"] == mode]

    # -- answers, and witnesses --------------------------------------------------------------

    def _find(
        self, conditions: list[Any], states: list[Replaced], shows: str, check: Check
    ) -> bool:
        """Can the conditions hold? If so, a witness is entered: the start, replaced as said."""
        if any(z3.is_false(z3.simplify(condition)) for condition in conditions):
            return False
        everything = [*self.known, *conditions]
        model = self._model([*everything, *self._steppable(states)])
        if model is None:
            if self._model(everything) is None:
                return False
            raise KitError(f"{self.subject.name}: {shows}, but in no state that can be run")
        concrete = tuple(self._state(model, pairs) for pairs in states)
        self.claims.append(Claim(shows, concrete, check))
        return True

    def _model(self, conditions: list[Any]) -> Any:
        """Values that satisfy the conditions, or None if there are none."""
        solver = z3.SimpleSolver()
        solver.set("timeout", PATIENCE)
        solver.add(*conditions)
        answer = solver.check()
        if answer == z3.unknown:
            raise KitError(f"{self.subject.name}: z3 did not decide within {PATIENCE // 1000} s")
        return solver.model() if answer == z3.sat else None

    def _steppable(self, states: list[Replaced]) -> list[Any]:
        """The step begins with this instruction: no interrupt is due, and it can be fetched."""
        found: list[Any] = []
        for pairs in states:
            found.append(
                z3.substitute(self.can_be_fetched, *pairs) if pairs else self.can_be_fetched
            )
        return found

    def _state(self, model: Any, pairs: Replaced) -> State:
        """A concrete state: the start, with replacements, as the model has it."""

        other = dict(
            zip(map(str, (old for old, _ in pairs)), (new for _, new in pairs), strict=True)
        )

        def number(term: Any) -> int:
            return int(model.eval(term, True).as_long())

        start = self.start
        state: State = {name: number(other.get(name, word)) for name, word in start.words.items()}
        for name, (size, _) in ARRAYS.items():
            entries = self.classifier.entries[name]
            if name in other:
                entries = [z3.Select(other[name], n) for n in range(size)]
            state[name] = [number(entry) for entry in entries]
        row = self.subject.row
        widths = row.widths
        operands = {name: number(z3.Extract(widths[name] - 1, 0, self.operands[name]))
                    for name in widths}  # fmt: skip
        word = row.encode(
            **{n: _signed(v, widths[n]) if row.is_signed(n) else v for n, v in operands.items()}
        )
        state["storage"] = {RAM + n: word >> 8 * n & 0xFF for n in range(row.length)}
        return state


def _unlike(runs: Sequence[Ran]) -> bool:
    return runs[0].trap is runs[1].trap is None and runs[0].result != runs[1].result


def _signed(value: int, width: int) -> int:
    return value - (1 << width) if value >> width - 1 else value


def _can_be_fetched(world: World) -> Any:
    """Is the instruction at pc, in the witnesses' storage, executed as the next step?"""
    start, config = world.start, world.config
    w = start.words
    width = config.plen
    in_m = w["mode"] == M
    conditions = [
        w["pc"] == RAM, w["next_pc"] == RAM + 4, w["waiting"] == 0,
        (w["mip"] | w["wires"]) & w["mie"] == 0,
        z3.BitVec("ram_base", width) == RAM, z3.BitVec("ram_size", width) == SIZE,
    ]  # fmt: skip
    if config.has_s:
        conditions.append(z3.Or(in_m, z3.Extract(31, 31, w["satp"]) == 0))
    if config.pmp:
        first = z3.BitVecVal(0, 8)
        entries = [start.files["pmpcfg"][z3.BitVecVal(n, 8)] for n in range(4)]
        everywhere = start.files["pmpaddr"][first] == 0xFFFF_FFFF
        is_open = z3.Extract(7, 0, entries[0]) == 0x1F
        conditions += [entry & 0x8080_8080 == 0 for entry in entries]
        conditions.append(z3.Or(in_m, z3.And(everywhere, is_open)))
    return z3.And(*conditions)
