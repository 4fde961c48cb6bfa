"""The classification after Popek and Goldberg, of the processor and of altered ones."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from kit import KitError, Machine
from kit.isa.config import Config
from kit.isa.encoding import HOLES, Decoder
from kit.isa.holes import hole_names

pytest.importorskip("z3", reason="z3 is not installed (extra proof)")

from kit.proof.classification.table import Classification, classify_processor
from kit.proof.classification.theorems import theorems
from kit.proof.classification.witness import RAM, Claim, Witness

if TYPE_CHECKING:
    from kit.proof.classification.instruction import Verdict

NAMES = "mret sret wfi sfence.vma ecall ebreak add jalr fence.i lw sw lr.w amoadd.w fetch".split()


@cache
def found(*names: str, holes: tuple[str, ...] = (), modes: str = "MSU") -> Classification:
    return classify_processor(Config(modes=modes, holes=holes), names)


def of(name: str) -> Verdict:
    if " " in name:
        return found(*name.split()).of(name)
    return found(*NAMES).of(name)


@pytest.mark.parametrize("name", ["mret", "sret", "wfi"])
def test_returns_and_waiting_are_sensitive_and_privileged(name: str) -> None:
    assert of(name).is_privileged
    assert of(name).control
    assert not of(name).user


def test_mret_changes_the_mode_and_the_translation_and_shows_mepc() -> None:
    verdict = of("mret")
    assert verdict.control == ("mode", "relocation", "registers")
    assert verdict.behaviour == ("registers",)
    assert verdict.completes == {"U": "never", "S": "never", "M": "always"}


def test_a_fence_of_a_processor_without_a_tlb_is_privileged_and_not_sensitive() -> None:
    verdict = of("sfence.vma")
    assert verdict.is_privileged
    assert not verdict.is_sensitive


@pytest.mark.parametrize("name", ["ecall", "ebreak"])
def test_calls_trap_in_every_mode(name: str) -> None:
    assert set(of(name).completes.values()) == {"never"}
    assert not of(name).is_privileged


@pytest.mark.parametrize("name", ["add", "jalr", "fence.i"])
def test_computing_is_innocuous(name: str) -> None:
    verdict = of(name)
    assert not verdict.is_sensitive
    assert not verdict.is_translated
    assert not verdict.is_timed


@pytest.mark.parametrize("name", ["lw", "sw", "lr.w", "amoadd.w", "fetch"])
def test_accesses_to_storage_are_sensitive_to_the_translation_alone(name: str) -> None:
    verdict = of(name)
    assert verdict.is_translated
    assert not verdict.is_sensitive
    assert [witness.shows for witness in verdict.witnesses] == [
        "sensitive to the translation: the result depends on satp"
    ]


@pytest.mark.parametrize(
    ("name", "bit"),
    [("sret", "TSR"), ("wfi", "TW"), ("sfence.vma", "TVM"), ("csrrs satp", "TVM")],
)
def test_bits_of_mstatus_make_instructions_trap_in_supervisor_mode(name: str, bit: str) -> None:
    assert of(name).s_trapped_by == f"mstatus.{bit} = 1"


@pytest.mark.parametrize(("name", "bit"), [("cycle", "CY"), ("time", "TM"), ("instreth", "IR")])
def test_counters_are_privileged_while_mcounteren_keeps_them_closed(name: str, bit: str) -> None:
    verdict = of(f"csrrs {name}")
    assert verdict.closed_by == f"mcounteren.{bit} = 0"
    assert verdict.is_timed
    assert not verdict.leaks_time
    assert not verdict.is_sensitive


def test_of_a_read_only_register_only_reading_is_privileged() -> None:
    assert of("csrrs mhartid").is_privileged
    assert set(of("csrrw mhartid").completes.values()) == {"never"}


def test_a_register_of_the_translation_changes_and_shows_it() -> None:
    for register in ("satp", "pmpcfg1", "pmpaddr15"):
        verdict = of(f"csrrw {register}")
        assert (verdict.control, verdict.behaviour) == (("relocation",), ("relocation",))


def test_registers_that_do_not_exist_trap_in_every_mode() -> None:
    (verdict,) = found("csrrs", "any other number").verdicts
    assert set(verdict.completes.values()) == {"never"}


def test_the_write_of_a_clock_is_control_sensitive() -> None:
    assert of("csrrw mcycle").control == ("clocks",)


# -- witnesses -------------------------------------------------------------------------------


def on_a_machine(witness: Witness) -> list[tuple[bool, dict[str, object]]]:
    """Each of its steps on the machine: did it complete, and the state afterwards."""
    states = []
    for ran in witness.runs:
        machine = Machine(memory="16M", engine="reference")
        for address, value in ran.before["storage"].items():
            machine.write_memory(address, bytes([value]))
        machine.hart.put_back(ran.before)
        machine.advance(1)
        states.append((bool(machine.hart.completed), machine.hart.snapshot()))
    return states


@pytest.mark.parametrize("name", ["mret", "sret", "wfi", "lw", "csrrw satp", "csrrs mstatus"])
def test_a_witness_does_on_the_machine_what_it_is_said_to_do(name: str) -> None:
    witnesses = of(name).witnesses
    assert witnesses
    for witness in witnesses:
        expected = [(run.trap is None, run.after) for run in witness.runs]
        assert on_a_machine(witness) == expected


def test_a_witness_of_a_privileged_instruction_is_one_state_in_two_modes() -> None:
    (witness,) = [w for w in of("mret").witnesses if w.shows.startswith("privileged")]
    one, two = (ran.before for ran in witness.runs)
    assert {name for name in one if one[name] != two[name]} == {"mode"}
    assert [ran.trap for ran in witness.runs] == [None, 2]
    assert witness.text.endswith("mode = U: traps (illegal instruction)")


def test_a_claim_that_running_does_not_bear_out_is_refused() -> None:
    states = tuple(run.before for run in of("mret").witnesses[0].runs)
    claim = Claim("something else", states, lambda runs: runs[1].trap is None)
    with pytest.raises(KitError, match="running it does not show that"):
        claim.simplified(Config(), Decoder.of(Config()))


def test_witnesses_are_short() -> None:
    for witness in of("csrrw satp").witnesses:
        for step in witness.numbers()["steps"]:
            assert len(step["before"]) <= 4
            assert step["before"]["pc"] == RAM


# -- holes, and the theorems -----------------------------------------------------------------

THEOREMS = {
    "jrst1": (False, False, True),
    "rdmode": (False, False, True),
    "noop": (False, False, True),
    "sfence": (False, False, True),
    "sret": (False, False, False),
    "mstatus": (False, False, False),
    "time": (True, False, True),
}


def altered(hole: str) -> Classification:
    register = [hole] if hole in ("mstatus", "time") else []
    return found(HOLES[hole].name, *register, holes=(hole,))


@pytest.mark.parametrize("hole", hole_names())
def test_a_hole_breaks_its_theorems_and_no_others(hole: str) -> None:
    verdicts = altered(hole).verdicts
    assert tuple(theorem.holds for theorem in theorems(verdicts)) == THEOREMS[hole]


def test_without_holes_all_three_theorems_hold_for_what_holes_alter() -> None:
    names = {HOLES[hole].name for hole in hole_names()} - {"jrst1", "rdmode", "csrrs"}
    verdicts = [*found(*sorted(names)).verdicts, of("csrrs mstatus"), of("csrrs time")]
    assert all(theorem.holds for theorem in theorems(verdicts))


def test_jrst1_changes_the_mode_only_in_supervisor_code() -> None:
    verdict = altered("jrst1").of("jrst1")
    assert "mode" in verdict.control
    assert (verdict.behaviour, verdict.user) == ((), ())


def test_what_shows_the_mode_is_not_user_sensitive() -> None:
    verdict = altered("rdmode").of("rdmode")
    assert (verdict.control, verdict.behaviour, verdict.user) == ((), ("mode",), ())


def test_an_ignored_mret_does_two_things_and_traps_the_wrong_way_round() -> None:
    assert set(altered("noop").of("mret").behaviour) == {"mode", "registers", "trap"}


def test_an_open_fence_traps_in_supervisor_mode_where_it_completes_in_user_mode() -> None:
    assert altered("sfence").of("sfence.vma").behaviour == ("trap",)


def test_a_return_that_works_in_user_mode_is_user_sensitive() -> None:
    assert "mode" in altered("sret").of("sret").user


def test_a_readable_status_shows_more_than_the_mode() -> None:
    verdict = altered("mstatus").of("csrrs mstatus")
    assert set(verdict.user) == {"relocation", "registers"}
    assert not altered("mstatus").of("csrrs mstatus").traps_in_u


def test_what_breaks_a_theorem_is_named_with_the_reason() -> None:
    (first, _, third) = theorems(altered("sret").verdicts)
    assert [name for name, _ in first.broken_by] == ["sret"]
    assert "changes the mode" in first.broken_by[0][1]
    assert third.broken_by[0][1].startswith("in U-mode, it changes or shows the mode")


# -- other processors, and mistakes ----------------------------------------------------------


def test_a_processor_without_supervisor_mode_is_classified_too() -> None:
    classification = found("mret", "wfi", "cycle", "csrrs", modes="MU")
    assert classification.of("mret").completes == {"U": "never", "M": "always"}
    assert classification.of("csrrs cycle").closed_by == "mcounteren.CY = 0"


def test_a_compressed_instruction_is_the_one_that_it_stands_for() -> None:
    assert [verdict.name for verdict in found("c.lw").verdicts] == ["lw"]


@pytest.mark.parametrize(
    ("config", "names", "complaint"),
    [
        (Config(), ["mrett"], "no instruction or CSR 'mrett'"),
        (Config(), ["jrst1"], "no instruction or CSR 'jrst1'"),
        (Config(modes="MU"), ["satp"], "no instruction or CSR 'satp'"),
        (Config(modes="M"), [], "modes M: .* user mode"),
    ],
)
def test_mistakes_are_named(config: Config, names: list[str], complaint: str) -> None:
    with pytest.raises(KitError, match=complaint):
        classify_processor(config, names)
