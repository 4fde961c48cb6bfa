"""Counterexamples are programs that part, run bare and in a virtual machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("z3")

from kit import Machine, assemble
from kit.cli import main
from kit.proof import verify
from kit.proof.mutants_by_hand import BY_HAND
from kit.proof.results import REFUTED
from kit.proof.verify import Kernel, Worker
from kit.trace.tape import Tape


@pytest.fixture(autouse=True)
def own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VMM_KIT_CACHE", str(tmp_path / "cache"))


def refuted(bug: str, lemma: str, about: str) -> dict[str, Any]:
    """The counterexample of a goal, for the kernel with a bug."""
    mutant = BY_HAND[bug]
    worker = Worker(Kernel(changed={mutant.module: mutant.source()}, explains=True))
    try:
        answer = worker.decide((lemma, about))
    finally:
        worker.close()
    assert answer is not None
    assert answer["result"]["verdict"] == REFUTED
    shown: dict[str, Any] = answer["result"]["shown"]
    return shown


@pytest.mark.parametrize(
    ("bug", "lemma", "about", "said"),
    [
        ("sret_keeps_spp", "emulation", "sret", "mstatus.SPP stays 1; the architecture clears it"),
        ("tw_is_ignored", "emulation", "wfi", "the kernel executes it; the architecture traps"),
        ("mtvec_keeps_a_reserved_mode", "emulation", "csrrw mtvec", "mtvec.MODE becomes"),
        ("csrrw_returns_the_new_value", "emulation", "csrrw mepc", "the architecture"),
        ("minimum_is_unsigned", "access", "amomin.w", "the architecture"),
        ("all_calls_come_from_user_mode", "dispatch", "ecall", "mcause becomes 0x8"),
    ],
)
def test_a_bug_is_said_in_words_and_shown_by_a_program(
    bug: str, lemma: str, about: str, said: str
) -> None:
    shown = refuted(bug, lemma, about)
    assert said in shown["text"]
    assert shown["after"]
    machine = Machine(memory="64K")
    machine.load(assemble(shown["program"]))
    machine.run(shown["place"])
    bare = {name: one for name, one, _ in shown["after"]}
    for name in bare.keys() & {"mstatus", "mcause", "mtvec"}:
        assert machine.hart.snapshot()[name] == bare[name]


def test_of_page_tables_the_state_is_shown_and_said_to_be_no_program() -> None:
    shown = refuted("sum_is_ignored", "walk", "read, 4 bytes")
    assert not shown["program"]
    assert "no program" in shown["reason"]
    assert shown["before"]


def test_a_saved_counterexample_opens_where_the_two_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "my_vmm.py"
    file.write_text("from kit.vmm.traps import complete\ndef emulate_wfi(v): complete(v)\n")
    folder = tmp_path / "found"
    command = ["verify", "--instruction", "wfi", "--vmm", str(file), "--save", str(folder)]
    assert main(command) == 1
    (recording,) = folder.glob("*.rec")
    assert "emulation, wfi: after wfi" in capsys.readouterr().out
    result = verify(instructions=["wfi"], vmm=file).refuted[0]
    assert Tape.load(recording).end["place"] == result.shown["place"]
    assert main(["diff", str(recording), "--vm"]) == 0
    assert main(["replay", str(recording)]) == 0
