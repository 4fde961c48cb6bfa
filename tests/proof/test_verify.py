"""The proof's runner: verdicts, what is remembered, a student's kernel, mutants."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

z3 = pytest.importorskip("z3")

from kit.errors import KitError
from kit.isa.config import Config
from kit.proof import verify
from kit.proof.goals import LEMMAS, Obligation, decide, lemma
from kit.proof.mutants import all_mutants, verify_mutants
from kit.proof.mutants_equivalent import EQUIVALENT
from kit.proof.results import PROVED, REFUTED, UNKNOWN, VACUOUS
from kit.proof.sources import Sources, pieces_of
from kit.proof.table import group_of, table_text
from kit.proof.world import alike, world_of

MRET = """
from kit.bits import select
from kit.vmm.interpreters import M, MIE, MPIE, MPP, MPRV, complete, reject

def emulate_mret(v):
    if v.mode != M:
        reject(v)
        return
    status, previous = v.mstatus, v.mstatus[12:11]
    enabled = select((status & MPIE) != 0, v.word(MIE), v.word(0))
    {kept}
    v.mstatus = (status & ~(MIE | MPP | MPRV)) | enabled | MPIE | kept
    v.mode = previous
    v.next_pc = v.mepc & ~1
    complete(v)
"""
RIGHT = "kept = select(previous == M, status & MPRV, v.word(0))"
WRONG = "kept = status & MPRV"


@pytest.fixture(autouse=True)
def own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMM_KIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def student(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        file = tmp_path / "my_vmm.py"
        file.write_text(text)
        return file

    return write


@pytest.fixture
def false_lemma() -> Iterator[str]:
    """The claim that add leaves everything as it is, which is false."""

    @lemma("false")
    def false(config: Config) -> dict[str, Any]:
        """An instruction does nothing."""
        world = world_of(config)

        def goal() -> list[Obligation]:
            row = world.rows["add"]
            operands = world.operands(row)
            after = world.bare_step(row, operands, world.start)
            claims = alike(world.start, after, but={"pc", "next_pc", "instruction", "completed"})
            return [Obligation(world.invariant(), claims, operands)]

        return {"add": goal}

    yield "false"
    del LEMMAS["false"]


# -- verdicts ------------------------------------------------------------------------------------


def test_a_few_goals_of_each_lemma_are_proved() -> None:
    report = verify(
        instructions=["mret", "csrrw mstatus", "add", "ecall", "entry 3, 4", "exception 2"]
    )
    assert {result.verdict for result in report.results} == {PROVED}
    assert report.is_proved
    assert {"emulation", "direct", "dispatch", "protection", "reflection"} <= {
        result.lemma for result in report.results
    }


def test_a_false_lemma_is_refuted(false_lemma: str) -> None:
    result = decide(LEMMAS[false_lemma].goals(Config())["add"], false_lemma, "add")
    assert result.verdict == REFUTED
    assert "x" in result.failed or "mtime" in result.failed
    assert isinstance(result.values["rd"], int)


def test_hypotheses_that_contradict_each_other_are_reported() -> None:
    a = z3.BitVec("a", 8)
    vacuous = Obligation([a == 1, a == 2], {"anything": a == 3})
    assert decide(lambda: [vacuous], "none", "none").verdict == VACUOUS
    nothing = Obligation([a == 1, a == 2], {})
    assert decide(lambda: [nothing], "none", "none").verdict == VACUOUS


# -- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"lemmas": ["emulate"]}, "there is no lemma 'emulate'; there are"),
        ({"instructions": ["mrte"]}, "no goal is about 'mrte'; did you mean mret"),
    ],
)
def test_names_that_mean_nothing_are_rejected(asked: dict[str, list[str]], said: str) -> None:
    with pytest.raises(KitError, match=said):
        verify(**asked)  # type: ignore[arg-type]


def test_goals_that_belong_together_share_a_line_of_the_table() -> None:
    assert group_of("csrrw mstatus") == group_of("csrrw, no such register") == "csrrw"
    assert group_of("lw") == group_of("lbu") == "loads"
    assert group_of("entry 3, 4 bytes") == group_of("entry 12, pages") == "entry"
    report = verify(instructions=["csrrw mstatus", "csrrw mie"])
    assert any(
        " 2 " in line and "csrrw" in line for line in table_text(report.results).splitlines()
    )


# -- what is remembered --------------------------------------------------------------------------


def test_what_is_proved_is_remembered() -> None:
    assert not any(r.is_remembered for r in verify(["emulation"], ["mret"]).results)
    assert all(r.is_remembered for r in verify(["emulation"], ["mret"]).results)
    assert not any(r.is_remembered for r in verify(["emulation"], ["mret"], fresh=True).results)


def test_a_damaged_memory_is_as_good_as_none(tmp_path: Path) -> None:
    verify(["emulation"], ["mret"])
    file = tmp_path / "cache" / "proved.json"
    file.write_bytes(file.read_bytes()[:-20] + b"x" * 20)
    report = verify(["emulation"], ["mret"])
    assert report.is_proved
    assert not report.results[0].is_remembered


def test_a_goal_depends_on_the_functions_it_runs_and_the_names_they_use() -> None:
    found = Sources().closure(["kit.vmm.csr:guest_csr"])
    assert {"kit.vmm.csr:STORED", "kit.vmm.csr:ALL", "kit.vmm.csr:", "kit.bits:"} <= found
    assert "kit.vmm.csr:set_guest_csr" not in found


def test_a_comment_or_another_function_is_no_change_of_a_piece() -> None:
    text = "A = 1\ndef f():\n    return A\ndef g():\n    return 2\n"
    before = pieces_of("m", text)
    after = pieces_of("m", "# new\n" + text.replace("return 2", "return 3"))
    assert {name for name in before if before[name] != after[name]} == {"m:g"}


# -- a student's kernel --------------------------------------------------------------------------


def test_a_students_interpreter_is_proved(student: Callable[[str], Path]) -> None:
    report = verify(instructions=["mret"], vmm=student(MRET.format(kept=RIGHT)))
    assert [(r.lemma, r.verdict) for r in report.results] == [("emulation", PROVED)]


def test_a_students_mistake_is_said_in_words(student: Callable[[str], Path]) -> None:
    report = verify(vmm=student(MRET.format(kept=WRONG)))
    (result,) = report.refuted
    assert result.shown["text"] == (
        "after mret with MPP=U and MPRV=1, mstatus.MPRV stays 1; the architecture clears it"
    )
    json.dumps(result.numbers())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def emulate_mret(v):\n    v.mod = 3\n    nonsense\n", "my_vmm.py:3: NameError"),
        ("def emulate_mret(v)\n    pass\n", "my_vmm.py:1: expected ':'"),
        ("import nowhere\ndef emulate_mret(v): pass\n", "my_vmm.py:1: ModuleNotFoundError"),
        ("def unknown(v): pass\n", "my_vmm.py: it defines no function of the kernel"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(
    student: Callable[[str], Path], text: str, said: str
) -> None:
    with pytest.raises(KitError, match=said) as error:
        verify(instructions=["mret"], vmm=student(text))
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(KitError, match="cannot read it: No such file"):
        verify(vmm="nowhere.py")


# -- mutants -------------------------------------------------------------------------------------


def test_seeded_bugs_are_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    from kit.proof import mutants

    monkeypatch.setattr(
        mutants,
        "verify",
        lambda **how: verify(["emulation", "reflection"], ["mret", "exception 2"]),
    )
    report = verify_mutants(["mret_keeps_mprv", "a_trap_leaves_mie_on", "wfi_does_not_wait"])
    fates = {fate.name: (fate.verdict, fate.by) for fate in report.fates}
    assert fates["mret_keeps_mprv"] == (REFUTED, "emulation: mret")
    assert fates["a_trap_leaves_mie_on"][0] == REFUTED
    assert fates["wfi_does_not_wait"][0] == "survives"  # nothing about wfi was proved before
    assert [fate.name for fate in report.surviving] == ["wfi_does_not_wait"]


def test_unknown_is_no_proof() -> None:
    a, b = z3.BitVecs("a b", 8)
    odd = Obligation([], {"commutes": a * b == b * a})
    assert decide(lambda: [odd], "none", "none").verdict in (PROVED, UNKNOWN)


def test_mutants_are_the_same_every_time_and_fit_the_sources() -> None:
    every = all_mutants()
    assert len(every) >= 360
    assert list(every) == list(all_mutants())
    for name, mutant in every.items():
        compile(mutant.source(), name, "exec")


def test_what_counts_as_no_bug_is_among_the_mutants() -> None:
    assert EQUIVALENT.keys() <= all_mutants().keys()
    assert all(EQUIVALENT.values())
