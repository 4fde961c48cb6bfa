"""Every load does what it says, the same on every engine, in the steps that the table says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kit.bench.engines import ENGINES
from kit.bench.loads import BARE, LOADS, SETTINGS, Load, is_paged, is_virtual
from kit.control.vmm import VMM
from kit.isa.assembler import assemble
from kit.machine.computer import Computer
from kit.machine.machine import Machine
from kit.resources import guests_dir
from tests.bench.checksums import CHECKSUMS, MASK, pointers
from tests.conftest import missing
from tests.isa.gnu import assembled_by_gnu, need_gnu

FOLDER = guests_dir() / "bench"
BUDGET = 5_000_000


def text(name: str, rounds: int) -> str:
    """What a load has to print."""
    return f"{CHECKSUMS[name](rounds) & MASK:08x}\n"


def machine(setting: str, image: bytes) -> Computer:
    """A machine, bare or virtual, with an image loaded."""
    if is_virtual(setting):
        return VMM(Machine(memory="17M")).create("load", image, memory="16M")
    bare = Machine()
    bare.load(image)
    return bare


def cases(rounds: int, settings: tuple[str, ...]) -> list[object]:
    """The loads of the folder in their settings; what fills 8 MiB only where that is fastest."""
    return [
        pytest.param(load, setting, rounds, id=f"{load.name}-{setting}-{rounds}")
        for load in LOADS.values()
        for setting in load.settings
        if setting in settings and not load.source
        if setting == "bare" or load.name != "pointers"
        if rounds == 1 or load.per_round
    ]


@pytest.mark.parametrize(("load", "setting", "rounds"), cases(1, SETTINGS) + cases(2, ("bare",)))
def test_a_load_prints_its_checksum_in_the_steps_of_the_table(
    load: Load, setting: str, rounds: int
) -> None:
    computer = machine(setting, load.elf(rounds, is_paged(setting)))
    stop = computer.run(BUDGET)
    assert (stop.reason, stop.code) == ("halt", 0)
    assert computer.uart.text == text(load.name, rounds)
    assert stop.steps == load.steps(rounds, is_paged(setting))


def test_the_greeting_takes_the_steps_of_the_table() -> None:
    load = LOADS["hello"]
    assert machine("bare", load.elf(1, False)).run(BUDGET).steps == load.steps(1, False)


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_chase_takes_its_pointers_from_storage(setting: str) -> None:
    symbols = f".equ NODES, 512\n.equ ROUNDS, 3\n.equ PAGED, {is_paged(setting):d}\n"
    source = symbols + '.include "pointers.s"\n'
    computer = machine(setting, assemble(source, include_paths=[FOLDER]).to_elf())
    assert computer.run(BUDGET).reason == "halt"
    assert computer.uart.text == f"{pointers(3, 512):08x}\n"


def test_the_chase_visits_every_node() -> None:
    constants = assemble('.include "pointers.s"\n', include_paths=[FOLDER]).constants
    node, seen = 0, set()
    while node not in seen:
        seen.add(node)
        node = (constants["A"] * node + constants["C"]) % constants["NODES"]
    assert len(seen) == constants["NODES"] == 8 * 1024 * 1024 // 64


def test_the_cold_code_has_20_000_different_instructions() -> None:
    program = assemble('.include "once.s"\n', include_paths=[FOLDER])
    code = program.sections[0].data
    words = {code[at : at + 4] for at in range(0, len(code), 4)}
    assert len(words) >= 20_000


def test_a_load_by_itself_is_a_program_too() -> None:
    bare = Machine()
    bare.load(FOLDER / "system-calls.s")
    assert bare.run(BUDGET).reason == "halt"
    assert bare.uart.text == text("system-calls", 1)


def test_a_trap_that_nobody_asked_for_ends_the_run_with_code_1() -> None:
    for paged in (0, 1):
        source = f'.equ PAGED, {paged}\n.include "start.s"\nmain: .word 0\n'
        bare = Machine()
        bare.load(assemble(source, include_paths=[FOLDER]))
        stop = bare.run(BUDGET)
        assert (stop.reason, stop.code) == ("halt", 1)


def test_behind_sv32_a_load_runs_in_s_mode_and_not_at_physical_addresses() -> None:
    main = "main: csrr t0, satp\nsrli a0, t0, 31\nauipc a1, 0\nj finish\n"
    bare = Machine()
    source = f'.equ PAGED, 1\n.include "start.s"\n{main}'
    bare.load(assemble(source, include_paths=[FOLDER]))
    assert bare.run(BUDGET).reason == "halt"
    assert bare.uart.text == "00000001\n"
    assert (bare.register("mode"), bare.register("a1") >> 30) == (1, 3)


@pytest.mark.parametrize("engine", ["qemu", "spike", "unicorn"])
def test_other_engines_print_the_same(engine: str, tmp_path: Path) -> None:
    other = ENGINES[engine]
    if other.program() is None:
        missing(f"{engine} is not installed: {other.advice}")
    image = tmp_path / "load.elf"
    for load in LOADS.values():
        for setting in BARE:
            if not other.runs(load, setting):
                continue
            image.write_bytes(load.elf(2, is_paged(setting)))
            command = other.command(image, setting)
            result = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True
            )
            assert other.outcome(result.stdout.decode()).printed == text(load.name, 2), load.name


def test_every_source_of_the_folder_is_a_load_and_says_what_it_is() -> None:
    sources = {path.stem: path.read_text() for path in FOLDER.glob("*.s")}
    start = sources.pop("start")
    assert start.startswith("# ")
    assert set(sources) == {name for name, load in LOADS.items() if not load.source}
    for source in sources.values():
        assert re.match(r"# [A-Z].+\n", source)
        assert '.include "start.s"' in source


@pytest.mark.toolchain
@pytest.mark.parametrize("paged", [0, 1])
def test_gnu_as_reads_the_loads_too(paged: int, tmp_path: Path) -> None:
    need_gnu()
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    source = f'.equ PAGED, {paged}\n.include "context-switches.s"\n'
    code = assembled_by_gnu(source, tmp_path)
    own = assemble(source, include_paths=[FOLDER])
    assert len(code) == len(own.sections[0].data)
