"""Processors altered on purpose: what each hole changes, and that nobody has one unasked."""

from __future__ import annotations

import pytest

from kit import KitError, Machine
from kit.engine.reference import definition_step
from kit.isa.config import Config
from kit.isa.cpu import M, S, U
from kit.isa.encoding import HOLES, INSTRUCTIONS, Decoder
from kit.isa.holes import describe_hole, hole_names

PC, TARGET = 0x8000_0000, 0x8000_0100
ILLEGAL = 2


def word(hole: str) -> int:
    """An instruction in which the hole shows."""
    operands = {"mstatus": {"csr": 0x300}, "time": {"csr": 0xC01}}.get(hole, {})
    row = HOLES[hole]
    known = dict.fromkeys(row.widths, 0) | {"rs1": 0, "rd": 6} | operands
    known["rs1"] = 5 if hole == "jrst1" else 0
    return row.encode(**{name: known[name] for name in row.widths})


def after(hole: str, mode: int, holes: tuple[str, ...] | None = None) -> Machine:
    """A machine with the hole (or `holes`) that has made one step with its instruction."""
    given = (hole,) if holes is None else holes
    machine = Machine(memory="64K", engine="reference", holes=given)
    machine.write_memory(PC, word(hole).to_bytes(4, "little"))
    for name, value in {"pmpaddr0": 0xFFFF_FFFF, "pmpcfg0": 0x1F, "x5": TARGET}.items():
        machine.set_register(name, value)
    machine.set_register("mstatus", 0x10_0000)  # TVM
    machine.set_register("sepc", TARGET)
    machine.set_register("mepc", TARGET)
    machine.hart.mtime = 99
    machine.hart.mode = mode
    machine.run(1)
    return machine


@pytest.mark.parametrize("hole", hole_names())
def test_without_the_hole_its_instruction_traps_in_user_mode(hole: str) -> None:
    machine = after(hole, U, ())
    assert (machine.register("mcause"), machine.register("mtval")) == (ILLEGAL, word(hole))


@pytest.mark.parametrize("hole", hole_names())
def test_with_the_hole_it_does_not(hole: str) -> None:
    assert after(hole, U).hart.completed


@pytest.mark.parametrize("hole", hole_names())
def test_traced_and_as_it_stands_it_does_the_same(hole: str) -> None:
    traced, defined = after(hole, U), after(hole, U)
    for machine in (traced, defined):
        machine.hart.pc = PC
    traced.run(1)
    definition_step(defined.hart, Decoder.of(defined.config))
    assert traced.hart.snapshot() == defined.hart.snapshot()


@pytest.mark.parametrize("mode", [M, S, U])
def test_jrst1_jumps_and_leaves_the_machine_in_user_mode(mode: int) -> None:
    hart = after("jrst1", mode).hart
    assert (hart.pc, hart.mode) == (TARGET, U)


@pytest.mark.parametrize("mode", [M, S, U])
def test_rdmode_reads_the_mode(mode: int) -> None:
    assert after("rdmode", mode).hart.x[6] == mode


def test_an_ignored_mret_goes_on_with_the_next_instruction() -> None:
    assert after("noop", U).hart.pc == PC + 4
    assert after("noop", M).hart.pc == TARGET
    assert after("noop", S).register("mcause") == ILLEGAL


def test_an_open_sfence_still_obeys_tvm_in_supervisor_mode() -> None:
    assert after("sfence", S).register("mcause") == ILLEGAL


def test_an_sret_in_user_mode_returns() -> None:
    assert after("sret", U).hart.pc == TARGET


def test_registers_that_are_readable_in_user_mode_are_read_there() -> None:
    assert after("mstatus", U).hart.x[6] == 0x10_0000
    assert after("time", U).hart.x[6] == 99


def test_no_hole_is_in_the_table_of_instructions() -> None:
    assert not {id(row) for row in HOLES.values()} & {id(row) for row in INSTRUCTIONS}
    assert Decoder.of(Config()).by_name == Decoder("IMAC", 32).by_name
    assert len(hole_names()) >= 5
    assert all(len(describe_hole(name)) > 40 for name in hole_names())


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"holes": ["jrst"]}, "there is no hole 'jrst'; there are jrst1, "),
        ({"holes": ["mstatus", "time"]}, "mstatus and time both alter csrrs"),
        ({"holes": "jrst1"}, "holes: expected a list of names"),
        ({"holes": ["jrst1"], "engine": "wasm"}, "engine wasm: .* take reference"),
    ],
)
def test_what_cannot_be_built_is_refused(settings: dict[str, object], complaint: str) -> None:
    with pytest.raises(KitError, match=complaint):
        Machine(**settings)  # type: ignore[arg-type]
